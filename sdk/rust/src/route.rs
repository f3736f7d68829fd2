//! Path patterns. A path with a trailing slash is another resource than without.

use crate::percent;
use alloc::{string::String, vec::Vec};

/// A pattern such as `/rooms/{room}/days/{day}`, or `/files/{*path}`, whose last parameter takes the rest of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    segments: Vec<Segment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    Parameter(&'static str),
    Rest(&'static str),
}

/// The decoded segments of a path.
pub(crate) struct Segments(Vec<String>);

impl Segments {
    /// `None` if the path is not percent-encoded UTF-8. Segments are decoded after they were split, so that `%2F` does not split.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let decode = |segment| percent::decode(segment).map(|text| text.into_owned());
        let segments = path.strip_prefix('/').unwrap_or(path).split('/');
        segments.map(decode).collect::<Option<_>>().map(Self)
    }
}

/// How precisely a pattern names a path: for each segment a literal above a parameter above the rest. The greatest is the most precise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Precision(Vec<u8>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Panics
    ///
    /// If it is not one: that is a mistake in the program, which its first test shows.
    pub(crate) fn parse(pattern: &'static str) -> Self {
        let Some(path) = pattern.strip_prefix('/') else {
            panic!("the pattern `{pattern}` does not begin with `/`");
        };
        let mut segments: Vec<Segment> = Vec::new();
        for text in path.split('/') {
            assert!(
                !matches!(segments.last(), Some(Segment::Rest(_))),
                "in the pattern `{pattern}` something follows the rest of the path"
            );
            let segment = match text
                .strip_prefix('{')
                .and_then(|text| text.strip_suffix('}'))
            {
                Some(name) => match name.strip_prefix('*') {
                    Some(name) => Segment::Rest(name),
                    None => Segment::Parameter(name),
                },
                None => Segment::Literal(text),
            };
            let (Segment::Literal(text) | Segment::Parameter(text) | Segment::Rest(text)) = segment;
            assert!(
                !text.contains(['{', '}', '*']),
                "the pattern `{pattern}` has a brace or star inside a segment; a parameter is a whole segment, such as `{{id}}`"
            );
            assert!(
                matches!(segment, Segment::Literal(_)) || !text.is_empty(),
                "the pattern `{pattern}` has a parameter without a name"
            );
            segments.push(segment);
        }
        Self { segments }
    }

    /// Whether both match the same paths: their parameters may have different names.
    pub(crate) fn is_same_resource(&self, other: &Self) -> bool {
        let kind = |segment: &Segment| match *segment {
            Segment::Literal(text) => (0, text),
            Segment::Parameter(_) => (1, ""),
            Segment::Rest(_) => (2, ""),
        };
        self.segments
            .iter()
            .map(kind)
            .eq(other.segments.iter().map(kind))
    }

    /// The precision with which this names a path; `None` if it does not. A parameter takes one segment that is not empty, and the rest of a
    /// path takes at least one.
    pub(crate) fn matches(&self, path: &Segments) -> Option<Precision> {
        let takes_rest = matches!(self.segments.last(), Some(Segment::Rest(_)));
        let fits = if takes_rest {
            path.0.len() >= self.segments.len()
        } else {
            path.0.len() == self.segments.len()
        };
        if !fits {
            return None;
        }
        let mut precision = Vec::with_capacity(self.segments.len());
        for (segment, text) in self.segments.iter().zip(&path.0) {
            precision.push(match *segment {
                Segment::Literal(literal) if literal == text => 2,
                Segment::Parameter(_) if !text.is_empty() => 1,
                Segment::Rest(_) => 0,
                Segment::Literal(_) | Segment::Parameter(_) => return None,
            });
        }
        Some(Precision(precision))
    }

    /// The parameters of a path that matches.
    pub(crate) fn parameters(&self, path: &Segments) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        for (index, (segment, text)) in self.segments.iter().zip(&path.0).enumerate() {
            match *segment {
                Segment::Literal(_) => {}
                Segment::Parameter(name) => parameters.push((name, text.clone())),
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
        Pattern::parse(pattern).matches(&Segments::of(path).unwrap())
    }

    #[test]
    fn a_parameter_takes_one_segment_that_is_not_empty() {
        assert!(precision("/rooms/{room}", "/rooms/a").is_some());
        assert!(precision("/", "/").is_some());
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
        let pattern = Pattern::parse("/rooms/{room}/{*rest}");
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
        let same = |a, b| Pattern::parse(a).is_same_resource(&Pattern::parse(b));
        assert!(same("/rooms/{room}", "/rooms/{id}"));
        assert!(!same("/rooms/{room}", "/rooms/room"));
        assert!(!same("/rooms/{room}", "/rooms/{*room}"));
    }

    #[test]
    #[should_panic(expected = "does not begin with `/`")]
    fn a_pattern_begins_with_a_slash() {
        Pattern::parse("rooms");
    }

    #[test]
    #[should_panic(expected = "a brace or star inside a segment")]
    fn a_parameter_is_a_whole_segment() {
        Pattern::parse("/rooms/a{id}");
    }

    #[test]
    #[should_panic(expected = "something follows the rest of the path")]
    fn the_rest_is_the_last() {
        Pattern::parse("/{*rest}/a");
    }
}
