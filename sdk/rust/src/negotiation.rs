//! Media types: what the client accepts (RFC 9110, 12.5.1), and what it sends (8.3, 8.4).

use crate::{Problem, Request};
use alloc::format;

/// The media type of everything that is not an error.
pub(crate) const JSON: &str = "application/json";
/// The media type of JSON Merge Patch (RFC 7396).
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";
/// Names of UTF-8 that clients use, and of its subset ASCII.
const CHARSETS: [&str; 3] = ["utf-8", "utf8", "us-ascii"];

/// Refuses a request whose `Accept` excludes JSON.
pub(crate) fn check_accept(request: &Request) -> Result<(), Problem> {
    match request.headers.get("accept") {
        Some(accept) if !accepts_json(&accept) => Err(Problem::new(
            406,
            "not-acceptable",
            "the only representation is `application/json`",
        )),
        Some(_) | None => Ok(()),
    }
}

/// Refuses content that is not of the media type `expected`, in UTF-8 and uncompressed. The response names `expected` in the header `hint`.
pub(crate) fn check_content_type(
    request: &Request,
    expected: &'static str,
    hint: &'static str,
) -> Result<(), Problem> {
    let content_type = request.headers.get("content-type");
    if !content_type
        .as_deref()
        .is_some_and(|value| is_utf8_of_type(value, expected))
    {
        let detail = format!("the content type must be `{expected}`, in UTF-8");
        return Err(Problem::new(415, "unsupported-media-type", detail).with_header(hint, expected));
    }
    match request.headers.get("content-encoding") {
        Some(coding) if !coding.eq_ignore_ascii_case("identity") => {
            let problem = Problem::new(
                415,
                "unsupported-media-type",
                "the content must not be compressed",
            );
            Err(problem.with_header("accept-encoding", "identity"))
        }
        Some(_) | None => Ok(()),
    }
}

/// The most specific range that includes JSON decides; an invalid range is skipped.
fn accepts_json(accept: &str) -> bool {
    if accept.trim().is_empty() {
        return true; // the same as no preference
    }
    let mut best = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let specificity = match parts.next() {
            Some(name) if name.eq_ignore_ascii_case(JSON) => 3,
            Some(name) if name.eq_ignore_ascii_case("application/*") => 2,
            Some("*/*") => 1,
            Some(_) | None => continue,
        };
        let refused = parts.any(is_zero_weight);
        if best.is_none_or(|(best_specificity, _)| specificity > best_specificity) {
            best = Some((specificity, refused));
        }
    }
    best.is_some_and(|(_, refused)| !refused)
}

/// Whether a parameter is `q=0`, with up to three decimals.
fn is_zero_weight(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    name.trim().eq_ignore_ascii_case("q")
        && matches!(value.trim(), "0" | "0." | "0.0" | "0.00" | "0.000")
}

fn is_utf8_of_type(content_type: &str, expected: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_type = parts
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(expected));
    is_type
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
                let charset = charset.trim_matches('"');
                CHARSETS
                    .iter()
                    .any(|utf8| charset.eq_ignore_ascii_case(utf8))
            }
            Some(_) | None => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_decided_by_the_most_specific_range() {
        for (accept, accepted) in [
            ("", true),
            ("*/*", true),
            ("application/*;q=0.1", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/html, application/json;q=0.2", true),
            ("text/html", false),
            ("application/json;q=0, */*", false),
            ("application/json; q=0.000", false),
            ("*/*;q=0, application/*", true),
            ("application/problem+json", false),
            ("nonsense", false),
        ] {
            assert_eq!(accepts_json(accept), accepted, "{accept}");
        }
    }

    #[test]
    fn content_is_json_in_utf8() {
        for (content_type, accepted) in [
            ("application/json", true),
            ("Application/Json ; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\";v=1", true),
            ("application/json; charset=UTF8", true),
            ("application/json; charset=\"US-ASCII\"", true),
            ("application/json; charset=utf-16", false),
            ("application/json; charset=latin1", false),
            ("text/json", false),
            ("", false),
        ] {
            assert_eq!(
                is_utf8_of_type(content_type, JSON),
                accepted,
                "{content_type}"
            );
        }
    }
}
