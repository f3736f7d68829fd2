use super::*;
use crate::{
    SecretDeclarations,
    cache::SecretOptions,
    source::Source,
    sources::{FetchError, HostSources, LocalSources, SecretSources},
    value::SecretValue,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::limits::SECRET_FILLED_BYTES_MAX;
use std::time::Duration;

const DECLARED: &str = r#"{
    "key": {"from": "env:KEY", "for": ["https://api.example", "http://127.0.0.1:8080"]},
    "all": {"from": "env:ALL", "for": ["https://api.example"], "in": ["headers", "url", "body"]},
    "odd": {"from": "env:ODD", "for": ["https://api.example"], "in": ["headers", "url", "body"]},
    "bytes": {"from": "env:BYTES", "for": ["https://api.example"], "in": ["headers", "url", "body"]},
    "short": {"from": "env:SHORT", "for": ["https://api.example"]},
    "long": {"from": "env:LONG", "for": ["https://api.example"]},
    "absent": {"from": "env:ABSENT", "for": ["https://api.example"]},
    "signs": {"from": "env:KEY", "hmac": true}
}"#;
const KEY: &str = "planted+key/0123456789";
const ALL: &str = "planted \"all\" &<>";
const ODD: &str = "planted\r\nx-evil: odd";
const BYTES: &[u8] = b"\xff\x00planted";

/// A client that keeps what it is asked, and answers with what a test has set.
#[derive(Default)]
struct Server {
    requests: Mutex<Vec<OutgoingRequest>>,
    answer: Mutex<Option<Result<OutgoingResponse, OutgoingError>>>,
}

#[async_trait::async_trait]
impl OutgoingHttp for Server {
    async fn send(
        &self,
        request: OutgoingRequest,
        _: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answer.lock().unwrap().clone();
        answer.unwrap_or_else(|| Ok(response(&[], b"")))
    }
}

fn response(headers: &[(&str, &str)], body: &[u8]) -> OutgoingResponse {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    OutgoingResponse {
        status: 200,
        headers: headers.iter().map(own).collect(),
        body: body.to_vec(),
    }
}

struct Bench {
    server: Arc<Server>,
    filler: SecretFiller,
}

impl Bench {
    fn new(declared: &str) -> Self {
        use std::os::unix::ffi::OsStringExt;
        let local = LocalSources::new(|name| match name {
            "KEY" => Some(KEY.into()),
            "ALL" => Some(ALL.into()),
            "ODD" => Some(ODD.into()),
            "BYTES" => Some(std::ffi::OsString::from_vec(BYTES.to_vec())),
            "SHORT" => Some("1234567".into()),
            "LONG" => Some("x".repeat(SECRET_FILLED_BYTES_MAX + 1).into()),
            _ => None,
        });
        let declarations = SecretDeclarations::from_json(declared).unwrap();
        declarations.check().unwrap();
        let sources = Arc::new(HostSources::new(local, None));
        let secrets = Secrets::new(declarations, sources, SecretOptions::default());
        let server = Arc::<Server>::default();
        Self {
            filler: SecretFiller::new(secrets, server.clone()),
            server,
        }
    }

    async fn send(&self, request: OutgoingRequest) -> Result<OutgoingResponse, OutgoingError> {
        let deadline = Instant::now() + Duration::from_secs(60);
        self.filler.send(request, deadline).await
    }

    /// What is sent.
    async fn sent(&self, request: OutgoingRequest) -> OutgoingRequest {
        self.send(request).await.unwrap();
        self.server.requests.lock().unwrap().pop().unwrap()
    }

    /// Why nothing is sent.
    async fn refused(&self, request: OutgoingRequest) -> String {
        let error = self.send(request).await.unwrap_err();
        assert!(self.server.requests.lock().unwrap().is_empty(), "{error}");
        assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        error.to_string()
    }

    /// What the guest gets for this answer.
    async fn got(
        &self,
        request: OutgoingRequest,
        answer: OutgoingResponse,
    ) -> Result<OutgoingResponse, OutgoingError> {
        *self.server.answer.lock().unwrap() = Some(Ok(answer));
        self.send(request).await
    }
}

fn request(url: &str, headers: &[(&str, &str)], body: &str) -> OutgoingRequest {
    OutgoingRequest {
        method: "POST".into(),
        url: url.into(),
        headers: response(headers, b"").headers,
        body: body.into(),
        timeout: Some(Duration::from_secs(1)),
    }
}

