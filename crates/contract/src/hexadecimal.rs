//! Bytes as hexadecimal digits, two for each byte: the text form of digests, seeds and keys.

use std::fmt;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes that are displayed as lower-case hexadecimal digits.
pub struct Hexadecimal<'a>(pub &'a [u8]);

impl fmt::Display for Hexadecimal<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        for part in self.0.chunks(digits.len() / 2) {
            for (place, byte) in digits.as_chunks_mut().0.iter_mut().zip(part) {
                *place = digits_of(*byte);
            }
            let digits = str::from_utf8(&digits[..2 * part.len()]).map_err(|_| fmt::Error)?;
            formatter.write_str(digits)?;
        }
        Ok(())
    }
}

/// Appends the digits of these bytes. Much faster than formatting, because every request needs it.
pub fn push<const BYTES: usize>(text: &mut String, bytes: [u8; BYTES]) {
    // Digits are UTF-8.
    text.push_str(str::from_utf8(bytes.map(digits_of).as_flattened()).unwrap_or_default());
}

fn digits_of(byte: u8) -> [u8; 2] {
    [
        DIGITS[usize::from(byte >> 4)],
        DIGITS[usize::from(byte & 15)],
    ]
}

/// Reads exactly as many bytes as `N`; `None` if the text is anything but their digits, in either case.
pub fn read<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let (pairs, rest) = text.as_bytes().as_chunks();
    if pairs.len() != BYTES || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let bytes: [u8; 256] = std::array::from_fn(|byte| byte as u8);
        let digits = Hexadecimal(&bytes).to_string();
        assert!(digits.starts_with("000102") && digits.ends_with("fdfeff"));
        assert_eq!(read(&digits), Some(bytes));
        let mut pushed = String::new();
        push(&mut pushed, bytes);
        assert_eq!(pushed, digits);
        assert_eq!(read(&digits.to_uppercase()), Some(bytes));
    }

    #[test]
    fn what_is_not_just_digits_is_refused() {
        for wrong in ["", "0", "0g", "é", "000", "0000", " 0", "+1"] {
            assert_eq!(read::<1>(wrong), None, "{wrong}");
        }
        assert_eq!(read::<0>(""), Some([]));
    }
}
