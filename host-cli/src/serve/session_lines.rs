//! Lines about the requests of a session, for the person at the terminal: one for each, with the guest's log lines below it.

use super::lines::{Access, DIGEST_DIGITS, Format, Milliseconds, write_log};
use crate::time;
use contract::{outcome::Summary, text::Printable};
use std::io::Write;

/// Where the time of day begins and ends in RFC 3339.
const TIME_OF_DAY: std::ops::Range<usize> = 11..19;

/// What stands below a request's line begins here.
const INDENTATION: &str = "               ";

/// Appends the line of a request with its number, then what its guest logged and why the host or the gateway answered in its place.
///
/// `12:00:07    17 GET /items/7 200 1.204 ms, 2 storage calls 0.310 ms, guest 84983c60f7da`
pub fn request(
    out: &mut Vec<u8>,
    number: Option<u64>,
    access: &Access<'_>,
    summary: Option<&Summary>,
    fault: Option<&str>,
) {
    let time = time::rfc3339_ms(access.time_ms);
    let time = time.get(TIME_OF_DAY).unwrap_or_default();
    let number = number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    // Writing to memory cannot fail.
    let _ = write!(
        out,
        "{time} {number:>5} {} {} {} {} ms",
        Printable(access.method),
        Printable(access.path),
        access.status,
        Milliseconds(access.duration)
    );
    if let Some(usage) = access.usage.filter(|usage| usage.storage_calls > 0) {
        let plural = if usage.storage_calls == 1 { "" } else { "s" };
        let _ = write!(
            out,
            ", {} storage call{plural} {} ms",
            usage.storage_calls,
            Milliseconds(usage.storage_duration)
        );
    }
    if let Some(guest) = access.guest {
        let digest = guest.to_string();
        let _ = write!(
            out,
            ", guest {}",
            &digest[..DIGEST_DIGITS.min(digest.len())]
        );
    }
    out.push(b'\n');
    if let Some(summary) = summary {
        write_log(out, INDENTATION, summary);
    }
    if let Some(fault) = fault {
        out.extend_from_slice(INDENTATION.as_bytes());
        Format::Text.fault(out, None, access.request_id, fault);
    }
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
        request(&mut out, Some(17), &access, Some(&summary), None);
        let refused = Access {
            guest: None,
            usage: None,
            status: 401,
            path: "/",
            ..access
        };
        let fault = "not authorized: there is no token";
        request(&mut out, None, &refused, None, Some(fault));
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        00:00:00    17 GET /items/\u009b 500 1.204 ms, 1 storage call 0.310 ms, guest 84983c60f7da
                       level=warn message="slow" ms=7
                       level=error fault=trap message="the guest trapped: unreachable"
        00:00:00     - GET / 401 1.204 ms
                       level=error request_id=r1 message="not authorized: there is no token"
        "#);
    }
}
