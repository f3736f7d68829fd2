//! YAML as far as templates and OpenAPI documents use it: one document, as a tree of JSON. The short forms of CloudFormation's functions
//! (`!Ref Table`) become their long forms (`{"Ref": "Table"}`).

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// Levels of nesting. Templates have about twenty.
const DEPTH_MAX: usize = 96;
/// Values in a document, with those that aliases repeat; and those that are kept for aliases. Large OpenAPI documents have about a hundred thousand.
const VALUES_MAX: usize = 1_000_000;

/// A text is not the YAML that is read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct YamlError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl YamlError {
    fn new(place: &Marker, message: impl Into<String>) -> Self {
        Self {
            line: place.line(),
            column: place.col() + 1,
            message: message.into(),
        }
    }
}

/// Reads one document.
pub fn parse(text: &str) -> Result<Value, YamlError> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        values: 0,
        kept: 0,
    };
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            Event::StreamEnd => return Err(YamlError::new(&span.start, "the document is empty")),
            other => {
                let value = reader.value(other, &span, 0)?;
                return reader.end().map(|()| value);
            }
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// What aliases repeat, by the numbers of their anchors.
    anchors: BTreeMap<usize, Anchored>,
    values: usize,
    /// Values in `anchors`: where anchors are nested, each keeps those within.
    kept: usize,
}

#[derive(Clone)]
struct Anchored {
    value: Value,
    /// Its number of values.
    values: usize,
    /// Its levels of nesting.
    height: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), YamlError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(YamlError::new(error.marker(), error.info())),
            None => Err(YamlError::new(
                &Marker::default(),
                "the document ends too early",
            )),
        }
    }

    /// Reads up to the end: there is one document only.
    fn end(&mut self) -> Result<(), YamlError> {
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(()),
                Event::Nothing | Event::DocumentEnd => {}
                _ => {
                    return Err(YamlError::new(
                        &span.start,
                        "there is more than one document",
                    ));
                }
            }
        }
    }

    fn value(&mut self, event: Event<'t>, span: &Span, depth: usize) -> Result<Value, YamlError> {
        self.count(1, span)?;
        check_depth(depth, span)?;
        let before = self.values;
        let (value, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (scalar(&text, style, tag.as_deref()), anchor, tag)
            }
            Event::SequenceStart(anchor, tag) => (self.sequence(depth)?, anchor, tag),
            Event::MappingStart(anchor, tag) => (self.mapping(depth)?, anchor, tag),
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let known = known.ok_or_else(|| {
                    YamlError::new(&span.start, "an alias stands within what it repeats")
                })?;
                self.count(known.values, span)?;
                check_depth(depth + known.height, span)?;
                return Ok(known.value);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => {
                return Err(YamlError::new(&span.start, "a value is missing"));
            }
        };
        let value = match tag {
            Some(tag) => {
                called(&tag, value).map_err(|message| YamlError::new(&span.start, message))?
            }
            None => value,
        };
        if anchor != 0 {
            let values = self.values - before + 1;
            self.kept = self.kept.saturating_add(values);
            check_values(self.kept, span)?;
            let anchored = Anchored {
                height: height(&value),
                value: value.clone(),
                values,
            };
            self.anchors.insert(anchor, anchored);
        }
        Ok(value)
    }

    fn count(&mut self, values: usize, span: &Span) -> Result<(), YamlError> {
        self.values = self.values.saturating_add(values);
        check_values(self.values, span)
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut elements = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(elements));
            }
            elements.push(self.value(event, &span, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut members = Map::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Object(members));
            }
            let Event::Scalar(name, style, ..) = event else {
                return Err(YamlError::new(
                    &span.start,
                    "the name of a member is not a text",
                ));
            };
            if name == "<<" && style == ScalarStyle::Plain {
                let message = "merge keys (`<<`) are not read here; CloudFormation has none";
                return Err(YamlError::new(&span.start, message));
            }
            let (event, value_span) = self.next()?;
            let value = self.value(event, &value_span, depth + 1)?;
            if members.insert(name.clone().into_owned(), value).is_some() {
                let message = format!("member `{name}` occurs twice");
                return Err(YamlError::new(&span.start, message));
            }
        }
    }
}

fn check_values(values: usize, span: &Span) -> Result<(), YamlError> {
    match values > VALUES_MAX {
        true => Err(YamlError::new(
            &span.start,
            format!("more than {VALUES_MAX} values"),
        )),
        false => Ok(()),
    }
}

fn check_depth(depth: usize, span: &Span) -> Result<(), YamlError> {
    match depth > DEPTH_MAX {
        true => Err(YamlError::new(
            &span.start,
            format!("more than {DEPTH_MAX} levels of nesting"),
        )),
        false => Ok(()),
    }
}

