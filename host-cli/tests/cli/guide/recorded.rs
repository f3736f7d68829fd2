//! docs/guide/session.md: a recorded session, run again. Everything printed must be what the page shows, except for what no two sessions share:
//! times, durations, ids and digests. `TENON_BLESS=1` writes what is printed now into the page; what is typed, and the last line of what
//! follows, stay.

use super::{
    page::{self, Block, Kind},
    page_path, page_text,
    reader::Reader,
};
use crate::program::Folder;
use std::fs;

const PAGE: &str = "session.md";
/// The folder in which the session begins, as the page has it.
const HOME: &str = "/home/ann";
/// The checkout of this repository, as the page has it, and as it is.
const CHECKOUT: &str = "/home/ann/tenon";
const OWN_CHECKOUT: &str = env!("CARGO_MANIFEST_DIR");
/// The first words of lines in which a compiler and its package manager tell what they do: these depend on what is built already.
const PROGRESS: [&str; 8] = [
    "Adding",
    "Blocking",
    "Compiling",
    "Downloaded",
    "Downloading",
    "Finished",
    "Locking",
    "Updating",
];
/// Shortest text of hexadecimal digits that is a digest or an id.
const DIGEST_DIGITS_MIN: usize = 12;

#[test]
fn the_session_is_what_the_terminal_shows() {
    let folder = Folder::short();
    let home = folder.path("");
    let mut session = Session {
        home: home.trim_end_matches('/').to_owned(),
        reader: Reader::new(PAGE, &folder),
    };
    let page = page_text(PAGE);
    let mut printed = page.clone();
    for block in page::blocks(&page) {
        let text = session.follow(&block);
        printed = printed.replacen(&block.text, &text, 1);
    }
    assert!(
        session.reader.terminal.is_none(),
        "the page ends what it starts"
    );
    if std::env::var_os("TENON_BLESS").is_some() {
        fs::write(page_path(PAGE), printed).unwrap();
    } else {
        assert_eq!(comparable(&printed), comparable(&page));
    }
}

struct Session {
    /// The folder that stands for `/home/ann`.
    home: String,
    reader: Reader,
}

impl Session {
    /// Does what the block shows, and returns it with what was printed now.
    fn follow(&mut self, block: &Block) -> String {
        match block.kind {
            Kind::Console => self.run_commands(&block.text),
            Kind::Terminal => self.watch(block.line, &block.text),
            Kind::Diff => {
                self.reader.patch(block.line, &block.text);
                block.text.clone()
            }
        }
    }

    fn run_commands(&mut self, text: &str) -> String {
        let mut shown = String::new();
        for (command, expected) in page::commands(text) {
            let may_fail = expected.iter().any(|line| line.starts_with("differs "));
            let own = self.reader.with_own_port(&command);
            let output = self.reader.run_command(&own, may_fail);
            shown.push_str(&format!("$ {command}\n"));
            self.show(output.lines(), &mut shown);
        }
        shown
    }

    fn watch(&mut self, line: usize, text: &str) -> String {
        let mut shown = String::new();
        let mut lines = text.lines().peekable();
        let place = format!("{PAGE}:{line}");
        while let Some(typed) = lines.next() {
            let mut last = typed;
            while let Some(next) = lines.next_if(|next| !is_typed(next)) {
                last = next;
            }
            if is_typed(typed) {
                shown.push_str(&format!("{typed}\n"));
            }
            if let Some(command) = typed.strip_prefix("$ ") {
                self.reader.start(line, command);
            }
            let printed = if typed == "q" {
                self.reader.terminal.take().unwrap().end("q")
            } else {
                let terminal = self.reader.terminal.as_mut().unwrap();
                if page::is_key(typed) {
                    terminal.type_line(typed);
                }
                let last = comparable(last);
                terminal.read_to(|line| comparable(line) == last, &place)
            };
            self.show(printed.iter().map(String::as_str), &mut shown);
        }
        shown
    }

    /// Adds lines as the page has them.
    fn show<'a>(&self, lines: impl Iterator<Item = &'a str>, shown: &mut String) {
        for line in lines {
            let first = line.split_whitespace().next().unwrap_or_default();
            if !PROGRESS.contains(&first) {
                let checkout = OWN_CHECKOUT.trim_end_matches("/host-cli");
                let line = line.replace(checkout, CHECKOUT).replace(&self.home, HOME);
                shown.push_str(self.reader.with_port_of_page(&line).trim_end());
                shown.push('\n');
            }
        }
    }
}

/// Whether a line of a terminal is typed, and not printed.
fn is_typed(line: &str) -> bool {
    line.starts_with("$ ") || line == "q" || page::is_key(line)
}

/// The text with words in place of what no two sessions share.
fn comparable(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(comparable_line).collect();
    lines.join("\n")
}

fn comparable_line(line: &str) -> String {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-:.".contains(character);
    let mut compared = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_part) {
        let end = rest[start..].find(|character| !is_part(character));
        let end = end.map_or(rest.len(), |end| start + end);
        compared.push_str(&rest[..start]);
        let (word, behind) = (&rest[start..end], &rest[end..]);
        compared.push_str(class(word, behind).unwrap_or(word));
        rest = behind;
    }
    compared.push_str(rest);
    // A duration has milliseconds or seconds.
    compared
        .replace("DURATION ms", "DURATION")
        .replace("DURATION s", "DURATION")
}

/// What stands for a word that differs between sessions.
fn class(word: &str, behind: &str) -> Option<&'static str> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = word.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    if lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| hexadecimal(part)) {
        return Some("ID");
    }
    let time: Vec<&str> = word.split(':').collect();
    if time.len() == 3 && time.iter().all(|part| part.len() == 2 && digits(part)) {
        return Some("TIME");
    }
    if lengths.len() == 3 && word.contains('T') && word.ends_with('Z') && digits(parts[0]) {
        return Some("INSTANT");
    }
    if word.len() >= DIGEST_DIGITS_MIN && hexadecimal(word) {
        return Some("DIGEST");
    }
    let unit = behind.strip_prefix(' ').unwrap_or_default();
    let mut unit = unit.split(|character: char| !character.is_alphanumeric());
    let is_duration = matches!(unit.next(), Some("ms" | "s"));
    let number = word.replacen('.', "", 1);
    (is_duration && digits(&number)).then_some("DURATION")
}

#[test]
fn only_what_no_two_sessions_share_is_not_compared() {
    let line =
        "09:14:02     1 POST /notes 201 1.204 ms, 1 storage call 0.310 ms, guest 3f0c7d1b92aa";
    let expected = "TIME     1 POST /notes 201 DURATION, 1 storage call DURATION, guest DIGEST";
    assert_eq!(comparable(line), expected);
    assert_eq!(
        comparable(
            "{\"id\":\"019a0f6e-7d1c-7e58-9d3a-0d4f1f0e2c3b\",\"created_at\":\"2026-01-15T12:00:00.123Z\"}"
        ),
        "{\"id\":\"ID\",\"created_at\":\"INSTANT\"}"
    );
    assert_eq!(
        comparable("built in 41.20 s, loaded in 187 ms"),
        "built in DURATION, loaded in DURATION"
    );
    let same = "  1x POST /notes 201 (1): 3 cases, version 0.1.0";
    assert_eq!(comparable(same), same);
}
