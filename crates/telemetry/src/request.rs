//! The lines of one request: the guest's log lines, the store's errors, and the summary with the metrics.

use super::{
    Ids, Telemetry, Trace,
    line::Line,
    metrics::{self, guest_duration, milliseconds, number},
    report::Report,
};
use contract::{
    log::LogLevel,
    outcome::{Failure, Fault, Summary},
};

impl Telemetry {
    /// All lines of one request, the summary last.
    pub fn request(&self, report: &Report<'_>) -> Vec<u8> {
        let mut lines = Vec::with_capacity(2048);
        let summary = report.summary;
        let ids = Ids {
            request_id: Some(report.request_id),
            gateway_request_id: Some(&summary.request_id),
            trace_id: report.trace.map(Trace::root),
            guest: summary.guest,
        };
        let at_ms = report.received_at_ms;
        for record in summary
            .logs
            .iter()
            .filter(|record| record.level >= self.level)
        {
            let mut line = Line::begin(&mut lines, at_ms, record.level, &record.message, &ids);
            line.member("source", "guest");
            if !record.attributes.is_empty() {
                line.raw_members("attributes", &record.attributes);
            }
            line.end();
        }
        if LogLevel::Warn >= self.level {
            for fault in &summary.storage.faults {
                let mut line = Line::begin(
                    &mut lines,
                    at_ms,
                    LogLevel::Warn,
                    "storage call failed",
                    &ids,
                );
                line.member("error", fault);
                line.end();
            }
        }
        self.summary(&mut lines, report, &ids);
        lines
    }

    /// Written at every level, because it contains the metrics; its level is therefore at least the one that Lambda may filter by.
    fn summary(&self, lines: &mut Vec<u8>, report: &Report<'_>, ids: &Ids<'_>) {
        let summary = report.summary;
        let level = severity(summary).max(self.level);
        let mut line = Line::begin(lines, report.ended_at_ms(), level, "request", ids);
        line.member("method", &summary.method);
        line.member("route", &summary.route);
        line.member("status", &summary.status);
        line.member("totalMs", &number(milliseconds(report.total_duration)));
        line.member("guestMs", &number(milliseconds(guest_duration(summary))));
        let storage_duration = summary.usage.storage_duration;
        line.member("storageMs", &number(milliseconds(storage_duration)));
        line.member("storageCalls", &summary.usage.storage_calls);
        let usage = &summary.usage;
        if usage.outgoing_calls > 0 {
            let outgoing_ms = number(milliseconds(usage.outgoing_duration));
            line.member("outgoingMs", &outgoing_ms);
            line.member("outgoingCalls", &usage.outgoing_calls);
        }
        line.member("capacityUnits", &number(summary.storage.capacity_units));
        line.member("storageRetries", &summary.storage.retries);
        line.member("coldStart", &report.is_cold_start);
        line.member("memoryBytesPeak", &summary.usage.memory_bytes_peak);
        if let Some(fault) = &summary.fault {
            line.member("fault", fault.kind());
            line.member("faultDetail", &words(fault));
        }
        if !summary.backtrace.is_empty() {
            line.member("backtrace", &summary.backtrace);
        }
        metrics::write(&mut line, &self.metrics_namespace, &self.function, report);
        line.end();
    }
}

fn severity(summary: &Summary) -> LogLevel {
    match &summary.fault {
        Some(Fault::Guest(Failure::Deadline | Failure::Busy)) => LogLevel::Warn,
        Some(Fault::Guest(
            Failure::Trap(_) | Failure::Memory(_) | Failure::Stopped(_) | Failure::NoResponse(_),
        ))
        | Some(Fault::Response(_) | Fault::Panic(_)) => LogLevel::Error,
        Some(Fault::Unavailable) => LogLevel::Error,
        Some(Fault::Refused(_) | Fault::Unrouted) | None if summary.status < 500 => LogLevel::Info,
        Some(Fault::Refused(_) | Fault::Unrouted) | None => LogLevel::Warn,
    }
}

/// A fault for the log. A panic's message may quote a request, so it is left out; the host's panic hook logs its location.
fn words(fault: &Fault) -> String {
    match fault {
        Fault::Panic(_) => "the host panicked".to_owned(),
        Fault::Refused(_)
        | Fault::Unrouted
        | Fault::Unavailable
        | Fault::Guest(_)
        | Fault::Response(_) => fault.to_string(),
    }
}

#[cfg(test)]
mod tests;
