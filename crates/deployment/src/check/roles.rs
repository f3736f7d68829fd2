//! Roles allow named actions on named resources, and the host's role exactly what its guest needs.

use super::{Template, elements, own_resources};
use crate::settings::{Deployment, Storage};
use serde_json::Value;
use std::collections::BTreeSet;

/// The role of the function.
const HOST_ROLE: &str = "HostRole";

pub fn findings(template: &Template<'_>, deployment: &Deployment) -> Vec<String> {
    let mut findings = Vec::new();
    let own = own_resources(deployment);
    // The project's own roles are its own affair.
    let generated = template
        .resources("AWS::IAM::Role")
        .filter(|(name, _)| !own.contains(name));
    for (name, role) in generated {
        for statement in statements(role) {
            findings.extend(wildcards(name, statement));
        }
    }
    findings.extend(host(template, deployment));
    findings
}

fn statements(role: &Value) -> impl Iterator<Item = &Value> {
    let policies = elements(&role["Properties"]["Policies"]).iter();
    policies.flat_map(|policy| elements(&policy["PolicyDocument"]["Statement"]))
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    elements(value).iter().filter_map(Value::as_str)
}

fn wildcards(role: &str, statement: &Value) -> Vec<String> {
    let sid = statement["Sid"]
        .as_str()
        .unwrap_or("a statement without Sid");
    let mut findings: Vec<_> = texts(&statement["Action"])
        .filter(|action| action.contains('*'))
        .map(|action| format!("role `{role}`, `{sid}`: `{action}` allows more than one action"))
        .collect();
    let is_of_xray = texts(&statement["Action"]).all(|action| action.starts_with("xray:"));
    // X-Ray has no resources.
    if texts(&statement["Resource"]).any(|resource| resource == "*") && !is_of_xray {
        findings.push(format!(
            "role `{role}`, `{sid}`: it is allowed on every resource"
        ));
    }
    for member in ["NotAction", "NotResource"] {
        if !statement[member].is_null() {
            findings.push(format!(
                "role `{role}`, `{sid}`: `{member}` allows all but what it names"
            ));
        }
    }
    findings
}

/// Compares the services of the host's role with what guest and settings need.
fn host(template: &Template<'_>, deployment: &Deployment) -> Vec<String> {
    let Some((_, role)) = template
        .resources("AWS::IAM::Role")
        .find(|(name, _)| *name == HOST_ROLE)
    else {
        return vec![format!("there is no role `{HOST_ROLE}`")];
    };
    let service = |action: &str| action.split(':').next().unwrap_or_default().to_owned();
    let allowed: BTreeSet<_> = statements(role)
        .flat_map(|statement| texts(&statement["Action"]))
        .map(service)
        .collect();
    let mut findings = Vec::new();
    for (service, is_needed, why) in needs(deployment) {
        match (allowed.contains(service), is_needed) {
            (true, false) => {
                findings.push(format!("role `{HOST_ROLE}` may use `{service}`, but {why}"))
            }
            (false, true) => findings.push(format!(
                "role `{HOST_ROLE}` may not use `{service}`, which the guest needs"
            )),
            _ => {}
        }
    }
    let known = needs(deployment).map(|(service, ..)| service);
    let others = allowed
        .iter()
        .filter(|service| !known.contains(&service.as_str()));
    findings.extend(others.map(|service| {
        format!("role `{HOST_ROLE}` may use `{service}`, which the host never does")
    }));
    if deployment
        .outgoing
        .as_ref()
        .is_none_or(|outgoing| !outgoing.signs)
        && !role["Properties"]["ManagedPolicyArns"].is_null()
    {
        findings.push(format!(
            "role `{HOST_ROLE}` has a managed policy, but no request of the guest is signed"
        ));
    }
    findings
}

/// Services, whether the host needs them, and why not.
fn needs(deployment: &Deployment) -> [(&'static str, bool, &'static str); 6] {
    let secrets = deployment.secrets.as_ref();
    let of_stack = secrets.is_some_and(|secrets| secrets.of_stack);
    let reads = |names: String| of_stack || !names.is_empty();
    [
        (
            "dynamodb",
            deployment.storage != Storage::None,
            "the guest stores nothing",
        ),
        (
            "s3",
            deployment.has_channel(),
            "the stack follows no channel",
        ),
        ("logs", true, ""),
        ("xray", true, ""),
        (
            "ssm",
            secrets.is_some_and(|secrets| reads(secrets.parameters())),
            "no secret is a parameter of SSM",
        ),
        (
            "secretsmanager",
            secrets.is_some_and(|secrets| reads(secrets.managed())),
            "no secret is in Secrets Manager",
        ),
    ]
}
