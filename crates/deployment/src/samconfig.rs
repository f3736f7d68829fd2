//! `samconfig.toml`: how `sam deploy` is called, for each environment.

use crate::settings::Deployment;
use std::fmt::Write;

/// The file for a project's environments, which lies beside the template. `name` is the project's; stacks are named after it and their
/// environment.
pub fn samconfig(deployment: &Deployment, name: &str, template: &str) -> String {
    let mut out = "version = 0.1\n".to_owned();
    for (environment, values) in &deployment.environments {
        let _ = write!(
            out,
            "\n[{environment}.deploy.parameters]\ntemplate_file = {}\nstack_name = {}\ncapabilities = \"CAPABILITY_IAM\"\nresolve_s3 = true\nconfirm_changeset = true\n",
            string(template),
            string(&format!("{name}-{environment}")),
        );
        out.push_str("parameter_overrides = [\n");
        for (parameter, value) in values {
            // `check` refuses what SAM cannot read.
            let value = argument(value).unwrap_or_default();
            let _ = writeln!(out, "    {},", string(&format!("{parameter}={value}")));
        }
        out.push_str("]\n");
    }
    out
}

/// A value as `sam deploy` reads it from `NAME=VALUE`: in quotes where it would end otherwise, with a backslash before what it would
/// unescape. `None` for what it cannot read.
pub fn argument(value: &str) -> Option<String> {
    let is_other = |character: char| {
        character.is_whitespace() || character.is_control() || "\"'\\".contains(character)
    };
    if !value.is_empty() && !value.contains(is_other) {
        return Some(value.to_owned());
    }
    let mut out = "'".to_owned();
    let mut backslashes = 0;
    for character in value.chars() {
        let is_unescaped = backslashes > 0 && matches!(character, ' ' | '"');
        if is_unescaped || character == '\'' {
            out.push('\\');
        }
        if character == '\'' && backslashes > 0 {
            return None;
        }
        backslashes = if character == '\\' {
            backslashes + 1
        } else {
            0
        };
        out.push(character);
    }
    out.push('\'');
    (backslashes % 2 == 0).then_some(out)
}

/// A basic string of TOML.
fn string(text: &str) -> String {
    let mut out = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As SAM does it: what stands in quotes, then three replacements.
    fn read(argument: &str) -> String {
        let inner = argument
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''));
        let text = inner.unwrap_or(argument);
        text.replace("\\ ", " ")
            .replace("\\\"", "\"")
            .replace("\\'", "'")
    }

    #[test]
    fn values_are_what_sam_reads() {
        assert_eq!(argument("warn").unwrap(), "warn");
        assert_eq!(argument("").unwrap(), "''");
        for value in [
            "a b",
            "it's",
            r#"{"GREETING":"good day"}"#,
            r#"{"A":"x\"y\\"}"#,
            r#"["https://a.example/\\d+"]"#,
            r"a\ b",
        ] {
            assert_eq!(read(&argument(value).unwrap()), value);
        }
        assert_eq!(argument("a\\"), None);
        assert_eq!(argument(r"a\'"), None);
    }
}
