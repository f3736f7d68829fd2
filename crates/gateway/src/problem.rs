//! Problem documents (RFC 9457) for responses that a host sends instead of a guest.

use contract::http::Response;
use serde::Serialize;

/// Media type of a problem document.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Members in the order of RFC 9457, 3.1, then our own.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
}

/// Headers of the host's responses besides the type. Scripts of any origin may read the response, the request's id and when to retry: it
/// contains nothing of a guest or its store, and a page could not learn otherwise why its call failed (WHATWG Fetch). Browsers must not
/// guess another content type.
const FIELDS: [(&str, &str); 5] = [
    ("content-type", CONTENT_TYPE),
    ("cache-control", "no-store"),
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "retry-after, x-request-id"),
    ("x-content-type-options", "nosniff"),
];

/// A response with a status, a description that clients may see, and the request's id, by which an operator finds the rest in the log.
/// Empty texts are left out.
pub fn response(status: u16, detail: &str, request_id: &str) -> Response {
    let problem = Problem {
        r#type: "about:blank",
        title: title(status),
        status,
        detail,
        request_id,
    };
    Response {
        status,
        headers: FIELDS
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        // Strings and a number can always be serialised.
        body: serde_json::to_vec(&problem).unwrap_or_default(),
    }
}

/// The registered reason phrase of a status (IANA: HTTP status codes), or `Unknown`.
pub fn title(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_status_title_detail_and_request() {
        let response = response(431, "headers take 40000 bytes, 32768 are allowed", "id-1");
        assert_eq!(response.status, 431);
        assert_eq!(
            response.headers[0],
            ("content-type".into(), "application/problem+json".into())
        );
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "about:blank",
                "title": "Request Header Fields Too Large",
                "status": 431,
                "detail": "headers take 40000 bytes, 32768 are allowed",
                "request_id": "id-1",
            })
        );
    }

    #[test]
    fn scripts_of_any_origin_can_read_a_problem() {
        let response = response(413, "", "id-1");
        let value = |name: &str| {
            let mut fields = response.headers.iter();
            fields
                .find(|(field, _)| field == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(value("access-control-allow-origin"), Some("*"));
        assert_eq!(
            value("access-control-expose-headers"),
            Some("retry-after, x-request-id")
        );
        assert_eq!(value("x-content-type-options"), Some("nosniff"));
    }

    #[test]
    fn empty_members_are_left_out() {
        let body = String::from_utf8(response(500, "", "").body).unwrap();
        assert_eq!(
            body,
            r#"{"type":"about:blank","title":"Internal Server Error","status":500}"#
        );
    }
}
