//! Instants as people and formats write them. Everywhere else they are milliseconds since the Unix epoch.

use time::OffsetDateTime;

/// The last millisecond of the year 9999, where RFC 3339 ends.
pub const EPOCH_MS_MAX: u64 = 253_402_300_799_999;

/// Date and time in UTC, to the second. Instants after [`EPOCH_MS_MAX`] count as that one.
pub fn utc(epoch_ms: u64) -> OffsetDateTime {
    i64::try_from(epoch_ms.min(EPOCH_MS_MAX) / 1000)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// RFC 3339 to the second: `2026-01-01T00:00:00Z`. The year is at most 9999.
pub fn rfc3339(epoch_ms: u64) -> String {
    let mut text = date_and_time(epoch_ms);
    text.push('Z');
    text
}

/// A time in RFC 3339, in milliseconds: `2026-01-01T00:00:00.000Z`.
pub fn rfc3339_ms(epoch_ms: u64) -> String {
    let milliseconds = epoch_ms.min(EPOCH_MS_MAX) % 1000;
    format!("{}.{milliseconds:03}Z", date_and_time(epoch_ms))
}

fn date_and_time(epoch_ms: u64) -> String {
    let at = utc(epoch_ms);
    let (hour, minute, second) = at.to_hms();
    format!(
        "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}",
        at.year(),
        u8::from(at.month()),
        at.day()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(rfc3339_ms(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339_ms(1_709_164_800_007), "2024-02-29T00:00:00.007Z");
        assert_eq!(rfc3339_ms(1_588_804_615_616), "2020-05-06T22:36:55.616Z");
        assert_eq!(rfc3339_ms(u64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(1_709_164_800_007), "2024-02-29T00:00:00Z");
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59Z");
    }
}
