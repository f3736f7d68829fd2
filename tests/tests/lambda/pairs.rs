//! The pairs of `crate::pairs` through the emulator of Lambda, on a DynamoDB engine.

use super::{
    bootstrap::{Environment, image, program},
    emulator::Emulator,
    table::Table,
};
use crate::{
    pairs::{Component, ENVIRONMENT, Got, Pair, RECIPIENT, components, replayed_twice},
    support::fresh_folder,
};
use contract::http::Scheme;
use gateway::{
    EventKind, Origin,
    compose::{Incoming, compose},
    deliver::{BinaryMedia, deliver},
};
use serde_json::{Map, Value};
use std::fs;

#[test]
fn every_pair_holds_on_lambda_and_replays_twice() {
    let mut complaints = Vec::new();
    for component in components() {
        for kind in EventKind::ALL {
            invoke(&component, kind, &mut complaints);
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn invoke(component: &Component, kind: EventKind, complaints: &mut Vec<String>) {
    let run = format!("{} {}", component.name, kind.as_str());
    let table = Table::start();
    let guest = fs::read(&component.path).unwrap();
    let guest = image(&format!("pairs-{}", run.replace(' ', "-")), &guest);
    let variables: Map<String, Value> = ENVIRONMENT
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into_iter()
        .collect();
    let environment = Environment::new(&guest, &table.endpoint())
        .with("TENON_GUEST_ENV", &Value::Object(variables).to_string())
        .with("TENON_TAPE", "all")
        .with("TENON_TAPE_RECIPIENT", RECIPIENT);
    let emulator = Emulator::start(&program(), environment);
    for pair in component
        .pairs
        .iter()
        .filter(|pair| !pair.is_decided_by(kind))
    {
        // A function may be behind several gateways: what one of them loses comes through another one.
        let kind = match pair.is_changed_by(kind) {
            true => EventKind::HttpApi,
            false => kind,
        };
        let difference = pair.difference(&send(pair, kind, &emulator), false);
        complaints.extend(difference.map(|difference| format!("{run}: {difference}")));
    }
    let folder = fresh_folder(&format!("lambda-pairs-{}-log", run.replace(' ', "-")));
    let log = folder.join("log.jsonl");
    fs::write(&log, emulator.lines.all().join("\n")).unwrap();
    complaints.extend(replayed_twice(component, &log).map(|text| format!("{run}: {text}")));
}

fn send(pair: &Pair, kind: EventKind, emulator: &Emulator) -> Got {
    let mut headers = pair.request.headers();
    headers.push(("host", "localhost"));
    let incoming = Incoming {
        method: &pair.request.method,
        target: &pair.request.path,
        headers: &headers,
        body: &pair.request.body(),
        client_address: "192.0.2.1",
        scheme: Scheme::Http,
        request_id: "one-of-the-pairs",
        received_at_ms: 1_700_000_000_000,
    };
    let origin = Origin::new(kind);
    let response = emulator.invoke(&compose(origin, &incoming).to_json());
    let binary = BinaryMedia {
        accept: Some("*/*"),
        types: &["*/*"],
    };
    let delivery = deliver(&origin, &response, &binary);
    let headers = delivery.headers.into_iter();
    Got {
        status: delivery.status,
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect(),
        body: delivery.body,
    }
}
