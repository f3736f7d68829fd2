//! The time format of API Gateway events: `06/May/2020:22:36:55 +0000`.

use contract::calendar::utc;
use time::Month;

/// An instant in milliseconds since the Unix epoch in the common log format.
pub fn common_log_format(epoch_ms: u64) -> String {
    let at = utc(epoch_ms);
    let (hour, minute, second) = at.to_hms();
    format!(
        "{:02}/{}/{:04}:{hour:02}:{minute:02}:{second:02} +0000",
        at.day(),
        abbreviation(at.month()),
        at.year()
    )
}

fn abbreviation(month: Month) -> &'static str {
    match month {
        Month::January => "Jan",
        Month::February => "Feb",
        Month::March => "Mar",
        Month::April => "Apr",
        Month::May => "May",
        Month::June => "Jun",
        Month::July => "Jul",
        Month::August => "Aug",
        Month::September => "Sep",
        Month::October => "Oct",
        Month::November => "Nov",
        Month::December => "Dec",
    }
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
