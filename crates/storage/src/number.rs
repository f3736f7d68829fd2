//! Numbers as DynamoDB represents them: compared by value, at most 38 significant digits, never through floating point.

use super::StorageError;
use contract::limits::NUMBER_DIGITS_MAX;

/// Power of ten of the first significant digit of the largest number, 9.99...e125 (AWS: DynamoDB data types).
const EXPONENT_MAX: i64 = 125;
/// The same for the smallest number above zero, 1e-130.
const EXPONENT_MIN: i64 = -130;
/// Lower end of plain digits: below 1e-7 a number is written with an exponent, as in JavaScript.
const PLAIN_EXPONENT_MIN: i64 = -7;
/// Upper end of plain digits: every integer of up to 38 digits is written in plain digits.
const PLAIN_EXPONENT_MAX: i64 = NUMBER_DIGITS_MAX as i64 - 1;
/// Longest part of a refused number in an error text.
const SHOWN_BYTES_MAX: usize = 48;

/// A number's text in parts, according to the JSON grammar.
pub(super) struct Number<'a> {
    pub(super) text: &'a str,
    pub(super) negative: bool,
    pub(super) integer: &'a str,
    pub(super) fraction: &'a str,
    pub(super) exponent: &'a str,
}

impl Number<'_> {
    /// Appends the one spelling shared by all texts of the same value, and returns the size as DynamoDB counts it.
    ///
    /// Plain digits if the first significant digit is at 1e-7 up to 1e37, without superfluous zeros (`0.5`, `-12`, `100`); otherwise one
    /// digit before the point and an exponent (`1.5e-9`, `1e38`). Zero has no sign.
    pub(super) fn write_canonical(&self, out: &mut String) -> Result<usize, StorageError> {
        let digits: String = [self.integer, self.fraction].concat();
        let significant = digits.trim_start_matches('0');
        let leading_zeros = digits.len() - significant.len();
        let significant = significant.trim_end_matches('0');
        if significant.is_empty() {
            out.push('0');
            return Ok(1);
        }
        if significant.len() > NUMBER_DIGITS_MAX {
            let count = significant.len();
            return Err(self.refused(&format!(
                "has {count} significant digits, at most {NUMBER_DIGITS_MAX} are kept"
            )));
        }
        let exponent =
            (self.integer.len() as i64 - 1 - leading_zeros as i64).saturating_add(self.exponent());
        if !(EXPONENT_MIN..=EXPONENT_MAX).contains(&exponent) {
            return Err(self.refused("is not between 1e-130 and below 1e126 in magnitude"));
        }
        if self.negative {
            out.push('-');
        }
        write_digits(out, significant, exponent);
        Ok(significant.len().div_ceil(2) + 1 + usize::from(self.negative))
    }

    /// The written exponent; one that does not fit is so far out of range that its exact value does not matter.
    fn exponent(&self) -> i64 {
        const FAR: i64 = i64::MAX / 4;
        match self.exponent {
            "" => 0,
            text => text
                .parse()
                .unwrap_or(if text.starts_with('-') { -FAR } else { FAR })
                .clamp(-FAR, FAR),
        }
    }

    fn refused(&self, why: &str) -> StorageError {
        let text = self.text;
        let (shown, dots) = if text.len() > SHOWN_BYTES_MAX {
            (&text[..SHOWN_BYTES_MAX], "...")
        } else {
            (text, "")
        };
        StorageError::Invalid(format!("the document's number `{shown}{dots}` {why}"))
    }
}

fn write_digits(out: &mut String, significant: &str, exponent: i64) {
    match exponent {
        0..=PLAIN_EXPONENT_MAX => {
            let integer_digits = exponent as usize + 1;
            if significant.len() <= integer_digits {
                out.push_str(significant);
                out.extend(std::iter::repeat_n('0', integer_digits - significant.len()));
            } else {
                let (integer, fraction) = significant.split_at(integer_digits);
                out.extend([integer, ".", fraction]);
            }
        }
        PLAIN_EXPONENT_MIN..=-1 => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
            out.push_str(significant);
        }
        i64::MIN..PLAIN_EXPONENT_MIN | EXPONENT_ABOVE_PLAIN.. => {
            let (first, rest) = significant.split_at(1);
            out.push_str(first);
            if !rest.is_empty() {
                out.extend([".", rest]);
            }
            out.push('e');
            out.push_str(&exponent.to_string());
        }
    }
}

const EXPONENT_ABOVE_PLAIN: i64 = PLAIN_EXPONENT_MAX + 1;
