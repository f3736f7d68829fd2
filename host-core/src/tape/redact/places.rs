//! JSON pointers (RFC 6901) in which `*` stands for every element or member.

use crate::tape::json::{elements, members};
use std::{fmt, str::FromStr};

/// Parts of a pointer; more are not needed to reach into what a store or a client may nest.
const TOKENS_MAX: usize = 64;

/// A pointer with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Each,
}

/// Text that is not a pointer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a JSON pointer: write `/field`, `/outer/inner`, or `/list/*/field` for every element"
)]
pub struct InvalidPointer(String);

impl FromStr for Pointer {
    type Err = InvalidPointer;

    fn from_str(text: &str) -> Result<Self, InvalidPointer> {
        let invalid = || InvalidPointer(text.to_owned());
        let rest = text.strip_prefix('/').ok_or_else(invalid)?;
        let tokens = rest
            .split('/')
            .map(|token| unescape(token).ok_or_else(invalid))
            .collect::<Result<Vec<_>, _>>()?;
        if tokens.len() > TOKENS_MAX {
            return Err(invalid());
        }
        Ok(Self {
            text: text.to_owned(),
            tokens,
        })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Pointer {
    /// Whether it names the member `name` of the outermost object.
    pub(super) fn is_member(&self, name: &str) -> bool {
        match self.tokens.as_slice() {
            [Token::Name(token)] => token == name,
            [Token::Each] => true,
            _ => false,
        }
    }

    /// Whether it covers the place that another pointer, without `*`, names: that place or one around it.
    pub(crate) fn covers(&self, place: &str) -> bool {
        let mut parts = place.split('/').skip(1);
        self.tokens.iter().all(|token| match (token, parts.next()) {
            (_, None) => false,
            (Token::Each, Some(_)) => true,
            (Token::Name(name), Some(part)) => escape(name) == part,
        })
    }

    /// Calls `found` with each value that it names, a slice of `json`, and its place.
    pub(super) fn find(&self, json: &str, found: &mut impl FnMut(&str, &str)) {
        descend(json, &self.tokens, String::new(), found);
    }
}

fn descend(json: &str, tokens: &[Token], place: String, found: &mut impl FnMut(&str, &str)) {
    let Some((token, rest)) = tokens.split_first() else {
        return found(json, &place);
    };
    // A body may be the text of JSON with blanks around it.
    match json.trim_start().as_bytes().first() {
        Some(b'{') => {
            for (name, value) in members(json) {
                let is_named = match token {
                    Token::Each => true,
                    Token::Name(wanted) => *wanted == name,
                };
                if is_named {
                    descend(value, rest, format!("{place}/{}", escape(&name)), found);
                }
            }
        }
        Some(b'[') => {
            for (index, value) in elements(json).into_iter().enumerate() {
                let is_named = match token {
                    Token::Each => true,
                    Token::Name(wanted) => *wanted == index.to_string(),
                };
                if is_named {
                    descend(value, rest, format!("{place}/{index}"), found);
                }
            }
        }
        Some(_) | None => {}
    }
}

/// A name as part of a pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn unescape(token: &str) -> Option<Token> {
    if token == "*" {
        return Some(Token::Each);
    }
    let mut name = String::with_capacity(token.len());
    let mut characters = token.chars();
    while let Some(character) = characters.next() {
        name.push(match character {
            '~' => match characters.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(Token::Name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(pointer: &str, json: &str) -> Vec<String> {
        let mut places = Vec::new();
        pointer
            .parse::<Pointer>()
            .unwrap()
            .find(json, &mut |value, place| {
                places.push(format!("{place}={value}"))
            });
        places
    }

    #[test]
    fn a_pointer_finds_what_it_names_everywhere() {
        let json = r#"{"a":[{"b":1},{"b":2,"a/b~":{"c":3}}],"b":4}"#;
        assert_eq!(places("/b", json), ["/b=4"]);
        assert_eq!(places("/a/1/b", json), ["/a/1/b=2"]);
        assert_eq!(places("/a/*/b", json), ["/a/0/b=1", "/a/1/b=2"]);
        assert_eq!(places("/a/*/a~1b~0/c", json), ["/a/1/a~1b~0/c=3"]);
        assert_eq!(places("/*", json).len(), 2);
        assert!(places("/a/b", json).is_empty());
        assert!(places("/a", "not json").is_empty());
    }

    #[test]
    fn text_without_a_slash_or_with_a_bad_escape_is_no_pointer() {
        for bad in ["", "a", "/~", "/~2", &"/a".repeat(TOKENS_MAX + 1)] {
            assert!(bad.parse::<Pointer>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pointer_covers_what_is_below_it() {
        let pointer: Pointer = "/body/*/at".parse().unwrap();
        assert!(pointer.covers("/body/0/at"));
        assert!(pointer.covers("/body/x/at/deeper"));
        assert!(!pointer.covers("/body/0"));
        assert!(!pointer.covers("/body/0/other"));
    }
}
