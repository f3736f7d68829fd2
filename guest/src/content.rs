//! The content of requests as JSON.

use crate::{
    http::Request,
    item::Draft,
    negotiation::{self, JSON},
    problem::{Problem, Violation},
};
use alloc::{format, string::String, vec::Vec};
use serde_json::Value;

/// Objects and arrays inside of each other. The store keeps no more, and the stack of the component, which each level takes a part of,
/// is small.
const LEVELS_MAX: usize = 32;

/// Reads a request's content as JSON; the media type has been checked.
pub fn parse(request: &Request) -> Result<Value, Problem> {
    if levels(&request.body) > LEVELS_MAX {
        let detail =
            format!("must not have more than {LEVELS_MAX} levels of objects and arrays").into();
        return Err(Problem::invalid_content(Vec::from([Violation {
            pointer: String::new(),
            detail,
        }])));
    }
    serde_json::from_slice(&request.body).map_err(|error| {
        Problem::new(
            400,
            "invalid-json",
            format!("the content is not JSON: {error}"),
        )
    })
}

/// Reads a whole item, as POST and PUT send it. `hint` is the header that tells the right media type.
pub fn parse_item(request: &Request, hint: &'static str) -> Result<Draft, Problem> {
    negotiation::check_content_type(request, JSON, hint)?;
    Draft::check(parse(request)?).map_err(Problem::invalid_content)
}

/// The deepest nesting of brackets outside of strings; right for JSON, and never too low for what a parser takes for JSON.
fn levels(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted_outside_of_strings() {
        for (text, deepest) in [
            ("1", 0),
            ("[]", 1),
            (r#"{"a":[{},[]],"b":{}}"#, 3),
            (r#"["[[[", "\"[[", "\\", [], "]"]"#, 2),
            ("]][[", 2),
        ] {
            assert_eq!(levels(text.as_bytes()), deepest, "{text}");
        }
    }

    #[test]
    fn deep_content_is_refused_unparsed() {
        let status = |levels: usize| {
            let body = ["[".repeat(levels), "]".repeat(levels)].concat().into();
            parse(&Request {
                body,
                ..Request::default()
            })
            .map_err(|problem| problem.status)
        };
        assert!(status(LEVELS_MAX).is_ok());
        assert_eq!(status(LEVELS_MAX + 1), Err(422));
        assert_eq!(status(1_000_000), Err(422));
    }
}
