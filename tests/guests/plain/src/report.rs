//! The calls and their results, as one JSON object of lists.

use std::collections::BTreeMap;

/// Results by function, in the order of the calls.
#[derive(Default)]
pub struct Report(BTreeMap<&'static str, Vec<String>>);

impl Report {
    /// Adds one result of `function`.
    pub fn add(&mut self, function: &'static str, outcome: impl Into<String>) {
        self.0.entry(function).or_default().push(outcome.into());
    }

    /// The object's text.
    pub fn to_json(&self) -> String {
        let members = self.0.iter().map(|(function, outcomes)| {
            let outcomes: Vec<_> = outcomes.iter().map(|outcome| quoted(outcome)).collect();
            format!("{}:[{}]", quoted(function), outcomes.join(","))
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => {
                quoted += &format!("\\u{:04x}", character as u32)
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
