//! Checks of a request's head before it is processed: what hyper leaves to its user, what the emulated gateway would refuse, and which
//! callers the server answers.

use super::authority::{self, Allowed, NotAllowedError};
use contract::{http::field_value, limits::Limits};
use gateway::Quotas;
use hyper::{
    HeaderMap, Method, Version,
    header::{self, HeaderValue},
    http::{request::Parts, uri::PathAndQuery},
};
use std::borrow::Cow;

/// A request that is answered without calling the guest.
#[derive(Debug)]
pub struct HeadError {
    pub status: u16,
    pub detail: String,
}

impl HeadError {
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
        }
    }
}

/// The rules for heads.
pub struct Rules<'a> {
    pub limits: &'a Limits,
    pub quotas: &'a Quotas,
    pub allowed: &'a Allowed,
}

/// Bytes of a request line besides its method and target: the version, the blanks and the line break.
const VERSION_BYTES: usize = "  HTTP/1.1".len();

/// Checks a head, and changes its fields to what gateways pass on: the target's authority in `Host`, values as text.
pub fn check(head: &mut Parts, is_conflicting: bool, rules: &Rules<'_>) -> Result<(), HeadError> {
    check_framing(&head.headers, is_conflicting)?;
    check_host(head)?;
    make_text(&mut head.headers);
    check_caller(head, rules.allowed)?;
    check_size(head, rules)?;
    if !head.uri.path().starts_with('/') && !is_about_server(head) {
        return Err(HeadError::new(400, "the request target has no path"));
    }
    let expects_other = head
        .headers
        .get(header::EXPECT)
        .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if expects_other {
        return Err(HeadError::new(
            417,
            "the only supported expectation is `100-continue`",
        ));
    }
    Ok(())
}

/// `OPTIONS *` (RFC 9110, 9.3.7).
pub fn is_about_server(head: &Parts) -> bool {
    head.uri.path() == "*" && head.method == Method::OPTIONS
}

/// RFC 9112, 6.1: everybody must agree where a body ends. Only the coding `chunked` is supported; hyper checks that it comes last.
fn check_framing(headers: &HeaderMap, is_conflicting: bool) -> Result<(), HeadError> {
    if is_conflicting {
        return Err(HeadError::new(
            400,
            "the request has both `content-length` and `transfer-encoding`",
        ));
    }
    let mut is_chunked = false;
    for value in headers.get_all(header::TRANSFER_ENCODING) {
        let codings = value.as_bytes().split(|byte| *byte == b',');
        for coding in codings
            .map(<[u8]>::trim_ascii)
            .filter(|coding| !coding.is_empty())
        {
            if !coding.eq_ignore_ascii_case(b"chunked") {
                return Err(HeadError::new(
                    501,
                    "the only supported transfer coding is `chunked`",
                ));
            }
            if is_chunked {
                return Err(HeadError::new(400, "the body is chunked more than once"));
            }
            is_chunked = true;
        }
    }
    Ok(())
}

/// RFC 9112, 3.2: exactly one valid `Host`, except from clients older than HTTP/1.1. An authority in the target replaces it (3.2.2).
fn check_host(head: &mut Parts) -> Result<(), HeadError> {
    let is_valid = |value: &[u8]| str::from_utf8(value).is_ok_and(authority::is_valid);
    let mut hosts = head.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version < Version::HTTP_11 => {}
        (Some(host), None) if is_valid(host.as_bytes()) => {}
        (Some(_), None) => {
            return Err(HeadError::new(400, "the `host` header is not a valid host"));
        }
        (first, _) => {
            let count = if first.is_none() {
                "no"
            } else {
                "more than one"
            };
            return Err(HeadError::new(
                400,
                format!("the request has {count} `host` header"),
            ));
        }
    }
    if let Some(authority) = head.uri.authority() {
        let value = HeaderValue::from_str(authority.as_str())
            .ok()
            .filter(|value| is_valid(value.as_bytes()));
        let value = value.ok_or_else(|| {
            HeadError::new(
                400,
                "the authority of the request target is not a valid host",
            )
        })?;
        head.headers.insert(header::HOST, value);
    }
    Ok(())
}

fn check_caller(head: &Parts, allowed: &Allowed) -> Result<(), HeadError> {
    let headers = &head.headers;
    let refused = |error: NotAllowedError| HeadError::new(403, error.to_string());
    let host = headers.get(header::HOST).map_or("", text);
    allowed.check_host(host).map_err(refused)?;
    for origin in headers.get_all(header::ORIGIN) {
        allowed.check_origin(text(origin), host).map_err(refused)?;
    }
    if !headers.contains_key(header::ORIGIN) && is_embedded(head) {
        // Requests for embedded resources have no `Origin`.
        let page = headers.get(header::REFERER).map_or("", text);
        allowed
            .check_origin(authority::origin_of(page), host)
            .map_err(refused)?;
    }
    Ok(())
}

fn text(value: &HeaderValue) -> &str {
    str::from_utf8(value.as_bytes()).unwrap_or_default()
}

/// Whether a page of another origin made the browser send this request, other than by a link that its user followed (W3C: Fetch Metadata
/// Request Headers). Only browsers send these fields, and pages cannot set them.
fn is_embedded(head: &Parts) -> bool {
    let is = |name: &str, value: &str| {
        let field = head.headers.get(name);
        field.is_some_and(|field| field.as_bytes() == value.as_bytes())
    };
    let is_of_other_origin =
        is("sec-fetch-site", "cross-site") || is("sec-fetch-site", "same-site");
    let is_navigation = is("sec-fetch-mode", "navigate")
        && is("sec-fetch-dest", "document")
        && matches!(head.method, Method::GET | Method::HEAD);
    is_of_other_origin && !is_navigation
}

