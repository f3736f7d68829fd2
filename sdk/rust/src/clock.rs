//! The time of a request.

use alloc::string::String;
use core::fmt;
use serde::{Serialize, Serializer};

const MS_PER_DAY: u64 = 86_400_000;
/// 9999-12-31T23:59:59.999Z: years have four digits in RFC 3339.
const MS_MAX: u64 = 253_402_300_799_999;

/// When the host received the request. The clock stands still during a request, so that a replay has the same time.
///
/// It is shown and serialised as RFC 3339 writes it, `2026-02-28T23:59:59.123Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    ms: u64,
}

impl Now {
    /// The time of so many milliseconds since the Unix epoch.
    pub fn from_ms(ms: u64) -> Self {
        Self { ms }
    }

    /// Milliseconds since the Unix epoch.
    pub fn ms(self) -> u64 {
        self.ms
    }

    /// As RFC 3339 writes it; the same as `to_string()`.
    pub fn rfc3339(self) -> String {
        rfc3339(self.ms)
    }

    /// Whole seconds since the Unix epoch, the unit of expiries.
    pub fn seconds(self) -> u64 {
        self.ms / 1000
    }
}

impl Serialize for Now {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.ms))
    }
}

impl fmt::Display for Now {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&rfc3339(self.ms))
    }
}

fn rfc3339(ms_since_epoch: u64) -> String {
    let ms = ms_since_epoch.min(MS_MAX);
    let (year, month, day) = civil_date(ms / MS_PER_DAY);
    let ms_of_day = ms % MS_PER_DAY;
    let (seconds, milliseconds) = (ms_of_day / 1000, ms_of_day % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = String::with_capacity("2026-02-28T23:59:59.123Z".len());
    for (number, width, separator) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (hours, 2, ':'),
        (minutes, 2, ':'),
        (seconds, 2, '.'),
        (milliseconds, 3, 'Z'),
    ] {
        push_digits(&mut text, number, width);
        text.push(separator);
    }
    text
}

/// The last `width` digits. Takes a fifth of the time of formatting, and every write needs it.
fn push_digits(text: &mut String, number: u64, width: u32) {
    for place in (0..width).rev() {
        let digit = (number / 10_u64.pow(place) % 10) as u8;
        text.push(char::from(b'0' + digit));
    }
}

/// Days since 1970-01-01 as year, month and day. Years are counted from March, so that the leap day is a year's last; 400 years
/// have 146,097 days.
fn civil_date(days_since_epoch: u64) -> (u64, u64, u64) {
    let days = days_since_epoch + 719_468; // since 0000-03-01
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_200_001, "2024-03-01T00:00:00.001Z"),
            (1_767_225_599_000, "2025-12-31T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(ms), text);
        }
    }

    #[test]
    fn a_clock_beyond_the_format_stops_at_its_end() {
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59.999Z");
    }
}
