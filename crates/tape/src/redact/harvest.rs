//! Collects values that may follow a name in a text of any format, such as XML or a part of `multipart/form-data`, for a text that is left
//! out, so that a guest's copies of them are found elsewhere.

use super::words::{in_word, quoted};
use std::collections::BTreeMap;

/// How many nested values with the same end are kept: `token: session: s3cret` has two.
const NESTED_MAX: usize = 4;
/// Bytes of the head of a part that are searched after its name.
const HEAD_BYTES_MAX: usize = 1024;

/// Calls `found` with each name that `hides` selects and each possible value: the next word, everything up to the end of the quotes, the
/// element or the line, and the content of a part of this name.
pub(super) fn harvest(text: &str, hides: &dyn Fn(&str) -> bool, found: &mut dyn FnMut(&str, &str)) {
    let mut harvest = Harvest {
        text,
        word: Reach::default(),
        line: Reach::default(),
        element: Reach::default(),
        part: Reach::default(),
        quotes: BTreeMap::new(),
    };
    let mut at = 0;
    while let Some(start) = text[at..].find(in_word).map(|start| at + start) {
        let rest = &text[start..];
        let word_bytes = rest
            .find(|character| !in_word(character))
            .unwrap_or(rest.len());
        at = start + word_bytes;
        let name = &rest[..word_bytes];
        if hides(name) {
            harvest.values_after(start, at, &mut |value| found(name, value));
        }
    }
}

struct Harvest<'a> {
    text: &'a str,
    word: Reach,
    line: Reach,
    element: Reach,
    part: Reach,
    /// By the quote and the backslashes before it.
    quotes: BTreeMap<(char, usize), Reach>,
}

impl Harvest<'_> {
    fn values_after(&mut self, name_start: usize, name_end: usize, found: &mut dyn FnMut(&str)) {
        let text = self.text;
        if let Some(begin) = content_begin(text, name_start, name_end) {
            let content = self.part.value(text, begin, |rest| rest.find("\n--"));
            content.into_iter().for_each(&mut *found);
        }
        let Some(begin) = value_begin(text, name_end) else {
            return;
        };
        const WORD_ENDS: [char; 10] = ['"', '\'', '<', '>', '&', '\n', '\r', ' ', '\t', ','];
        let word = self.word.value(text, begin, |rest| rest.find(WORD_ENDS));
        word.into_iter().for_each(&mut *found);
        // A value may begin with other characters than letters: it follows the last quote or tag.
        let opened = text[name_end..begin].rfind(['"', '\'', '>']);
        let whole = opened.map(|opened| name_end + opened).and_then(|opened| {
            let quote = text[opened..].chars().next()?;
            match quote {
                '>' => self.element.value(text, opened + 1, |rest| rest.find('<')),
                quote => self.quoted(quote, opened),
            }
        });
        let whole = whole.or_else(|| self.line.value(text, begin, |rest| rest.find('\n')));
        // Most values have one word, which is already collected.
        let whole = whole.filter(|whole| Some(*whole) != word);
        whole.into_iter().for_each(found);
    }
}

impl<'a> Harvest<'a> {
    /// The range from the quote at `opened` to its closing quote.
    fn quoted(&mut self, quote: char, opened: usize) -> Option<&'a str> {
        let text = self.text;
        let before = text[..opened].trim_end_matches('\\').len();
        let reach = self.quotes.entry((quote, opened - before)).or_default();
        let begin = opened + 1;
        reach.value(text, begin, |_| {
            quoted(text, before).map(|range| range.end.max(begin) - begin)
        })
    }
}

/// Where the last value of a kind ends. A value that begins within it ends there, too, so that the text is read only once.
#[derive(Default)]
struct Reach {
    end: usize,
    values: usize,
}

impl Reach {
    /// The range from `begin` to where `length` says, or the end of the text.
    fn value<'a>(
        &mut self,
        text: &'a str,
        begin: usize,
        length: impl FnOnce(&str) -> Option<usize>,
    ) -> Option<&'a str> {
        if begin >= self.end {
            self.end = length(&text[begin..]).map_or(text.len(), |length| begin + length);
            self.values = 0;
        }
        self.values += 1;
        (self.values <= NESTED_MAX).then(|| &text[begin..self.end])
    }
}

/// Where the value begins: after quotes, brackets and line breaks.
fn value_begin(text: &str, name_end: usize) -> Option<usize> {
    const BETWEEN_MAX: usize = 16;
    let is_between =
        |character: char| !character.is_alphanumeric() && !matches!(character, '%' | '$' | '+');
    text[name_end..]
        .find(|character| !is_between(character))
        .filter(|begin| *begin <= BETWEEN_MAX)
        .map(|begin| name_end + begin)
}

