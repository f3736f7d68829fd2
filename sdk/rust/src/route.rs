//! Path patterns. A path with a trailing slash is another resource than without.

use crate::percent;
use alloc::{borrow::Cow, string::String, vec::Vec};

/// Two bits of a [`Precision`] for each.
const SEGMENTS_MAX: usize = 32;

/// A pattern such as `/rooms/{room}/days/{day}`, or `/files/{*path}`, whose last parameter takes the rest of the path.
///
/// It stays text: each request makes the routes anew, and most are compared with one path only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    Parameter(&'static str),
    Rest(&'static str),
}

/// The decoded segments of a path.
pub(crate) struct Segments<'a>(Vec<Cow<'a, str>>);

impl<'a> Segments<'a> {
    /// `None` if the path is not percent-encoded UTF-8. Segments are decoded after they were split, so that `%2F` does not split.
    pub(crate) fn of(path: &'a str) -> Option<Self> {
        let mut decoded = Vec::with_capacity(8); // more than most paths have
        for segment in Split::of(path) {
            decoded.push(percent::decode(segment)?);
        }
        Some(Self(decoded))
    }
}

/// The texts between slashes, without the slash at the start. Shorter than the standard library's, which is made for long texts.
#[derive(Clone)]
struct Split<'a>(Option<&'a str>);

impl<'a> Split<'a> {
    fn of(path: &'a str) -> Self {
        Self(Some(path.strip_prefix('/').unwrap_or(path)))
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.take()?;
        let Some(end) = text.bytes().position(|byte| byte == b'/') else {
            return Some(text);
        };
        self.0 = Some(&text[end + 1..]);
        Some(&text[..end])
    }
}

/// How precisely a pattern names a path: for each segment a literal above a parameter above the rest. The greatest is the most precise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Precision(u64);

impl Segment {
    fn of(text: &'static str) -> Self {
        let Some(name) = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
        else {
            return Self::Literal(text);
        };
        match name.strip_prefix('*') {
            Some(name) => Self::Rest(name),
            None => Self::Parameter(name),
        }
    }
}

