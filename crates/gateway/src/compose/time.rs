//! The time format of API Gateway events: `06/May/2020:22:36:55 +0000`.

use contract::calendar::date;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A time in milliseconds since the Unix epoch in the common log format.
pub fn common_log_format(epoch_ms: u64) -> String {
    let seconds = epoch_ms / 1000;
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let month = usize::try_from(month - 1)
        .ok()
        .and_then(|index| MONTHS.get(index))
        .unwrap_or(&"Jan");
    format!("{day:02}/{month}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_gateways_write_them() {
        assert_eq!(
            common_log_format(1_588_804_615_616),
            "06/May/2020:22:36:55 +0000"
        );
        assert_eq!(
            common_log_format(1_709_164_800_000),
            "29/Feb/2024:00:00:00 +0000"
        );
        assert_eq!(common_log_format(0), "01/Jan/1970:00:00:00 +0000");
        assert!(common_log_format(u64::MAX).ends_with("+0000"));
    }
}
