//! `store export` and `store import`: the entries of a store as a JSON list, the format of a case's `before.json`.

use super::{list::Parts, unexpected};
use crate::{
    args::store::StoreFormat,
    exit::{CommandError, Outcome},
    output,
    replacement::{self, OutputError, Readers, Replacement},
    store::{
        entries::{self, Batches},
        protocol::{Request, Response},
        remote::Reached,
    },
};
use contract::{count::counted, text::is_printable};
use serde_json::json;
use std::{
    io::{self, BufWriter, Write},
    path::Path,
};
use storage::Namespace;

/// What the file is called in messages.
const WHAT: &str = "entries";

/// Writes all entries. A file appears completely or not at all.
pub async fn export(store: &Reached, file: Option<&Path>) -> Result<Outcome, CommandError> {
    let Some(path) = file.filter(|path| *path != Path::new("-")) else {
        let mut out = BufWriter::new(io::stdout());
        write(store, &mut out, |error| CommandError::output(&error)).await?;
        return Ok(Outcome::Same);
    };
    let failed = |error: &OutputError| replacement::cannot_write(path, WHAT, error);
    // It holds what users stored.
    let mut out = Replacement::create(path, Readers::Owner).map_err(|error| failed(&error))?;
    let count = write(store, &mut out, |error| failed(&error.into())).await?;
    out.finish().map_err(|error| failed(&error))?;
    output::remark(&format!("{}: {}\n", path.display(), entries_of(count)));
    Ok(Outcome::Same)
}

/// Writes the list while the store is read, so that its size does not matter.
async fn write(
    store: &Reached,
    out: &mut (impl Write + Send),
    failed: impl Fn(io::Error) -> CommandError,
) -> Result<usize, CommandError> {
    let (mut count, mut parts) = (0, Parts::default());
    while let Some(entries) = parts.next(store).await? {
        for entry in entries {
            let value = entry.to_value().map_err(|error| {
                CommandError::environment(format_args!("a document cannot be written: {error}"))
            })?;
            let separator = if count == 0 { "[\n" } else { ",\n" };
            let text = escaped(&value.to_string());
            write!(out, "{separator}{text}").map_err(&failed)?;
            count += 1;
        }
    }
    let end = if count == 0 { "[]\n" } else { "\n]\n" };
    out.write_all(end.as_bytes()).map_err(&failed)?;
    out.flush().map_err(&failed)?;
    Ok(count)
}

/// Stores entries in batches. A file is checked as a whole before.
pub async fn import(
    store: &Reached,
    path: &Path,
    format: StoreFormat,
) -> Result<Outcome, CommandError> {
    // A pipe can be read once: it is checked while it is stored, like stdin.
    if path != Path::new("-") && path.is_file() {
        // The rules that depend on the namespace's length are checked again when a batch is stored.
        let namespace = Namespace::local();
        entries::read(path, |_, entry| {
            namespace.check(&entry).map_err(|error| error.to_string())
        })?;
    }
    let mut batches = Batches::open(path)?;
    let mut stored = 0;
    loop {
        let loaded = match batches.next() {
            Ok(None) => break,
            Ok(Some(entries)) => {
                let request = Request::Load {
                    entries,
                    if_absent: false,
                };
                store.ask(request).await
            }
            Err(error) => Err(error),
        };
        match loaded {
            Ok(Response::Loaded { count }) => stored += count,
            Ok(Response::Invalid(message)) => {
                return Err(interrupted(CommandError::environment(message), stored));
            }
            Ok(other) => return Err(unexpected(other)),
            Err(error) => return Err(interrupted(error, stored)),
        }
    }
    match format {
        StoreFormat::Text => output::text(&format!("{} stored\n", entries_of(stored)))?,
        StoreFormat::Json => output::text(&format!("{:#}\n", json!({"stored": stored})))?,
    }
    Ok(Outcome::Same)
}

/// JSON in which every character that could change what a terminal shows is an escape. They occur in strings only.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if is_printable(character) {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

/// What was stored before a failure stays.
fn interrupted(error: CommandError, stored: usize) -> CommandError {
    if stored > 0 {
        output::remark(&format!(
            "{} were stored before the failure; the same import can be repeated\n",
            entries_of(stored)
        ));
    }
    error
}

fn entries_of(count: usize) -> String {
    counted(count, "entry", "entries")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_shows_a_terminal_no_control_characters() {
        let value = json!({"a": "\u{9b}31m \u{202e}x\u{7f} \u{e0001} é"});
        let text = escaped(&value.to_string());
        assert_eq!(text, r#"{"a":"\u009b31m \u202ex\u007f \udb40\udc01 é"}"#);
        let back: serde_json::Value = json::value(text.as_bytes()).unwrap();
        assert_eq!(back, value);
    }
}