fn with_key(url: &str) -> OutgoingRequest {
    request(url, &[("Authorization", "Bearer __secret.key__")], "")
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    let found = headers.iter().find(|(of, _)| of.eq_ignore_ascii_case(name));
    found.map_or("", |(_, value)| value)
}

#[tokio::test]
async fn a_placeholder_is_filled_in_for_its_origins_only() {
    let bench = Bench::new(DECLARED);
    for url in [
        "https://api.example",
        "https://api.example/v1?x=https://other.example",
        "HTTPS://API.example:443/",
        "http://127.0.0.1:8080/",
    ] {
        let sent = bench.sent(with_key(url)).await;
        assert_eq!(
            header(&sent.headers, "authorization"),
            format!("Bearer {KEY}")
        );
        assert_eq!((sent.url.as_str(), sent.method.as_str()), (url, "POST"));
        assert_eq!(sent.timeout, Some(Duration::from_secs(1)));
    }
    for (url, origin) in [
        ("http://api.example/", "http://api.example"),
        ("https://api.example:8443/", "https://api.example:8443"),
        (
            "https://api.example.evil.example/",
            "https://api.example.evil.example",
        ),
        (
            "https://evil.example/?https://api.example",
            "https://evil.example",
        ),
        ("http://127.0.0.1/", "http://127.0.0.1"),
        ("https://127.0.0.1:8080/", "https://127.0.0.1:8080"),
    ] {
        let words =
            format!("not granted: secret `key` has no `{origin}` in the `for` of its declaration");
        assert_eq!(bench.refused(with_key(url)).await, words);
    }
    for url in [
        "https://api.example./",
        "https://api.example@evil.example/",
        "https://api.example\\@evil.example/",
        "https://api.example\t/",
        "https:/api.example",
        "api.example",
        "",
    ] {
        let words = bench.refused(with_key(url)).await;
        assert!(
            words.ends_with(", so that no secret is filled in"),
            "{words}"
        );
    }
}

