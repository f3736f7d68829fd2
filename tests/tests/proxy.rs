//! A component of the standard `wasi:http` runs unchanged: on every kind of event, recorded and replayed, and deterministically.

use crate::support::{
    fresh_folder,
    guests::{PROXY, VARIANT},
    host_cli::Server,
    in_process::{
        NOW_MS, REQUEST_ID, engine, get, get_within, memory_service, response, runtime, send,
    },
    recording::{self, recorder},
};
use crate::tape::strict::{replay, replayer};
use contract::{
    http::Scheme,
    limits::Limits,
    log::LogLevel,
    outcome::{Failure, Fault, NoResponse, Stop},
    seed::Seed,
};
use gateway::{
    EventKind, Origin,
    compose::{Incoming, compose},
};
use replay::{Mode, Verdict};
use runtime::{Runtime, RuntimeOptions, World, engine::LoadError};
use service::{Invocation, Service};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

fn proxy() -> Service {
    memory_service(&runtime(PROXY, Limits::default()))
}

async fn text(service: &Service, target: &str) -> String {
    let answer = response(&get(service, target).await);
    assert_eq!(answer["statusCode"], 200, "{answer}");
    answer["body"].as_str().unwrap().to_owned()
}

/// Why there was no response for this path; the client got a 500, and the next request works.
async fn failure(path: &str) -> Failure {
    let service = proxy();
    let answer = get(&service, path).await;
    assert_eq!(response(&answer)["statusCode"], 500, "{path}");
    assert_eq!(text(&service, "/").await, "hello");
    match answer.summary.fault {
        Some(Fault::Guest(failure)) => failure,
        other => panic!("`{path}` gave {other:?}"),
    }
}

#[test]
fn its_world_follows_from_its_exports() {
    let candidate = engine().read_component(PROXY).unwrap();
    let inspection = candidate.inspection();
    assert_eq!(inspection.world, Some(World::WasiHttp));
    assert!(
        inspection.imports.iter().all(|import| import.granted),
        "{:?}",
        inspection.imports
    );
    let candidate = engine().read_component(VARIANT).unwrap();
    assert_eq!(candidate.inspection().world, Some(World::Handler));
}

#[tokio::test]
async fn bodies_go_both_ways() {
    let service = proxy();
    let body: Vec<u8> = (0..300_000_u32)
        .map(|index| index as u8 % 100 + 20)
        .collect();
    let headers = [("content-type", "text/plain; charset=utf-8")];
    for length in [0, 1, 65_535, 65_536, 65_537, body.len()] {
        let body = &body[..length];
        let answer = send(
            &service,
            ("POST", "/echo"),
            &headers,
            body,
            Seed::new([1; 32]),
        )
        .await;
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(answer["headers"]["content-type"], headers[0].1);
        assert_eq!(answer["body"].as_str().unwrap().as_bytes(), body);
    }
    let answer = send(
        &service,
        ("POST", "/read"),
        &[],
        b".abcdefg",
        Seed::new([1; 32]),
    )
    .await;
    assert_eq!(answer["body"], "ABCDEFG");
    let large = text(&service, "/large?1048576").await;
    assert!(large.len() == 1 << 20 && large.bytes().all(|byte| byte == b'x'));
}

