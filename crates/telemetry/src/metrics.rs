//! Metrics in CloudWatch's embedded metric format (AWS: "Specification: Embedded metric format"): a log line that declares which of its
//! members are metrics.

use super::{line::Line, report::Report};
use contract::outcome::{Failure, Fault, Summary};
use serde::Serialize;
use std::time::Duration;

/// The one dimension of all metrics: the member with the function's name.
pub const DIMENSION: &str = "function";

/// Metrics of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// HTTP requests, including refused ones.
    Requests,
    /// Responses with 400 to 499.
    ClientErrors,
    /// Responses with 500 and above.
    ServerErrors,
    /// From the event to the response.
    Latency,
    /// The part of it spent in the guest, including the wait for an instance.
    GuestTime,
    /// The part of it spent waiting for the store.
    StorageTime,
    /// How often the store asked to slow down.
    StorageThrottles,
    /// Guests that trapped or were stopped.
    GuestTraps,
    /// First requests of a process.
    ColdStarts,
    /// Capacity units that the store charged.
    ConsumedCapacity,
    /// Time since the release channel was last read successfully; only if one is followed.
    ChannelAge,
    /// Failures to read the channel or to prepare a guest since the last request; only if one is followed.
    ChannelFailures,
}

/// Units as CloudWatch spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // named like the metrics
pub enum Unit {
    Count,
    Milliseconds,
    Seconds,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Requests,
        Self::ClientErrors,
        Self::ServerErrors,
        Self::Latency,
        Self::GuestTime,
        Self::StorageTime,
        Self::StorageThrottles,
        Self::GuestTraps,
        Self::ColdStarts,
        Self::ConsumedCapacity,
        Self::ChannelAge,
        Self::ChannelFailures,
    ];

    /// The name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "Requests",
            Self::ClientErrors => "ClientErrors",
            Self::ServerErrors => "ServerErrors",
            Self::Latency => "Latency",
            Self::GuestTime => "GuestTime",
            Self::StorageTime => "StorageTime",
            Self::StorageThrottles => "StorageThrottles",
            Self::GuestTraps => "GuestTraps",
            Self::ColdStarts => "ColdStarts",
            Self::ConsumedCapacity => "ConsumedCapacity",
            Self::ChannelAge => "ChannelAge",
            Self::ChannelFailures => "ChannelFailures",
        }
    }

    /// The unit in CloudWatch.
    pub fn unit(self) -> Unit {
        match self {
            Self::Latency | Self::GuestTime | Self::StorageTime => Unit::Milliseconds,
            Self::ChannelAge => Unit::Seconds,
            Self::Requests
            | Self::ClientErrors
            | Self::ServerErrors
            | Self::StorageThrottles
            | Self::GuestTraps
            | Self::ColdStarts
            | Self::ConsumedCapacity
            | Self::ChannelFailures => Unit::Count,
        }
    }

    /// `None`: not measured.
    fn value(self, report: &Report<'_>) -> Option<f64> {
        let summary = report.summary;
        let count = |holds: bool| f64::from(u8::from(holds));
        Some(match self {
            Self::Requests => 1.0,
            Self::ClientErrors => count((400..500).contains(&summary.status)),
            Self::ServerErrors => count(summary.status >= 500),
            Self::Latency => milliseconds(report.total_duration),
            Self::GuestTime => milliseconds(guest_duration(summary)),
            Self::StorageTime => milliseconds(summary.usage.storage_duration),
            Self::StorageThrottles => f64::from(summary.storage.throttles),
            Self::GuestTraps => count(is_trap(summary.fault.as_ref())),
            Self::ColdStarts => count(report.is_cold_start),
            Self::ConsumedCapacity => summary.storage.capacity_units,
            Self::ChannelAge => report.channel?.age.as_secs_f64(),
            Self::ChannelFailures => f64::from(report.channel?.failures),
        })
    }
}

/// Time spent in the guest itself.
pub fn guest_duration(summary: &Summary) -> Duration {
    let usage = &summary.usage;
    let waited = usage.storage_duration + usage.outgoing_duration;
    usage.total_duration.saturating_sub(waited)
}

/// Milliseconds with three decimals.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// A whole number without a fraction, as JSON.
pub fn number(value: f64) -> serde_json::Value {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && (0.0..EXACT_MAX).contains(&value) {
        serde_json::Value::from(value as u64)
    } else {
        serde_json::Value::from(value)
    }
}

/// Whether the guest is the cause, and not time or the store.
fn is_trap(fault: Option<&Fault>) -> bool {
    match fault {
        Some(Fault::Guest(failure)) => match failure {
            Failure::Trap(_)
            | Failure::Memory(_)
            | Failure::Stopped(_)
            | Failure::NoResponse(_) => true,
            Failure::Deadline | Failure::Busy => false,
        },
        Some(
            Fault::Refused(_)
            | Fault::Unrouted
            | Fault::Unavailable
            | Fault::Response(_)
            | Fault::Panic(_),
        )
        | None => false,
    }
}

/// Adds the metrics' members, and the member that declares them.
pub fn write(line: &mut Line<'_>, namespace: &str, function: &str, report: &Report<'_>) {
    line.member(DIMENSION, function);
    let mut declared = Vec::with_capacity(Metric::ALL.len());
    for metric in Metric::ALL {
        if let Some(value) = metric.value(report) {
            line.member(metric.name(), &number(value));
            declared.push(Declared {
                name: metric.name(),
                unit: metric.unit(),
            });
        }
    }
    let directive = Directive {
        namespace,
        dimensions: [[DIMENSION]],
        metrics: declared,
    };
    let metadata = Metadata {
        timestamp: report.ended_at_ms(),
        cloud_watch_metrics: [directive],
    };
    line.member("_aws", &metadata);
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: u64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: [[&'static str; 1]; 1],
    metrics: Vec<Declared>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Declared {
    name: &'static str,
    unit: Unit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_are_exact() {
        assert_eq!(number(3.0).to_string(), "3");
        assert_eq!(number(0.5).to_string(), "0.5");
        assert_eq!(milliseconds(Duration::from_nanos(1_234_567)), 1.235);
    }
}
