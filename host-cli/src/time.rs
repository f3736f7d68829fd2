//! Instants on the command line: milliseconds since the Unix epoch, or RFC 3339.

use crate::exit::Failure;
use std::time::{SystemTime, UNIX_EPOCH};

/// The last instant of the year 9999, which is where RFC 3339 ends.
const MILLISECONDS_MAX: u64 = 253_402_300_799_999;

/// Now, in milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |duration| duration.as_millis() as u64)
}

/// An instant as RFC 3339 has it, to the second: `2026-01-01T00:00:00Z`.
pub fn rfc3339(epoch_ms: u64) -> String {
    let seconds = epoch_ms.min(MILLISECONDS_MAX) / 1000;
    let (year, month, day) = civil_from_days((seconds / 86_400) as i64);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The same with milliseconds: `2026-01-01T00:00:00.000Z`.
pub fn rfc3339_ms(epoch_ms: u64) -> String {
    let milliseconds = epoch_ms.min(MILLISECONDS_MAX) % 1000;
    rfc3339(epoch_ms).replace('Z', &format!(".{milliseconds:03}Z"))
}

/// The instant that `--at` names; now where it is not given.
pub fn resolve(at: Option<&str>) -> Result<u64, Failure> {
    let Some(text) = at else {
        return Ok(now_ms());
    };
    parse(text).ok_or_else(|| {
        Failure::usage(format_args!("`{text}` is not an instant")).hint(
            "write milliseconds since 1970 (1767225600000) or RFC 3339 (2026-01-01T00:00:00Z)",
        )
    })
}

/// An instant, or how long ago it is: `30m`, `12h`, `7d`.
pub fn resolve_ago(text: &str) -> Result<u64, Failure> {
    match ago_ms(text) {
        Some(ms) => Ok(now_ms().saturating_sub(ms)),
        None => parse(text).ok_or_else(|| {
            Failure::usage(format_args!("`{text}` is neither an instant nor an age")).hint(
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
    u64::try_from(number(count)?).ok()?.checked_mul(unit_ms)
}

fn parse(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|ms| *ms <= MILLISECONDS_MAX);
    }
    let bytes = text.as_bytes();
    let separators = [(4, b"-"), (7, b"-"), (13, b":"), (16, b":")];
    let fits = bytes.len() >= 20
        && bytes.is_ascii()
        && separators
            .iter()
            .all(|(at, separator)| bytes[*at] == separator[0])
        && matches!(bytes[10], b'T' | b't' | b' ');
    if !fits {
        return None;
    }
    let [year, month, day] = [
        number(&text[..4])?,
        number(&text[5..7])?,
        number(&text[8..10])?,
    ];
    let [hour, minute, second] = [
        number(&text[11..13])?,
        number(&text[14..16])?,
        number(&text[17..19])?,
    ];
    let in_range = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    let (fraction_ms, zone) = fraction(&text[19..])?;
    let local_s = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    let utc_ms = (local_s - offset_s(zone)?) * 1000 + fraction_ms;
    u64::try_from(utc_ms)
        .ok()
        .filter(|ms| *ms <= MILLISECONDS_MAX)
}

fn number(digits: &str) -> Option<i64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Milliseconds of `.123456`, and what follows.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(digits) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = digits.find(|character: char| !character.is_ascii_digit())?;
    let (digits, zone) = digits.split_at(end);
    number(digits)?;
    let padded: String = digits.chars().chain("000".chars()).take(3).collect();
    Some((number(&padded)?, zone))
}

fn offset_s(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        (_, _) => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let well_formed = hours.len() == 2 && minutes.len() == 2;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (well_formed && hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, counted in eras of 400 years that start on the first of March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date of a day counted from 1970-01-01: the other way round.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = (march_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * march_month + 2) / 5 + 1)
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
            MILLISECONDS_MAX - 999,
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
            MILLISECONDS_MAX,
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
        assert_eq!(parse("9999-12-31T23:59:59.999Z"), Some(MILLISECONDS_MAX));
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
            "-5",
            "99999999999999999999",
            "2026-01-01T00:00:0éZ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