fn check_size(head: &Parts, rules: &Rules<'_>) -> Result<(), HeadError> {
    let Rules { limits, quotas, .. } = rules;
    let target_bytes = head
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let target_bytes_max = limits.request_target_bytes_max;
    let line_bytes = head.method.as_str().len() + target_bytes + VERSION_BYTES;
    let line_bytes_max = quotas.request_line_bytes_max;
    if target_bytes > target_bytes_max || line_bytes > line_bytes_max {
        let bytes_max = target_bytes_max.min(line_bytes_max);
        return Err(HeadError::new(
            414,
            format!("the request target has {target_bytes} bytes, {bytes_max} are allowed"),
        ));
    }
    let (mut name_bytes, mut value_bytes, mut longest) = (0, 0, 0);
    for (name, value) in &head.headers {
        name_bytes += name.as_str().len();
        value_bytes += value.len();
        longest = longest.max(value.len());
    }
    let too_large = |what: &str, bytes: usize, bytes_max: usize| {
        let detail = format!("{what} {bytes} bytes, {bytes_max} are allowed");
        Err(HeadError::new(431, detail))
    };
    if longest > quotas.header_value_bytes_max {
        return too_large("a header has", longest, quotas.header_value_bytes_max);
    }
    let bytes = name_bytes + value_bytes;
    if bytes > limits.request_headers_bytes_max {
        return too_large("the headers have", bytes, limits.request_headers_bytes_max);
    }
    let counted_names = if quotas.counts_header_names {
        name_bytes
    } else {
        0
    };
    let bytes = line_bytes + counted_names + value_bytes;
    if bytes > quotas.head_bytes_max {
        return too_large(
            "request line and headers have",
            bytes,
            quotas.head_bytes_max,
        );
    }
    Ok(())
}

/// Reads values that are not UTF-8 as ISO-8859-1, each byte as one character: HTTP gives such bytes no meaning, and events are text (RFC
/// 9110, 5.5).
fn make_text(headers: &mut HeaderMap) {
    for value in headers.values_mut() {
        if let Cow::Owned(text) = field_value(value.as_bytes())
            && let Ok(text) = HeaderValue::from_maybe_shared(bytes::Bytes::from(text))
        {
            *value = text;
        }
    }
}

/// Names, which are lower-case, with their values.
pub fn fields(headers: &HeaderMap) -> Result<Vec<(&str, &str)>, HeadError> {
    let fields = headers.iter().map(|(name, value)| {
        let value = str::from_utf8(value.as_bytes()).map_err(|_| {
            HeadError::new(400, format!("the value of header `{name}` is not text"))
        })?;
        Ok((name.as_str(), value))
    });
    fields.collect()
}

/// Path and query as they were sent.
pub fn target(head: &Parts) -> &str {
    head.uri.path_and_query().map_or("/", PathAndQuery::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::EventKind;
    use hyper::Request;

    fn checked(uri: &str, fields: &[(&str, &[u8])]) -> Result<Parts, HeadError> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in fields {
            request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        let rules = Rules {
            limits: &Limits::default(),
            quotas: Quotas::of(EventKind::HttpApi),
            allowed: &Allowed::default(),
        };
        check(&mut head, false, &rules).map(|()| head)
    }

    #[test]
    fn the_authority_of_the_target_takes_the_place_of_host() {
        let head = checked("http://127.0.0.1:81/x?q=1", &[("host", b"b.example")]).unwrap();
        let fields = fields(&head.headers).unwrap();
        assert_eq!(fields, [("host", "127.0.0.1:81")]);
        assert_eq!(target(&head), "/x?q=1");
        let refusal = checked("http://a.example/", &[("host", b"localhost")]).unwrap_err();
        assert_eq!(refusal.status, 403);
    }

    #[test]
    fn bytes_beyond_ascii_become_text() {
        let sent: [(&str, &[u8]); 4] = [
            ("host", b"localhost"),
            ("x-latin", b"caf\xe9 \xa4\x85"),
            ("x-utf", "caf\u{e9}".as_bytes()),
            ("x-mixed", b"\xc3\xa9\xff"),
        ];
        let head = checked("/", &sent).unwrap();
        assert_eq!(
            fields(&head.headers).unwrap()[1..],
            [
                ("x-latin", "caf\u{e9} \u{a4}\u{85}"),
                ("x-utf", "caf\u{e9}"),
                ("x-mixed", "\u{c3}\u{a9}\u{ff}"),
            ]
        );
    }

    #[test]
    fn a_caller_is_judged_by_every_origin_it_names() {
        let sent: [(&str, &[u8]); 3] = [
            ("host", b"localhost"),
            ("origin", b"http://localhost"),
            ("origin", b"https://a.example"),
        ];
        assert_eq!(checked("/", &sent).unwrap_err().status, 403);
        assert!(checked("/", &sent[..2]).is_ok());
        let strange: [(&str, &[u8]); 2] = [("host", b"localhost"), ("origin", b"\xff")];
        assert_eq!(checked("/", &strange).unwrap_err().status, 403);
    }
}
