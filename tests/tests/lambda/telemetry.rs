//! What the host logs: lines in Lambda's format, with the request's ids, and nothing secret.

use super::{
    bootstrap::{Bootstrap, Environment, image},
    events::{event, get, post},
    proxy::{Mode, Proxy},
    runtime_api::Invocation,
    table::Table,
};
use crate::support::guests::{HOSTILE, REFERENCE};
use gateway::EventKind;
use serde_json::{Value, json};

const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

#[test]
fn every_line_about_a_request_has_its_ids_and_the_trace_goes_on_to_the_store() {
    let table = Table::start();
    let proxy = Proxy::start(table.address(), Mode::Pass);
    let environment = Environment::new(&image("telemetry-ids", HOSTILE), &proxy.endpoint());
    let host = Bootstrap::start(environment);
    host.lines.with_message("ready");
    proxy.take_traces();
    let trace = Some(TRACE.to_owned());
    for path in ["/logs", "/storage-calls"] {
        let invocation = Invocation {
            trace: trace.clone(),
            ..Invocation::new(get(path))
        };
        host.api.invoke(invocation);
    }
    host.last_summary();
    let about_requests = host
        .lines
        .json()
        .into_iter()
        .filter(|line| line.get("requestId").is_some());
    let mut count = 0;
    for line in about_requests {
        count += 1;
        assert!(
            line["requestId"]
                .as_str()
                .unwrap()
                .starts_with("00000000-0000-4000-8000-00000000000")
        );
        assert_eq!(line["gatewayRequestId"], "gateway-request");
        assert_eq!(line["traceId"], "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(line["guest"].as_str().unwrap().len(), 12);
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(
            timestamp.len() == 24 && timestamp.ends_with('Z'),
            "{timestamp}"
        );
        assert!(["DEBUG", "INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap()));
    }
    assert!(count > 1000, "the guest's own lines are there: {count}");
    let traces = proxy.take_traces();
    assert!(!traces.is_empty());
    assert!(traces.iter().all(|found| *found == trace), "{traces:?}");
}

#[test]
fn a_summary_says_what_a_request_took_and_only_the_first_is_a_cold_start() {
    let table = Table::start();
    let host = Bootstrap::start(Environment::new(
        &image("telemetry-summary", REFERENCE),
        &table.endpoint(),
    ));
    for event in [
        post("/items", &json!({"name": "lamp"})),
        get("/items"),
        get("/nothing"),
    ] {
        host.api.invoke(Invocation::new(event));
    }
    host.last_summary();
    let lines = host.lines.with_message("request");
    let numbers = |line: &Value, name: &str| line[name].as_f64().unwrap();
    for (line, (method, status, calls)) in
        lines
            .iter()
            .zip([("POST", 201, 1), ("GET", 200, 1), ("GET", 404, 0)])
    {
        assert_eq!(
            (&line["method"], &line["status"]),
            (&method.into(), &status.into())
        );
        assert_eq!(line["storageCalls"], calls, "{line}");
        assert_eq!(line["function"], "items");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Tenon");
        assert_eq!(line["Requests"], 1);
        assert_eq!(line["ClientErrors"], u8::from(status == 404));
        assert!(
            numbers(line, "totalMs") >= numbers(line, "storageMs"),
            "{line}"
        );
        assert!(numbers(line, "memoryBytesPeak") > 0.0);
        assert_eq!(numbers(line, "capacityUnits") > 0.0, calls > 0, "{line}");
    }
    let cold: Vec<_> = lines.iter().map(|line| &line["ColdStarts"]).collect();
    assert_eq!(cold, [1, 0, 0]);
}

#[test]
fn the_level_is_ours_or_lambdas_own_and_metrics_are_written_at_any() {
    let table = Table::start();
    let environment = Environment::new(&image("telemetry-level", HOSTILE), &table.endpoint())
        .with("AWS_LAMBDA_LOG_LEVEL", "ERROR");
    let host = Bootstrap::start(environment);
    host.api.invoke(Invocation::new(get("/calls")));
    host.api.invoke(Invocation::new(get("/")));
    host.last_summary();
    let lines = host.lines.json();
    assert!(
        lines
            .iter()
            .all(|line| line["level"] == "ERROR" && line["message"] == "request"),
        "{lines:#?}"
    );
    assert_eq!(lines.len(), 2);
}

/// Secrets in every place of a request, for every kind of gateway, in requests that succeed and that fail.
#[test]
fn nothing_secret_is_written() {
    const SECRET: &str = "hunter2";
    let table = Table::start();
    let proxy = Proxy::start(table.address(), Mode::Pass);
    let environment = Environment::new(&image("telemetry-secrets", REFERENCE), &proxy.endpoint())
        .with("TENON_LOG_LEVEL", "trace")
        .with("TENON_REQUEST_DURATION_MS_MAX", "500")
        .with("AWS_SECRET_ACCESS_KEY", SECRET)
        .with("AWS_SESSION_TOKEN", SECRET)
        .with("TENON_GUEST_ENV", r#"{"TOKEN":"hunter2"}"#);
    let host = Bootstrap::start(environment);
    let denied = Mode::Fail {
        status: 400,
        code: "AccessDeniedException",
    };
    let mut count = 0;
    for mode in [Mode::Pass, Mode::Refuse, denied] {
        proxy.set(mode);
        for kind in EventKind::ALL {
            for event in requests_with_secrets(kind, SECRET) {
                host.api.invoke(Invocation::new(event));
                count += 1;
            }
        }
    }
    host.last_summary();
    let all = host.lines.all();
    assert_eq!(host.lines.with_message("request").len(), count);
    let telling: Vec<_> = all.iter().filter(|line| line.contains(SECRET)).collect();
    assert!(telling.is_empty(), "{telling:#?}");
}

fn requests_with_secrets(kind: EventKind, secret: &str) -> Vec<Vec<u8>> {
    let bearer = format!("Bearer {secret}");
    let cookie = format!("session={secret}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("cookie", &cookie),
        ("x-api-key", secret),
        ("idempotency-key", secret),
        ("if-match", secret),
    ];
    let body = json!({"name": secret, "description": secret, "price": secret}).to_string();
    let malformed = format!("{{\"name\":{secret}}}");
    let query = format!("?token={secret}&limit={secret}&cursor={secret}");
    let request = |method: &str, path: &str, body: &str| {
        event(
            kind,
            method,
            &format!("{path}{query}"),
            &headers,
            body.as_bytes(),
        )
    };
    let mut with_authorizer: Value = serde_json::from_slice(&request("GET", "/items", "")).unwrap();
    with_authorizer["requestContext"]["authorizer"] = json!({"jwt": secret, "claims": secret});
    let mut with_bad_body: Value = serde_json::from_slice(&request("POST", "/items", "")).unwrap();
    with_bad_body["body"] = json!({"name": secret});
    vec![
        request("GET", "/items", ""),
        request("POST", "/items", &body),
        request("POST", "/items", &malformed),
        request("PUT", "/items/019bc186-de00-7e29-a350-39f7cf469504", &body),
        request("DELETE", "/items/019bc186-de00-7e29-a350-39f7cf469504", ""),
        request("POST", "/nothing", &body),
        with_authorizer.to_string().into_bytes(),
        with_bad_body.to_string().into_bytes(),
    ]
}
