//! `--env`, `--env-file` and `[environment]`: the guest's environment. Secrets belong in `[secrets]`.

use crate::{
    args::guest::EnvironmentOptions,
    exit::CommandError,
    input,
    project::{Project, check_name},
};
use std::{collections::BTreeMap, path::Path};

/// Largest file with a guest's environment (AWS: all variables of a function have at most 4 KB).
const ENVIRONMENT_BYTES_MAX: u64 = 64 << 10;

type Variables = BTreeMap<String, String>;

/// The variables of the project, of the files and of the command line, sorted by name; where a name occurs twice, the later one in this
/// order counts.
pub fn resolve(
    options: &EnvironmentOptions,
    project: Option<&Project>,
) -> Result<Variables, CommandError> {
    let mut environment =
        project.map_or_else(Variables::new, |project| project.file.environment.0.clone());
    for path in &options.env_file {
        environment.extend(read(path)?);
    }
    for typed in &options.env {
        let (name, value) = variable(typed)?;
        environment.insert(name, value);
    }
    Ok(environment)
}

fn read(path: &Path) -> Result<Variables, CommandError> {
    let bytes = input::read_file(path, "environment file", ENVIRONMENT_BYTES_MAX)?;
    let invalid = |what: &dyn std::fmt::Display| {
        CommandError::environment(format_args!("environment file `{}` {what}", path.display()))
            .hint("write lines of `NAME=VALUE`, or a JSON object of strings like `{\"NAME\": \"value\"}`")
    };
    let text = str::from_utf8(&bytes).map_err(|_| invalid(&"is not valid UTF-8"))?;
    let variables = match text.trim_start().starts_with('{') {
        true => object(text).ok_or_else(|| invalid(&"is not a JSON object of strings"))?,
        false => lines(text).map_err(|LineError { line, what }| {
            invalid(&format_args!("has {what} in line {line}"))
        })?,
    };
    match variables.keys().all(|name| check_name(name).is_ok()) {
        true => Ok(variables),
        false => Err(invalid(&"has a name that is empty or contains `=`")),
    }
}

/// The reason of a failure is left out, because it could contain a value.
#[expect(clippy::disallowed_methods, reason = "read into a map of strings")]
fn object(text: &str) -> Option<Variables> {
    serde_json::from_str(text).ok()
}

/// A line that is no variable.
#[derive(Debug, PartialEq, Eq)]
struct LineError {
    /// From 1.
    line: usize,
    /// Without anything of a value.
    what: &'static str,
}

/// Lines of `NAME=VALUE`, as shells and other tools read them: `export` before the name, blanks around both, and quotes around the value are
/// left out. Empty lines, and those that begin with `#`, are skipped.
fn lines(text: &str) -> Result<Variables, LineError> {
    let mut variables = Variables::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (text, line) in text.lines().zip(1_usize..) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let fault = |what| LineError { line, what };
        let (name, value) = text.split_once('=').ok_or(fault("no `NAME=VALUE`"))?;
        let name = name.trim();
        let name = match name.split_once(char::is_whitespace) {
            Some(("export", name)) => name.trim(),
            Some(_) => return Err(fault("a name with a blank")),
            None => name,
        };
        let value = unquoted(value.trim()).map_err(fault)?;
        variables.insert(name.to_owned(), value.to_owned());
    }
    Ok(variables)
}

/// A value without the quotes around it. What other tools read in different ways is refused.
fn unquoted(value: &str) -> Result<&str, &'static str> {
    let Some(quote @ ('"' | '\'')) = value.chars().next() else {
        return match value.split_once(" #") {
            Some(_) => Err("a value with ` #`, which needs quotes, or a comment behind a value,"),
            None => Ok(value),
        };
    };
    let inner = value[1..].strip_suffix(quote);
    let inner = inner.ok_or("a quote that does not end with its value")?;
    if inner.contains(quote) || quote == '"' && inner.contains(['\\', '$', '`']) {
        return Err(
            "a value with characters that need single quotes, or a JSON object instead of lines,",
        );
    }
    Ok(inner)
}

fn variable(typed: &str) -> Result<(String, String), CommandError> {
    let (name, value) = match typed.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (typed, None),
    };
    let is_name =
        |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte == b'.';
    if name.is_empty() || !name.bytes().all(is_name) {
        // The argument is left out, because it could be a secret.
        return Err(
            CommandError::usage("`--env` needs the name of a variable").hint(
                "write `--env NAME=VALUE`, `--env NAME` to copy this program's own, or `--env-file FILE`",
            ),
        );
    }
    let value = value.or_else(|| std::env::var(name).ok()).ok_or_else(|| {
        CommandError::usage(format_args!(
            "`--env {name}` copies a variable that is not set"
        ))
        .hint("set it, or write `--env NAME=VALUE`")
    })?;
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(values: &[&str]) -> Result<Vec<(String, String)>, String> {
        let options = EnvironmentOptions {
            env: values.iter().map(|value| (*value).to_owned()).collect(),
            env_file: Vec::new(),
        };
        resolve(&options, None)
            .map(|environment| environment.into_iter().collect())
            .map_err(|failure| failure.render(false).unwrap_or_default())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn names_come_in_order_and_the_later_value_counts() {
        assert_eq!(
            typed(&["B=2", "A=1=x", "B=3", "C="]).unwrap(),
            [pair("A", "1=x"), pair("B", "3"), pair("C", "")]
        );
        assert_eq!(typed(&[]).unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_said_without_a_secret() {
        for bad in ["=hunter2", "", "{\"A\":\"hunter2\"}", "[1]", "@hunter2"] {
            let message = typed(&[bad]).unwrap_err();
            assert!(message.contains("needs the name"), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_line_is_a_name_and_a_value_as_shells_read_it() {
        let text = "\u{feff}# a comment\n\nA=1\r\n  B = two words \nC=x\"y=z#1\nA=2\nexport D='a $b \"c\"'\n\
            E=\"it's # x\"\nF=\"\"\nG=\n";
        let read: Vec<_> = lines(text).unwrap().into_iter().collect();
        assert_eq!(
            read,
            [
                pair("A", "2"),
                pair("B", "two words"),
                pair("C", "x\"y=z#1"),
                pair("D", "a $b \"c\""),
                pair("E", "it's # x"),
                pair("F", ""),
                pair("G", ""),
            ]
        );
    }

    #[test]
    fn a_line_that_others_read_in_another_way_is_refused() {
        for bad in [
            "hunter2",
            "A='hunter2",
            "A=\"hunter2\" # secret",
            "A=hunter2 # secret",
            "A=\"hunter2$B\"",
            "A=\"hunter2\\n\"",
            "A='hunter2'x'",
            "set A=hunter2",
        ] {
            let error = lines(&format!("B=1\n{bad}\n")).unwrap_err();
            assert_eq!(error.line, 2, "{bad}");
            assert!(!error.what.contains("hunter2"));
        }
    }
}
