//! JSON as text: changed at single places without making a tree of the rest.

use serde::{
    Deserializer as _,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, ops::Range};

/// JSON text without line breaks: those that JSON allows stand between tokens, where a blank means the same.
pub(super) fn one_line(json: &[u8]) -> Cow<'_, [u8]> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if !json.iter().any(is_break) {
        return Cow::Borrowed(json);
    }
    let blank = |byte: &u8| if is_break(byte) { b' ' } else { *byte };
    Cow::Owned(json.iter().map(blank).collect())
}

/// The members of an object in their order, repeated ones included; nothing if the text is no object.
#[expect(
    clippy::disallowed_methods,
    reason = "read into names and spans: no tree, no recursion"
)]
pub(super) fn members(json: &str) -> Vec<(Cow<'_, str>, &str)> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(Cow<'de, str>, &'de str)>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut members = Vec::new();
            while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                members.push((name, value.get()));
            }
            Ok(members)
        }
    }

    serde_json::Deserializer::from_str(json)
        .deserialize_map(Members)
        .unwrap_or_default()
}

/// A member's name, borrowed where it has no escapes, which a plain `Cow` never is inside of a map.
#[derive(serde::Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Where `part`, a slice of `whole`, stands in it.
pub(super) fn span(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
}

/// New texts for places in a text.
#[derive(Default)]
pub(super) struct Splices(Vec<(Range<usize>, String)>);

impl Splices {
    pub(super) fn replace(&mut self, place: Range<usize>, text: impl Into<String>) {
        self.0.push((place, text.into()));
    }

    /// The text with all replacements. Of places that overlap, which repeated members can make, the first counts.
    pub(super) fn apply(mut self, text: &str) -> Cow<'_, str> {
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
    fn members_keep_their_spelling_and_place() {
        let text = r#" {"a" : 1.50 , "b\n":[ {} , "x"], "a":null}"#;
        let found = members(text);
        assert_eq!(
            found,
            [
                (Cow::Borrowed("a"), "1.50"),
                (Cow::Borrowed("b\n"), r#"[ {} , "x"]"#),
                (Cow::Borrowed("a"), "null"),
            ]
        );
        assert!(matches!(found[0].0, Cow::Borrowed(_)));
        assert_eq!(&text[span(text, found[1].1)], found[1].1);
        assert!(members("[1]").is_empty());
    }

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
