//! The shared event corpus: recordings and vendors' samples. It is not part of the repository; the tests look in the folder named by
//! `TENON_EVENTS`, otherwise in `../shared/events` beside the repository.

use super::{fields, parse_bytes};
use gateway::{Event, EventError, EventKind, Foreign, Origin};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

/// The folder; if it is missing, prints that the tests were skipped. A named folder that is missing is an error.
pub fn folder() -> Option<PathBuf> {
    let (folder, named) = match env::var_os("TENON_EVENTS") {
        Some(folder) => (PathBuf::from(folder), true),
        None => (
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events"),
            false,
        ),
    };
    if folder.join("MANIFEST.tsv").is_file() {
        return Some(folder);
    }
    assert!(
        !named,
        "`TENON_EVENTS` names {}, which has no MANIFEST.tsv",
        folder.display()
    );
    // Bypasses the test harness, which would capture it.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: no event corpus at {}; set TENON_EVENTS",
        folder.display()
    );
    None
}

/// (path within the folder, format) of every file.
pub fn manifest(folder: &Path) -> Vec<(String, String)> {
    let table = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let rows = table.lines().skip(1).map(|row| {
        let mut columns = row.split('\t');
        (
            columns.next().unwrap().to_owned(),
            columns.next().unwrap().to_owned(),
        )
    });
    rows.collect()
}

enum Expected {
    Kind(EventKind),
    Foreign(Foreign),
}

/// The result for each format in the manifest.
fn expected(format: &str) -> Expected {
    match format {
        "REST v1" | "HTTP API payload 1.0" => Expected::Kind(EventKind::Rest),
        "HTTP API v2" => Expected::Kind(EventKind::HttpApi),
        "Function URL (v2)" => Expected::Kind(EventKind::FunctionUrl),
        "ALB" | "ALB multiValue" => Expected::Kind(EventKind::Alb),
        "APIGW authorizer TOKEN" => Expected::Foreign(Foreign::AuthorizerToken),
        "APIGW authorizer REQUEST v1"
        | "APIGW authorizer REQUEST v1.0"
        | "APIGW authorizer REQUEST v2.0"
        | "APIGW authorizer REQUEST v$LATEST" => Expected::Foreign(Foreign::AuthorizerRequest),
        "WebSocket" => Expected::Foreign(Foreign::WebSocket),
        "VPC Lattice v1" | "VPC Lattice v2" => Expected::Foreign(Foreign::VpcLattice),
        "response" => Expected::Foreign(Foreign::Response),
        "authorizer response" => Expected::Foreign(Foreign::AuthorizerPolicy),
        "LocalStack snapshot (many AWS-recorded items)" => Expected::Foreign(Foreign::Unknown),
        other => panic!("no expectation for the format `{other}`"),
    }
}

/// A recording whose body was replaced by a tree, so that it is not an event as AWS sends it.
const BODY_IS_A_TREE: &str =
    "localstack/apigw-rest-recorded/invocation-payload-with-params-encoding-multi.json";

#[test]
fn every_file_gives_a_request_or_a_named_refusal() {
    let Some(folder) = folder() else { return };
    let manifest = manifest(&folder);
    assert!(
        manifest.len() >= 90,
        "the manifest has {} files",
        manifest.len()
    );
    for (path, format) in manifest {
        let event = fs::read(folder.join(&path)).unwrap();
        match (parse_bytes(&event), expected(&format)) {
            (Ok(Event { origin, .. }), Expected::Kind(kind)) => {
                let multi_value = format == "ALB multiValue";
                assert_eq!(origin, Origin { kind, multi_value }, "{path}");
            }
            (Err(EventError::NotHttp(foreign)), Expected::Foreign(expected)) => {
                assert_eq!(foreign, expected, "{path}")
            }
            (Err(EventError::Http(refusal)), Expected::Kind(_)) if path == BODY_IS_A_TREE => {
                assert_eq!(
                    refusal.detail,
                    "event field `body` must be a string, not an object"
                );
            }
            (outcome, _) => panic!("{path} ({format}): {outcome:?}"),
        }
    }
}

#[test]
fn no_file_is_missing_from_the_manifest() {
    let Some(folder) = folder() else { return };
    let listed: BTreeSet<_> = manifest(&folder)
        .into_iter()
        .map(|(path, _)| folder.join(path))
        .collect();
    let mut found = BTreeSet::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                found.insert(path);
            }
        }
    }
    assert_eq!(found, listed);
}

/// Pairs of a map of texts or lists, sorted by name, because a JSON tree does not keep the order of members.
fn pairs(map: &Value, name: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (key, value) in map.as_object().into_iter().flatten() {
        let values = value
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![value.clone()]);
        pairs.extend(
            values
                .iter()
                .map(|value| (name(key), value.as_str().unwrap().to_owned())),
        );
    }
    pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
    pairs
}

