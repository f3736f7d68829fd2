//! Lines about the requests of a session, for the person at the terminal: one for each, with the guest's log lines below it.

use super::lines::{Access, DIGEST_DIGITS, Format, Milliseconds, write_log};
use crate::time;
use contract::{outcome::Summary, text::Printable};
use tape::Redaction;

/// Where the time of day begins and ends in RFC 3339.
const TIME_OF_DAY: std::ops::Range<usize> = 11..19;

/// In place of what is cut.
const DOTS: &str = "...";

/// What stands below a request's line begins here.
const INDENTATION: &str = "               ";

/// Columns of path and query that are shown however narrow the terminal is.
const TARGET_COLUMNS_MIN: usize = 20;

/// Appends the line of a request with its number, then what its guest logged and why the host or the gateway answered in its place. On a terminal
/// with so many columns, path and query are cut so that the line fits.
///
/// `12:00:07    17 GET /items?limit=2 200 1.204 ms, 2 storage calls 0.310 ms, guest 84983c60f7da`
pub fn request(
    out: &mut Vec<u8>,
    columns: Option<usize>,
    access: &Access<'_>,
    summary: Option<&Summary>,
    fault: Option<&str>,
) {
    let time = time::rfc3339_ms(access.time_ms);
    let time = time.get(TIME_OF_DAY).unwrap_or_default();
    let number = access
        .exchange
        .map_or_else(|| "-".to_owned(), |number| number.to_string());
    let begin = format!("{time} {number:>5} {} ", Printable(access.method));
    let end = result(access);
    let target = match columns {
        Some(columns) => {
            let room = columns.saturating_sub(begin.chars().count() + end.chars().count());
            cut_target(access, room.max(TARGET_COLUMNS_MIN))
        }
        None => target(access),
    };
    out.extend_from_slice(format!("{begin}{target}{end}\n").as_bytes());
    if let Some(summary) = summary {
        write_log(out, INDENTATION, summary);
    }
    if let Some(fault) = fault {
        out.extend_from_slice(INDENTATION.as_bytes());
        Format::Text.fault(out, None, access.request_id, fault);
    }
}

/// Path and query, without what tapes would not show.
fn target(access: &Access<'_>) -> String {
    match access.query {
        Some(query) => {
            let query = Redaction::credentials().query(query).into_owned();
            format!("{}?{}", Printable(access.path), Printable(&query))
        }
        None => Printable(access.path).to_string(),
    }
}

/// Path and query in so many columns. Of a path that is too long, the end remains, where the resource is named; of a query, the begin.
fn cut_target(access: &Access<'_>, columns_max: usize) -> String {
    let path = Printable(access.path).to_string();
    let columns = path.chars().count();
    if columns <= columns_max.saturating_sub(DOTS.len())
        || access.query.is_none() && columns <= columns_max
    {
        return cut(target(access), columns_max);
    }
    let left_out = columns - columns_max.saturating_sub(DOTS.len());
    DOTS.chars().chain(path.chars().skip(left_out)).collect()
}

/// The first characters of a text, with dots in place of the others.
fn cut(text: String, columns_max: usize) -> String {
    match text.chars().count() <= columns_max {
        true => text,
        false => {
            let kept = columns_max.saturating_sub(DOTS.len());
            text.chars().take(kept).chain(DOTS.chars()).collect()
        }
    }
}

