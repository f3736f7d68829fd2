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
            let _ = writeln!(out, "    {},", string(&format!("{parameter}={value}")));
        }
        out.push_str("]\n");
    }
    out
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