impl Pattern {
    /// A pattern, which [`check`](Self::check) may refuse.
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text }
    }

    /// Whether this is certainly the same as another one; a comparison of two numbers.
    pub(crate) fn is_identical(self, other: Self) -> bool {
        core::ptr::eq(self.text, other.text)
    }

    fn segments(self) -> impl Iterator<Item = Segment> {
        Split::of(self.text).map(Segment::of)
    }

    /// Looks for mistakes in the program.
    ///
    /// # Panics
    ///
    /// If it is not a pattern.
    pub(crate) fn check(pattern: &'static str) {
        assert!(
            pattern.starts_with('/'),
            "the pattern `{pattern}` does not begin with `/`"
        );
        let mut is_over = false;
        let mut count = 0;
        for segment in Self::new(pattern).segments() {
            assert!(
                !is_over,
                "in the pattern `{pattern}` something follows the rest of the path"
            );
            is_over = matches!(segment, Segment::Rest(_));
            let (Segment::Literal(text) | Segment::Parameter(text) | Segment::Rest(text)) = segment;
            assert!(
                !text.contains(['{', '}', '*']),
                "the pattern `{pattern}` has a brace or star inside a segment; a parameter is a whole segment, such as `{{id}}`"
            );
            assert!(
                matches!(segment, Segment::Literal(_)) || !text.is_empty(),
                "the pattern `{pattern}` has a parameter without a name"
            );
            count += 1;
        }
        assert!(
            count <= SEGMENTS_MAX,
            "the pattern `{pattern}` has more than {SEGMENTS_MAX} segments"
        );
    }

    /// Whether both match the same paths: their parameters may have different names.
    pub(crate) fn is_same_resource(self, other: Self) -> bool {
        let kind = |segment: Segment| match segment {
            Segment::Literal(text) => (0, text),
            Segment::Parameter(_) => (1, ""),
            Segment::Rest(_) => (2, ""),
        };
        self.segments().map(kind).eq(other.segments().map(kind))
    }

    /// Whether the first character shows already that this does not name a path, which rules out most patterns.
    fn differs_at_start(self, path: &Segments<'_>) -> bool {
        let first = path.0.first().and_then(|text| text.as_bytes().first());
        match self.text.as_bytes().get(1) {
            Some(b'{' | b'/') => false, // a parameter, or an empty segment
            literal => literal != first,
        }
    }

    /// The precision with which this names a path; `None` if it does not. A parameter takes one segment that is not empty, and the rest of a
    /// path takes at least one.
    pub(crate) fn matches(self, path: &Segments<'_>) -> Option<Precision> {
        if self.differs_at_start(path) {
            return None;
        }
        let mut texts = path.0.iter();
        let mut precision = 0;
        let mut shift = u64::BITS;
        for segment in self.segments() {
            let text = texts.next()?;
            shift = shift.saturating_sub(2);
            precision |= match segment {
                Segment::Literal(literal) if literal == text => 2 << shift,
                Segment::Parameter(_) if !text.is_empty() => 1 << shift,
                Segment::Rest(_) => return Some(Precision(precision)),
                Segment::Literal(_) | Segment::Parameter(_) => return None,
            };
        }
        texts.next().is_none().then_some(Precision(precision))
    }

    /// The parameters of a path that matches.
    pub(crate) fn parameters(self, path: &Segments<'_>) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        for (index, (segment, text)) in self.segments().zip(&path.0).enumerate() {
            match segment {
                Segment::Literal(_) => {}
                Segment::Parameter(name) => parameters.push((name, text.clone().into_owned())),
                Segment::Rest(name) => parameters.push((name, path.0[index..].join("/"))),
            }
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn precision(pattern: &'static str, path: &str) -> Option<Precision> {
        Pattern::new(pattern).matches(&Segments::of(path).unwrap())
    }

    #[test]
    fn a_parameter_takes_one_segment_that_is_not_empty() {
        assert!(precision("/rooms/{room}", "/rooms/a").is_some());
        assert!(precision("/", "/").is_some());
        assert!(precision("/rooms/{room}", "/%72ooms/a").is_some());
        assert!(precision("//rooms", "//rooms").is_some());
        assert_eq!(precision("/", "//"), None);
        for path in [
            "/rooms",
            "/rooms/",
            "/rooms/a/",
            "/rooms/a/b",
            "//rooms",
            "/",
        ] {
            assert_eq!(precision("/rooms/{room}", path), None, "{path}");
        }
    }

    #[test]
    fn segments_are_decoded_once_after_they_are_split() {
        let pattern = Pattern::new("/rooms/{room}/{*rest}");
        let path = Segments::of("/r%6foms/a%2Fb/%2541/c").unwrap();
        assert!(pattern.matches(&path).is_some());
        let expected = [
            ("room", String::from("a/b")),
            ("rest", String::from("%41/c")),
        ];
        assert_eq!(pattern.parameters(&path), expected);
        for path in ["/%", "/a/%zz", "/%ff"] {
            assert!(Segments::of(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_literal_is_more_precise_than_a_parameter_and_that_than_the_rest() {
        let path = "/rooms/new";
        let of = |pattern| precision(pattern, path).unwrap();
        assert!(of("/rooms/new") > of("/rooms/{room}"));
        assert!(of("/rooms/{room}") > of("/rooms/{*rest}"));
        assert!(of("/rooms/{room}") > of("/{collection}/new"));
    }

    #[test]
    fn names_of_parameters_do_not_make_another_resource() {
        let same = |a, b| Pattern::new(a).is_same_resource(Pattern::new(b));
        assert!(same("/rooms/{room}", "/rooms/{id}"));
        assert!(!same("/rooms/{room}", "/rooms/room"));
        assert!(!same("/rooms/{room}", "/rooms/{*room}"));
    }

    #[test]
    #[should_panic(expected = "does not begin with `/`")]
    fn a_pattern_begins_with_a_slash() {
        Pattern::check("rooms");
    }

    #[test]
    #[should_panic(expected = "a brace or star inside a segment")]
    fn a_parameter_is_a_whole_segment() {
        Pattern::check("/rooms/a{id}");
    }

    #[test]
    #[should_panic(expected = "something follows the rest of the path")]
    fn the_rest_is_the_last() {
        Pattern::check("/{*rest}/a");
    }
}