/// Status, duration, storage calls and guest.
fn result(access: &Access<'_>) -> String {
    let duration = Milliseconds(access.duration);
    let mut text = format!(" {} {duration} ms", access.status);
    if let Some(usage) = access.usage.filter(|usage| usage.storage_calls > 0) {
        let plural = if usage.storage_calls == 1 { "" } else { "s" };
        text.push_str(&format!(
            ", {} storage call{plural} {} ms",
            usage.storage_calls,
            Milliseconds(usage.storage_duration)
        ));
    }
    if let Some(usage) = access.usage.filter(|usage| usage.outgoing_calls > 0) {
        let plural = if usage.outgoing_calls == 1 { "" } else { "s" };
        text.push_str(&format!(
            ", {} outgoing request{plural} {} ms",
            usage.outgoing_calls,
            Milliseconds(usage.outgoing_duration)
        ));
    }
    if let Some(guest) = access.guest {
        let mut digest = guest.to_string();
        digest.truncate(DIGEST_DIGITS);
        text.push_str(&format!(", guest {digest}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{
        digest::Digest,
        log::{LogLevel, LogRecord},
        outcome::{Failure, Fault, Usage},
    };
    use std::time::Duration;

    #[test]
    fn what_a_guest_logs_stands_below_its_request() {
        let usage = Usage {
            storage_duration: Duration::from_micros(310),
            storage_calls: 1,
            ..Usage::default()
        };
        let access = Access {
            time_ms: 1_767_225_600_007,
            method: "GET",
            path: "/items/\u{9b}",
            query: None,
            status: 500,
            bytes: 31,
            duration: Duration::from_micros(1_204),
            guest: Some(Digest::of(b"guest")),
            usage: Some(&usage),
            request_id: "r1",
            exchange: Some(17),
        };
        let mut summary = Summary::new("r1".to_owned(), "GET".to_owned(), "/".to_owned());
        summary.logs = vec![LogRecord {
            level: LogLevel::Warn,
            message: "slow".to_owned(),
            attributes: vec![("ms".to_owned(), "7".to_owned())],
            storage_calls: 0,
        }];
        summary.fault = Some(Fault::Guest(Failure::Trap("unreachable".to_owned())));
        let mut out = Vec::new();
        request(&mut out, None, &access, Some(&summary), None);
        let refused = Access {
            guest: None,
            usage: None,
            exchange: None,
            status: 401,
            path: "/",
            ..access
        };
        let fault = "not authorized: there is no token";
        request(&mut out, None, &refused, None, Some(fault));
        let asked = Access {
            path: "/items",
            query: Some("after=2026&access_token=hunter2hunter2&filter=name\u{9b}&limit=20"),
            ..access
        };
        for columns in [None, Some(110), Some(10)] {
            request(&mut out, columns, &asked, None, None);
        }
        insta::assert_snapshot!(String::from_utf8(out.clone()).unwrap(), @r#"
        00:00:00    17 GET /items/\u009b 500 1.204 ms, 1 storage call 0.310 ms, guest 84983c60f7da
                       level=warn message="slow" ms=7
                       level=error fault=trap message="the guest trapped: unreachable"
        00:00:00     - GET / 401 1.204 ms
                       level=error request_id=r1 message="not authorized: there is no token"
        00:00:00    17 GET /items?after=2026&access_token=REDACTED&filter=name\u009b&limit=20 500 1.204 ms, 1 storage call 0.310 ms, guest 84983c60f7da
        00:00:00    17 GET /items?after=2026&access_token... 500 1.204 ms, 1 storage call 0.310 ms, guest 84983c60f7da
        00:00:00    17 GET /items?after=2026... 500 1.204 ms, 1 storage call 0.310 ms, guest 84983c60f7da
        "#);
        let deep = Access {
            path: "/rooms/01a22eaa-a708-7965-89a1-b5b1d0b5b2c6/bookings/01a22eab",
            ..access
        };
        let with_query = Access {
            query: Some("limit=20"),
            ..deep
        };
        let of_paths = out.len();
        request(&mut out, Some(80), &deep, None, None);
        request(&mut out, Some(80), &with_query, None, None);
        let line = "00:00:00    17 GET ...bookings/01a22eab 500 1.204 ms, 1 storage call 0.310 ms, guest 84983c60f7da\n";
        assert_eq!(str::from_utf8(&out[of_paths..]).unwrap(), line.repeat(2));
        let shown = String::from_utf8(out).unwrap();
        let cut = shown
            .lines()
            .find(|line| line.contains("token... "))
            .unwrap();
        assert_eq!(cut.chars().count(), 110);
    }
}
