//! Only `gateway` knows what the members of events and responses are called, so that another kind of event is a change to `gateway` alone.
//!
//! Texts in the sources of all other crates are compared with [`gateway::message::NAMES`]. Tests may spell out the events that they feed in.

use crate::run::root;
use anyhow::{Context, bail};
use gateway::message::NAMES;
use proc_macro2::{Delimiter, LineColumn, TokenStream, TokenTree};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the sources of what is shipped are, but for `gateway` itself.
const FOLDERS: [&str; 3] = ["crates", "host-cli/src", "host-lambda/src"];

/// Fails where a source other than `gateway`'s names a member.
pub fn check() -> anyhow::Result<()> {
    let mut complaints = Vec::new();
    for folder in FOLDERS {
        for file in sources(&root().join(folder))? {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("failed to read `{}`", file.display()))?;
            let file = file.strip_prefix(root()).unwrap_or(&file);
            for Spelling { name, at } in
                spellings(&text).with_context(|| format!("failed to parse `{}`", file.display()))?
            {
                complaints.push(format!(
                    "{}:{} spells `{name}`, a member of events that only `gateway` knows: ask `gateway::message` or `gateway::summary`",
                    file.display(),
                    at.line
                ));
            }
        }
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

/// Rust files below a folder, without those of tests and of `gateway`.
fn sources(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("failed to list `{}`", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default();
            if name == "tests" || path == root().join("crates/gateway") {
                continue;
            }
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(path);
            }
        }
    }
    sources.sort();
    Ok(sources)
}

/// A member's name in a text.
#[derive(Debug)]
struct Spelling {
    name: &'static str,
    at: LineColumn,
}

/// The names of members in the literals of a source, outside of attributes, comments and unit tests.
fn spellings(source: &str) -> anyhow::Result<Vec<Spelling>> {
    let tokens: TokenStream = source
        .parse()
        .map_err(|error: proc_macro2::LexError| anyhow::anyhow!("{error}"))?;
    let mut spellings = Vec::new();
    collect(tokens, &mut spellings);
    Ok(spellings)
}

fn collect(tokens: TokenStream, spellings: &mut Vec<Spelling>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut is_test = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                // `#![...]` is of the whole file.
                tokens.next_if(
                    |next| matches!(next, TokenTree::Punct(punct) if punct.as_char() == '!'),
                );
                let attribute = tokens.next_if(|next| {
                    matches!(next, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
                });
                is_test |= attribute.is_some_and(|attribute| {
                    attribute.to_string().replace(' ', "") == "[cfg(test)]"
                });
            }
            TokenTree::Group(group) if is_test && group.delimiter() == Delimiter::Brace => {
                is_test = false;
            }
            TokenTree::Group(group) => collect(group.stream(), spellings),
            TokenTree::Punct(punct) => is_test &= punct.as_char() != ';',
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let at = literal.span().start();
                let names = NAMES.iter().filter(|name| is_word_of(name, &text));
                spellings.extend(names.map(|name| Spelling { name, at }));
            }
            TokenTree::Ident(_) => {}
        }
    }
}

/// Whether a text has this word.
fn is_word_of(word: &str, text: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        let bytes = text.as_bytes();
        is_end(at.checked_sub(1).and_then(|before| bytes.get(before)))
            && is_end(bytes.get(at + word.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<&'static str> {
        let spellings = spellings(source).unwrap();
        spellings
            .into_iter()
            .map(|spelling| spelling.name)
            .collect()
    }

    #[test]
    fn texts_are_looked_at_wherever_they_stand() {
        assert_eq!(names(r#"const A: &str = "rawPath";"#), ["rawPath"]);
        assert_eq!(
            names(r##"fn f() { g(&format!(r#"{{"httpMethod":{}}}"#, 1)); }"##),
            ["httpMethod"]
        );
        assert_eq!(
            names(r#"fn f() { m! { "/requestContext/stage" => 1 } }"#),
            ["requestContext"]
        );
    }

    #[test]
    fn other_words_comments_and_tests_are_not() {
        for source in [
            r#"const A: &str = "rawPaths";"#,
            "/// `rawPath`\nfn f() {} // \"rawPath\"",
            r#"#[doc = "rawPath"] struct A;"#,
            r#"#[cfg(test)] mod tests { const A: &str = "rawPath"; }"#,
        ] {
            assert_eq!(names(source), [""; 0], "{source}");
        }
        let after = r#"#[cfg(test)] mod tests; const A: &str = "rawPath";"#;
        assert_eq!(names(after), ["rawPath"]);
    }
}
