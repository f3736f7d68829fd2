//! Texts in YAML.

use std::fmt::Write;

/// Words that YAML 1.1 does not read as texts. SAM reads templates by it, and this crate by YAML 1.2.
const NO_TEXTS: [&str; 11] = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", "",
];

/// A string in quotes that YAML reads as this text.
pub fn quoted(text: &str) -> String {
    match () {
        () if text.contains(is_special) => escaped(text),
        () if text.contains(['"', '\\']) => format!("'{}'", text.replace('\'', "''")),
        () => format!("\"{text}\""),
    }
}

/// A name of letters, digits and `-`, in quotes where it would be a number, a boolean or the like.
pub fn name(text: &str) -> String {
    let is_text = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !NO_TEXTS.iter().any(|word| word.eq_ignore_ascii_case(text));
    match is_text {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// A text for a comment, which ends with its line.
pub fn in_one_line(text: &str) -> String {
    text.replace(is_special, " ")
}

/// Controls, and what YAML 1.1 takes for the end of a line, or refuses.
fn is_special(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

fn escaped(text: &str) -> String {
    let mut out = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            special if is_special(special) => {
                let _ = write!(out, "\\u{:04X}", u32::from(special));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Words in a flow list, in lines of at most `columns` characters of which the first `used` are taken. Further lines are indented by one.
pub fn flow_list(words: &[&str], columns: usize) -> String {
    let mut lines = vec!["[".to_owned()];
    for (index, word) in words.iter().enumerate() {
        let end = if index + 1 == words.len() { "]" } else { "," };
        let line = lines.last().map_or(0, String::len);
        if line + word.len() + 2 > columns {
            lines.push(" ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            if line.len() > 1 {
                line.push(' ');
            }
            line.push_str(word);
            line.push_str(end);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_quotes_is_that_text() {
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("/v1"), "\"/v1\"");
        assert_eq!(quoted(r#"{"a":"it's"}"#), r#"'{"a":"it''s"}'"#);
        for text in ["a\nb: c", "\"\u{2028}\\", "\u{7f}", "\u{85}'"] {
            let written = quoted(text);
            assert!(!written.contains(is_special), "{written}");
            assert_eq!(crate::yaml::parse(&written).unwrap(), text);
        }
    }

    #[test]
    fn a_name_stays_a_text() {
        assert_eq!(name("shop-2"), "shop-2");
        for text in ["no", "null", "on", "010", "7", "2024-01-01", "-", "---"] {
            assert_eq!(name(text), format!("\"{text}\""));
        }
    }

    #[test]
    fn a_list_is_wrapped() {
        assert_eq!(flow_list(&["One", "Two", "Three"], 80), "[One, Two, Three]");
        assert_eq!(
            flow_list(&["One", "Two", "Three"], 11),
            "[One, Two,\n Three]"
        );
    }
}
