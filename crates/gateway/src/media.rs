//! What events and responses contain as text, and what in base64.
//!
//! Responses: UTF-8 is sent as text, whatever its type, for every kind of gateway. All of them pass text on byte for byte. REST APIs decode
//! base64 only if the client's `accept` begins with a binary type of the API ([`REST_BINARY_TYPES`]); otherwise the client receives base64.
//! So base64 is used only for bytes that JSON text cannot carry.
//!
//! Requests: the gateway decides. REST APIs send content of their binary types in base64 and everything else as text; the others decide by
//! [`is_text`].

/// The binary types of the REST API in `infra/template.yaml`, with which `cargo xtask infra` compares this list. `serve --event-kind rest`
/// emulates an API that has them. There are few, because the gateway can validate only requests with text.
pub const REST_BINARY_TYPES: [&str; 3] = ["application/octet-stream", "image/jpeg", "image/png"];

/// Content as text, if possible.
pub fn text(content: Vec<u8>) -> Result<String, Vec<u8>> {
    String::from_utf8(content).map_err(|error| error.into_bytes())
}

/// Whether a media type without parameters is one of `types`, in which `*` stands for any.
pub fn is_one_of(essence: &str, types: &[&str]) -> bool {
    types.iter().any(|one| match one.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => essence
            .split_once('/')
            .is_some_and(|(major, _)| major.eq_ignore_ascii_case(kind)),
        None => essence.eq_ignore_ascii_case(one),
    })
}

/// A media type without its parameters.
pub fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Whether HTTP APIs, function URLs and load balancers treat a request's body of this type as text. Parameters are ignored; a body without
/// a type is not text.
pub fn is_text(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else {
        return false;
    };
    let essence = essence(content_type);
    let has = |start: &str| {
        essence
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    let ends = |end: &str| {
        let start = essence.len().checked_sub(end.len());
        start
            .and_then(|start| essence.get(start..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    has("text/")
        || ends("+json")
        || ends("+xml")
        || [
            "application/json",
            "application/xml",
            "application/javascript",
            "application/x-www-form-urlencoded",
        ]
        .iter()
        .any(|text| essence.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_compared_by_part() {
        for (essence, types, expected) in [
            ("image/PNG", &["image/png"][..], true),
            ("image/png", &["image/*"], true),
            ("image/png", &["*/*"], true),
            ("*/*", &["image/png"], false),
            ("", &["image/*"], false),
            ("text/plain", &REST_BINARY_TYPES, false),
        ] {
            assert_eq!(is_one_of(essence, types), expected, "{essence} {types:?}");
        }
    }

    #[test]
    fn text_is_told_by_the_type() {
        for text in [
            "text/html",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "image/svg+xml",
        ] {
            assert!(is_text(Some(text)), "{text}");
        }
        for binary in ["image/png", "application/octet-stream", "", "é"] {
            assert!(!is_text(Some(binary)), "{binary}");
        }
        assert!(!is_text(None));
    }
}
