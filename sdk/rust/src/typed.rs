//! Reading JSON as a type that serde describes, with the place of an error.

mod pointer;
mod strict;

use crate::problem::{Problem, Violation};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

/// Longer content is refused unread, so that a request ends before it exhausts its memory. A document has at most 400 KB, and each of its
/// bytes takes at most six in JSON; longer content can only contain additional blanks. [`Bytes`](crate::Bytes) has no such bound.
pub const CONTENT_BYTES_MAX: usize = 6 * 400 * 1024;

/// Reads content that a client sent; the media type has been checked.
pub(crate) fn read_content<T: DeserializeOwned>(content: &[u8]) -> Result<T, Problem> {
    let bytes = content.len();
    if bytes > CONTENT_BYTES_MAX {
        let detail = format!("the content has {bytes} bytes, at most {CONTENT_BYTES_MAX} are read");
        return Err(Problem::new(413, "content-too-large", detail));
    }
    read(content).map_err(|error| content_problem(content, &error))
}

/// Reads any JSON.
pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the type is the application's, and the host bounds the component's memory"
    )]
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = strict::read(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Whether the bytes are JSON, whatever they say.
fn is_json(bytes: &[u8]) -> bool {
    read::<IgnoredAny>(bytes).is_ok()
}

/// 400 for what is not JSON, 422 with a pointer for what does not fit.
fn content_problem(content: &[u8], error: &serde_json::Error) -> Problem {
    let at = offset(content, error.line(), error.column());
    match error.classify() {
        // serde_json calls it a mistake of syntax if a number or the end of an array is not what the type expects.
        Category::Syntax | Category::Eof | Category::Io if !is_json(content) => {
            let detail = format!("the content is not JSON: {} at byte {at}", reason(error));
            Problem::new(400, "invalid-json", detail)
        }
        Category::Data | Category::Syntax | Category::Eof | Category::Io => {
            // What serde buffers before it reads it (untagged and flattened types) has no place of its own.
            let pointer = if error.line() == 0 {
                String::new()
            } else {
                pointer::at(content, at)
            };
            Problem::invalid_content(Vec::from([Violation::new(pointer, misfit(error))]))
        }
    }
}

/// The error without its line and column.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) if error.line() > 0 => text[..end].to_string(),
        Some(_) | None => text,
    }
}

/// What does not fit, in words about the content instead of its syntax.
fn misfit(error: &serde_json::Error) -> String {
    match reason(error).as_str() {
        "trailing characters" => "more elements than expected".to_string(),
        other => other.to_string(),
    }
}

/// The number of bytes before a line and column, which are counted from 1; serde_json's column is the number of bytes read of the line.
fn offset(content: &[u8], line: usize, column: usize) -> usize {
    let lines = content.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column).min(content.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Room {
        name: String,
        beds: Option<u8>,
        #[serde(default)]
        size: (u8, u8),
        #[serde(default)]
        depth: f32,
        #[serde(default)]
        prices: Vec<f64>,
        #[serde(default)]
        tags: BTreeMap<String, bool>,
    }

    fn problem_of(json: &str) -> serde_json::Value {
        let response = read_content::<Vec<Room>>(json.as_bytes())
            .map(|_| ())
            .unwrap_err()
            .into_document("request-1");
        read(&response.body).unwrap()
    }

    #[test]
    fn a_pointer_names_the_place_of_the_first_error() {
        for (json, pointer, detail) in [
            (r#"{}"#, "", "invalid type: map, expected a sequence"),
            (
                r#"[1]"#,
                "/0",
                "invalid type: integer `1`, expected struct Room",
            ),
            (r#"[{"name":"a"},{"beds":1}]"#, "/1", "missing field `name`"),
            (
                r#"[{"name":"a","beds":"x"}]"#,
                "/0/beds",
                "invalid type: string \"x\", expected u8",
            ),
            (
                r#"[{"beds":256,"name":"a"}]"#,
                "/0/beds",
                "invalid value: integer `256`, expected u8",
            ),
            (
                r#"[{"name":{"a":1}}]"#,
                "/0/name",
                "invalid type: map, expected a string",
            ),
            (
                r#"[{"name":[["a"]]}]"#,
                "/0/name",
                "invalid type: sequence, expected a string",
            ),
            (
                "[{\"name\":\"a\",\n\"prices\": [1, 2,\n \"three\"]}]",
                "/0/prices/2",
                "invalid type: string \"three\", expected f64",
            ),
            (
                r#"[{"name":"a","tags":{"a/b~\u0063":1}}]"#,
                "/0/tags/a~1b~0c",
                "invalid type: integer `1`, expected a boolean",
            ),
            (
                r#"[{"name":"a","nam":"b"}]"#,
                "/0/nam",
                "unknown field `nam`, expected one of `name`, `beds`, `size`, `depth`, `prices`, `tags`",
            ),
            (
                r#"[["a",1]]"#,
                "/0",
                "invalid type: sequence, expected struct Room",
            ),
            (
                r#"[{"name":"a","depth":-1e39}]"#,
                "/0/depth",
                "invalid value: floating point `-1e+39`, expected f32",
            ),
            (
                r#"[{"name":"a","prices":[1,1e400]}]"#,
                "/0/prices/1",
                "number out of range",
            ),
            (
                r#"[{"name":"a","size":[1,2,3]}]"#,
                "/0/size/2",
                "more elements than expected",
            ),
            (
                r#"[{"name":"a","size":[1]}]"#,
                "/0/size",
                "invalid length 1, expected a tuple of size 2",
            ),
        ] {
            let problem = problem_of(json);
            assert_eq!(problem["status"], 422, "{json}: {problem}");
            let error = &problem["errors"][0];
            assert_eq!(error["pointer"], pointer, "{json}: {problem}");
            assert_eq!(error["detail"], detail, "{json}");
        }
    }

    #[test]
    fn what_is_not_json_is_a_bad_request_with_its_place() {
        for (json, detail) in [
            (
                "",
                "the content is not JSON: EOF while parsing a value at byte 0",
            ),
            (
                "[{]",
                "the content is not JSON: key must be a string at byte 3",
            ),
            (
                "[\n\n{",
                "the content is not JSON: EOF while parsing an object at byte 4",
            ),
        ] {
            let problem = problem_of(json);
            assert_eq!(problem["code"], "invalid-json", "{json}");
            assert_eq!(problem["detail"], detail, "{json}");
        }
    }

    #[test]
    fn content_is_refused_before_it_takes_too_much() {
        let blanks = |bytes: usize| [b"[]".as_slice(), &alloc::vec![b' '; bytes - 2]].concat();
        assert!(read_content::<Vec<u8>>(&blanks(CONTENT_BYTES_MAX)).is_ok());
        let problem = read_content::<Vec<u8>>(&blanks(CONTENT_BYTES_MAX + 1)).unwrap_err();
        assert_eq!(problem.status(), 413);
    }
}
