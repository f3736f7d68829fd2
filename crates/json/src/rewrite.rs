//! Changes single values of a JSON text and keeps every other byte.

use super::{
    error::{JsonError, JsonProblem},
    read::Reader,
};
use contract::limits::JSON_NODES_MAX;
use std::borrow::Cow;

/// One step on the path from the outermost value to an inner one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The member of this name.
    Name(Cow<'a, str>),
    /// The element at this position.
    Element(usize),
}

impl Step<'_> {
    /// The name, if it is a member.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Element(_) => None,
        }
    }
}

/// Decides how each value is changed. `place` is the path to it.
pub trait Rewriter {
    /// Decides whether an object or array is replaced or kept as a whole, instead of value by value.
    fn takes_whole(&mut self, place: &[Step<'_>]) -> bool;

    /// The replacement for a value that is not an object or array, or is replaced as a whole.
    fn replace(&mut self, place: &[Step<'_>], json: &str) -> Option<String>;

    /// The replacement for a member's name, whose value is not yet read.
    fn rename(&mut self, _place: &[Step<'_>], _name: &str) -> Option<String> {
        None
    }
}

/// The text with the changes of `rewriter`, in one pass; an error if it is not one JSON value within the bounds of the reader.
pub fn rewrite<'a>(json: &'a str, rewriter: &mut dyn Rewriter) -> Result<Cow<'a, str>, JsonError> {
    let mut pass = Pass {
        rewriter,
        place: Vec::new(),
        written: String::new(),
        copied: 0,
        nodes: 0,
    };
    let mut reader = Reader::new(json);
    reader.whole(|reader| pass.value(reader))?;
    if pass.copied == 0 {
        return Ok(Cow::Borrowed(json));
    }
    pass.written.push_str(&json[pass.copied..]);
    Ok(Cow::Owned(pass.written))
}

struct Pass<'a, 'r> {
    rewriter: &'r mut dyn Rewriter,
    place: Vec<Step<'a>>,
    written: String,
    /// The text before this position is in `written`, or replaced.
    copied: usize,
    nodes: usize,
}

impl<'a> Pass<'a, '_> {
    fn value(&mut self, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        self.nodes += 1;
        if self.nodes > JSON_NODES_MAX {
            return Err(reader.error_at(JsonProblem::Nodes, reader.at));
        }
        match reader.peek() {
            Some(b'{') if !self.rewriter.takes_whole(&self.place) => {
                let mut after_name = reader.at;
                reader.object(|reader, name| {
                    self.member(reader, name, &mut after_name)?;
                    after_name = reader.at;
                    Ok(())
                })
            }
            Some(b'[') if !self.rewriter.takes_whole(&self.place) => {
                let mut position = 0;
                reader.array(|reader| {
                    self.place.push(Step::Element(position));
                    position += 1;
                    let read = self.value(reader);
                    self.place.pop();
                    read
                })
            }
            _ => {
                let start = reader.at;
                reader.skip()?;
                let text = &reader.text[start..reader.at];
                if let Some(replacement) = self.rewriter.replace(&self.place, text) {
                    self.splice(reader.text, start, reader.at, &replacement);
                }
                Ok(())
            }
        }
    }

    /// `before`: the position of the reader when the member's name arrived.
    fn member(
        &mut self,
        reader: &mut Reader<'a>,
        name: Cow<'a, str>,
        before: &mut usize,
    ) -> Result<(), JsonError> {
        if let Some(replacement) = self.rewriter.rename(&self.place, &name) {
            let head = &reader.text[*before..reader.at];
            // Between the previous value and this one there are only blanks, a bracket or comma, the name, blanks and a colon.
            let start = *before + head.find('"').unwrap_or_default();
            let end = *before + head.rfind('"').map_or(head.len(), |at| at + 1);
            let mut json = Vec::new();
            super::write_string(&mut json, &replacement);
            let json = String::from_utf8(json).unwrap_or_default();
            self.splice(reader.text, start, end, &json);
        }
        self.place.push(Step::Name(name));
        let read = self.value(reader);
        self.place.pop();
        read
    }

    fn splice(&mut self, text: &str, start: usize, end: usize, replacement: &str) {
        self.written.push_str(&text[self.copied..start]);
        self.written.push_str(replacement);
        self.copied = end;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::pointer, *};

    struct Script {
        whole: &'static str,
        replaced: &'static str,
        seen: Vec<String>,
    }

    impl Rewriter for Script {
        fn takes_whole(&mut self, place: &[Step<'_>]) -> bool {
            pointer("", place) == self.whole
        }

        fn replace(&mut self, place: &[Step<'_>], json: &str) -> Option<String> {
            let at = pointer("", place);
            self.seen.push(format!("{at}={json}"));
            (at == self.replaced).then(|| "0".to_owned())
        }

        fn rename(&mut self, _: &[Step<'_>], name: &str) -> Option<String> {
            (name == "\u{e4}\"").then(|| "x".to_owned())
        }
    }

    fn run(json: &str, whole: &'static str, replaced: &'static str) -> (String, Vec<String>) {
        let mut script = Script {
            whole,
            replaced,
            seen: Vec::new(),
        };
        let text = rewrite(json, &mut script).unwrap().into_owned();
        (text, script.seen)
    }

    #[test]
    fn single_values_change_and_the_rest_keeps_its_spelling() {
        let json = " { \"a\" : [ 1.50 , {\"b/\": null } ] , \"c\":\"\\u0041\" } ";
        assert_eq!(
            run(json, "-", "-"),
            (
                json.to_owned(),
                vec![
                    "/a/0=1.50".to_owned(),
                    "/a/1/b~1=null".to_owned(),
                    "/c=\"\\u0041\"".to_owned()
                ]
            )
        );
        assert_eq!(run(json, "-", "/a/1/b~1").0, json.replace("null", "0"));
        let (text, seen) = run(json, "/a/1", "/a/1");
        assert_eq!(text, json.replace("{\"b/\": null }", "0"));
        assert!(seen.contains(&"/a/1={\"b/\": null }".to_owned()));
        assert_eq!(run("7", "-", "").0, "0");
    }

    #[test]
    fn names_change_where_they_stand() {
        let json = "{\"b\":{ \"\u{e4}\\\"\" : 1},\"\\u00e4\\\"\":2}";
        assert_eq!(run(json, "-", "-").0, r#"{"b":{ "x" : 1},"x":2}"#);
        assert_eq!(run(json, "-", "/b/\u{e4}\"").0, r#"{"b":{ "x" : 0},"x":2}"#);
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for bad in [
            "",
            "{",
            "{\"a\":1,}",
            "\u{feff}{}",
            "[1] 2",
            "nul",
            "\"\n\"",
        ] {
            let mut script = Script {
                whole: "-",
                replaced: "-",
                seen: Vec::new(),
            };
            assert!(rewrite(bad, &mut script).is_err(), "{bad}");
        }
        let wide = |nodes: usize| format!("[{}0]", "0,".repeat(nodes - 2));
        for (json, is_read) in [
            (wide(JSON_NODES_MAX), true),
            (wide(JSON_NODES_MAX + 1), false),
        ] {
            let mut script = Script {
                whole: "-",
                replaced: "-",
                seen: Vec::new(),
            };
            assert_eq!(rewrite(&json, &mut script).is_ok(), is_read);
        }
        let deep = "[".repeat(100_000);
        let mut script = Script {
            whole: "-",
            replaced: "-",
            seen: Vec::new(),
        };
        assert!(rewrite(&deep, &mut script).is_err());
    }
}
