//! JSON as text: changed at single places without making a tree of the rest, and parts of it read within bounds.

use contract::limits::TAPE_LIST_ELEMENTS_MAX;
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt, marker::PhantomData, ops::Range};

/// JSON text without line breaks: JSON allows them only between tokens, where a blank is equivalent.
pub fn one_line(json: &[u8]) -> Cow<'_, [u8]> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if !json.iter().any(is_break) {
        return Cow::Borrowed(json);
    }
    let blank = |byte: &u8| if is_break(byte) { b' ' } else { *byte };
    Cow::Owned(json.iter().map(blank).collect())
}

/// A member's name, borrowed if it has no escapes, which a plain `Cow` inside a map never is.
#[derive(Deserialize)]
pub struct Name<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// A list of at most [`TAPE_LIST_ELEMENTS_MAX`] elements, because the smallest elements need many times the memory of their text.
pub fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct Elements<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
        type Value = Vec<T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(
                formatter,
                "a list of at most {TAPE_LIST_ELEMENTS_MAX} elements"
            )
        }

        fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
            let mut elements = Vec::new();
            while let Some(element) = seq.next_element()? {
                if elements.len() == TAPE_LIST_ELEMENTS_MAX {
                    return Err(S::Error::invalid_length(elements.len() + 1, &self));
                }
                elements.push(element);
            }
            Ok(elements)
        }
    }

    deserializer.deserialize_seq(Elements(PhantomData))
}

/// The position of `part`, a slice of `whole`.
pub fn span(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
}

/// Replacements for places in a text.
#[derive(Default)]
pub struct Splices(Vec<(Range<usize>, String)>);

impl Splices {
    /// Replaces a range of bytes by `text`.
    pub fn replace(&mut self, place: Range<usize>, text: impl Into<String>) {
        self.0.push((place, text.into()));
    }

    /// The text with all replacements. If places overlap, which repeated members can cause, the first counts.
    pub fn apply(mut self, text: &str) -> Cow<'_, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(text);
        }
        self.0.sort_by_key(|(place, _)| place.start);
        let mut spliced = String::with_capacity(text.len());
        let mut at = 0;
        for (place, replacement) in self.0 {
            if place.start < at {
                continue;
            }
            spliced.push_str(&text[at..place.start]);
            spliced.push_str(&replacement);
            at = place.end;
        }
        spliced.push_str(&text[at..]);
        Cow::Owned(spliced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_replaced_in_their_order() {
        let mut splices = Splices::default();
        splices.replace(4..5, "Y");
        splices.replace(0..2, "");
        splices.replace(1..5, "overlapping");
        assert_eq!(splices.apply("abcdef"), "cdYf");
        assert_eq!(Splices::default().apply("abc"), "abc");
    }

    #[test]
    fn a_line_has_no_breaks_and_means_the_same() {
        let text = "{\"a\":\r\n\"x\\n\"}";
        let line = one_line(text.as_bytes());
        assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
        let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&line), value(text.as_bytes()));
    }
}
