//! Request content as JSON.

use crate::{
    http::Request,
    item::Draft,
    json::{self, JsonError, Parsed},
    negotiation::{self, JSON},
    problem::{Problem, Violation},
};
use alloc::{format, string::String, vec::Vec};

/// Longer content is refused unread, so that a request ends before it exhausts its memory. An item has at most 400 KB, and each of its
/// bytes takes at most six in JSON; longer content can only contain additional blanks.
pub const CONTENT_BYTES_MAX: usize = 6 * 400 * 1024;

/// Reads a request's content as JSON; the media type has been checked.
pub fn parse(request: &Request) -> Result<Parsed, Problem> {
    let bytes = request.body.len();
    if bytes > CONTENT_BYTES_MAX {
        return Err(too_large(format!(
            "the content has {bytes} bytes, at most {CONTENT_BYTES_MAX} are read"
        )));
    }
    json::parse(&request.body).map_err(|error| match error {
        JsonError::Syntax { .. } => Problem::new(400, "invalid-json", error.detail()),
        JsonError::TooDeep => Problem::invalid_content(Vec::from([Violation {
            pointer: String::new(),
            detail: error.detail().into(),
        }])),
        JsonError::TooManyValues => too_large(error.detail()),
    })
}

fn too_large(detail: String) -> Problem {
    Problem::new(413, "content-too-large", detail)
}

/// Reads a complete item, as POST and PUT send it. `hint` is the response header that names the right media type.
pub fn parse_item(request: &Request, hint: &'static str) -> Result<Draft, Problem> {
    negotiation::check_content_type(request, JSON, hint)?;
    Draft::check(parse(request)?.value).map_err(Problem::invalid_content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_refused_before_it_takes_too_much() {
        let status = |body: String| {
            let request = Request {
                body: body.into(),
                ..Request::default()
            };
            parse(&request).map_or_else(|problem| problem.status, |_| 200)
        };
        let nested = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
        assert_eq!(status(nested(json::LEVELS_MAX)), 200);
        assert_eq!(status(nested(json::LEVELS_MAX + 1)), 422);
        let blanks = |bytes: usize| format!("1{}", " ".repeat(bytes - 1));
        assert_eq!(status(blanks(CONTENT_BYTES_MAX)), 200);
        assert_eq!(status(blanks(CONTENT_BYTES_MAX + 1)), 413);
        assert_eq!(status(format!("[{}0]", "0,".repeat(json::VALUES_MAX))), 413);
    }
}