/// Levels of nesting below a value.
fn height(value: &Value) -> usize {
    let of_members = match value {
        Value::Object(members) => members.values().map(height).max(),
        Value::Array(elements) => elements.iter().map(height).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return 0,
    };
    of_members.map_or(0, |height| height + 1)
}

/// A scalar by YAML's core schema.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = style != ScalarStyle::Plain || tag.is_some();
    if is_text {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        other => match number(other) {
            Some(number) => Value::Number(number),
            None => Value::String(other.to_owned()),
        },
    }
}

/// Numbers with leading zeros, as of account ids, stay texts.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit())
        && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."))
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if !is_number {
        return None;
    }
    match text.parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => Number::from_f64(text.parse().ok()?),
    }
}

/// A value behind a tag of CloudFormation.
fn called(tag: &Tag, value: Value) -> Result<Value, String> {
    if tag.is_yaml_core_schema() {
        return Ok(value);
    }
    let name = &tag.suffix;
    let name = match (tag.handle.as_str(), name.as_str()) {
        ("!", "Ref" | "Condition") => name.clone(),
        (
            "!",
            "And" | "Base64" | "Cidr" | "Equals" | "FindInMap" | "GetAtt" | "GetAZs" | "If"
            | "ImportValue" | "Join" | "Length" | "Not" | "Or" | "Select" | "Split" | "Sub"
            | "ToJsonString" | "Transform",
        ) => format!("Fn::{name}"),
        (handle, name) => return Err(format!("`{handle}{name}` is no function of CloudFormation")),
    };
    let argument = match (name.as_str(), value) {
        // `!GetAtt Table.Arn`
        ("Fn::GetAtt", Value::String(path)) => match path.split_once('.') {
            Some((resource, attribute)) => serde_json::json!([resource, attribute]),
            None => Value::String(path),
        },
        (_, value) => value,
    };
    Ok(Value::Object(Map::from_iter([(name, argument)])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_those_of_the_core_schema() {
        let text = "a: [1, -2, 0.5, 1e3, true, ~, text, \"true\", '012', 012, 2010-09-09]\nb: {c: |\n  x\n  y\n}\n";
        let text = text.replace("b: {c: |\n  x\n  y\n}", "b: |\n  x\n  y");
        assert_eq!(
            parse(&text).unwrap(),
            json!({"a": [1, -2, 0.5, 1000.0, true, null, "text", "true", "012", "012", "2010-09-09"], "b": "x\ny\n"})
        );
    }

    #[test]
    fn functions_become_their_long_forms() {
        let text = "a: !Ref Table\nb: !GetAtt Table.Arn\nc: !If [X, !Sub \"${A}\", !Ref AWS::NoValue]\nd: !Condition X\n";
        assert_eq!(
            parse(text).unwrap(),
            json!({
                "a": {"Ref": "Table"},
                "b": {"Fn::GetAtt": ["Table", "Arn"]},
                "c": {"Fn::If": ["X", {"Fn::Sub": "${A}"}, {"Ref": "AWS::NoValue"}]},
                "d": {"Condition": "X"},
            })
        );
    }

    #[test]
    fn aliases_repeat_values() {
        assert_eq!(
            parse("a: &x {b: 1}\nc: *x\n").unwrap(),
            json!({"a": {"b": 1}, "c": {"b": 1}})
        );
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let shown = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(
            shown("a: 1\na: 2\n"),
            "line 2, column 1: member `a` occurs twice"
        );
        assert_eq!(
            shown("a: !Foo x\n"),
            "line 1, column 4: `!Foo` is no function of CloudFormation"
        );
        for bad in [
            "",
            "a: *x\n",
            "a: 1\n---\nb: 2\n",
            "a: [1\n",
            "? [a]\n: b\n",
            "<<: {a: 1}\n",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&"[".repeat(200_000)).is_err());
        let mut bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for level in 1..10 {
            let before = format!("*a{}", level - 1);
            bomb += &format!(
                "a{level}: &a{level} [{}]\n",
                [before.as_str(); 10].join(", ")
            );
        }
        assert!(parse(&bomb).unwrap_err().message.contains("values"));
    }

    #[test]
    fn aliases_do_not_get_around_limits() {
        // Each one is nested once more than the one before.
        let mut text = "a0: &a0 [[[[[[[[[[1]]]]]]]]]]\n".to_owned();
        for level in 1..2_000 {
            text += &format!("a{level}: &a{level} [[*a{}]]\n", level - 1);
        }
        assert!(parse(&text).unwrap_err().message.contains("nesting"));
        // Each anchor keeps what is within.
        let anchors: String = (0..90).map(|level| format!("&b{level} [")).collect();
        let text = format!("{anchors}{}1{}", "1, ".repeat(20_000), "]".repeat(90));
        assert!(parse(&text).unwrap_err().message.contains("values"));
    }
}
