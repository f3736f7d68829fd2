//! Which requests are recorded, and what is redacted: `TENON_TAPE` and the variables with this prefix.

use super::{InvalidVariable, Variables};
use tape::{RecordOptions, Redaction, TapePolicy};

pub(super) fn read(variables: &Variables) -> Result<RecordOptions, InvalidVariable> {
    let policy = match variables.get("TENON_TAPE") {
        Some(text) => text.parse().map_err(|_| {
            let allowed =
                "`off`, `failures`, `sample:RATE` with a rate from 0 to 1, `failures,sample:RATE` or `all`";
            variables.invalid("TENON_TAPE", allowed)
        })?,
        None => TapePolicy::OFF,
    };
    let recipient = match variables.get("TENON_TAPE_RECIPIENT") {
        Some(text) => Some(text.parse().map_err(|_| {
            variables.invalid(
                "TENON_TAPE_RECIPIENT",
                "an age recipient, which begins with `age1`",
            )
        })?),
        None => None,
    };
    let name = "TENON_TAPE_REDACT_FIELDS";
    let redaction = Redaction::credentials()
        .with_headers(list(variables, "TENON_TAPE_REDACT_HEADERS"))
        .with_fields(list(variables, name))
        .map_err(|_| variables.invalid(name, "JSON pointers like `/email,/items/*/email`"))?;
    Ok(RecordOptions {
        // An encrypted tape is readable by its owner only, so nothing is redacted.
        redaction: match recipient {
            Some(_) => Redaction::nothing(),
            None => redaction,
        },
        recipient,
        ..RecordOptions::new(policy)
    })
}

fn list<'a>(variables: &'a Variables, name: &str) -> impl Iterator<Item = &'a str> {
    variables
        .get(name)
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}
