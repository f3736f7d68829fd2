//! JSON pointers (RFC 6901), written and matched. In a pattern `*` stands for every element or member.

use super::Step;
use std::{
    fmt::{self, Write},
    str::FromStr,
};

/// Largest number of parts of a pointer; more are not needed for what a store or a client may nest.
const TOKENS_MAX: usize = 64;

/// A pointer with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
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
pub struct PointerError(String);

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        let invalid = || PointerError(text.to_owned());
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
    /// Whether it covers the place that another pointer, without `*`, names: that place or one that contains it.
    pub fn covers(&self, place: &str) -> bool {
        let mut parts = place.split('/').skip(1);
        self.tokens.iter().all(|token| match (token, parts.next()) {
            (_, None) => false,
            (Token::Each, Some(_)) => true,
            (Token::Name(name), Some(part)) => escape(name) == part,
        })
    }

    /// Whether it names the place at the end of `steps`, below the member `parent` if there is one.
    pub fn names(&self, parent: Option<&str>, steps: &[Step<'_>]) -> bool {
        let is_name = |token: &Token, name: &str| match token {
            Token::Each => true,
            Token::Name(wanted) => wanted == name,
        };
        let tokens = match (parent, self.tokens.split_first()) {
            (None, _) => self.tokens.as_slice(),
            (Some(parent), Some((first, rest))) if is_name(first, parent) => rest,
            (Some(_), _) => return false,
        };
        tokens.len() == steps.len()
            && tokens.iter().zip(steps).all(|(token, step)| match step {
                Step::Name(name) => is_name(token, name),
                Step::Element(position) => match token {
                    Token::Each => true,
                    Token::Name(wanted) => wanted.parse() == Ok(*position),
                },
            })
    }

    /// The name at its end, unless that is `*`.
    pub fn last_name(&self) -> Option<&str> {
        match self.tokens.last() {
            Some(Token::Name(name)) => Some(name),
            Some(Token::Each) | None => None,
        }
    }
}

/// The pointer that names a place below `base`.
pub fn pointer(base: &str, place: &[Step<'_>]) -> String {
    let mut text = base.to_owned();
    for step in place {
        match step {
            Step::Name(name) => push_name(&mut text, name),
            Step::Element(position) => {
                let _ = write!(text, "/{position}");
            }
        }
    }
    text
}

/// The pointer to a member of what `base` points to.
pub fn join(base: &str, name: &str) -> String {
    let mut text = base.to_owned();
    push_name(&mut text, name);
    text
}

/// Makes a pointer one to a member of what it points to.
pub fn push_name(pointer: &mut String, name: &str) {
    pointer.push('/');
    for character in name.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// A name as part of a pointer.
fn escape(name: &str) -> String {
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

    fn names(pointer: &str, parent: Option<&str>, steps: &[Step<'_>]) -> bool {
        pointer.parse::<Pointer>().unwrap().names(parent, steps)
    }

    #[test]
    fn a_pointer_names_one_place_or_many() {
        let a = || Step::Name("a".into());
        let odd = || Step::Name("a/b~".into());
        assert!(names("/a", None, &[a()]));
        assert!(names("/a/1/a~1b~0", None, &[a(), Step::Element(1), odd()]));
        assert!(names("/a/*/a~1b~0", None, &[a(), Step::Element(7), odd()]));
        assert!(names("/*", None, &[odd()]) && names("/*", Some("x"), &[]));
        assert!(names("/x/a", Some("x"), &[a()]));
        assert!(!names("/x/a", Some("y"), &[a()]));
        assert!(!names("/a", None, &[]) && !names("/a", None, &[a(), a()]));
        assert!(!names("/a/b", None, &[a(), Step::Element(0)]));
        let last: Pointer = "/a/*/email".parse().unwrap();
        assert_eq!(last.last_name(), Some("email"));
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
