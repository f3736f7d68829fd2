//! Timestamps of lines.

use contract::calendar::date;

/// The last millisecond of the year 9999, where RFC 3339 ends.
const EPOCH_MS_MAX: u64 = 253_402_300_799_999;

/// RFC 3339 in UTC, with milliseconds.
pub fn rfc3339(epoch_ms: u64) -> String {
    let epoch_ms = epoch_ms.min(EPOCH_MS_MAX);
    let (seconds, ms) = (epoch_ms / 1000, epoch_ms % 1000);
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_709_164_800_007), "2024-02-29T00:00:00.007Z");
        assert_eq!(rfc3339(1_588_804_615_616), "2020-05-06T22:36:55.616Z");
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59.999Z");
    }
}
