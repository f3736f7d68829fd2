//! Lines of errors, hints and warnings on a terminal: wrapped between words, where the terminal itself would break within them.

use std::borrow::Cow;

/// What the lines that are wrapped begin with, behind blanks and colours. Other lines, such as those of a table, keep their shape.
const LABELS: [&str; 3] = ["error: ", "hint: ", "warning: "];
/// Columns of text beside the indentation, below which a terminal is too narrow for wrapped lines.
const TEXT_COLUMNS_MIN: usize = 20;

/// Wraps the lines of errors, hints and warnings to so many columns. The lines that continue one are indented to where its text begins.
pub fn wrapped(text: &str, columns: usize) -> Cow<'_, str> {
    if text.lines().all(|line| width(line) <= columns) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (content, end) = match line.strip_suffix('\n') {
            Some(content) => (content, "\n"),
            None => (line, ""),
        };
        match label_columns(content) {
            Some(indent) if columns >= indent + TEXT_COLUMNS_MIN => {
                wrap(content, columns, indent, &mut out);
            }
            Some(_) | None => out.push_str(content),
        }
        out.push_str(end);
    }
    Cow::Owned(out)
}

/// Columns of the label that a line begins with, blanks included.
fn label_columns(line: &str) -> Option<usize> {
    let plain = without_colours(line);
    let trimmed = plain.trim_start_matches(' ');
    let label = LABELS
        .into_iter()
        .find(|label| trimmed.starts_with(label))?;
    Some(plain.len() - trimmed.len() + label.len())
}

fn wrap(line: &str, columns: usize, indent: usize, out: &mut String) {
    // The first line begins where its label does, and the label is never alone.
    let mut used = 0;
    let mut is_first = true;
    for part in parts(line, columns - indent) {
        let part_columns = width(part);
        if is_first {
            used = part_columns;
        } else if used + 1 + part_columns <= columns || used <= indent {
            out.push(' ');
            used += 1 + part_columns;
        } else {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            used = indent + part_columns;
        }
        is_first = false;
        out.push_str(part);
    }
}

/// The pieces of a line that stay whole, without the blanks between them: words, and what stands between backticks if it fits into `columns`.
fn parts(line: &str, columns: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let quoted = unquoted_blank(rest).unwrap_or(rest.len());
        let end = match width(&rest[..quoted]) <= columns {
            true => quoted,
            false => blank(rest).unwrap_or(rest.len()),
        };
        parts.push(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    parts
}

/// Where the first blank is that a word stands in front of.
fn blank(text: &str) -> Option<usize> {
    let start = text.len() - text.trim_start_matches(' ').len();
    text[start..].find(' ').map(|index| start + index)
}

/// The same, without those between two backticks. A backtick without a second one quotes nothing.
fn unquoted_blank(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let next = from + blank(&text[from..])?;
        let quote = from + text[from..next].find('`').unwrap_or(next - from);
        if quote == next {
            return Some(next);
        }
        match text[quote + 1..].find('`') {
            // The quoted text may be followed by more of the same word, such as a comma.
            Some(length) => from = quote + 1 + length + 1,
            None => return Some(next),
        }
        if text[from..].starts_with(' ') {
            return Some(from);
        }
    }
}

/// Columns of a text, each character in one.
fn width(text: &str) -> usize {
    without_colours(text).chars().count()
}

/// A text without the sequences that change colours (ECMA-48, `SGR`).
fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.contains('\x1b') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for (index, piece) in text.split("\x1b[").enumerate() {
        plain.push_str(match index {
            0 => piece,
            _ => piece.split_once('m').map_or("", |(_, text)| text),
        });
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_continue_below_their_text() {
        let text = "error: no release can be read from the channel that was named here\n  hint: name a channel with `--channel`\n";
        insta::assert_snapshot!(wrapped(text, 40), @r"
        error: no release can be read from the
               channel that was named here
          hint: name a channel with `--channel`
        ");
        let text = "warning: secret `a` is for `https://b.example`, to which no request is granted";
        insta::assert_snapshot!(wrapped(text, 50), @r"
        warning: secret `a` is for `https://b.example`, to
                 which no request is granted
        ");
    }

    #[test]
    fn a_quoted_command_stays_whole_if_it_fits_on_a_line() {
        let text = "  hint: see it with `host-cli replay a.tape --only 1`, then (`host-cli tape cases a.tape`)";
        insta::assert_snapshot!(wrapped(text, 50), @r"
          hint: see it with
                `host-cli replay a.tape --only 1`, then
                (`host-cli tape cases a.tape`)
        ");
        // Too long for a line of its own.
        insta::assert_snapshot!(wrapped("  hint: run `host-cli replay a.tape --guest next.wasm --only 1` now", 40), @r"
          hint: run `host-cli replay a.tape
                --guest next.wasm --only 1` now
        ");
    }

    #[test]
    fn a_backtick_without_a_second_one_quotes_nothing() {
        let text = "error: a ` is left open in what the message repeats";
        insta::assert_snapshot!(wrapped(text, 32), @r"
        error: a ` is left open in what
               the message repeats
        ");
    }

    #[test]
    fn a_word_that_is_longer_than_a_line_stays_whole() {
        let text = "error: https://a.example/a/very/long/path/of/a/document fails";
        insta::assert_snapshot!(wrapped(text, 40), @r"
        error: https://a.example/a/very/long/path/of/a/document
               fails
        ");
    }

    #[test]
    fn colours_take_no_columns() {
        let text = "\x1b[1;31merror:\x1b[0m exactly thirty columns.\n";
        assert_eq!(wrapped(text, 30), text);
        assert_eq!(
            wrapped(text, 29),
            "\x1b[1;31merror:\x1b[0m exactly thirty\n       columns.\n"
        );
    }

    #[test]
    fn other_lines_and_narrow_terminals_keep_lines_whole() {
        let text = "time=1 level=error message=\"one two three four five six seven\"\n";
        assert_eq!(wrapped(text, 40), text);
        let text = "error: one two three four five six seven\n";
        assert_eq!(wrapped(text, 20), text);
    }

    #[test]
    fn nothing_but_line_breaks_is_added() {
        let text = "error: `one two` three, `four five six` `seven` eight `nine and ten` ``  twice\n  hint: `a b c d e f g h i j k l m n o p q`\n";
        for columns in 28..90 {
            let wrapped = wrapped(text, columns);
            let joined: Vec<&str> = wrapped.lines().map(str::trim).collect();
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(&joined.join(" ")), words(text), "{columns}");
            assert!(
                wrapped.lines().all(|line| width(line) <= columns),
                "{columns}: {wrapped}"
            );
        }
    }
}
