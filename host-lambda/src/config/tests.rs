use super::*;
use ::tape::Redaction;
use std::time::Duration;

/// What Lambda itself sets, and the one variable without a default.
fn minimal() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
        ("AWS_LAMBDA_FUNCTION_NAME", "items"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("TENON_TABLE", "items"),
    ])
}

fn read_with(changes: &[(&'static str, &'static str)]) -> Result<Config, String> {
    let mut variables = minimal();
    variables.extend(changes.iter().copied());
    let variables: Variables = variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Config::read(&variables).map_err(|error| error.to_string())
}

fn complaint(name: &'static str, value: &'static str) -> String {
    read_with(&[(name, value)]).unwrap_err()
}

#[test]
fn what_lambda_sets_and_a_table_are_enough() {
    let config = read_with(&[]).unwrap();
    assert_eq!(config.table.table, "items");
    assert_eq!(config.namespace.to_string(), "default");
    assert_eq!(config.log_level, LogLevel::Info);
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.metrics_namespace, "Tenon");
    assert_eq!(config.concurrency, 1);
    assert!(config.guest.is_none() && config.base_path.is_none());
    assert!(config.guest_environment.is_empty() && config.unknown_variables.is_empty());
}

#[test]
fn there_may_be_no_table() {
    assert!(read_with(&[]).unwrap().has_table());
    assert!(!read_with(&[("TENON_TABLE", "-")]).unwrap().has_table());
}

