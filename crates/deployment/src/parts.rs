//! The parts of a template: texts with conditions and places to fill in.
//!
//! A line `#if NAME` begins lines that are only there if the name holds, `#else` those that are there otherwise, and `#end` ends both; they may
//! be nested. `{{NAME}}` is filled in. A line that is only a place takes several lines, each of which gets its indentation; if there are
//! none, the line is left out.

/// What the names in a part stand for.
pub trait Names {
    /// Whether the name of a condition holds; `None` if there is no such condition.
    fn holds(&self, name: &str) -> Option<bool>;

    /// The text for a place; `None` if there is no such place.
    fn text(&self, name: &str) -> Option<String>;
}

/// Fills in a part.
///
/// # Panics
///
/// If the part is malformed or uses an unknown name. Parts belong to the program, and a test fills in each of them.
pub fn fill(part: &str, names: &impl Names) -> String {
    let mut out = String::with_capacity(part.len());
    // Whether the lines are there at each level of nesting.
    let mut levels: Vec<bool> = Vec::new();
    for line in part.lines() {
        if let Some(name) = line.strip_prefix("#if ") {
            levels.push(holds(name, names));
        } else if line == "#else" {
            let level = levels.last_mut().expect("`#else` without `#if`");
            *level = !*level;
        } else if line == "#end" {
            levels.pop().expect("`#end` without `#if`");
        } else if levels.iter().all(|holds| *holds) {
            fill_line(&mut out, line, names);
        }
    }
    assert!(levels.is_empty(), "`#if` without `#end`");
    out
}

fn holds(name: &str, names: &impl Names) -> bool {
    names
        .holds(name)
        .unwrap_or_else(|| panic!("there is no condition `{name}`"))
}

fn text(name: &str, names: &impl Names) -> String {
    names
        .text(name)
        .unwrap_or_else(|| panic!("there is no place `{name}`"))
}

fn fill_line(out: &mut String, line: &str, names: &impl Names) {
    let trimmed = line.trim_start();
    let indentation = &line[..line.len() - trimmed.len()];
    let whole = trimmed
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"))
        .filter(|name| !name.contains('}'));
    if let Some(name) = whole {
        for line in text(name, names).lines() {
            push_indented(out, indentation, line);
        }
        return;
    }
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after.split_once("}}").expect("`{{` without `}}`");
        out.push_str(before);
        out.push_str(&text(name, names));
        rest = behind;
    }
    out.push_str(rest);
    out.push('\n');
}

fn push_indented(out: &mut String, indentation: &str, line: &str) {
    if !line.is_empty() {
        out.push_str(indentation);
        out.push_str(line);
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Examples;

    impl Names for Examples {
        fn holds(&self, name: &str) -> Option<bool> {
            match name {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            }
        }

        fn text(&self, name: &str) -> Option<String> {
            match name {
                "word" => Some("w".to_owned()),
                "lines" => Some("a:\n\n  b".to_owned()),
                "none" => Some(String::new()),
                _ => None,
            }
        }
    }

    #[test]
    fn conditions_nest_and_places_are_filled_in() {
        for (part, expected) in [
            ("a: 1\n", "a: 1\n"),
            ("#if yes\na\n#else\nb\n#end\n", "a\n"),
            ("#if no\na\n#if yes\nb\n#end\n#else\nc\n#end\nd\n", "c\nd\n"),
            ("#if yes\n#if no\na\n#end\nb\n#end\n", "b\n"),
            ("a: {b: {{word}}}/{{word}}\n", "a: {b: w}/w\n"),
            ("  {{lines}}\n", "  a:\n\n    b\n"),
            ("  {{none}}\nx\n", "x\n"),
        ] {
            assert_eq!(fill(part, &Examples), expected, "{part}");
        }
    }

    #[test]
    #[should_panic(expected = "there is no condition `maybe`")]
    fn an_unknown_name_is_a_mistake_in_the_program() {
        fill("#if maybe\n#end\n", &Examples);
    }
}
