//! Placeholders of secrets in values that are redacted. A placeholder is no credential: it stays, because it says which secret a guest names, and a
//! replay has to notice that another guest names another one. What stands beside it is replaced, so that no credential stays with it.

use super::{REPLACEMENT, words::is_scheme};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrets::{
    PlaceholderPiece, basic_with_placeholder, has_placeholder, placeholder, placeholder_pieces,
};

/// What may stand around placeholders and schemes, as in a line of JSON.
const SEPARATORS: [char; 14] = [
    ' ', '\t', '\r', '\n', '"', '\'', '\\', ',', ';', ':', '{', '}', '[', ']',
];
/// Longest run of separators that stays: nobody's credential is as short.
const SEPARATORS_BYTES_MAX: usize = 4;

/// What a tape has in place of a text with a credential; `None` if the text consists of placeholders alone, with the scheme of an authentication
/// before them, and stays as it is.
pub(super) fn hidden(text: &str) -> Option<String> {
    if let Some(credentials) = basic_with_placeholder(text) {
        let hidden = hidden(&credentials)?;
        return Some(match has_placeholder(&hidden) {
            true => format!("Basic {}", STANDARD.encode(hidden)),
            false => hidden,
        });
    }
    if !has_placeholder(text) {
        return Some(REPLACEMENT.to_owned());
    }
    let mut hidden = String::with_capacity(text.len());
    let mut is_all = true;
    for piece in placeholder_pieces(text) {
        match piece {
            Ok(PlaceholderPiece::Secret(name)) => hidden.push_str(&placeholder(&name)),
            Ok(PlaceholderPiece::Text(text)) if is_harmless(text) => hidden.push_str(text),
            Ok(PlaceholderPiece::Text(_)) => {
                is_all = false;
                hidden.push_str(REPLACEMENT);
            }
            Err(_) => return Some(REPLACEMENT.to_owned()),
        }
    }
    (!is_all).then_some(hidden)
}

/// The texts beside placeholders, which may be credentials; none if there is no placeholder.
pub(super) fn beside(text: &str) -> impl Iterator<Item = &str> {
    let pieces = has_placeholder(text).then(|| placeholder_pieces(text));
    pieces
        .into_iter()
        .flatten()
        .filter_map(|piece| match piece {
            Ok(PlaceholderPiece::Text(text)) => Some(text),
            Ok(PlaceholderPiece::Secret(_)) | Err(_) => None,
        })
}

fn is_harmless(text: &str) -> bool {
    let word = text.trim_matches(SEPARATORS);
    (word.is_empty() || is_scheme(word)) && text.len() - word.len() <= SEPARATORS_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(credentials: &str) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    #[test]
    fn placeholders_stay() {
        for text in [
            "__secret.a__",
            "Bearer __secret.stripe-key__",
            "bearer  __secret.a__ ",
            "Bot __secret.a__",
            "__secret.a__:__secret.b__",
            "\"Bearer __secret.a__\"}",
            &basic("__secret.a__:__secret.b__"),
            &basic("__secret.a__:"),
        ] {
            assert_eq!(hidden(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_stays_beside_them() {
        for (text, expected) in [
            ("planted", "REDACTED"),
            ("Bearer planted", "REDACTED"),
            ("Bearer", "REDACTED"),
            ("", "REDACTED"),
            ("Bearer __secret.a__planted", "Bearer __secret.a__REDACTED"),
            ("Bearer planted__secret.a__", "REDACTED__secret.a__"),
            ("planted __secret.a__", "REDACTED__secret.a__"),
            ("sid=__secret.a__; x=y", "REDACTED__secret.a__REDACTED"),
            ("__secret.a__::::::::", "__secret.a__REDACTED"),
            // What is no whole placeholder could be anything.
            ("Bearer __secret.planted", "REDACTED"),
            ("Bearer __secret.Planted__", "REDACTED"),
            ("__secret.a__ __secret.planted_", "REDACTED"),
            (&basic("planted:planted"), "REDACTED"),
            (&basic("planted:__secret.planted"), "REDACTED"),
        ] {
            assert_eq!(hidden(text).as_deref(), Some(expected), "{text}");
        }
        let user = hidden(&basic("planted:__secret.a__")).unwrap();
        assert_eq!(user, basic("REDACTED__secret.a__"));
    }
}
