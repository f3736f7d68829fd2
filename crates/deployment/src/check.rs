//! The core checks of a template: what CloudFormation would only say during a deployment, or never.
//!
//! They look at the template as it is written, before SAM expands it. `cargo xtask infra` has more, with tools that need Python and Node.

mod observation;
mod references;
mod roles;
mod times;

use crate::{own::OwnResources, settings::Deployment, yaml};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What is wrong with a template for a deployment, one sentence each. A template that was generated for it has nothing.
pub fn check(template: &str, deployment: &Deployment) -> Vec<String> {
    let document = match yaml::parse(template) {
        Ok(document) => document,
        Err(error) => return vec![format!("the template is no YAML: {error}")],
    };
    let template = Template(&document);
    let mut findings = references::findings(&template);
    findings.extend(roles::findings(&template, deployment));
    findings.extend(observation::findings(&template, deployment));
    findings.extend(times::findings(&template, deployment));
    findings
}

/// A template's sections.
struct Template<'a>(&'a Value);

impl<'a> Template<'a> {
    /// The parts of a section.
    fn section(&self, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let section = self.0.get(name).and_then(Value::as_object);
        section
            .into_iter()
            .flat_map(Map::iter)
            .map(|(name, part)| (name.as_str(), part))
    }

    /// Resources of one type.
    fn resources(&self, kind: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.section("Resources")
            .filter(move |(_, resource)| resource["Type"] == kind)
    }

    /// The type of a resource, if it is there.
    fn type_of(&self, name: &str) -> Option<&'a str> {
        self.0.get("Resources")?.get(name)?.get("Type")?.as_str()
    }
}

/// Names of the project's own resources, which are its own affair.
fn own_resources(deployment: &Deployment) -> BTreeSet<&str> {
    let names = deployment.own.iter().flat_map(OwnResources::names);
    names
        .filter(|(section, _)| *section == "Resources")
        .map(|(_, name)| name)
        .collect()
}

/// Elements of a list; a single value counts as a list of itself, as in policies.
fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Array(elements) => elements,
        Value::Null => &[],
        single => std::slice::from_ref(single),
    }
}

#[cfg(test)]
mod tests;
