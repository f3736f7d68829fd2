//! The first lines of a template: what made it, and a digest of the rest, by which a file that was edited by hand is recognised.

use crate::text::in_one_line;
use contract::digest::Digest;

/// Begins the line with the digest.
const DIGEST_LINE: &str = "# sha256 of what follows: ";
/// The line before the digest.
const ADVICE: &str = "# A change by hand is noticed, and not overwritten: change tenon.toml, or put resources of your own where `own` in `[deploy]` says.";

/// A template with its first lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    text: String,
}

/// What became of a template's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Nothing: it is what was generated, now or before.
    None,
    /// It was changed after it was generated.
    ByHand,
    /// It was not generated, or has lost its first lines.
    NotOurs,
}

impl Marked {
    /// Puts the first lines before a template. `sources` says what it was made from, in words.
    pub fn new(sources: &str, body: &str) -> Self {
        let sources = in_one_line(sources);
        let digest = Digest::of(body.as_bytes());
        let text = format!(
            "# Made by `host-cli template` from {sources}.\n{ADVICE}\n{DIGEST_LINE}{digest}\n{body}"
        );
        Self { text }
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What became of a file that this program wrote, or not.
    pub fn edit_of(file: &str) -> Edit {
        // Git may have changed the ends of lines.
        let file = file.replace("\r\n", "\n");
        let body = file
            .split_inclusive('\n')
            .take(HEAD_LINES)
            .take_while(|line| line.starts_with('#'))
            .position(|line| line.starts_with(DIGEST_LINE))
            .map(|index| {
                let mut lines = file.splitn(index + 2, '\n');
                let digest = lines.nth(index).unwrap_or_default();
                (
                    digest.trim_start_matches(DIGEST_LINE).trim(),
                    lines.next().unwrap_or_default(),
                )
            });
        match body {
            None => Edit::NotOurs,
            Some((digest, body)) if Digest::of(body.as_bytes()).to_string() == digest => Edit::None,
            Some(_) => Edit::ByHand,
        }
    }

    /// The first line, counted from 1, in which a file differs, with both texts; `None` in place of a text that has ended.
    pub fn first_difference<'a>(
        &'a self,
        file: &'a str,
    ) -> Option<(usize, Option<&'a str>, Option<&'a str>)> {
        // The digest differs wherever something else does.
        let is_of_text = |line: &&str| !line.starts_with(DIGEST_LINE);
        let (mut ours, mut theirs) = (
            self.text.lines().filter(is_of_text),
            file.lines()
                .enumerate()
                .filter(|(_, line)| is_of_text(line)),
        );
        loop {
            let (our, their) = (ours.next(), theirs.next());
            let line = their.map_or_else(|| file.lines().count() + 1, |(index, _)| index + 1);
            let their = their.map(|(_, line)| line);
            match (our, their) {
                (None, None) => return None,
                (our, their) if our != their => return Some((line, their, our)),
                _ => {}
            }
        }
    }
}

/// Lines before the template itself.
const HEAD_LINES: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_by_hand_is_noticed() {
        let marked = Marked::new("tenon.toml", "a: 1\nb: 2\n");
        assert_eq!(Marked::edit_of(marked.text()), Edit::None);
        assert_eq!(
            Marked::edit_of(&marked.text().replace('\n', "\r\n")),
            Edit::None
        );
        let edited = marked.text().replace("b: 2", "b: 3");
        assert_eq!(Marked::edit_of(&edited), Edit::ByHand);
        assert_eq!(
            marked.first_difference(&edited),
            Some((5, Some("b: 3"), Some("b: 2")))
        );
        let longer = format!("{}c: 3\n", marked.text());
        assert_eq!(Marked::edit_of(&longer), Edit::ByHand);
        assert_eq!(
            marked.first_difference(&longer),
            Some((6, Some("c: 3"), None))
        );
        assert_eq!(marked.first_difference(marked.text()), None);
        for other in ["", "a: 1\n", "# sha256 of what comes: x\n"] {
            assert_eq!(Marked::edit_of(other), Edit::NotOurs);
        }
        // What replaces one of the first lines is not covered by the digest.
        let replaced = marked.text().replace(ADVICE, "c: 3");
        assert_eq!(Marked::edit_of(&replaced), Edit::NotOurs);
    }

    #[test]
    fn a_file_name_stays_in_its_line() {
        let marked = Marked::new("tenon.toml and a\nb: 1\n.json", "c: 1\n");
        assert_eq!(Marked::edit_of(marked.text()), Edit::None);
        assert!(!marked.text().contains("\nb: 1"));
    }
}
