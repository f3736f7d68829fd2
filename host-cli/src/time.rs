//! Times on the command line: milliseconds since the Unix epoch, or RFC 3339.

use crate::exit::CommandError;
use contract::calendar::EPOCH_MS_MAX;
use std::time::{SystemTime, UNIX_EPOCH};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub use contract::calendar::{rfc3339, rfc3339_ms};

/// Now, in milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |duration| duration.as_millis() as u64)
}

/// The time given by `--at`, or now.
pub fn resolve(at: Option<&str>) -> Result<u64, CommandError> {
    let Some(text) = at else {
        return Ok(now_ms());
    };
    parse(text).ok_or_else(|| {
        CommandError::usage(format_args!("`{text}` is not a valid time")).hint(
            "write milliseconds since 1970 (1767225600000) or RFC 3339 (2026-01-01T00:00:00Z)",
        )
    })
}

/// A time, or an age: `30m`, `12h`, `7d`.
pub fn resolve_ago(text: &str) -> Result<u64, CommandError> {
    match ago_ms(text) {
        Some(ms) => Ok(now_ms().saturating_sub(ms)),
        None => parse(text).ok_or_else(|| {
            CommandError::usage(format_args!("`{text}` is neither a time nor an age")).hint(
                "write an age (30m, 12h, 7d), milliseconds since 1970 (1767225600000) or RFC 3339 (2026-01-01T00:00:00Z)",
            )
        }),
    }
}

fn ago_ms(text: &str) -> Option<u64> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_ms = match unit {
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number(count)?.checked_mul(unit_ms)
}

fn parse(text: &str) -> Option<u64> {
    let epoch_ms = match number(text) {
        Some(epoch_ms) => epoch_ms,
        None => parse_rfc3339(text)?,
    };
    (epoch_ms <= EPOCH_MS_MAX).then_some(epoch_ms)
}

fn parse_rfc3339(text: &str) -> Option<u64> {
    // The standard has `T`, and lets applications write a space instead; the library takes everything.
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')) {
        return None;
    }
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

/// Digits only: no sign.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_as_the_same_instant() {
        for ms in [
            0,
            951_782_400_000,
            1_709_164_799_000,
            1_767_225_600_000,
            EPOCH_MS_MAX - 999,
        ] {
            assert_eq!(parse(&rfc3339(ms)), Some(ms), "{}", rfc3339(ms));
        }
        assert_eq!(rfc3339(1_709_164_800_000), "2024-02-29T00:00:00Z");
    }

    #[test]
    fn milliseconds_read_back_as_they_are_written() {
        for ms in [
            0,
            951_782_400_000,
            951_868_800_123,
            1_767_225_600_001,
            EPOCH_MS_MAX,
        ] {
            assert_eq!(parse(&rfc3339_ms(ms)), Some(ms), "{}", rfc3339_ms(ms));
        }
    }

    #[test]
    fn both_forms_read() {
        assert_eq!(parse("1767225600000"), Some(1_767_225_600_000));
        assert_eq!(parse("2026-01-01T00:00:00Z"), Some(1_767_225_600_000));
        assert_eq!(
            parse("2026-01-01T01:30:00.1239+01:30"),
            Some(1_767_225_600_123)
        );
        assert_eq!(parse("2024-02-29t12:00:00.5z"), Some(1_709_208_000_500));
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse("9999-12-31T23:59:59.999Z"), Some(EPOCH_MS_MAX));
    }

    #[test]
    fn ages_have_a_unit() {
        assert_eq!(ago_ms("90s"), Some(90_000));
        assert_eq!(ago_ms("30m"), Some(1_800_000));
        assert_eq!(ago_ms("12h"), Some(43_200_000));
        assert_eq!(ago_ms("7d"), Some(604_800_000));
        for text in [
            "",
            "h",
            "-1h",
            "1",
            "1w",
            "1.5h",
            "99999999999999999d",
            "1é",
        ] {
            assert_eq!(ago_ms(text), None, "{text}");
        }
        assert_eq!(
            resolve_ago("2026-01-01T00:00:00Z").ok(),
            Some(1_767_225_600_000)
        );
        assert!(resolve_ago("soon").is_err());
    }

    #[test]
    fn other_text_does_not() {
        for text in [
            "",
            "yesterday",
            "2026-01-01",
            "2026-13-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1:00",
            "1969-12-31T23:59:59Z",
            "1969-12-31T23:59:59.9999Z",
            "2026-01-01_00:00:00Z",
            "9999-12-31T23:59:59-00:01",
            "-5",
            "99999999999999999999",
            "2026-01-01T00:00:0éZ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