#[tokio::test]
async fn the_request_is_there_as_it_came() {
    let service = proxy();
    let headers = [
        ("x-a", "1"),
        ("x-a", "zażółć"),
        ("te", "trailers"),
        ("keep-alive", "timeout=5"),
    ];
    let seed = Seed::new([1; 32]);
    let answer = send(
        &service,
        ("PROPFIND", "/request?a=1&b=%20&a"),
        &headers,
        b"",
        seed,
    )
    .await;
    let body = answer["body"].as_str().unwrap();
    let (line, fields) = body.split_once('\n').unwrap();
    assert_eq!(
        line,
        r#"Method::Other("PROPFIND") Some("/request?a=1&b=%20&a") Some(Scheme::Https) Some("localhost")"#
    );
    assert!(
        fields.contains("x-a: 1,zażółć\n"),
        "an HTTP API joins them: {fields}"
    );
    for forbidden in ["host:", "keep-alive:", "te: trailers"] {
        assert!(!fields.contains(forbidden), "{fields}");
    }
    let body = text(&service, "/request").await;
    assert!(
        body.starts_with(r#"Method::Get Some("/request") "#),
        "{body}"
    );
}

#[tokio::test]
async fn fields_follow_the_rules_of_the_interface() {
    assert_eq!(
        text(&proxy(), "/fields").await,
        "append: ok\nappend again: ok\nspace in name: invalid syntax\nno name: invalid syntax\n\
         line break: invalid syntax\nconnection: forbidden\nset host: forbidden\n\
         delete upgrade: forbidden\ndelete: ok\nafter use: immutable\n[[49], [50]]\n"
    );
}

#[tokio::test]
async fn a_response_needs_no_body_and_has_no_trailers() {
    let service = proxy();
    for status in [204, 304, 418, 599] {
        let answer = response(&get(&service, &format!("/status?{status}")).await);
        assert_eq!(answer["statusCode"], status);
    }
    assert_eq!(text(&service, "/status?1000").await, "no such status");
    assert_eq!(text(&service, "/trailers").await, "true true");
}

#[tokio::test]
async fn waiting_takes_the_guests_time_only() {
    let service = proxy();
    let start = Instant::now();
    assert_eq!(text(&service, "/sleep").await, "slept an hour: true");
    assert_eq!(
        text(&service, "/poll").await,
        "[1] [1] [0, 2] after 1 min; false"
    );
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn nothing_of_the_machine_is_there() {
    assert_eq!(
        text(&proxy(), "/sealed").await,
        "open: true\nlist: true\nconnect: true\nbind: true\nresolve: true\nfetch: true\n"
    );
}

#[tokio::test]
async fn the_configuration_is_the_environment() {
    let guest = engine().load(PROXY).unwrap();
    let options = RuntimeOptions {
        environment: Arc::from([("TEAM".to_owned(), "joiners".to_owned())]),
        ..RuntimeOptions::default()
    };
    let service = memory_service(&Runtime::new(engine(), &guest, options).unwrap());
    let expected = r#"Some("joiners") Some("joiners") 1"#;
    assert_eq!(text(&service, "/env?TEAM").await, expected);
    assert_eq!(text(&service, "/env?HOME").await, "None None 1");
}

#[tokio::test]
async fn the_guest_runs_until_it_returns() {
    let service = proxy();
    let answer = get(&service, "/late").await;
    assert_eq!(response(&answer)["body"], "early");
    let logs: Vec<_> = answer
        .summary
        .logs
        .iter()
        .map(|line| &*line.message)
        .collect();
    assert_eq!(logs, ["answers with 5 bytes", "still runs"]);
}

#[tokio::test]
async fn what_is_no_whole_response_is_a_500_with_its_reason_in_the_log() {
    for (path, reason) in [
        ("/nothing", NoResponse::NotSet),
        ("/error", NoResponse::Error("internal-error")),
        ("/other-error", NoResponse::Error("loop-detected")),
        ("/dropped-body", NoResponse::UnfinishedBody),
        ("/forgotten-body", NoResponse::UnfinishedBody),
        ("/long-body", NoResponse::UnfinishedBody),
        ("/short-body", NoResponse::BodyLength),
    ] {
        assert_eq!(failure(path).await, Failure::NoResponse(reason), "{path}");
    }
    for path in ["/trap-after", "/finish-before-stream"] {
        assert!(matches!(failure(path).await, Failure::Trap(_)), "{path}");
    }
    let logs = get(&proxy(), "/error").await.summary.logs;
    assert!(
        logs.iter()
            .any(|line| line.level == LogLevel::Error && line.message == "why"),
        "{logs:?}"
    );
}

#[tokio::test]
async fn what_the_host_keeps_is_bounded() {
    for (path, stop) in [
        ("/large?7000000", Stop::BodyBytes),
        ("/fields-flood", Stop::HttpText),
        ("/write-flood", Stop::OutputBytes),
    ] {
        assert_eq!(failure(path).await, Failure::Stopped(stop), "{path}");
    }
    let Failure::Trap(message) = failure("/handles-flood").await else {
        panic!("4,096 handles are too many");
    };
    assert!(message.contains("table"), "{message}");
}

/// What a component does depends on its inputs only: two runs of a seed are equal in all they did, and other seeds change what is random.
#[tokio::test]
async fn runs_of_a_seed_are_equal() {
    let service = proxy();
    let mut random = Vec::new();
    for seed in 0..8 {
        for path in [
            "/random", "/poll", "/sealed", "/late", "/nothing", "/request",
        ] {
            let run = || {
                get_within(
                    &service,
                    path,
                    Seed::new([seed; 32]),
                    Duration::from_secs(60),
                )
            };
            let (first, second) = (run().await, run().await);
            assert_eq!(first.payload, second.payload);
            let did = |answer: &contract::outcome::Answer| {
                let summary = &answer.summary;
                (
                    summary.logs.clone(),
                    summary.fault.clone(),
                    summary.usage.host_calls,
                    summary.usage.memory_bytes_peak,
                )
            };
            assert_eq!(did(&first), did(&second), "{path}");
            if path == "/random" {
                random.push(first.payload);
            }
        }
    }
    random.sort_unstable();
    random.dedup();
    assert_eq!(random.len(), 8);
}

/// Every gateway's event, recorded, then replayed strictly, twice.
#[tokio::test]
async fn every_kind_of_event_is_answered_recorded_and_replayed() {
    let runtime = runtime(PROXY, Limits::default());
    let (service, recorder) = (memory_service(&runtime), recorder());
    let replayer = replayer(&runtime, Mode::Strict);
    for kind in EventKind::ALL {
        for (method, target, status) in [
            ("GET", "/", 200),
            ("POST", "/echo", 200),
            ("GET", "/request?a=1", 200),
            ("GET", "/random", 200),
            ("GET", "/sleep", 200),
            ("GET", "/nothing", 500),
            ("GET", "/error", 500),
            ("GET", "/trap-after", 500),
            ("GET", "/missing", 404),
        ] {
            let incoming = Incoming {
                method,
                target,
                headers: &[("host", "localhost"), ("content-type", "text/plain")],
                body: if method == "POST" { b"hello" } else { b"" },
                client_address: "192.0.2.1",
                scheme: Scheme::Https,
                request_id: REQUEST_ID,
                received_at_ms: NOW_MS,
            };
            let event = compose(Origin::new(kind), &incoming).to_json();
            let seed = Seed::new([3; 32]);
            let invocation = Invocation {
                received_at_ms: NOW_MS,
                seed: seed.clone(),
                deadline: Instant::now() + Duration::from_secs(60),
                trace_header: None,
            };
            let answer = service.invoke(&event, invocation).await.unwrap();
            assert_eq!(answer.summary.status, status, "{target} of {kind:?}");
            let line = recording::event(&service, &recorder, &event, NOW_MS, seed).await;
            let line = line.unwrap();
            for _ in 0..2 {
                let comparison = replay(&replayer, &line).await;
                assert_eq!(comparison.verdict, Verdict::Same, "{target} of {kind:?}");
            }
        }
    }
}

#[test]
fn what_is_not_provided_is_refused_by_name() {
    let replaced = |from: &str, to: &str| {
        let mut component = PROXY.to_vec();
        let found: Vec<_> = (0..component.len() - from.len())
            .filter(|at| component[*at..].starts_with(from.as_bytes()))
            .collect();
        assert!(!found.is_empty(), "{from}");
        for at in found {
            component[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        engine().load(&component).map(|_| ()).unwrap_err()
    };
    let error = replaced(
        "wasi:config/store@0.2.0-rc.1",
        "wasi:config/store@0.2.0-rc.9",
    );
    assert!(matches!(error, LoadError::NotGranted(_)), "{error}");
    assert!(
        error.to_string().contains("wasi:config/store@0.2.0-rc.9"),
        "{error}"
    );
    let error = replaced("wasi:http/types@0.2.6", "wasi:http/types@0.3.0");
    assert!(matches!(error, LoadError::AsyncUnsupported(_)), "{error}");
    assert!(
        error.to_string().contains("wasi:http/types@0.3.0"),
        "{error}"
    );
}

#[test]
fn the_length_that_it_gives_for_head_reaches_the_client() {
    let folder = fresh_folder("proxy-head");
    let guest = folder.join("proxy.wasm");
    std::fs::write(&guest, PROXY).unwrap();
    let server = Server::start(&["--guest", guest.to_str().unwrap(), "--store", "memory"]);
    let mut connection = server.connect();
    let mut length_of = |method, path| {
        let answer = connection.send(method, path, &[], None).unwrap();
        assert_eq!(answer.status, 200);
        answer.header("content-length").map(str::to_owned)
    };
    assert_eq!(length_of("HEAD", "/empty").as_deref(), Some("0"));
    assert_eq!(length_of("HEAD", "/status?200"), None, "it gives none");
    assert_eq!(length_of("GET", "/").as_deref(), Some("5"));
}
