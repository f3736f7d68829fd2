//! The query as pairs of texts.

use crate::{Problem, percent};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

/// The decoded pairs of a query.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let decode = |text| percent::decode_parameter(text).map(|decoded| decoded.to_string());
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (decode(name), decode(value)) else {
            return Err(invalid("the query is not percent-encoded UTF-8".into()));
        };
        pairs.push((name, value));
    }
    Ok(pairs)
}

pub(crate) fn invalid(detail: String) -> Problem {
    Problem::new(400, "invalid-query", detail)
}
