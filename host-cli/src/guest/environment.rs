//! `--guest-env`: the guest's environment, from the command line or from a file, which is the place for secrets.

use crate::{args::EnvironmentOption, exit::CommandError, input};
use runtime::Environment;
use std::{collections::BTreeMap, path::Path};

/// Largest file with a guest's environment (AWS: all variables of a function have at most 4 KB).
const ENVIRONMENT_BYTES_MAX: u64 = 64 << 10;

/// The environment of a guest that this program runs.
pub fn of_guest(option: &EnvironmentOption) -> Result<Environment, CommandError> {
    Ok(resolve(&option.guest_env)?.into_iter().collect())
}

/// The files that contain parts of it.
pub fn files(option: &EnvironmentOption) -> impl Iterator<Item = &Path> {
    let files = option.guest_env.iter();
    files.filter_map(|value| value.strip_prefix('@').map(Path::new))
}

/// Reads `NAME=VALUE`, `NAME` for a copy of this program's own variable, and `@FILE`, which contains a JSON object of strings as
/// `TENON_GUEST_ENV` does. Variables are sorted by name; if a name occurs twice, the later value counts.
pub fn resolve(values: &[String]) -> Result<BTreeMap<String, String>, CommandError> {
    let mut environment = BTreeMap::new();
    for value in values {
        match value.strip_prefix('@') {
            Some(path) => environment.extend(read(Path::new(path))?),
            None => {
                let (name, value) = variable(value)?;
                environment.insert(name, value);
            }
        }
    }
    Ok(environment)
}

#[expect(clippy::disallowed_methods, reason = "read into a map of strings")]
fn read(path: &Path) -> Result<BTreeMap<String, String>, CommandError> {
    let json = input::read_file(path, "guest environment", ENVIRONMENT_BYTES_MAX)?;
    let read: Result<BTreeMap<String, String>, _> = serde_json::from_slice(&json);
    // The reason is left out, because it could contain a value.
    read.map_err(|_| {
        CommandError::environment(format_args!(
            "guest environment `{}` is not a JSON object of strings",
            path.display()
        ))
        .hint("its content must look like `{\"NAME\": \"value\"}`")
    })
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
        return Err(CommandError::usage("`--guest-env` needs the name of a variable")
            .hint("write `--guest-env NAME=VALUE`, `--guest-env NAME` to copy this program's own, or `--guest-env @FILE`"));
    }
    let value = value.or_else(|| std::env::var(name).ok()).ok_or_else(|| {
        CommandError::usage(format_args!(
            "`--guest-env {name}` copies a variable that is not set"
        ))
        .hint("set it, or write `--guest-env NAME=VALUE`")
    })?;
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Vec<(String, String)>, String> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        resolve(&values)
            .map(|environment| environment.into_iter().collect())
            .map_err(|failure| failure.render(false).unwrap_or_default())
    }

    #[test]
    fn names_come_in_order_and_the_later_value_counts() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read(&["B=2", "A=1=x", "B=3", "C="]).unwrap(),
            [pair("A", "1=x"), pair("B", "3"), pair("C", "")]
        );
        assert_eq!(read(&[]).unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_said_without_a_secret() {
        for bad in ["=hunter2", "", "{\"A\":\"hunter2\"}", "[1]"] {
            let message = read(&[bad]).unwrap_err();
            assert!(message.contains("needs the name"), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
