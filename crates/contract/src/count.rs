//! Counted things in messages, in the singular or the plural.

use std::fmt::Display;

/// A number and what is counted, `1 call` or `2 calls`.
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, one: &str, many: &str) -> String {
    let word = match number == N::from(1) {
        true => one,
        false => many,
    };
    format!("{number} {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_none_is_plural() {
        let entries = |number: usize| counted(number, "entry", "entries");
        assert_eq!(
            [0, 1, 2].map(entries),
            ["0 entries", "1 entry", "2 entries"]
        );
        assert_eq!(counted(1_u64, "call", "calls"), "1 call");
    }
}
