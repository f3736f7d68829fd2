//! Whether the environments of a project give parameters of the template values that CloudFormation takes.

use crate::{samconfig::argument, settings::DeploymentError};
use serde_json::Value;
use std::collections::BTreeMap;

/// Values of parameters, by their names.
type Values = BTreeMap<String, String>;

/// Checks names and values of all environments; `parameters` is that section of the template.
pub fn check(
    environments: &BTreeMap<String, Values>,
    parameters: &Value,
) -> Result<(), DeploymentError> {
    for (environment, values) in environments {
        let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if environment.is_empty() || !environment.bytes().all(is_of_names) {
            return Err(DeploymentError::new(
                format!("`{environment}` is no name of an environment: letters, digits and `-`"),
                "change its name in `[deploy.environments]`; it is part of the stack's name",
            ));
        }
        for (name, value) in values {
            if let Some((problem, hint)) = problem(value, parameters.get(name)) {
                return Err(DeploymentError::new(
                    format!("environment `{environment}` sets `{name}`{problem}"),
                    hint,
                ));
            }
        }
    }
    Ok(())
}

/// What is wrong with a value, and what to do.
fn problem(value: &str, parameter: Option<&Value>) -> Option<(String, &'static str)> {
    let Some(parameter) = parameter else {
        return Some((
            ", which is no parameter of the template".to_owned(),
            "`host-cli template --stdout` shows the parameters",
        ));
    };
    let no_echo = &parameter["NoEcho"];
    if *no_echo == true || no_echo.as_str() == Some("true") {
        return Some((
            ", whose value is secret (`NoEcho`)".to_owned(),
            "files of the project are no place for it: keep it in SSM or Secrets Manager, and refer to it there",
        ));
    }
    if argument(value).is_none() {
        return Some((
            " to a value that `sam deploy` cannot read from a file".to_owned(),
            "leave out the backslash before its end or before an apostrophe",
        ));
    }
    let refused = refused(value, parameter)?;
    Some((
        refused,
        "change the value in `[deploy.environments]`; the template says what each parameter takes",
    ))
}

/// What CloudFormation would say of a value, except by patterns.
fn refused(value: &str, parameter: &Value) -> Option<String> {
    if let Some(allowed) = parameter["AllowedValues"].as_array() {
        let allowed: Vec<String> = allowed.iter().map(plain).collect();
        if !allowed.iter().any(|one| one == value) {
            let allowed = allowed.join("`, `");
            return Some(format!(" to `{value}`; it takes `{allowed}`"));
        }
    }
    if parameter["Type"] != "Number" {
        return None;
    }
    let Some(number) = value
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
    else {
        return Some(format!(" to `{value}`, which is no number"));
    };
    for (bound, is_outside, word) in [
        ("MinValue", f64::lt as fn(&f64, &f64) -> bool, "least"),
        ("MaxValue", f64::gt, "most"),
    ] {
        let bound = parameter[bound].as_f64();
        if let Some(bound) = bound.filter(|bound| is_outside(&number, bound)) {
            return Some(format!(" to `{value}`; it is at {word} {bound}"));
        }
    }
    None
}

/// A scalar as it is typed.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_one_that_the_parameter_takes() {
        let parameters = json!({
            "LogLevel": {"Type": "String", "AllowedValues": ["debug", "info"]},
            "Days": {"Type": "Number", "AllowedValues": [1, 30]},
            "Rate": {"Type": "Number", "MinValue": 1, "MaxValue": 100},
            "Topic": {"Type": "String"},
            "Token": {"Type": "String", "NoEcho": true},
        });
        let message = |name: &str, value: &str| {
            let values = [(name.to_owned(), value.to_owned())].into();
            let environments = [("dev".to_owned(), values)].into();
            check(&environments, &parameters)
                .err()
                .map(|error| error.to_string())
        };
        for (name, value) in [
            ("LogLevel", "debug"),
            ("Days", "30"),
            ("Rate", "100"),
            ("Rate", "1.5"),
            ("Topic", "any"),
        ] {
            assert_eq!(message(name, value), None, "{name}={value}");
        }
        for (name, value, expected) in [
            ("LogLevel", "loud", "to `loud`; it takes `debug`, `info`"),
            ("Days", "2", "it takes `1`, `30`"),
            ("Rate", "many", "which is no number"),
            ("Rate", "NaN", "which is no number"),
            ("Rate", "0", "it is at least 1"),
            ("Rate", "101", "it is at most 100"),
            ("Token", "x", "is secret"),
            ("Rte", "1", "which is no parameter"),
        ] {
            let message = message(name, value).unwrap();
            assert!(message.contains(expected), "{message}");
        }
    }
}
