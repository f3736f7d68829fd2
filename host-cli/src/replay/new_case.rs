//! Writes a recorded request as a case into a folder of cases.

use crate::exit::CommandError;
use observation::{CaseError, RequestLine, request_line};
use replay::{Note, RecordedCaseError, case_of};
use std::path::{Component, Path, PathBuf};
use tape::{Exchange, Redaction};

/// Characters of a name that is made of method and path.
const NAME_CHARACTERS_MAX: usize = 48;
/// How many names are tried for one request: `get-items`, `get-items-2`, and so on.
const NAMES_TRIED_MAX: u32 = 1000;

/// The name of a case whose method and path have no letters and no digits. An empty one would be the folder of all cases.
const NAMELESS: &str = "request";

/// A case that was written.
pub struct Made {
    /// Its folder.
    pub folder: PathBuf,
    /// Its name for `host-cli test`.
    pub name: String,
    /// What to know about it.
    pub notes: Vec<Note>,
}

impl Made {
    /// One line, and one for each note.
    pub fn describe(&self) -> String {
        let mut text = format!("case {} is made of it", self.folder.display());
        for note in &self.notes {
            text.push_str(&format!("\n  note: {note}"));
        }
        text.push_str(&format!("\n  `host-cli test {}` runs it", self.name));
        text
    }
}

/// The case that is wanted of a request.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The folder of the project's cases.
    pub cases: &'a Path,
    /// Without a name it has one of its method and path that is free.
    pub name: Option<&'a str>,
    /// Whether it has credentials as they were sent.
    pub is_as_sent: bool,
}

/// Makes a case of a request. It is redacted as tapes are by default, because cases are committed.
pub async fn make(exchange: &Exchange<'_>, wanted: Wanted<'_>) -> Result<Made, CommandError> {
    let Wanted {
        cases,
        name,
        is_as_sent,
    } = wanted;
    if let Some(name) = name {
        check_name(name)?;
        check_is_in_no_case(cases, name)?;
    }
    let credentials = Redaction::credentials();
    let redaction = (!is_as_sent).then_some(&credentials);
    let made = case_of(exchange, cases, redaction).await;
    let (mut case, notes) = made.map_err(refused)?;
    let event = exchange.event.map_or("null", |event| event.get());
    let base = match name {
        Some(name) => name.to_owned(),
        None => name_of(request_line(event.as_bytes())),
    };
    for number in 1..=NAMES_TRIED_MAX {
        let free = match number {
            1 => base.clone(),
            _ => format!("{base}-{number}"),
        };
        case.folder = cases.join(&free);
        match case.create() {
            Ok(()) => {
                return Ok(Made {
                    folder: case.folder,
                    name: free,
                    notes,
                });
            }
            Err(CaseError::Exists { .. }) if name.is_none() => {}
            Err(error @ CaseError::Exists { .. }) => {
                return Err(CommandError::environment(error).hint("choose another name"));
            }
            Err(error) => return Err(CommandError::environment(error)),
        }
    }
    Err(CommandError::environment(format_args!(
        "`{}` has {NAMES_TRIED_MAX} cases named `{base}`",
        cases.display()
    ))
    .hint("choose a name"))
}

fn refused(error: RecordedCaseError) -> CommandError {
    let hint = match &error {
        RecordedCaseError::Unplayable(_)
        | RecordedCaseError::Omitted(_)
        | RecordedCaseError::NoResponse => {
            "record a request with shorter or plain text bodies; a body whose credentials cannot be recognised is kept if the case is made as sent"
        }
        RecordedCaseError::Outgoing(_) | RecordedCaseError::Secrets(_) => {
            "keep the tape, and replay it with `host-cli replay`"
        }
        RecordedCaseError::Timing(_) => "record it again when it succeeds",
        RecordedCaseError::NoSeed => "record without `--withhold-seed`",
        RecordedCaseError::BasePath(_) => {
            "write the case by hand: `host-cli event` writes the event, and `--bless` the expectation"
        }
        RecordedCaseError::Call { .. } => {
            "record it on a store with fewer entries, or write `before.json` by hand and let `--bless` write the expectation"
        }
        RecordedCaseError::Recording(_) => "check the tape with `host-cli replay`",
    };
    CommandError::refused(format_args!("no case is made: {error}")).hint(hint)
}

fn check_name(name: &str) -> Result<(), CommandError> {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "-_./".contains(character);
    let stays_inside = Path::new(name)
        .components()
        .all(|component| matches!(component, Component::Normal(_)));
    match !name.is_empty() && stays_inside && name.chars().all(is_plain) {
        true => Ok(()),
        false => Err(
            CommandError::usage(format_args!("`{name}` is not a name for a case"))
                .hint("write letters, digits, `-`, `_` and `.`, and `/` between folders"),
        ),
    }
}

/// A case within a case would never be found.
fn check_is_in_no_case(cases: &Path, name: &str) -> Result<(), CommandError> {
    let above = Path::new(name).ancestors().skip(1);
    let outer = above
        .filter(|folder| !folder.as_os_str().is_empty())
        .find(|folder| cases.join(folder).join("event.json").exists());
    match outer {
        None => Ok(()),
        Some(outer) => Err(CommandError::usage(format_args!(
            "`{name}` would be inside the case `{}`",
            outer.display()
        ))
        .hint("choose another name")),
    }
}

/// `get-items-7` for `GET /items/7`.
fn name_of(request: Option<RequestLine>) -> String {
    let Some(RequestLine { method, path }) = request else {
        return NAMELESS.to_owned();
    };
    let mut name = String::new();
    for character in format!("{method} {path}").chars() {
        match character.to_ascii_lowercase() {
            plain if plain.is_ascii_alphanumeric() => name.push(plain),
            _ if !name.ends_with('-') => name.push('-'),
            _ => {}
        }
        if name.len() >= NAME_CHARACTERS_MAX {
            break;
        }
    }
    match name.trim_matches('-') {
        "" => NAMELESS.to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_method_and_path() {
        let name = |method: &str, path: &str| {
            name_of(Some(RequestLine {
                method: method.to_owned(),
                path: path.to_owned(),
            }))
        };
        assert_eq!(name("GET", "/items/7"), "get-items-7");
        assert_eq!(name("POST", "/"), "post");
        assert_eq!(name("PUT", "/../a b/%2e/\u{e9}/x"), "put-a-b-2e-x");
        let long = name("GET", &"/x".repeat(100));
        assert!(
            long.len() <= NAME_CHARACTERS_MAX && check_name(&long).is_ok(),
            "{long}"
        );
        assert_eq!(name("!", "/"), "request");
        assert_eq!(name_of(None), "request");
    }

    #[test]
    fn a_case_within_a_case_is_refused() {
        let cases = std::env::temp_dir().join(format!("tenon-new-case-{}", std::process::id()));
        std::fs::create_dir_all(cases.join("outer")).unwrap();
        std::fs::write(cases.join("outer/event.json"), "{}").unwrap();
        assert!(check_is_in_no_case(&cases, "outer/inner/case").is_err());
        assert!(check_is_in_no_case(&cases, "other/outer").is_ok());
        assert!(check_is_in_no_case(&cases, "outer").is_ok());
        std::fs::remove_dir_all(&cases).unwrap();
    }

    #[test]
    fn a_name_stays_in_the_folder_of_cases() {
        for good in ["a", "bookings/create_2.x"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "..",
            "a/../../b",
            "/etc/x",
            "a b",
            "\u{202e}",
            "a;b",
            "./a/.",
        ] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
