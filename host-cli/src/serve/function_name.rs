//! Names of functions in backtraces.

use std::fmt::{self, Write as _};

/// Longest name of a function. A mangled name of few bytes can expand to a very long one.
const FUNCTION_NAME_BYTES_MAX: usize = 512;

/// Demangles a name made by rustc (`_ZN...`, `_R...`); returns any other name unchanged.
pub fn demangled(name: &str) -> String {
    let mut written = BoundedText(String::new());
    // Writing ends with an error when the bound is reached.
    let _ = write!(written, "{:#}", rustc_demangle::demangle(name));
    written.0
}

struct BoundedText(String);

impl fmt::Write for BoundedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = FUNCTION_NAME_BYTES_MAX - self.0.len();
        let end = text.floor_char_boundary(room);
        self.0.push_str(&text[..end]);
        if end < text.len() {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_functions_are_those_of_the_source() {
        for (name, expected) in [
            (
                "_ZN4core9panicking5panic17h0123456789abcdefE",
                "core::panicking::panic",
            ),
            (
                "_RNvCskwGfYPst2Cb_3foo16example_function",
                "foo::example_function",
            ),
            ("handle#handle", "handle#handle"),
            ("_ZN4cut", "_ZN4cut"),
            ("function 7", "function 7"),
        ] {
            assert_eq!(demangled(name), expected);
        }
        // Each argument is a tuple that contains the one before it twice, as a back reference to its position (in base 62, minus one).
        const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let (mut name, mut at) = ("_RINvC1a1fh".to_owned(), 8);
        for _ in 0..20 {
            let (high, low) = ((at - 1) / 62, (at - 1) % 62);
            let high = (high > 0).then(|| char::from(DIGITS[high]));
            let digits: String = high.into_iter().chain([char::from(DIGITS[low])]).collect();
            at = name.len() - 2;
            name.push_str(&format!("TB{digits}_B{digits}_E"));
        }
        name.push('E');
        assert!(format!("{:#}", rustc_demangle::demangle(&name)).len() > 1 << 16);
        assert_eq!(demangled(&name).len(), FUNCTION_NAME_BYTES_MAX);
    }
}
