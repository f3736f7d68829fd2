use super::{super::report::Channel, *};
use crate::Metric;
use contract::{
    digest::Digest,
    log::LogRecord,
    outcome::{StorageReport, Usage},
};
use serde_json::{Value, json};
use std::time::Duration;

/// Units that CloudWatch accepts (AWS: MetricDatum), except those of rates.
const UNITS: [&str; 7] = [
    "Bytes",
    "Count",
    "Microseconds",
    "Milliseconds",
    "None",
    "Percent",
    "Seconds",
];

fn summary() -> Summary {
    let record = |level, message: &str, attributes: &[(&str, &str)]| LogRecord {
        level,
        message: message.to_owned(),
        attributes: attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        storage_calls: 0,
    };
    Summary {
        request_id: "gateway-1".to_owned(),
        method: "GET".to_owned(),
        path: "/items/1".to_owned(),
        route: "/items/{id}".to_owned(),
        status: 200,
        fault: None,
        guest: Some(Digest::of(b"guest")),
        logs: vec![
            record(LogLevel::Debug, "details", &[]),
            record(
                LogLevel::Warn,
                "odd",
                &[("_aws", "{\"x\":1}"), ("level", "\"TRACE\"")],
            ),
        ],
        backtrace: Vec::new(),
        usage: Usage {
            total_duration: Duration::from_micros(5_750),
            storage_duration: Duration::from_millis(4),
            storage_calls: 2,
            outgoing_duration: Duration::from_micros(500),
            outgoing_calls: 1,
            host_calls: 3,
            memory_bytes_peak: 196_608,
            fuel: None,
        },
        storage: StorageReport {
            capacity_units: 1.5,
            throttles: 1,
            retries: 1,
            faults: vec!["GetItem: timed out".to_owned()],
        },
    }
}

fn lines(level: LogLevel, summary: &Summary, channel: Option<Channel>) -> Vec<Value> {
    let telemetry = Telemetry {
        level,
        metrics_namespace: "Tenon".to_owned(),
        function: "items".to_owned(),
    };
    let trace = Trace::parse("Root=1-2-3;Sampled=1").unwrap();
    let report = Report {
        summary,
        request_id: "invocation-1",
        trace: Some(&trace),
        received_at_ms: 1_700_000_000_000,
        total_duration: Duration::from_micros(6_500),
        is_cold_start: true,
        channel,
    };
    let bytes = telemetry.request(&report);
    str::from_utf8(&bytes)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_request_writes_its_logs_its_faults_and_one_summary_all_with_its_ids() {
    let lines = lines(LogLevel::Info, &summary(), None);
    let messages: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
    assert_eq!(messages, ["odd", "storage call failed", "request"]);
    for line in &lines {
        assert_eq!(line["requestId"], "invocation-1");
        assert_eq!(line["gatewayRequestId"], "gateway-1");
        assert_eq!(line["traceId"], "1-2-3");
        assert_eq!(line["guest"], Digest::of(b"guest").to_string()[..12]);
    }
    assert_eq!(
        lines[0]["attributes"],
        json!({"_aws": {"x": 1}, "level": "TRACE"})
    );
    assert_eq!(lines[0]["level"], "WARN");
    assert!(
        lines[0].get("_aws").is_none(),
        "a guest declares no metrics"
    );
}

#[test]
fn the_summary_says_what_the_request_took() {
    let lines = lines(LogLevel::Info, &summary(), None);
    let line = lines.last().unwrap();
    let expected = json!({
        "timestamp": "2023-11-14T22:13:20.006Z", "level": "INFO", "method": "GET", "route": "/items/{id}", "status": 200,
        "totalMs": 6.5, "guestMs": 1.25, "storageMs": 4, "storageCalls": 2, "outgoingMs": 0.5, "outgoingCalls": 1, "capacityUnits": 1.5, "storageRetries": 1,
        "coldStart": true, "memoryBytesPeak": 196_608, "function": "items",
        "Requests": 1, "ClientErrors": 0, "ServerErrors": 0, "Latency": 6.5, "GuestTime": 1.25, "StorageTime": 4,
        "StorageThrottles": 1, "GuestTraps": 0, "ColdStarts": 1, "ConsumedCapacity": 1.5,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&line[name], value, "{name}");
    }
    assert!(line.get("fault").is_none());
}

/// AWS: "Specification: Embedded metric format".
#[test]
fn the_metrics_keep_the_rules_of_the_embedded_metric_format() {
    let channel = Channel {
        age: Duration::from_secs(3),
        failures: 2,
    };
    for channel in [None, Some(channel)] {
        let lines = lines(LogLevel::Error, &summary(), channel);
        let line = lines.last().unwrap();
        assert!(line["_aws"]["Timestamp"].is_u64());
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(directives.len(), 1);
        let namespace = directives[0]["Namespace"].as_str().unwrap();
        assert!((1..=1024).contains(&namespace.len()));
        for dimensions in directives[0]["Dimensions"].as_array().unwrap() {
            let dimensions = dimensions.as_array().unwrap();
            assert!(dimensions.len() <= 30);
            for name in dimensions {
                assert!(line[name.as_str().unwrap()].is_string(), "{name}");
            }
        }
        let metrics = directives[0]["Metrics"].as_array().unwrap();
        let declared = if channel.is_some() { 12 } else { 10 };
        assert_eq!(metrics.len(), declared);
        assert!(metrics.len() <= 100);
        for metric in metrics {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name}");
            assert!(
                UNITS.contains(&metric["Unit"].as_str().unwrap()),
                "{metric}"
            );
        }
    }
    let names: std::collections::BTreeSet<_> = Metric::ALL.map(Metric::name).into();
    assert_eq!(names.len(), Metric::ALL.len());
}

#[test]
fn metrics_are_written_whatever_the_level_and_pass_lambdas_own_filter() {
    let lines = lines(LogLevel::Error, &summary(), None);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["message"], "request");
    assert_eq!(lines[0]["level"], "ERROR");
}

#[test]
fn a_fault_is_counted_and_named_and_a_panics_words_are_kept_back() {
    let cases = [
        (
            Fault::Refused("too long".into()),
            414,
            "INFO",
            ("refused", "request refused: too long"),
            0,
        ),
        (
            Fault::Guest(Failure::Trap("unreachable".into())),
            500,
            "ERROR",
            ("trap", "the guest trapped: unreachable"),
            1,
        ),
        (
            Fault::Guest(Failure::Memory(7)),
            500,
            "ERROR",
            ("memory", "the guest exceeded its memory limit of 7 bytes"),
            1,
        ),
        (
            Fault::Guest(Failure::Deadline),
            504,
            "WARN",
            ("deadline", "the guest did not answer in time"),
            0,
        ),
        (
            Fault::Panic("secret".into()),
            500,
            "ERROR",
            ("panic", "the host panicked"),
            0,
        ),
    ];
    for (fault, status, level, (kind, words), traps) in cases {
        let summary = Summary {
            status,
            fault: Some(fault),
            ..summary()
        };
        let lines = lines(LogLevel::Info, &summary, None);
        let line = lines.last().unwrap();
        assert_eq!(
            (&line["level"], &line["fault"], &line["faultDetail"]),
            (&json!(level), &json!(kind), &json!(words))
        );
        assert_eq!(line["GuestTraps"], traps, "{words}");
        assert_eq!(line["ClientErrors"], u8::from(status < 500));
        assert_eq!(line["ServerErrors"], u8::from(status >= 500));
    }
}