#[tokio::test]
async fn what_has_no_placeholder_is_sent_as_it_is() {
    let bench = Bench::new(DECLARED);
    for url in [
        "https://other.example/_secret.key_",
        "ftp://a@b",
        "https://bücher.example",
    ] {
        let plain = request(url, &[("accept-encoding", "gzip")], "__secret");
        assert_eq!(bench.sent(plain.clone()).await, plain);
    }
    // An answer of an origin with secrets has to be readable.
    let plain = request(
        "https://api.example/",
        &[("Accept-Encoding", "gzip"), ("accept", "*/*")],
        "",
    );
    let sent = bench.sent(plain).await;
    let headers: Vec<_> = sent
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    assert_eq!(headers, ["accept: */*", "accept-encoding: identity"]);
    // Nothing is left out because nothing is declared: what no guest has is not sent as it is.
    let undeclared = Bench::new("{}");
    assert_eq!(
        undeclared
            .sent(request("https://api.example/", &[], "x"))
            .await,
        request("https://api.example/", &[], "x")
    );
    for undeclared_request in [
        request("https://api.example/", &[("x", "__secret.key__")], ""),
        request("https://api.example/?k=__secret.key__", &[], ""),
    ] {
        let words = undeclared.refused(undeclared_request).await;
        assert!(
            words.starts_with("not granted: unknown secret `key`; `[secrets]` in tenon.toml"),
            "{words}"
        );
    }
    // No secret of this guest is for bodies, so that they may contain anything.
    let bench = Bench::new(r#"{"key": {"from": "env:KEY", "for": ["https://api.example"]}}"#);
    let sent = bench
        .sent(request(
            "https://api.example/",
            &[],
            "__secret.key__ __secret.",
        ))
        .await;
    assert_eq!(sent.body, b"__secret.key__ __secret.");
}

#[tokio::test]
async fn refusals_name_the_secret_and_what_is_missing() {
    let bench = Bench::new(DECLARED);
    let url = "https://api.example/";
    for (headers, words) in [
        (
            "__secret.other__",
            "not granted: unknown secret `other`; `[secrets]` in tenon.toml declares it, on Lambda `TENON_SECRETS`, for the guest of route `/` only",
        ),
        (
            "__secret.signs__",
            "not granted: secret `signs` is not for requests; its declaration has no `for`",
        ),
        (
            "__secret.short__",
            "not granted: secret `short` is shorter than 8 bytes, so that it could not be told from other text of a response",
        ),
        (
            "__secret.long__",
            "not granted: secret `long` is longer than 16384 bytes",
        ),
        (
            "__secret.absent__",
            "not granted: the host cannot read secret `absent`; not found at its source",
        ),
        (
            "__secret.odd__",
            "invalid outgoing request: the value of secret `odd` has characters that a header cannot contain",
        ),
        (
            "__secret.bytes__",
            "invalid outgoing request: the value of secret `bytes` has characters that a header cannot contain",
        ),
        (
            "__secret.",
            "invalid outgoing request: headers contain `__secret.` without a name and `__` after it",
        ),
        (
            "__secret.Key__",
            "invalid outgoing request: headers contain `__secret.` without a name and `__` after it",
        ),
        (
            "__secret.__secret.key____",
            "invalid outgoing request: headers contain `__secret.` without a name and `__` after it",
        ),
    ] {
        assert_eq!(
            bench.refused(request(url, &[("x", headers)], "")).await,
            words
        );
    }
    let many = "__secret.key__".repeat(33);
    let words = bench.refused(request(url, &[("x", &many)], "")).await;
    assert!(
        words.ends_with("the request has more than 32 placeholders of secrets"),
        "{words}"
    );
    for (url, words) in [
        (
            "https://api.example/__secret.key__",
            "not granted: secret `key` is not for URLs; its declaration does not have `url` in `in`",
        ),
        (
            "https://__secret.all__.api.example/",
            "invalid outgoing request: the host of a URL cannot contain a secret",
        ),
        (
            "https://api.example/?a=__secret.all_",
            "invalid outgoing request: path and query contain `__secret.` without a name and `__` after it",
        ),
    ] {
        assert_eq!(bench.refused(request(url, &[], "")).await, words);
    }
    let json = [("content-type", "application/json")];
    for (headers, body, words) in [
        (
            &json[..],
            "\"__secret.key__\"",
            "not granted: secret `key` is not for bodies; its declaration does not have `body` in `in`",
        ),
        (
            &json,
            "\"__secret.bytes__\"",
            "invalid outgoing request: the value of secret `bytes` has bytes or characters that such a body cannot contain",
        ),
        (
            &[],
            "__secret.all__",
            "invalid outgoing request: a body with a placeholder needs one `content-type` of JSON, XML, a form (`application/x-www-form-urlencoded`) or `text/plain`",
        ),
    ] {
        assert_eq!(bench.refused(request(url, headers, body)).await, words);
    }
}

#[tokio::test]
async fn a_value_cannot_leave_its_place() {
    let bench = Bench::new(DECLARED);
    let url = "https://api.example/a/__secret.all__/b?k=__secret.odd__&b=__secret.bytes__";
    assert_eq!(
        bench.sent(request(url, &[], "")).await.url,
        "https://api.example/a/planted%20%22all%22%20%26%3C%3E/b?k=planted%0D%0Ax-evil%3A%20odd&b=%FF%00planted"
    );
    for (media_type, body, sent) in [
        (
            "application/json; charset=utf-8",
            r#"{"a": "é __secret.all__", "b": ["__secret.odd__"]}"#,
            &br#"{"a": "\xc3\xa9 planted \"all\" &<>", "b": ["planted\r\nx-evil: odd"]}"#[..],
        ),
        (
            "application/vnd.api+json",
            r#""__secret.all__""#,
            br#""planted \"all\" &<>""#,
        ),
        (
            "text/xml",
            "<a b='__secret.all__'/>",
            b"<a b='planted &quot;all&quot; &amp;&lt;&gt;'/>",
        ),
        (
            "Application/X-WWW-Form-Urlencoded",
            "a=__secret.all__&b=__secret.bytes__",
            b"a=planted%20%22all%22%20%26%3C%3E&b=%FF%00planted",
        ),
        (
            "text/plain",
            "__secret.all____secret.all__",
            b"planted \"all\" &<>planted \"all\" &<>",
        ),
    ] {
        let headers = [("Content-Type", media_type), ("content-length", "7")];
        let got = bench
            .sent(request("https://api.example/", &headers, body))
            .await;
        let expected = String::from_utf8_lossy(sent).replace("\\xc3\\xa9", "é");
        assert_eq!(String::from_utf8(got.body).unwrap(), expected);
        assert_eq!(
            header(&got.headers, "content-length"),
            "",
            "the client sets it"
        );
    }
    // Without a placeholder, a body is sent as it is, in whatever form.
    let plain = request("https://api.example/", &[("content-length", "3")], "abc");
    let got = bench.sent(plain).await;
    assert_eq!(
        (got.body.as_slice(), header(&got.headers, "content-length")),
        (&b"abc"[..], "3")
    );
}

#[tokio::test]
async fn basic_credentials_may_contain_placeholders() {
    let bench = Bench::new(DECLARED);
    let authorization = |text: &str| format!("Basic {}", STANDARD.encode(text));
    let of = |value: String| {
        request(
            "https://api.example/",
            &[("authorization", value.as_str())],
            "",
        )
    };
    for (written, sent) in [
        (
            authorization("user:__secret.key__"),
            authorization(&format!("user:{KEY}")),
        ),
        (
            authorization("__secret.key__:"),
            authorization(&format!("{KEY}:")),
        ),
        (
            authorization("u:__secret.odd__"),
            authorization(&format!("u:{ODD}")),
        ),
        (
            authorization("u:__secret.key__").replace('=', ""),
            authorization(&format!("u:{KEY}")),
        ),
        (
            authorization("u:__secret.key__").replace("Basic", "basic"),
            authorization(&format!("u:{KEY}")),
        ),
        ("Basic __secret.key__".into(), format!("Basic {KEY}")),
        (
            authorization("user:password"),
            authorization("user:password"),
        ),
        ("Basic !".into(), "Basic !".into()),
    ] {
        let got = bench.sent(of(written)).await;
        assert_eq!(header(&got.headers, "authorization"), sent);
    }
    let words = bench.refused(of(authorization("u:__secret.other__"))).await;
    assert!(
        words.starts_with("not granted: unknown secret `other`"),
        "{words}"
    );
    // Elsewhere, base64 is not looked into.
    let value = authorization("u:__secret.key__");
    let got = bench
        .sent(request("https://api.example/", &[("x-token", &value)], ""))
        .await;
    assert_eq!(header(&got.headers, "x-token"), value);
}

#[tokio::test]
async fn a_server_that_repeats_a_value_does_not_tell_it() {
    let bench = Bench::new(DECLARED);
    let basic = STANDARD.encode(format!("user:{KEY}"));
    let body = format!(
        "{{\"authorization\":\"Bearer {KEY}\",\"basic\":\"{basic}\",\"url\":\"/?k=planted%2Bkey%2F0123456789\",\"json\":\"planted+key\\/0123456789\"}}"
    );
    let length = body.len().to_string();
    let headers = [
        ("content-length", length.as_str()),
        ("x-echo", KEY),
        (KEY, "name"),
    ];
    let url = "https://api.example/";
    let got = bench
        .got(with_key(url), response(&headers, body.as_bytes()))
        .await
        .unwrap();
    let text = String::from_utf8(got.body.clone()).unwrap();
    assert_eq!(
        text,
        "{\"authorization\":\"Bearer __secret.key__\",\"basic\":\"dXNlcj__secret.key__\",\"url\":\"/?k=__secret.key__\",\"json\":\"__secret.key__\"}"
    );
    let headers: Vec<_> = got
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    assert_eq!(
        headers,
        [
            &format!("content-length: {}", text.len()),
            "x-echo: __secret.key__",
            "__secret.key__: name"
        ]
    );
    // Also where no request has contained it in this process, and at an origin that it is not for, which may be another name of the service.
    let bench = Bench::new(DECLARED);
    let echo = || response(&[], KEY.as_bytes());
    let got = bench.got(request(url, &[], ""), echo()).await.unwrap();
    assert_eq!(got.body, b"__secret.key__");
    let bench = Bench::new(DECLARED);
    let got = bench
        .got(request("https://other.example/", &[], ""), echo())
        .await
        .unwrap();
    assert_eq!(got.body, b"__secret.key__");
    // What is unchanged stays so, byte for byte.
    let odd = response(
        &[("content-length", "07"), ("x", "\u{ff}")],
        b"\xff\xfeplanted",
    );
    assert_eq!(bench.got(with_key(url), odd.clone()).await.unwrap(), odd);
}

#[tokio::test]
async fn content_in_which_nothing_can_be_found_is_neither_asked_for_nor_passed_on() {
    let bench = Bench::new(DECLARED);
    let asked = [
        ("Range", "bytes=0-9"),
        ("if-range", "x"),
        ("accept-encoding", "gzip"),
        ("accept", "a/b"),
    ];
    let got = bench
        .sent(request("https://api.example/", &asked, ""))
        .await;
    let headers: Vec<_> = got.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(headers, ["accept", "accept-encoding"]);
    assert_eq!(header(&got.headers, "accept-encoding"), "identity");
    let got = bench
        .sent(request("https://other.example/", &asked, ""))
        .await;
    assert_eq!(got.headers.len(), 4, "no secret is for this origin");
    for (encoding, is_passed) in [("gzip", false), ("identity", true), ("Identity", true)] {
        let encoded = response(&[("Content-Encoding", encoding)], b"x");
        let got = bench.got(with_key("https://api.example/"), encoded).await;
        assert_eq!(got.is_ok(), is_passed, "{got:?}");
    }
}

/// Sources of which one does not answer.
struct Silent;

#[async_trait::async_trait]
impl SecretSources for Silent {
    async fn fetch(&self, _: &[Source]) -> Vec<Result<SecretValue, FetchError>> {
        std::future::pending().await
    }
}

/// A service may repeat a value that another process has sent: without it, no response can be searched.
#[tokio::test]
async fn nothing_is_sent_while_a_value_that_may_come_back_cannot_be_read() {
    let declared = r#"{"key": {"from": "ssm:/key", "for": ["https://api.example"]}}"#;
    let declarations = SecretDeclarations::from_json(declared).unwrap();
    let secrets = Secrets::new(declarations, Arc::new(Silent), SecretOptions::default());
    let server = Arc::<Server>::default();
    let filler = SecretFiller::new(secrets, server.clone());
    let mut request = request("https://other.example/", &[], "");
    request.timeout = Some(Duration::from_millis(300));
    let started = Instant::now();
    let deadline = Instant::now() + Duration::from_secs(60);
    let error = filler.send(request, deadline).await.unwrap_err();
    assert!(matches!(error, OutgoingError::Unreachable(_)), "{error}");
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "its own timeout counts"
    );
    assert!(server.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn errors_of_the_client_do_not_tell_a_value_either() {
    let bench = Bench::new(DECLARED);
    for error in [
        OutgoingError::Unreachable("no answer for /bot/planted%20%22all%22%20%26%3C%3E".into()),
        OutgoingError::OutcomeUnknown(format!("cut after {ALL}")),
    ] {
        *bench.server.answer.lock().unwrap() = Some(Err(error.clone()));
        let got = bench
            .send(request("https://api.example/__secret.all__", &[], ""))
            .await
            .unwrap_err();
        assert_eq!(got.name(), error.name());
        assert!(got.detail().ends_with("__secret.all__"), "{got}");
    }
}

#[tokio::test]
async fn the_search_of_a_large_body_is_part_of_the_time_of_its_request() {
    let bench = Bench::new(DECLARED);
    let answer = |count| {
        let body = "a large body \\n ".repeat(count);
        response(&[], format!("{body}{KEY}").as_bytes())
    };
    let got = bench
        .got(with_key("https://api.example/"), answer(5_000))
        .await;
    assert!(got.unwrap().body.ends_with(b"__secret.key__"));
    *bench.server.answer.lock().unwrap() = Some(Ok(answer(200_000)));
    let hurried = OutgoingRequest {
        timeout: Some(Duration::from_millis(20)),
        ..with_key("https://api.example/")
    };
    let error = bench.send(hurried).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "outcome unknown: the response could not be searched for secrets in time"
    );
}

#[tokio::test]
async fn placeholders_do_not_make_a_response_larger_than_its_limit() {
    let name = "n".repeat(64);
    let bench = Bench::new(&format!(
        r#"{{"{name}": {{"from": "env:KEY", "for": ["https://api.example"]}}}}"#
    ));
    let header = format!("__secret.{name}__");
    let request = || OutgoingRequest {
        timeout: None, // the search takes seconds without optimisation
        ..request("https://api.example/", &[("x", &header)], "")
    };
    let count = OUTGOING_RESPONSE_BODY_BYTES_MAX / header.len();
    for (count, is_within) in [(count, true), (count + 1, false)] {
        let answer = response(&[], KEY.repeat(count).as_bytes());
        match bench.got(request(), answer).await {
            Ok(response) => assert!(is_within && response.body.len() == count * header.len()),
            Err(error) => assert!(!is_within && error.name() == "response-too-large"),
        }
    }
    assert!(!format!("{:?}", bench.filler).contains("planted"));
}
