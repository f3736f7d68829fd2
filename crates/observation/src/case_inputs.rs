//! What a case made from a recording has besides its event, so that its guest sees what the recorded one saw.

use contract::{hexadecimal::Hexadecimal, seed::Seed};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The inputs of a case besides event and store. What is absent has the default of all cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseInputs {
    /// The time of the request in milliseconds since the Unix epoch; by default that of its event.
    pub received_at_ms: Option<u64>,
    /// The source of everything random, from which ids and revisions follow; by default the same for all cases.
    pub seed: Option<Seed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default)]
    received_at_ms: Option<u64>,
    #[serde(default)]
    seed: Option<String>,
}

impl CaseInputs {
    /// Reads `{received_at_ms?, seed?}`; the reason if it is something else.
    pub(super) fn of_value(value: &Value) -> Result<Self, String> {
        if !value.is_object() {
            // serde would also read the members from a list.
            return Err("it is not a JSON object".to_owned());
        }
        let fields = Fields::deserialize(value).map_err(|error| error.to_string())?;
        let seed = fields.seed.map(|seed| seed.parse::<Seed>());
        Ok(Self {
            received_at_ms: fields.received_at_ms,
            seed: seed.transpose().map_err(|error| error.to_string())?,
        })
    }

    /// The JSON form.
    pub(super) fn to_value(&self) -> Value {
        let mut members = Map::new();
        if let Some(received_at_ms) = self.received_at_ms {
            members.insert("received_at_ms".to_owned(), received_at_ms.into());
        }
        if let Some(seed) = &self.seed {
            let digits = Hexadecimal(seed.as_bytes()).to_string();
            members.insert("seed".to_owned(), digits.into());
        }
        members.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_again_and_nothing_else() {
        let inputs = CaseInputs {
            received_at_ms: Some(1_767_225_600_123),
            seed: Some(Seed::new([7; 32])),
        };
        assert_eq!(CaseInputs::of_value(&inputs.to_value()), Ok(inputs));
        assert_eq!(CaseInputs::of_value(&json!({})), Ok(CaseInputs::default()));
        for bad in [
            json!([]),
            json!({"seed": "7"}),
            json!({"time": 1}),
            json!({"received_at_ms": -1}),
        ] {
            assert!(CaseInputs::of_value(&bad).is_err(), "{bad}");
        }
    }
}
