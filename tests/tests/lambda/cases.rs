//! Runs every case that runs in memory through the host, started by Amazon's emulator, on a real DynamoDB engine.

use super::{
    bootstrap::{Environment, image, program_of_cases},
    emulator::Emulator,
    table::Table,
};
use crate::{
    cases::{case_folders, differences, name},
    support::guests::REFERENCE,
};
use observation::{Case, EVENT_TIME_DEFAULT_MS, head, readable_response};
use replay::CaseOutcome;
use serde_json::{Value, json};

#[test]
fn every_case_comes_out_as_expected_on_lambda_and_dynamodb() {
    let table = Table::start();
    table.set_cursor_key([0; 32]);
    let environment = Environment::new(&image("cases", REFERENCE), &table.endpoint());
    let emulator = Emulator::start(&program_of_cases(), environment);
    let mut complaints = Vec::new();
    for folder in case_folders() {
        let case = Case::load(&folder).unwrap();
        let outcome = run(&case, &emulator, &table);
        for difference in differences(&case, &outcome) {
            complaints.push(format!("{} on Lambda: {difference}", name(&folder)));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn run(case: &Case, emulator: &Emulator, table: &Table) -> CaseOutcome {
    table.clear();
    table.fill("local", &case.before);
    let answer: Value = serde_json::from_slice(&emulator.invoke(&case.event)).unwrap();
    let response = match answer.get("errorMessage") {
        Some(message) => json!({"refusal": message}),
        None => readable_response(answer),
    };
    let now_ms = head(&case.event).map_or(EVENT_TIME_DEFAULT_MS, |head| head.received_at_ms);
    CaseOutcome {
        response,
        after: table.entries("local", now_ms),
        summary: None,
    }
}