fn first_map<'v>(event: &'v Value, names: [&str; 2]) -> &'v Value {
    names
        .iter()
        .map(|name| &event[name])
        .find(|map| map.is_object())
        .unwrap_or(&Value::Null)
}

#[test]
fn rest_and_load_balancer_events_keep_every_header_query_value_and_path_byte() {
    let Some(folder) = folder() else { return };
    let mut checked = 0;
    for (path, _) in manifest(&folder) {
        let bytes = fs::read(folder.join(&path)).unwrap();
        let Ok(Event {
            request, origin, ..
        }) = parse_bytes(&bytes)
        else {
            continue;
        };
        if !matches!(origin.kind, EventKind::Rest | EventKind::Alb) {
            continue;
        }
        let event: Value = serde_json::from_slice(&bytes).unwrap();
        let mut headers: Vec<_> = fields(&request)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        headers.sort_by(|(left, _), (right, _)| left.cmp(right));
        let expected = first_map(&event, ["multiValueHeaders", "headers"]);
        assert_eq!(headers, pairs(expected, str::to_ascii_lowercase), "{path}");

        let decode = |text: &str| match origin.kind {
            EventKind::Alb => text.to_owned(),
            _ => percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .unwrap()
                .into_owned(),
        };
        let parts = request.query.split('&').filter(|part| !part.is_empty());
        let mut query: Vec<_> = parts
            .map(|part| part.split_once('=').unwrap())
            .map(|(k, v)| (decode(k), decode(v)))
            .collect();
        query.sort_by(|(left, _), (right, _)| left.cmp(right));
        let expected = first_map(
            &event,
            ["multiValueQueryStringParameters", "queryStringParameters"],
        );
        assert_eq!(query, pairs(expected, str::to_owned), "{path}");

        assert_eq!(request.path, event["path"].as_str().unwrap(), "{path}");
        let body = event["body"].as_str().unwrap_or_default();
        assert!(
            event["isBase64Encoded"] == true || request.body == body.as_bytes(),
            "{path}"
        );
        checked += 1;
    }
    assert!(checked >= 49, "{checked} events");
}

#[test]
fn recorded_path_and_query_bytes() {
    let Some(folder) = folder() else { return };
    let request = |name: &str| {
        let path = folder
            .join("hydrated")
            .join(format!("localstack-invocation-payload-with-{name}.json"));
        parse_bytes(&fs::read(path).unwrap()).unwrap().request
    };
    assert_eq!(
        request("path-encoded-email").path,
        "/proxy-value/api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com"
    );
    assert_eq!(request("double-slash").path, "/proxy-value//double-slash");
    assert_eq!(
        request("trailing-slash-and-query-params").path,
        "/proxy-value/"
    );
    assert_eq!(
        request("params-encoding").query,
        "dateTimeOffset=2023-06-12T18%3A05%3A10.123456%2000%3A00&email=test%2Balias%40gmail.com\
         &plus=test%20alias%40gmail.com&url=https%3A%2F%2Fwww.google.com%2F&whitespace=foo%20bar&zhash=abort%2F"
    );
    let multi = request("params-encoding-multi");
    assert_eq!(
        multi.query,
        "category=electronics&category=books&price=10&price=20&price=30"
    );
    assert_eq!(multi.body, br#"{"message": "hello world"}"#);
    assert_eq!(
        multi.headers.get("authorization"),
        Some("Bearer token123;API key456")
    );
    assert_eq!(multi.context.client_address.as_deref(), Some("203.0.113.7"));
}

#[test]
fn http_api_events_keep_the_raw_query_and_all_cookies() {
    let Some(folder) = folder() else { return };
    let mut checked = 0;
    for (path, _) in manifest(&folder) {
        let bytes = fs::read(folder.join(&path)).unwrap();
        let Ok(Event {
            request, origin, ..
        }) = parse_bytes(&bytes)
        else {
            continue;
        };
        if !matches!(origin.kind, EventKind::HttpApi | EventKind::FunctionUrl) {
            continue;
        }
        let event: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            request.query,
            event["rawQueryString"].as_str().unwrap(),
            "{path}"
        );
        let cookies: Vec<_> = event["cookies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(
            request.headers.get("cookie").unwrap_or_default(),
            cookies.join("; "),
            "{path}"
        );
        checked += 1;
    }
    assert!(checked >= 14, "{checked} events");
    let stage = folder.join("lambda_http-1.3.2/apigw_v2_proxy_request_with_stage_in_path.json");
    assert_eq!(
        parse_bytes(&fs::read(stage).unwrap()).unwrap().request.path,
        "/my/path"
    );
}
