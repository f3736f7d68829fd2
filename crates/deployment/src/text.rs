//! Texts in YAML.

/// A string in quotes that YAML reads as this text. There are no line breaks in it.
pub fn quoted(text: &str) -> String {
    match text.contains(['"', '\\']) {
        true => format!("'{}'", text.replace('\'', "''")),
        false => format!("\"{text}\""),
    }
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
