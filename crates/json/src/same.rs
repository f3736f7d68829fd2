//! Comparing and counting values.

use serde_json::Value;

/// Whether two values are equal: numbers are compared by value, objects regardless of the order of their members.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || Decimal::of(one.as_str()) == Decimal::of(other.as_str())
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

/// The number of values in a tree, including itself.
pub fn count(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(count).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(count).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

/// A number's value: significant digits without leading and trailing zeros, and the power of ten of the first of them.
#[derive(PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i128,
    /// An exponent too large for any integer type, as spelt: such numbers are equal if they are spelt alike.
    spelt: Option<String>,
}

impl Decimal {
    /// `text` keeps to JSON's grammar.
    fn of(text: &str) -> Self {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent_text) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [integer, fraction].concat();
        let digits = all.trim_start_matches('0');
        let leading_zeros = all.len() - digits.len();
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Self {
                is_negative: false,
                digits: String::new(),
                exponent: 0,
                spelt: None,
            };
        }
        let exponent = exponent_text.parse::<i64>().ok();
        Self {
            is_negative,
            digits: digits.to_owned(),
            exponent: exponent.map_or(0, |exponent| {
                i128::from(exponent) + integer.len() as i128 - leading_zeros as i128
            }),
            spelt: exponent.is_none().then(|| text.to_owned()),
        }
    }
}
