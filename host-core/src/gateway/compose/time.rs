//! The time format of API Gateway events: `06/May/2020:22:36:55 +0000`.

use crate::calendar::date;

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
    let mut text = String::with_capacity("06/May/2020:22:36:55 +0000".len());
    push_two_digits(&mut text, day);
    text.push('/');
    text.push_str(month);
    text.push('/');
    push_two_digits(&mut text, year / 100 % 100);
    push_two_digits(&mut text, year % 100);
    for part in [hour, minute, second] {
        text.push(':');
        push_two_digits(&mut text, part);
    }
    text.push_str(" +0000");
    text
}

/// A number below 100: a tenth of what formatting takes, for every request that is served.
fn push_two_digits(text: &mut String, number: u64) {
    let digit = |number: u64| char::from(b'0' + (number % 10) as u8);
    text.push(digit(number / 10));
    text.push(digit(number));
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
