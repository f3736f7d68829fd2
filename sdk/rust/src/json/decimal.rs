//! JSON numbers as exact decimals. Floating point would lose digits, and its tables would add 15 KB to a component.

use alloc::{
    format,
    string::{String, ToString},
};

/// Significant digits that the store keeps.
const DIGITS_MAX: usize = 38;
/// Range of the power of ten of the first significant digit that the store keeps.
const EXPONENTS: core::ops::RangeInclusive<i64> = -130..=125;
/// The range that is written in plain digits.
const PLAIN_EXPONENTS: core::ops::RangeInclusive<i64> = -7..=DIGITS_MAX as i64 - 1;

/// A number as sign, digits and magnitude, without a loss.
///
/// ```
/// let price = tenon::json::Decimal::of("0.050").unwrap();
/// assert_eq!((price.is_negative, price.exponent), (false, -2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal<'a> {
    /// Zero has no sign.
    pub is_negative: bool,
    /// Power of ten of the first significant digit; 0 for zero.
    pub exponent: i64,
    /// The significant digits before and after the point.
    digits: [&'a str; 2],
}

impl<'a> Decimal<'a> {
    /// Reads a number of the JSON grammar; `None` if its exponent is too large for any integer.
    pub fn of(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (integer, fraction) = (
            integer.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        );
        let significant_fraction = fraction.trim_start_matches('0');
        let (digits, position) = if !integer.is_empty() {
            let trimmed = if fraction.is_empty() {
                integer.trim_end_matches('0')
            } else {
                integer
            };
            ([trimmed, fraction], i64::try_from(integer.len()).ok()? - 1)
        } else if !significant_fraction.is_empty() {
            let zeros = fraction.len() - significant_fraction.len();
            (["", significant_fraction], -1 - i64::try_from(zeros).ok()?)
        } else {
            return Some(Self {
                is_negative: false,
                exponent: 0,
                digits: ["", ""],
            });
        };
        Some(Self {
            is_negative: text.starts_with('-'),
            exponent: position + i64::from(exponent.parse::<i32>().ok()?),
            digits,
        })
    }

    /// Whether it is zero, in any notation.
    pub fn is_zero(&self) -> bool {
        self.digits.iter().all(|digits| digits.is_empty())
    }

    /// The spelling of `wit/storage.wit`; `None` for what the store does not keep.
    fn canonical(&self) -> Option<String> {
        let digits = self.digits.concat();
        if digits.is_empty() {
            return Some("0".into());
        }
        if digits.len() > DIGITS_MAX || !EXPONENTS.contains(&self.exponent) {
            return None;
        }
        let sign = if self.is_negative { "-" } else { "" };
        if !PLAIN_EXPONENTS.contains(&self.exponent) {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            return Some(format!("{sign}{first}{point}{rest}e{}", self.exponent));
        }
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let missing = self.exponent + 1 - digits.len() as i64;
        Some(if self.exponent < 0 {
            format!("{sign}0.{}{digits}", zeros(-self.exponent - 1))
        } else if missing >= 0 {
            format!("{sign}{digits}{}", zeros(missing))
        } else {
            let (integer, fraction) = digits.split_at(self.exponent as usize + 1);
            format!("{sign}{integer}.{fraction}")
        })
    }
}

/// The store's spelling of a number of the JSON grammar. A number that the store does not keep is returned unchanged, so that the store can
/// say why it refuses it.
pub(super) fn canonical(text: &str) -> String {
    let is_plain_integer = text.len() <= DIGITS_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
        && text != "-0";
    if is_plain_integer {
        return text.to_string();
    }
    let spelling = Decimal::of(text).and_then(|number| number.canonical());
    spelling.unwrap_or_else(|| text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same cases as in the store's own test; `tests/tests/guest.rs` compares the two.
    #[test]
    fn a_value_has_one_spelling() {
        for (text, spelling) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.000", "0"),
            ("-0e99999999999", "0"),
            ("1.0", "1"),
            ("1.50", "1.5"),
            ("100", "100"),
            ("1E+2", "100"),
            ("-12.340e1", "-123.4"),
            ("0.0000001", "0.0000001"),
            ("1e-7", "0.0000001"),
            ("0.00000001", "1e-8"),
            ("-1.50e-9", "-1.5e-9"),
            ("1e37", "10000000000000000000000000000000000000"),
            ("1e38", "1e38"),
            ("12e37", "1.2e38"),
            ("100000000000000000000000000000000000000", "1e38"),
            (
                "12345678901234567890123456789012345678",
                "12345678901234567890123456789012345678",
            ),
            (
                "1.2345678901234567890123456789012345678",
                "1.2345678901234567890123456789012345678",
            ),
            ("9.99e125", "9.99e125"),
            ("1e-130", "1e-130"),
        ] {
            assert_eq!(canonical(text), spelling, "{text}");
            assert_eq!(canonical(spelling), spelling);
        }
    }

    #[test]
    fn what_the_store_does_not_keep_stays() {
        for text in [
            "1e126",
            "1e-131",
            "1e99999999999",
            "123456789012345678901234567890123456789",
            "1.00000000000000000000000000000000000001",
        ] {
            assert_eq!(canonical(text), text);
        }
    }

    #[test]
    fn the_exponent_is_that_of_the_first_digit() {
        for (text, exponent) in [
            ("1", 0),
            ("999.9", 2),
            ("0.001", -3),
            ("0.00", 0),
            ("12e-4", -3),
            ("0.05e2", 0),
        ] {
            assert_eq!(Decimal::of(text).unwrap().exponent, exponent, "{text}");
        }
        assert_eq!(Decimal::of("1e99999999999"), None);
    }
}
