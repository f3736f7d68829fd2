//! Each role may do exactly what the code behind it calls.

use super::unmatched;
use crate::infra::{
    requirements::Requirements,
    template::{Template, elements, members, plain},
};
use anyhow::Context;
use serde_json::Value;
use std::collections::BTreeSet;

/// What Lambda itself does in the name of the host's role: logs, and traces.
const PLATFORM: [&str; 4] = [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];
/// The host's role against the calls in the code; and that it cannot write what a publisher writes.
pub fn host(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let role = Role::of_service(template, "lambda.amazonaws.com")?;
    let (table, _) = template.resource("AWS::DynamoDB::Table")?;
    let mut expected = requirements.texts("/actions/storing")?;
    expected.extend(requirements.texts("/actions/following")?);
    expected.extend(PLATFORM.map(str::to_owned));
    let mut complaints = role.against(&expected);
    for statement in &role.statements {
        let channel = requirements.text("/partitions/channels")?;
        if statement.partitions.contains(channel)
            && statement.actions != ["dynamodb:GetItem".to_owned()].into()
        {
            complaints.push(format!(
                "{}: the host may do more than read channels",
                role.name
            ));
        }
        let on_index = statement
            .resources
            .iter()
            .any(|resource| resource.ends_with(&format!("{table}/index/index")));
        if on_index && statement.actions != ["dynamodb:Query".to_owned()].into() {
            complaints.push(format!("{}: an index can only be queried", role.name));
        }
    }
    Ok(complaints)
}

/// The publisher's role, which reaches channels and artifacts and nothing else.
pub fn publisher(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let role = Role::named(template, "PublisherRole")?;
    let mut complaints = role.against(&requirements.texts("/actions/publishing")?);
    let channel = requirements.text("/partitions/channels")?;
    for statement in &role.statements {
        let on_table = statement
            .actions
            .iter()
            .any(|action| action.starts_with("dynamodb:"));
        if on_table && statement.partitions != [channel.to_owned()].into() {
            complaints.push(format!(
                "{}: reaches partitions {:?}, not only `{channel}`",
                role.name, statement.partitions
            ));
        }
    }
    Ok(complaints)
}

/// Partitions that roles are bound to against those that the code uses.
pub fn partitions(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let role = Role::of_service(template, "lambda.amazonaws.com")?;
    let namespace = plain(&template.parameter("Namespace")["Default"]);
    let mut expected = BTreeSet::from([format!("{namespace}#*")]);
    for own in [
        "/partitions/facts",
        "/partitions/tokens",
        "/partitions/channels",
    ] {
        expected.insert(requirements.text(own)?.to_owned());
    }
    let bound = role
        .statements
        .iter()
        .flat_map(|statement| statement.partitions.clone())
        .collect();
    Ok(unmatched(
        &bound,
        &expected,
        "is a partition that the role names, but not the code",
        "is a partition that the role does not name",
    ))
}

struct Role {
    name: String,
    statements: Vec<Statement>,
}

struct Statement {
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
    partitions: BTreeSet<String>,
}

impl Role {
    /// The one role with inline policies that a service assumes.
    fn of_service(template: &Template, service: &str) -> anyhow::Result<Self> {
        let trusts = |role: &Value| {
            elements(&role["AssumeRolePolicyDocument"]["Statement"])
                .any(|statement| statement["Principal"]["Service"] == service)
        };
        let mut roles = template.resources("AWS::IAM::Role").into_iter();
        let (name, role) = roles
            .find(|(_, role)| trusts(role))
            .with_context(|| format!("no role is for `{service}`"))?;
        Ok(Self::new(name, &role))
    }

    fn named(template: &Template, name: &str) -> anyhow::Result<Self> {
        let role = template.resources("AWS::IAM::Role").remove(name);
        Ok(Self::new(
            name.to_owned(),
            &role.with_context(|| format!("there is no role `{name}`"))?,
        ))
    }

    fn new(name: String, role: &Value) -> Self {
        let texts = |value: &Value| elements(value).map(plain).collect();
        let statements = elements(&role["Policies"])
            .flat_map(|policy| elements(&policy["PolicyDocument"]["Statement"]))
            .map(|statement| Statement {
                actions: texts(&statement["Action"]),
                resources: texts(&statement["Resource"]),
                partitions: members(&statement["Condition"])
                    .flat_map(|(_, keys)| elements(&keys["dynamodb:LeadingKeys"]))
                    .map(plain)
                    .collect(),
            })
            .collect();
        Self { name, statements }
    }

    fn against(&self, expected: &BTreeSet<String>) -> Vec<String> {
        let allowed = self
            .statements
            .iter()
            .flat_map(|statement| statement.actions.clone())
            .collect();
        unmatched(
            &allowed,
            expected,
            &format!("is allowed to `{}`, but nothing calls it", self.name),
            &format!("is called, but not allowed to `{}`", self.name),
        )
    }
}