/// Where the content of a part of this name begins: after the empty line that ends its head.
fn content_begin(text: &str, name_start: usize, name_end: usize) -> Option<usize> {
    let before = text[..name_start].trim_end_matches(['"', '\'', ' ']);
    let before = before.strip_suffix('=')?.trim_end();
    let word = before.len().checked_sub("name".len())?;
    if !before.get(word..)?.eq_ignore_ascii_case("name") {
        return None;
    }
    let head_end = text.floor_char_boundary(name_end + HEAD_BYTES_MAX);
    let head = &text[name_end..head_end];
    let ends = [("\r\n\r\n", 4), ("\n\n", 2)];
    let content = ends
        .into_iter()
        .filter_map(|(end, bytes)| Some(head.find(end)? + bytes));
    content.min().map(|begin| name_end + begin)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{names, values::Secrets},
        *,
    };

    fn hides(name: &str) -> bool {
        names::is_credential_parameter(&names::normalised(name))
    }

    fn values(text: &str) -> Vec<&str> {
        let mut values = Vec::new();
        harvest(text, &hides, &mut |_, value| {
            let start = value.as_ptr() as usize - text.as_ptr() as usize;
            values.push(&text[start..start + value.len()]);
        });
        values
    }

    #[test]
    fn values_are_found_in_texts_of_any_form() {
        let text = "<a><password>one</password></a> name=\"token\"\r\n\r\ntwo\r\n--b {\"secret\" : \"three\"} apikey=four";
        let values = values(text);
        for value in ["one", "two", "three", "four"] {
            assert!(values.contains(&value), "{value}: {values:?}");
        }
    }

    #[test]
    fn values_with_blanks_and_commas_are_found_as_a_whole() {
        for text in [
            "<password>my s3cret, words</password>",
            "{\"password\": \"my s3cret, words\", \"a\":}",
            "{\\\"password\\\":\\\"my s3cret, words\\\", \\\"a\\\":}",
            "<a password='my s3cret, words'/>",
            "password: my s3cret, words\nnext",
            "password: user token: my s3cret, words\nnext",
            "<password>my s3cret, words</password><password>other</password>",
        ] {
            let values = values(text);
            assert!(values.contains(&"my s3cret, words"), "{text}: {values:?}");
        }
    }

    #[test]
    fn a_value_may_begin_with_a_sign() {
        for text in [
            "<password>#my s3cret</password>",
            "{\"password\": \"#my s3cret\", \"a\":}",
            "<a password='#my s3cret'/>",
        ] {
            let values = values(text);
            assert!(values.contains(&"#my s3cret"), "{text}: {values:?}");
        }
    }

    #[test]
    fn the_content_of_a_part_is_found_after_all_of_its_head() {
        for head in [
            "name=\"token\"\r\nContent-Type: text/plain; charset=utf-8\r\n",
            "name=token; filename=\"a.txt\"\r\nContent-Type: text/plain\r\nX-A: b\r\n",
            "NAME = \"token\"\r\n",
        ] {
            let text = format!(
                "--b\r\nContent-Disposition: form-data; {head}\r\nmy s3cret,\r\nwords\r\n--b--\r\n"
            );
            let values = values(&text);
            assert!(
                values.contains(&"my s3cret,\r\nwords\r"),
                "{head}: {values:?}"
            );
        }
    }

    /// A megabyte takes milliseconds; with quadratic time it would take hours.
    #[test]
    fn many_names_take_time_in_proportion() {
        let bound = std::time::Duration::from_secs(20);
        for part in [
            "otp:",
            "token=",
            "token=\"",
            "token='\"",
            "token>",
            "token=\\\"",
            "token=\\\"token=\\'token='token=",
            "name=token\n",
            "name=\"token\"\n\n",
            "token \"\"x ",
            "token ''x ",
            "token\\\\\\\\\\\\\\\\\"x ",
        ] {
            let text = part.repeat((1 << 20) / part.len());
            let begun = std::time::Instant::now();
            let mut secrets = Secrets::default();
            let mut bytes = 0;
            harvest(&text, &hides, &mut |_, value| {
                bytes += value.len();
                secrets.add(value);
            });
            assert!(
                bytes <= 4 * (NESTED_MAX + 1) * text.len(),
                "{part}: {bytes}"
            );
            assert!(begun.elapsed() < bound, "{part}: {:?}", begun.elapsed());
        }
    }
}