#[test]
fn every_variable_is_read() {
    let config = read_with(&[
        ("TENON_GUEST", "/opt/other.cwasm"),
        ("TENON_NAMESPACE", "shop-1"),
        ("TENON_LOG_LEVEL", "WARN"),
        ("AWS_LAMBDA_LOG_LEVEL", "DEBUG"),
        ("TENON_BASE_PATH", "/shop"),
        ("TENON_REQUEST_BODY_BYTES_MAX", "1000"),
        ("TENON_RESPONSE_BODY_BYTES_MAX", "2000"),
        ("TENON_GUEST_MEMORY_BYTES_MAX", "33554432"),
        ("TENON_REQUEST_DURATION_MS_MAX", "2500"),
        ("TENON_GUEST_ENV", r#"{"B":"2","A":"1"}"#),
        ("TENON_OUTGOING", r#"["https://api.example.com/v1"]"#),
        (
            "TENON_SECRETS",
            r#"{"key":{"from":"ssm:/shop/key","for":["https://api.example.com"]}}"#,
        ),
        ("TENON_METRICS_NAMESPACE", "Shop/Items"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2"),
        ("AWS_LAMBDA_MAX_CONCURRENCY", "8"),
        ("TENON_TAPE", "failures"),
        ("TENON_TAPE_REDACT_HEADERS", "X-Session, x-tenant"),
        ("TENON_TAPE_REDACT_FIELDS", "/email"),
        ("TENON_CHANNEL", "items"),
        ("TENON_ARTIFACTS", "s3://releases/team"),
        ("TENON_PUBLIC_KEYS", KEY),
    ])
    .unwrap();
    let mut read = Variables::read_so_far();
    read.retain(|name| name.starts_with("TENON_"));
    assert_eq!(read, variables().collect());
    assert_eq!(config.tape.policy.to_string(), "failures");
    let redaction = Redaction::credentials().with_headers(["x-session", "x-tenant"]);
    assert_eq!(
        config.tape.redaction,
        redaction.with_fields(["/email"]).unwrap()
    );
    assert_eq!(config.guest, Some(PathBuf::from("/opt/other.cwasm")));
    assert_eq!(config.namespace.to_string(), "shop-1");
    assert_eq!(config.log_level, LogLevel::Warn);
    assert_eq!(config.base_path.as_deref(), Some("/shop"));
    assert_eq!(config.limits.request_body_bytes_max, 1000);
    assert_eq!(config.limits.response_body_bytes_max, 2000);
    assert_eq!(config.limits.guest_memory_bytes_max, 32 << 20);
    assert_eq!(
        config.limits.request_duration_max,
        Duration::from_millis(2500)
    );
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(*config.guest_environment, [pair("A", "1"), pair("B", "2")]);
    assert_eq!(config.metrics_namespace, "Shop/Items");
    assert_eq!(config.table.endpoint.as_deref(), Some("http://127.0.0.1:2"));
    assert_eq!(config.concurrency, 8);
}

#[test]
fn lambdas_own_log_level_counts_where_ours_is_not_set() {
    for (level, expected) in [
        ("TRACE", LogLevel::Debug),
        ("FATAL", LogLevel::Error),
        ("", LogLevel::Info),
    ] {
        let config = read_with(&[("AWS_LAMBDA_LOG_LEVEL", level)]).unwrap();
        assert_eq!(config.log_level, expected, "{level}");
    }
}

#[test]
fn a_missing_variable_is_named_with_its_meaning() {
    for name in minimal().into_keys() {
        let message = complaint(name, "");
        assert!(
            message.starts_with(&format!("variable `{name}` is not set: it is ")),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1);
    }
}

#[test]
fn a_bad_value_is_named_with_what_is_allowed() {
    for (name, value) in [
        ("TENON_NAMESPACE", "Shop"),
        ("TENON_LOG_LEVEL", "loud"),
        ("AWS_LAMBDA_LOG_LEVEL", "loud"),
        ("TENON_BASE_PATH", "shop"),
        ("TENON_BASE_PATH", "/a b"),
        ("TENON_REQUEST_BODY_BYTES_MAX", "0"),
        ("TENON_REQUEST_BODY_BYTES_MAX", "6291457"),
        ("TENON_GUEST_MEMORY_BYTES_MAX", "1"),
        ("TENON_GUEST_MEMORY_BYTES_MAX", "1 GB"),
        ("TENON_REQUEST_DURATION_MS_MAX", "-1"),
        ("TENON_TAPE", "some"),
        ("TENON_TAPE", "sample:2"),
        ("TENON_TAPE_REDACT_FIELDS", "email"),
        ("TENON_TAPE_RECIPIENT", "ssh-ed25519 AAAA"),
        ("TENON_METRICS_NAMESPACE", "AWS/Lambda"),
        ("TENON_METRICS_NAMESPACE", "a\nb"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "127.0.0.1:8000"),
        ("AWS_LAMBDA_MAX_CONCURRENCY", "0"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much"),
    ] {
        let message = complaint(name, value);
        let expected = format!("variable `{name}` is `{value}`, allowed is ");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn a_secret_is_not_shown() {
    for value in [
        "{\"TOKEN\":7,\"x\":\"hunter2\"}",
        "hunter2",
        "{\"a=b\":\"hunter2\"}",
    ] {
        let message = complaint("TENON_GUEST_ENV", value);
        assert!(
            message.contains("`TENON_GUEST_ENV`") && !message.contains("hunter2"),
            "{message}"
        );
    }
    for value in [
        "hunter2",
        r#"{"key":"hunter2"}"#,
        r#"{"key":{"from":"hunter2"}}"#,
        r#"{"key":{"from":"env:hunter2"}}"#,
        r#"{"key":{"from":"file:/hunter2"}}"#,
        r#""hunter2""#,
        r#"{"key":{"from":"ssm:/a","hmac":"hunter2"}}"#,
        r#"{"key":{"from":"ssm:/a","encoding":"hunter2"}}"#,
        r#"{"key":{"from":"ssm:/a","hunter2":1}}"#,
    ] {
        let message = complaint("TENON_SECRETS", value);
        assert!(
            message.contains("`TENON_SECRETS`") && !message.contains("hunter2"),
            "{message}"
        );
    }
    let debug = format!(
        "{:?}",
        read_with(&[("AWS_SECRET_ACCESS_KEY", "hunter2")]).unwrap()
    );
    assert!(!debug.contains("hunter2"), "{debug}");
}

#[test]
fn a_variable_that_is_not_ours_is_found() {
    let config = read_with(&[("TENON_TABEL", "x"), ("OTHER", "y")]).unwrap();
    assert_eq!(config.unknown_variables, ["TENON_TABEL"]);
}

const KEY: &str = "ed25519:5J7skW2ZrVjMwntMcTc0ZVz7l5mtgUco1SpVioFW_f8";

#[test]
fn a_channel_needs_its_guests_and_keys() {
    let all = [
        ("TENON_CHANNEL", "items"),
        ("TENON_ARTIFACTS", "s3://releases/guests"),
        ("TENON_PUBLIC_KEYS", KEY),
    ];
    let channel = read_with(&all).unwrap().channel.unwrap();
    assert_eq!(channel.name.to_string(), "items");
    assert_eq!(channel.interval, Duration::from_secs(15));
    assert!(matches!(channel.artifacts, Artifacts::S3(_)));
    for (missing, name) in all
        .iter()
        .enumerate()
        .skip(1)
        .map(|(index, (name, _))| (index, name))
    {
        let rest = all
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != missing);
        let rest: Vec<_> = rest.map(|(_, variable)| *variable).collect();
        let complaint = read_with(&rest).unwrap_err();
        assert!(
            complaint.starts_with(&format!("variable `{name}` is not set")),
            "{complaint}"
        );
    }
    // Without a channel, its other variables are ignored.
    assert!(read_with(&all[1..]).unwrap().channel.is_none());
}

#[test]
fn a_wrong_channel_is_described_and_keys_are_not_shown() {
    let with = |name, value| {
        let all = [
            ("TENON_CHANNEL", "items"),
            ("TENON_ARTIFACTS", "file:///opt/guests"),
            ("TENON_PUBLIC_KEYS", KEY),
            (name, value),
        ];
        read_with(&all).unwrap_err()
    };
    assert!(with("TENON_CHANNEL", "It").contains("variable `TENON_CHANNEL` is `It`"));
    assert!(
        with("TENON_ARTIFACTS", "file://here").contains("`s3://BUCKET/PREFIX` or `file:///FOLDER`")
    );
    assert!(with("TENON_TABLE", "-").contains("the table of `TENON_CHANNEL`"));
    assert!(with("TENON_CHANNEL_INTERVAL_MS", "0").contains("a whole number from 1 to"));
    let complaint = with("TENON_PUBLIC_KEYS", "tenon-secret-ed25519:abc");
    assert!(
        complaint.contains("as `host-cli keygen` prints them"),
        "{complaint}"
    );
    assert!(!complaint.contains("abc"), "{complaint}");
}

#[test]
fn the_documentation_has_every_limit_that_an_operator_may_set() {
    let documentation = include_str!("../../../docs/lambda.md");
    for limit in LIMITS {
        let Some(variable) = limit.variable() else {
            continue;
        };
        let (least, most) = (limit.allowed.start(), limit.allowed.end());
        let row = documentation
            .lines()
            .find(|line| line.starts_with(&format!("| `{variable}` |")))
            .unwrap_or_else(|| panic!("docs/lambda.md has no row of `{variable}`"));
        let end = format!("; {least} to {most} | {} |", limit.default());
        assert!(row.ends_with(&end), "`{row}` does not end in `{end}`");
    }
}
