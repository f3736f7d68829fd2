//! The time formats of API Gateway events: `06/May/2020:22:36:55 +0000`, and in the claims of a user pool `Sun Dec 17 07:28:12 UTC 2017`.

use contract::calendar::utc;
use time::{Month, Weekday};

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

/// An instant in milliseconds since the Unix epoch as a user pool writes the times of a token.
pub fn weekday_first(epoch_ms: u64) -> String {
    let at = utc(epoch_ms);
    let (hour, minute, second) = at.to_hms();
    let weekday = match at.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    };
    format!(
        "{weekday} {} {:02} {hour:02}:{minute:02}:{second:02} UTC {:04}",
        abbreviation(at.month()),
        at.day(),
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
        assert_eq!(
            weekday_first(1_513_495_692_000),
            "Sun Dec 17 07:28:12 UTC 2017"
        );
    }
}
