//! Requests of the host's store, items, and conditions.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) pk: Text,
    pub(super) sk: Text,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    #[serde(rename = "S")]
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(from = "Box<RawValue>")]
pub(super) struct Item {
    pub(super) json: Box<str>,
    /// Without the document.
    pub(super) attributes: BTreeMap<String, Attribute>,
    /// Its size as DynamoDB counts it.
    pub(super) bytes: usize,
}

#[derive(Deserialize)]
pub(super) enum Attribute {
    S(String),
    N(String),
    B(String),
    #[serde(rename = "BOOL", alias = "NULL")]
    Flag(#[expect(dead_code, reason = "each has the same size")] bool),
    L(Vec<Attribute>),
    M(BTreeMap<String, Attribute>),
}

/// One write, alone or in a transaction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Write {
    pub(super) table_name: String,
    /// Of a put.
    pub(super) item: Option<Item>,
    /// Of everything else.
    pub(super) key: Option<Key>,
    pub(super) condition_expression: Option<String>,
    #[serde(default)]
    pub(super) expression_attribute_values: BTreeMap<String, Attribute>,
    #[serde(default)]
    pub(super) return_values_on_condition_check_failure: String,
    #[serde(default, rename = "ReturnConsumedCapacity")]
    _capacity: String,
}

#[derive(Deserialize)]
pub(super) enum Operation {
    Put(Write),
    Delete(Write),
    ConditionCheck(Write),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Transaction {
    pub(super) transact_items: Vec<Operation>,
    pub(super) client_request_token: String,
    #[serde(default, rename = "ReturnConsumedCapacity")]
    _capacity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Get {
    pub(super) table_name: String,
    pub(super) key: Key,
    #[serde(rename = "ConsistentRead")]
    _is_consistent: bool,
    #[serde(default, rename = "ReturnConsumedCapacity")]
    _capacity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Batch {
    pub(super) request_items: BTreeMap<String, Keys>,
    #[serde(default, rename = "ReturnConsumedCapacity")]
    _capacity: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Keys {
    pub(super) keys: Vec<Key>,
    pub(super) consistent_read: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Query {
    pub(super) table_name: String,
    pub(super) index_name: Option<String>,
    pub(super) key_condition_expression: String,
    pub(super) expression_attribute_values: BTreeMap<String, Attribute>,
    pub(super) exclusive_start_key: Option<Key>,
    pub(super) scan_index_forward: bool,
    pub(super) limit: usize,
    #[serde(rename = "ConsistentRead")]
    _is_consistent: bool,
    #[serde(default, rename = "ReturnConsumedCapacity")]
    _capacity: String,
}

impl Operation {
    pub(super) fn write(&self) -> &Write {
        match self {
            Self::Put(write) | Self::Delete(write) | Self::ConditionCheck(write) => write,
        }
    }
}

impl Write {
    pub(super) fn key(&self) -> Key {
        match (&self.item, &self.key) {
            (Some(item), None) => {
                let [pk, sk] = ["pk", "sk"].map(|name| Text {
                    text: item.attributes[name].text().to_owned(),
                });
                Key { pk, sk }
            }
            (None, Some(key)) => key.clone(),
            _ => panic!("neither a put nor a write of a key"),
        }
    }

    /// The host's conditions (`condition.rs`, `cursor_key.rs` and `transact.rs` in `storage-dynamodb`).
    pub(super) fn holds(&self, item: Option<&Item>) -> bool {
        let Some(expression) = &self.condition_expression else {
            return true;
        };
        let value = |name: &str| &self.expression_attribute_values[name];
        let attribute = |name: &str| item?.attributes.get(name);
        let is_at_most = |name: &str, bound: &str| {
            attribute(name).is_some_and(|found| found.number() <= value(bound).number())
        };
        let has_expired = || is_at_most("expires_at", ":now");
        match &**expression {
            "attribute_not_exists(pk)" => item.is_none(),
            "attribute_not_exists(pk) OR expires_at <= :now" => item.is_none() || has_expired(),
            "attribute_not_exists(pk) OR done_at_ms <= :forgotten" => {
                item.is_none() || is_at_most("done_at_ms", ":forgotten")
            }
            "attribute_exists(pk) AND (attribute_not_exists(expires_at) OR expires_at > :now)" => {
                item.is_some() && !has_expired()
            }
            "rev = :rev AND (attribute_not_exists(expires_at) OR expires_at > :now)" => {
                attribute("rev").is_some_and(|found| found.text() == value(":rev").text())
                    && !has_expired()
            }
            other => panic!("an unknown condition: {other}"),
        }
    }
}

impl From<Box<RawValue>> for Item {
    fn from(json: Box<RawValue>) -> Self {
        let mut attributes: BTreeMap<String, Attribute> = serde_json::from_str(json.get()).unwrap();
        let bytes = members_bytes(&attributes);
        attributes.remove("doc");
        Self {
            json: json.into(),
            attributes,
            bytes,
        }
    }
}

fn members_bytes(members: &BTreeMap<String, Attribute>) -> usize {
    let bytes = |(name, value): (&String, &Attribute)| name.len() + value.bytes();
    members.iter().map(bytes).sum()
}

impl Attribute {
    /// AWS: "DynamoDB item sizes and formats".
    fn bytes(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(digits) => digits.len().div_ceil(2) + 1,
            Self::B(base64) => base64.len() / 4 * 3,
            Self::Flag(_) => 1,
            Self::L(values) => 3 + values.iter().map(|value| 1 + value.bytes()).sum::<usize>(),
            Self::M(members) => 3 + members.len() + members_bytes(members),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::S(text) => text,
            _ => panic!("not a string"),
        }
    }

    fn number(&self) -> i128 {
        match self {
            Self::N(digits) => digits.parse().unwrap(),
            _ => panic!("not a number"),
        }
    }
}
