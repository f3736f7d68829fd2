//! The pages of docs/guide that show a terminal, run as they are written: each command, each change of a file, and the output that the page shows.
//!
//! | block | what happens |
//! |---|---|
//! | `console` | commands after `$ `, in one folder after the other; their output must be what follows |
//! | `console terminal-1` | the same for a program that goes on running: lines of its output in this order, keys that are typed, and `^C` |
//! | `diff` | a change of a file |
//!
//! `cargo xtask installed` names other programs than those of this build in `TENON_TEST_PROGRAMS`, and the SDK for `host-cli new` in `TENON_TEST_SDK`.
//!
//! In the output that the tutorial shows, `...` stands for any text, and alone on a line for any lines. The session shows all that was printed.

mod messages;
mod page;
mod reader;
mod recorded;
mod terminal;

use crate::program::Folder;
use reader::Reader;
use std::{fs, path::Path};

/// Text of a page of the guide.
fn page_text(name: &str) -> String {
    fs::read_to_string(page_path(name)).unwrap()
}

fn page_path(name: &str) -> std::path::PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide")).join(name)
}

#[test]
fn the_tutorial_is_true() {
    let folder = Folder::new();
    let mut reader = Reader::new("tutorial.md", &folder);
    let blocks = page::blocks(&page_text("tutorial.md"));
    assert!(blocks.len() > 10, "the page was read: {blocks:?}");
    for block in blocks {
        reader.follow(&block);
    }
    assert!(reader.terminal.is_none(), "the page ends what it starts");
}
