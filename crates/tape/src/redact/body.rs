//! The format of a body, as far as redaction can parse it.

use super::text;
use json::check;

/// How a body is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Empty,
    Json,
    /// A JSON value on each line.
    Lines,
    /// As `application/x-www-form-urlencoded`.
    Pairs,
    Prose,
    /// Text in another format. It is kept unless it contains the name of a credential.
    Unknown,
    /// Not text, or not in its declared encoding: it is left out.
    Opaque,
}

/// What headers say about a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Description {
    /// Media types, in lower case, without parameters. A client may have sent several.
    pub(super) media_types: Vec<String>,
    /// Compressed.
    pub(super) is_encoded: bool,
}

impl Description {
    /// Reads one header field.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("content-type") {
            let media_type = value.split(';').next().unwrap_or_default();
            self.media_types
                .push(media_type.trim().to_ascii_lowercase());
        }
        if name.eq_ignore_ascii_case("content-encoding") {
            let coding = value.trim();
            self.is_encoded |= !coding.is_empty() && !coding.eq_ignore_ascii_case("identity");
        }
    }

    fn is_any(&self, matches: impl Fn(&str) -> bool) -> bool {
        self.media_types
            .iter()
            .any(|media_type| matches(media_type))
    }
}

/// The sender of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A client or another service, or the guest to another service with secrets of its own: any bytes with any meaning.
    Foreign,
    /// The guest has seen the request and the store: its copies of values are found by value.
    Guest,
}

/// The format of a body that is text.
pub(super) fn form(body: &str, description: &Description, sender: Sender) -> Form {
    let is_blank = |character: char| matches!(character, ' ' | '\t' | '\r' | '\n');
    let text = body.trim_matches(is_blank);
    if text.is_empty() {
        return Form::Empty;
    }
    // Indicates an encoding, or bytes that are not text at all.
    if description.is_encoded || text.contains('\0') {
        return Form::Opaque;
    }
    let is_json_type =
        description.is_any(|media| media.ends_with("/json") || media.ends_with("+json"));
    let is_lines_type = description.is_any(|media| {
        media.contains("ndjson") || media.contains("jsonl") || media.contains("json-seq")
    });
    let is_json = |text: &str| check(text.as_bytes()).is_ok();
    let looks_like_json = text.starts_with(['{', '[']) || text.starts_with('"') && is_json(body);
    if is_json_type || is_lines_type || looks_like_json {
        return if is_json(body) {
            Form::Json
        } else if text
            .lines()
            .all(|line| line.trim().is_empty() || is_json(line))
        {
            Form::Lines
        } else {
            Form::Unknown
        };
    }
    // The format of a client's body follows from its content, because types are often missing, or a tool's default.
    let is_foreign = sender == Sender::Foreign;
    if text.starts_with('\u{feff}') || is_foreign && (is_markup(text) || is_multipart(text)) {
        return Form::Unknown;
    }
    if description.is_any(|media| media == "application/x-www-form-urlencoded") {
        return match text.contains(NOT_IN_FORMS) {
            false => Form::Pairs,
            true => Form::Unknown,
        };
    }
    let is_plain = description
        .media_types
        .iter()
        .all(|media| media.is_empty() || media == "text/plain");
    if is_plain && is_foreign && is_form(text) {
        Form::Pairs
    } else if is_plain || !is_foreign {
        Form::Prose
    } else {
        Form::Unknown
    }
}

/// Characters that forms encode, and that occur in other formats of text.
const NOT_IN_FORMS: [char; 8] = ['\r', '\n', '<', '>', '"', '{', '}', '\\'];

/// Whether a text without a declared type looks like a form: it begins with a name and `=`.
fn is_form(text: &str) -> bool {
    let is_in_name = |character: char| {
        character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '%' | '+' | '[' | ']')
    };
    let name = text.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| !name.is_empty() && name.chars().all(is_in_name))
        && !text.contains(NOT_IN_FORMS)
}

/// Whether a text has elements, as XML and HTML do.
fn is_markup(text: &str) -> bool {
    text.starts_with('<') || text.contains("</") || text.contains("/>")
}

/// Whether a text has parts with headers.
fn is_multipart(text: &str) -> bool {
    const MARK: &[u8] = b"content-disposition";
    text.starts_with("--")
        || text
            .as_bytes()
            .windows(MARK.len())
            .any(|window| window.eq_ignore_ascii_case(MARK))
}

impl Form {
    /// How its text is searched, if it is not JSON.
    pub(super) fn kind(self) -> text::Kind {
        match self {
            Self::Pairs => text::Kind::Pairs,
            Self::Empty | Self::Json | Self::Lines | Self::Prose | Self::Unknown | Self::Opaque => {
                text::Kind::Prose
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form_of(body: &str, media_type: &str) -> Form {
        let mut description = Description::default();
        if !media_type.is_empty() {
            description.add("Content-Type", media_type);
        }
        form(body, &description, Sender::Foreign)
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn only_what_can_be_read_has_a_form() {
        for (body, media_type, expected) in [
            ("", "application/json", Form::Empty),
            (" {\"a\":1}\n", "", Form::Json),
            ("{\"a\":1}", "text/plain; charset=utf-8", Form::Json),
            ("5", "application/problem+json", Form::Json),
            ("{\"a\":1,}", "application/json", Form::Unknown),
            ("\u{feff}{\"a\":1}", "application/json", Form::Unknown),
            ("\u{feff}{\"a\":1}", "", Form::Unknown),
            ("{\"a\":1", "", Form::Unknown),
            (
                "{\"a\":1}\n{\"a\":2}\n",
                "application/x-ndjson",
                Form::Lines,
            ),
            ("a=b", FORM, Form::Pairs),
            ("a=b;c=d e", FORM, Form::Pairs),
            ("{a=b", FORM, Form::Unknown),
            ("{\"a\":1}", FORM, Form::Json),
            ("\"a\"", FORM, Form::Json),
            ("a={\"b\":1}", FORM, Form::Unknown),
            ("a=b\nc=d", FORM, Form::Unknown),
            ("x <a>b</a>", FORM, Form::Unknown),
            ("a=b c&d", "", Form::Pairs),
            ("a b=c", "", Form::Prose),
            ("<a>b</a>", "text/plain", Form::Unknown),
            ("<a>b</a>", "", Form::Unknown),
            ("--x\r\n", "text/plain", Form::Unknown),
            (
                "\r\n--x\r\nContent-Disposition: form-data",
                "",
                Form::Unknown,
            ),
            ("hello", "", Form::Prose),
            ("hello", "text/plain", Form::Prose),
            ("<a/>", "application/xml", Form::Unknown),
            ("--x\r\n", "multipart/form-data; boundary=x", Form::Unknown),
            ("h\0i\0", "text/plain", Form::Opaque),
        ] {
            assert_eq!(form_of(body, media_type), expected, "{body} {media_type}");
        }
        let mut compressed = Description::default();
        compressed.add("content-encoding", "gzip");
        assert_eq!(form("{}", &compressed, Sender::Guest), Form::Opaque);
        let html = Description {
            media_types: vec!["text/html".to_owned()],
            is_encoded: false,
        };
        assert_eq!(form("<p>", &html, Sender::Guest), Form::Prose);
    }
}
