//! Reading the page.

/// A block of code that the reader follows.
#[derive(Debug)]
pub struct Block {
    pub kind: Kind,
    /// Where it begins, counted from 1.
    pub line: usize,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Console,
    Terminal,
    Diff,
}

/// All blocks of the page; one of a kind that nobody follows fails.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let kind = match language {
            "console" => Kind::Console,
            "console terminal-1" => Kind::Terminal,
            "diff" => Kind::Diff,
            other => panic!("line {}: nobody follows `{other}`", number + 1),
        };
        let text: String = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .flat_map(|line| [line, "\n"])
            .collect();
        blocks.push(Block {
            kind,
            line: number + 1,
            text,
        });
    }
    blocks
}

/// The commands of a block, each with the output that it should have. A command goes on after a backslash at the end of its line.
pub fn commands(text: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
            (None, Some((command, _))) if goes_on => {
                command.push('\n');
                command.push_str(line);
            }
            (None, Some((_, expected))) => expected.push(line.to_owned()),
            (None, None) => panic!("a console block begins with a command: {line}"),
        }
        goes_on = line.ends_with('\\');
    }
    commands
}

/// Whether a line of a terminal is typed: a key of `host-cli dev`, perhaps with an argument.
pub fn is_key(line: &str) -> bool {
    let mut words = line.split(' ');
    matches!(words.next(), Some("d" | "t" | "p" | "r" | "h"))
}

/// Whether an output is the expected one.
pub fn matches_all(expected: &[String], output: &str) -> bool {
    let output: Vec<&str> = output.lines().collect();
    matches_lines(expected, &output)
}

fn matches_lines(expected: &[String], output: &[&str]) -> bool {
    let Some((first, rest)) = expected.split_first() else {
        return output.is_empty();
    };
    if first == "..." {
        return (0..=output.len()).any(|skipped| matches_lines(rest, &output[skipped..]));
    }
    let Some((line, others)) = output.split_first() else {
        return false;
    };
    matches_line(first, line) && matches_lines(rest, others)
}

/// Whether a line is the expected one, in which `...` stands for any text.
pub fn matches_line(expected: &str, line: &str) -> bool {
    let mut parts = expected.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.trim_end().strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

#[test]
fn dots_stand_for_any_text_and_any_lines() {
    assert!(matches_line("a ... c", "a b b c"));
    assert!(!matches_line("a ... c", "a b b d"));
    assert!(!matches_line("a", "ab"));
    let expected = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| (*line).to_owned())
            .collect::<Vec<_>>()
    };
    assert!(matches_all(&expected(&["a", "...", "d"]), "a\nb\nc\nd"));
    assert!(!matches_all(&expected(&["a", "d"]), "a\nb\nd"));
}
