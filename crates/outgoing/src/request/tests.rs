use super::*;

fn request(method: &str, url: &str) -> OutgoingRequest {
    OutgoingRequest {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout: None,
    }
}

fn with_headers(headers: &[(&str, &str)], body: &str) -> Result<ParsedRequest, OutgoingError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    ParsedRequest::new(OutgoingRequest {
        headers: headers.iter().map(owned).collect(),
        body: body.as_bytes().to_vec(),
        ..request("POST", "https://api.example.com")
    })
}

/// What an error says, which is no secret.
fn refusal(result: Result<ParsedRequest, OutgoingError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.name(), "invalid-request");
    let words = error.to_string();
    assert!(!words.contains("planted"), "{words}");
    words
}

#[test]
fn urls_are_taken_apart_and_nothing_is_changed() {
    for (url, origin, path, target) in [
        ("https://a.example", "https://a.example", "/", "/"),
        ("https://A.example:443/", "https://a.example", "/", "/"),
        ("http://a.example?x=1", "http://a.example", "/", "/?x=1"),
        ("http://a.example/?", "http://a.example", "/", "/?"),
        (
            "http://a.example//b/../c?d?e/../f",
            "http://a.example",
            "//b/../c",
            "//b/../c?d?e/../f",
        ),
        (
            "http://a.example/g%2Fh/i%20j;k=l?100%&m[]=n|{o}",
            "http://a.example",
            "/g%2Fh/i%20j;k=l",
            "/g%2Fh/i%20j;k=l?100%&m[]=n|{o}",
        ),
    ] {
        let parsed = ParsedRequest::new(request("GET", url)).unwrap();
        assert_eq!(parsed.origin().to_string(), origin);
        assert_eq!(parsed.path(), path);
        assert_eq!(parsed.target(), target);
        assert_eq!(parsed.url(), format!("{origin}{target}"));
    }
}

#[test]
fn urls_that_could_be_understood_differently_are_refused() {
    for url in [
        "",
        "/planted",
        "https://planted@a.example/",
        "https://a.example/#planted",
        "https://a.example/?q#planted",
        "https://a.example#planted",
        "https://a.example/a b",
        "https://a.example/a\tb",
        "https://a.example/ HTTP/1.1\r\nx-planted: 1\r\n\r\nGET /",
        "https://a.example/a\nb",
        "https://a.example/a\0b",
        "https://a.example/\u{e9}",
        "https://a.example/\u{2028}",
        "https://a.example/a\\b",
        "https://a.example\\b",
        "https://a.example/%",
        "https://a.example/%2",
        "https://a.example/%g0",
        "https://a.example/<planted>",
        "https://a.example/\"",
        "https://a.example/?<planted>",
        "https://a.example/?\"planted\"",
    ] {
        let words = refusal(ParsedRequest::new(request("GET", url)));
        assert!(words.contains("the URL "), "{words}");
    }
    let long = format!("https://a.example/{}", "a".repeat(OUTGOING_URL_BYTES_MAX));
    refusal(ParsedRequest::new(request("GET", &long)));
}

#[test]
fn methods_are_tokens_that_leave_the_connection_alone() {
    for method in ["GET", "PATCH", "PROPFIND", "M-SEARCH", "get", "X"] {
        let parsed = ParsedRequest::new(request(method, "https://a.example"));
        assert_eq!(parsed.unwrap().method(), method);
    }
    let long = "A".repeat(METHOD_BYTES_MAX + 1);
    for method in [
        "",
        " ",
        "GET ",
        "GET / HTTP/1.1\r\n",
        "G\0T",
        "G\u{e9}T",
        "GET:",
        "CONNECT",
        "connect",
        "TRACE",
        "Trace",
        "TRACK",
        &long,
    ] {
        refusal(ParsedRequest::new(request(method, "https://a.example")));
    }
}

#[test]
fn headers_are_sent_in_one_form() {
    let parsed = with_headers(
        &[
            ("X-A", " \t1 \t"),
            ("content-type", "text/plain; a=\"\tb\""),
            ("x-a", ""),
            ("x-b", "\u{e9}"),
            ("Content-Length", "4"),
            ("tea", "not te"),
        ],
        "body",
    )
    .unwrap();
    let found: Vec<(&str, &str)> = parsed
        .headers()
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let expected = [
        ("x-a", "1"),
        ("content-type", "text/plain; a=\"\tb\""),
        ("x-a", ""),
        ("x-b", "\u{e9}"),
        ("tea", "not te"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn headers_cannot_end_the_head_or_speak_for_the_connection() {
    for (name, value) in [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("a\r\nb", "x"),
        (":authority", "x"),
        ("\u{e9}", "x"),
        ("x-a", "planted\r\nx-b: 1"),
        ("x-a", "planted\nx-b: 1"),
        ("x-a", "planted\r"),
        ("x-a", "\r\n planted"),
        ("x-a", "planted\0"),
        ("x-a", "planted\u{7f}"),
        ("x-a", "planted\u{b}"),
        ("Connection", "close"),
        ("keep-alive", "timeout=5"),
        ("Proxy-Authorization", "Basic planted"),
        ("proxy-connection", "keep-alive"),
        ("TE", "trailers"),
        ("trailer", "x"),
        ("Transfer-Encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),
        ("Host", "planted.example"),
        ("expect", "100-continue"),
        ("content-length", ""),
        ("content-length", "3"),
        ("content-length", "5"),
        ("content-length", "+4"),
        ("content-length", "4, 4"),
        ("content-length", "4 4"),
        ("content-length", "0x4"),
    ] {
        let words = refusal(with_headers(&[(name, value)], "body"));
        let is_named = words.contains(&format!("header `{}`", name.to_ascii_lowercase()));
        assert!(is_named || words.contains("a header has a name"), "{words}");
    }
    for name in contract::http::CONNECTION_FIELDS {
        let words = refusal(with_headers(&[(name, "x")], "body"));
        let expected = format!("header `{name}` belongs to the connection: leave it out");
        assert!(words.ends_with(&expected), "{words}");
    }
    refusal(with_headers(
        &[("content-length", "4"), ("content-length", "5")],
        "body",
    ));
    assert!(with_headers(&[("content-length", "4"), ("content-length", "4")], "body").is_ok());
}

#[test]
fn everything_has_a_bound() {
    let many = vec![("x", "1"); contract::limits::OUTGOING_HEADERS_MAX + 1];
    assert!(with_headers(&many[1..], "").is_ok());
    refusal(with_headers(&many, ""));
    let room = contract::limits::OUTGOING_HEADERS_BYTES_MAX - 1 - 32;
    let value = "a".repeat(room + 1);
    assert!(with_headers(&[("x", &value[1..])], "").is_ok());
    refusal(with_headers(&[("x", &value)], ""));
    let body = OutgoingRequest {
        body: vec![0; OUTGOING_REQUEST_BODY_BYTES_MAX + 1],
        ..request("POST", "https://a.example")
    };
    refusal(ParsedRequest::new(body));
}

#[test]
fn what_a_guest_says_replaces_no_signature() {
    let parsed = with_headers(&[("authorization", "planted")], "").unwrap();
    let signature = || vec![("authorization".to_owned(), "AWS4-HMAC-SHA256".to_owned())];
    refusal(parsed.with_headers(signature()));
    let parsed = with_headers(&[], "").unwrap().with_headers(signature());
    assert_eq!(parsed.unwrap().headers(), signature());
}
