//! docs/guide/troubleshooting.md and docs/compatibility.md: each message that they quote is one of the program.

use super::page_text;
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// Folders with sources of the programs and libraries that write messages, from the root of the repository.
const SOURCES: [&str; 4] = ["host-cli/src", "host-lambda/src", "crates", "sdk/rust/src"];
/// What others print.
const OF_OTHERS: &str = "## From cargo";

#[test]
fn each_message_of_the_page_is_in_the_sources() {
    let page = page_text("troubleshooting.md");
    let (own, _) = page.split_once(OF_OTHERS).unwrap();
    let messages: Vec<&str> = own
        .lines()
        .filter_map(first_cell)
        .flat_map(quoted)
        .collect();
    assert!(messages.len() > 50, "the page was read: {messages:?}");
    assert_known(messages);
}

/// What each reader says of a version that it does not know stands in the last column there.
#[test]
fn each_message_about_versions_is_in_the_sources() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/compatibility.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let messages: Vec<&str> = cells.flat_map(quoted).collect();
    assert!(messages.len() > 15, "the page was read: {messages:?}");
    assert_known(messages);
}

fn assert_known(messages: Vec<&str>) {
    let literals = literals();
    let is_known = |message: &&str| literals.iter().any(|literal| is_of(message, literal));
    let unknown: Vec<&str> = messages
        .into_iter()
        .filter(|message| !is_known(message))
        .collect();
    assert_eq!(unknown, [] as [&str; 0]);
}

/// The text of the first column of a table's row, except for its head.
fn first_cell(line: &str) -> Option<&str> {
    let cell = line.strip_prefix("| ")?.split(" | ").next()?;
    (!["message", "answer"].contains(&cell)).then_some(cell)
}

/// What stands between backticks. Messages have none of their own on the page.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Whether a literal of the sources, in which names stand between braces, can become this message, in which they are dots.
fn is_of(message: &str, literal: &str) -> bool {
    let mut rest = literal;
    let mut parts = message
        .split("...")
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

/// All string literals of the sources, as the compiler reads them, without backticks.
fn literals() -> Vec<String> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut folders: Vec<PathBuf> = SOURCES.iter().map(|folder| root.join(folder)).collect();
    let mut literals = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // What tests expect is no evidence.
            let name = path.file_stem().and_then(OsStr::to_str);
            if name.is_some_and(|name| ["tests", "benches", "examples"].contains(&name)) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let text = text
                    .split("#[cfg(test)]\nmod tests {")
                    .next()
                    .unwrap_or_default();
                literals.extend(literals_of(text));
            }
        }
    }
    literals
}

fn literals_of(source: &str) -> Vec<String> {
    let mut literals = Vec::new();
    for line in joined(source)
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        let mut quotes = line
            .match_indices('"')
            .filter(|(at, _)| !line[..*at].ends_with('\\'));
        while let (Some((start, _)), Some((end, _))) = (quotes.next(), quotes.next()) {
            let literal = line[start + 1..end].replace("\\\"", "\"");
            literals.push(literal.replace('`', ""));
        }
    }
    literals
}

/// The source with literals of several lines in one.
fn joined(source: &str) -> String {
    let mut joined = String::new();
    let mut goes_on = false;
    for line in source.lines() {
        let text = if goes_on { line.trim_start() } else { line };
        goes_on = text.ends_with('\\');
        joined.push_str(text.trim_end_matches('\\'));
        if !goes_on {
            joined.push('\n');
        }
    }
    joined
}

#[test]
fn a_message_is_found_by_what_does_not_vary() {
    let literals = literals_of(
        "let a = \"address `{address}` is \\\n    in use\";\n// \"no message\"\nlet b = \"say \\\"x\\\"\";\n",
    );
    assert_eq!(literals, ["address {address} is in use", "say \"x\""]);
    assert!(is_of("address ... is in use", &literals[0]));
    assert!(!is_of("address ... is not in use", &literals[0]));
    assert!(!is_of("in use ... address", &literals[0]));
}
