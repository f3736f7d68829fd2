//! Checks names in the documents for maintainers: each file, folder or type that ARCHITECTURE.md or CONTRIBUTING.md names must exist.

use crate::run::{output, root};
use anyhow::{Context, bail};
use std::{collections::HashSet, fs, process::Command};

/// The documents whose names are checked.
const DOCUMENTS: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Extensions of files in the repository. Others, such as `guest.wasm`, are examples of users' files.
const ENDINGS: [&str; 9] = ["rs", "wit", "toml", "md", "yaml", "json", "js", "py", "ts"];

/// What is in the repository.
struct Tree {
    files: Vec<String>,
    /// Names in Rust sources.
    names: HashSet<String>,
}

/// What a text between backticks refers to.
#[derive(Debug, PartialEq, Eq)]
enum Name<'a> {
    /// The end of a file's path.
    File(&'a str),
    /// The end of a folder's path, with a trailing slash.
    Folder(&'a str),
    /// A type, function, constant or module.
    Item(&'a str),
}

/// Fails on names that do not exist in the repository.
pub fn check() -> anyhow::Result<()> {
    let tree = Tree::read()?;
    let mut complaints = Vec::new();
    for document in DOCUMENTS {
        let path = root().join(document);
        let text =
            fs::read_to_string(&path).with_context(|| format!("failed to read `{document}`"))?;
        complaints.extend(complaints_about(document, &text, &tree));
    }
    if !complaints.is_empty() {
        bail!(
            "{}\ncorrect the document: it leads its readers there",
            complaints.join("\n")
        );
    }
    Ok(())
}

fn complaints_about(document: &str, text: &str, tree: &Tree) -> Vec<String> {
    quoted(text)
        .into_iter()
        .filter_map(|(line, quoted)| Some((line, quoted, name(quoted)?)))
        .filter(|(_, _, name)| !tree.has(name))
        .map(|(line, quoted, _)| format!("{document}:{line}: `{quoted}` is not in the repository"))
        .collect()
}

/// Texts between backticks outside of code blocks, with their line numbers.
fn quoted(document: &str) -> Vec<(usize, &str)> {
    let mut is_code = false;
    let mut found = Vec::new();
    for (number, line) in document.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            let texts = line.split('`').skip(1).step_by(2);
            found.extend(texts.map(|text| (number + 1, text)));
        }
    }
    found
}

/// `None` for anything that is not such a name: commands, headers, values, placeholders in capitals.
fn name(text: &str) -> Option<Name<'_>> {
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    let is_placeholder =
        |part: &str| part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_uppercase());
    if text.bytes().all(is_path) && !text.starts_with(['/', '.']) {
        if text.split('/').any(is_placeholder) {
            return None;
        }
        if let Some(folder) = text.strip_suffix('/') {
            return (!folder.is_empty()).then_some(Name::Folder(text));
        }
        let ending = text.rsplit_once('.').map(|(_, ending)| ending);
        if ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
            return Some(Name::File(text));
        }
        if text.contains('/') {
            return Some(Name::Folder(text));
        }
    }
    let last = text.rsplit("::").next()?;
    let is_word = last
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_type = last.starts_with(|first: char| first.is_ascii_uppercase())
        && last.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_constant = last.contains('_') && last.bytes().all(|byte| !byte.is_ascii_lowercase());
    (!last.is_empty() && is_word && (text.contains("::") || is_type || is_constant))
        .then_some(Name::Item(last))
}

impl Tree {
    fn read() -> anyhow::Result<Self> {
        // Includes uncommitted files, because the check is run before a commit.
        let listed = output(
            Command::new("git")
                .args(["ls-files", "--cached", "--others", "--exclude-standard"])
                .current_dir(root()),
        )?;
        let files: Vec<String> = listed
            .lines()
            .filter(|file| root().join(file).exists())
            .map(str::to_owned)
            .collect();
        let mut names = HashSet::new();
        for file in files.iter().filter(|file| file.ends_with(".rs")) {
            let text = fs::read_to_string(root().join(file))
                .with_context(|| format!("failed to read `{file}`"))?;
            let words =
                text.split(|character: char| !character.is_alphanumeric() && character != '_');
            names.extend(words.map(str::to_owned));
        }
        Ok(Self { files, names })
    }

    fn has(&self, name: &Name<'_>) -> bool {
        match name {
            Name::File(end) => self.files.iter().any(|file| ends_with(file, end)),
            Name::Folder(end) => {
                let end = end.trim_end_matches('/');
                self.files.iter().any(|file| {
                    file.match_indices('/')
                        .any(|(slash, _)| ends_with(&file[..slash], end))
                })
            }
            Name::Item(name) => self.names.contains(*name),
        }
    }
}

/// Whether a path ends with complete segments of another one.
fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_name_what_exists() {
        check().unwrap();
    }

    fn tree() -> Tree {
        Tree {
            files: vec!["crates/gateway/src/kind.rs".to_owned()],
            names: HashSet::from(["EventKind".to_owned()]),
        }
    }

    #[test]
    fn names_that_nothing_has_are_found_with_their_line() {
        let text = "`kind.rs` has `EventKind`.\n\nSee `src/kinds.rs`, `gateway/`, `storage/` and `gateway::Other`.\n```\n`none.rs`\n```\n";
        let complaints = complaints_about("A.md", text, &tree());
        assert_eq!(
            complaints,
            [
                "A.md:3: `src/kinds.rs` is not in the repository",
                "A.md:3: `storage/` is not in the repository",
                "A.md:3: `gateway::Other` is not in the repository",
            ]
        );
    }

    #[test]
    fn commands_values_and_placeholders_are_no_names() {
        for text in [
            "cargo xtask check",
            "/items",
            "tests/cases/GROUP/NAME",
            "Sec-Fetch-Site",
            "503",
            "wasm32",
            "GET",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn a_path_ends_with_whole_parts() {
        assert!(ends_with("a/kind.rs", "kind.rs"));
        assert!(!ends_with("a/mankind.rs", "kind.rs"));
    }
}
