//! JSON numbers as exact decimals. Floating point would lose digits, and its tables would cost the component 15 KB.

use serde_json::Number;

/// A number as sign, digits and magnitude.
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
    /// Reads a number; `None` if its exponent is beyond all measure.
    pub fn of(number: &'a Number) -> Option<Self> {
        let text = number.as_str();
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
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
            exponent: position + i64::from(exponent),
            digits,
        })
    }

    /// Whether it is zero, in whatever form.
    pub fn is_zero(&self) -> bool {
        self.digits.iter().all(|digits| digits.is_empty())
    }

    /// Whether the values are the same.
    pub fn is_same(&self, other: &Decimal<'_>) -> bool {
        self.is_negative == other.is_negative
            && self.exponent == other.exponent
            && self
                .digits
                .iter()
                .flat_map(|digits| digits.bytes())
                .eq(other.digits.iter().flat_map(|digits| digits.bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn spelling_does_not_matter() {
        for (one, other) in [
            ("1.50", "1.5"),
            ("1e2", "100"),
            ("100", "1.00E+2"),
            ("-0.0", "0e9"),
            ("0.0012", "12e-4"),
            ("120.0", "0.12e3"),
        ] {
            let (left, right) = (number(one), number(other));
            assert!(
                Decimal::of(&left)
                    .unwrap()
                    .is_same(&Decimal::of(&right).unwrap()),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn every_digit_matters() {
        for (one, other) in [
            ("1", "-1"),
            ("1", "10"),
            (
                "12345678901234567890123456789",
                "12345678901234567890123456788",
            ),
            ("0.1", "0.01"),
        ] {
            let (left, right) = (number(one), number(other));
            assert!(
                !Decimal::of(&left)
                    .unwrap()
                    .is_same(&Decimal::of(&right).unwrap()),
                "{one} {other}"
            );
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
            assert_eq!(
                Decimal::of(&number(text)).unwrap().exponent,
                exponent,
                "{text}"
            );
        }
        assert_eq!(Decimal::of(&number("1e99999999999")), None);
    }
}
