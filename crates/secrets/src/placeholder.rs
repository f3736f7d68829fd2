//! `__secret.NAME__`: what a guest writes in place of a secret's value.
//!
//! The form has to get through whatever a guest's language and libraries do to it. It consists of letters, digits, `_`, `.` and `-` alone, so
//! that URLs, forms, JSON, XML and HTTP fields carry it as it is, whichever of them are encoded, and no language's templates take it for
//! theirs: `${...}` and `{{...}}` are interpolated or shortened, some of them silently, by the templates of JavaScript, Python, Rust and shells,
//! and URLs escape them. A name has no `_`, so that the end of the name is certain. A placeholder may come from anywhere, also from the
//! environment of a component that knows nothing of secrets.

use crate::name::{SecretName, is_of_names};
use base64::Engine as _;
use copies::LENIENT;

/// How a placeholder begins.
pub(crate) const PREFIX: &str = "__secret.";
/// How it ends.
const SUFFIX: &str = "__";

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceholderPiece<'a> {
    /// What is beside placeholders; not empty.
    Text(&'a str),
    /// A whole placeholder, which names this secret.
    Secret(SecretName),
}

/// What begins like a placeholder is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedPlaceholder;

/// The placeholder of a secret.
pub fn placeholder(name: &SecretName) -> String {
    format!("{PREFIX}{name}{SUFFIX}")
}

/// Whether a text contains a placeholder, or the beginning of one.
pub fn has_placeholder(text: &str) -> bool {
    text.contains(PREFIX)
}

/// User and password of `Basic` credentials (RFC 7617), in which a host fills placeholders, too; `None` if there is none in them.
pub fn basic_with_placeholder(value: &str) -> Option<String> {
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(LENIENT.decode(encoded.trim()).ok()?).ok()?;
    has_placeholder(&decoded).then_some(decoded)
}

/// The parts of a text, in order. After an error there are no more.
pub fn placeholder_pieces(
    text: &str,
) -> impl Iterator<Item = Result<PlaceholderPiece<'_>, MalformedPlaceholder>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        match rest.find(PREFIX) {
            Some(0) => {
                let after = &rest[PREFIX.len()..];
                let length = after.bytes().take_while(|byte| is_of_names(*byte)).count();
                let (name, after) = after.split_at(length);
                let (Ok(name), Some(after)) = (name.parse(), after.strip_prefix(SUFFIX)) else {
                    rest = "";
                    return Some(Err(MalformedPlaceholder));
                };
                rest = after;
                Some(Ok(PlaceholderPiece::Secret(name)))
            }
            Some(start) => {
                let (before, from) = rest.split_at(start);
                rest = from;
                Some(Ok(PlaceholderPiece::Text(before)))
            }
            None => Some(Ok(PlaceholderPiece::Text(std::mem::take(&mut rest)))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<Vec<String>, MalformedPlaceholder> {
        let piece = |piece: Result<PlaceholderPiece<'_>, MalformedPlaceholder>| {
            piece.map(|piece| match piece {
                PlaceholderPiece::Text(text) => text.to_owned(),
                PlaceholderPiece::Secret(name) => format!("<{name}>"),
            })
        };
        placeholder_pieces(text).map(piece).collect()
    }

    #[test]
    fn texts_fall_into_pieces() {
        for (text, expected) in [
            ("", &[][..]),
            ("plain", &["plain"]),
            ("__secret.a__", &["<a>"]),
            ("Bearer __secret.stripe-key__", &["Bearer ", "<stripe-key>"]),
            ("__secret.a____secret.b__", &["<a>", "<b>"]),
            ("é__secret.-__é", &["é", "<->", "é"]),
            ("___secret.a__", &["_", "<a>"]),
            ("__secret.a___", &["<a>", "_"]),
            (
                "__secret __Secret.a__ secret.a__",
                &["__secret __Secret.a__ secret.a__"],
            ),
        ] {
            assert_eq!(shown(text).unwrap(), expected, "{text}");
        }
        let long = "a".repeat(65);
        for text in [
            "__secret.",
            "__secret.__",
            "__secret.a",
            "__secret.a_",
            "__secret.A__",
            "__secret.a b__",
            "__secret.__secret.a__",
        ] {
            assert_eq!(shown(text), Err(MalformedPlaceholder), "{text}");
            assert!(has_placeholder(text));
        }
        assert_eq!(
            shown(&format!("__secret.{long}__")),
            Err(MalformedPlaceholder)
        );
        assert_eq!(
            placeholder(&"stripe-key".parse().unwrap()),
            "__secret.stripe-key__"
        );
    }
}
