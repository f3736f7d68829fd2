//! Each role may do exactly what the code behind it calls.

use super::{super::source, unmatched};
use crate::infra::template::{Template, elements, members, plain};
use anyhow::Context;
use serde_json::Value;
use std::collections::BTreeSet;

/// Where the host calls DynamoDB for the guest.
const BACKEND: &str = "host-core/src/storage/dynamodb";
/// Part of it that only `host-cli table` uses, with its user's own rights.
const ADMINISTRATION: &str = "host-core/src/storage/dynamodb/table.rs";

/// Where channels are read and written, in the table.
const CHANNELS: &str = "host-core/src/release/channel_store/table";
/// Where artifacts are, in S3.
const ARTIFACTS: &str = "host-core/src/release/artifact_store/s3";

/// Requests to S3 as the code makes them, with the actions that allow them (AWS: "Actions, resources, and condition keys for Amazon S3").
const S3_REQUESTS: [(&str, &str); 5] = [
    ("DELETE", "s3:DeleteObject"),
    ("GET", "s3:GetObject"),
    ("HEAD", "s3:GetObject"),
    ("LIST", "s3:ListBucket"),
    ("PUT", "s3:PutObject"),
];

/// Operations of DynamoDB, with the actions that allow them (AWS: "Actions, resources, and condition keys for Amazon DynamoDB"). What a
/// transaction may do depends on what is in it.
const OPERATIONS: [(&str, &[&str]); 17] = [
    ("BatchExecuteStatement", &["PartiQLSelect", "PartiQLUpdate"]),
    ("BatchGetItem", &["BatchGetItem"]),
    ("BatchWriteItem", &["BatchWriteItem"]),
    ("CreateTable", &["CreateTable"]),
    ("DeleteItem", &["DeleteItem"]),
    ("DeleteTable", &["DeleteTable"]),
    ("DescribeTable", &["DescribeTable"]),
    ("ExecuteStatement", &["PartiQLSelect", "PartiQLUpdate"]),
    ("ExecuteTransaction", &["PartiQLSelect", "PartiQLUpdate"]),
    ("GetItem", &["GetItem"]),
    ("PutItem", &["PutItem"]),
    ("Query", &["Query"]),
    ("Scan", &["Scan"]),
    ("TransactGetItems", &["GetItem"]),
    ("TransactWriteItems", &[]),
    ("UpdateItem", &["UpdateItem"]),
    ("UpdateTimeToLive", &["UpdateTimeToLive"]),
];
/// Parts of a transaction, by the builder that makes them.
const TRANSACTED: [(&str, &str); 4] = [
    ("ConditionCheck", "ConditionCheckItem"),
    ("Delete", "DeleteItem"),
    ("Put", "PutItem"),
    ("Update", "UpdateItem"),
];

/// What Lambda itself does in the name of the host's role: logs, and traces.
const PLATFORM: [&str; 4] = [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];
/// What a host that follows a channel does of this: it reads the channel's item, and the artifacts that it names.
const FOLLOWING: [&str; 2] = ["dynamodb:GetItem", "s3:GetObject"];

/// The host's role against the calls in the code; and that it cannot write what a publisher writes.
pub fn host(template: &Template) -> anyhow::Result<Vec<String>> {
    let role = Role::of_service(template, "lambda.amazonaws.com")?;
    let (table, _) = template.resource("AWS::DynamoDB::Table")?;
    let mut expected: BTreeSet<_> = actions()?
        .iter()
        .map(|action| format!("dynamodb:{action}"))
        .collect();
    expected.extend(PLATFORM.map(str::to_owned));
    let publishing = publishing()?;
    for action in FOLLOWING {
        anyhow::ensure!(
            publishing.contains(action),
            "`{action}` is for following a channel, but releases do not call it"
        );
        expected.insert(action.to_owned());
    }
    let mut complaints = role.against(&expected);
    for statement in &role.statements {
        let channel = source_partitions()?.channel;
        if statement.partitions.contains(&channel)
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
pub fn publisher(template: &Template) -> anyhow::Result<Vec<String>> {
    let role = Role::named(template, "PublisherRole")?;
    let mut complaints = role.against(&publishing()?);
    let channel = source_partitions()?.channel;
    for statement in &role.statements {
        let on_table = statement
            .actions
            .iter()
            .any(|action| action.starts_with("dynamodb:"));
        if on_table && statement.partitions != [channel.clone()].into() {
            complaints.push(format!(
                "{}: reaches partitions {:?}, not only `{channel}`",
                role.name, statement.partitions
            ));
        }
    }
    Ok(complaints)
}

/// Partitions that roles are bound to against those that the code uses.
pub fn partitions(template: &Template) -> anyhow::Result<Vec<String>> {
    let role = Role::of_service(template, "lambda.amazonaws.com")?;
    let own = source_partitions()?;
    let namespace = plain(&template.parameter("Namespace")["Default"]);
    let expected = [own.facts, own.tokens, own.channel, format!("{namespace}#*")].into();
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

/// Operations of DynamoDB that the host calls.
pub fn operations() -> anyhow::Result<BTreeSet<&'static str>> {
    let called = source::calls(
        BACKEND,
        &[ADMINISTRATION],
        &OPERATIONS.map(|(name, _)| name),
    )?;
    anyhow::ensure!(!called.is_empty(), "`{BACKEND}` calls nothing");
    Ok(called)
}

/// Actions that those operations need.
fn actions() -> anyhow::Result<BTreeSet<&'static str>> {
    let called = operations()?;
    let mut actions: BTreeSet<_> = OPERATIONS
        .iter()
        .filter(|(name, _)| called.contains(name))
        .flat_map(|(_, actions)| actions.iter().copied())
        .collect();
    if called.contains("TransactWriteItems") {
        let built = source::builders(BACKEND, &TRANSACTED.map(|(builder, _)| builder))?;
        actions.extend(
            TRANSACTED
                .iter()
                .filter(|(builder, _)| built.contains(builder))
                .map(|(_, action)| *action),
        );
    }
    Ok(actions)
}

/// What publishing, promoting, rolling back and listing call.
fn publishing() -> anyhow::Result<BTreeSet<String>> {
    let called = source::calls(CHANNELS, &[], &OPERATIONS.map(|(name, _)| name))?;
    let requested = source::requests(ARTIFACTS, &S3_REQUESTS.map(|(method, _)| method))?;
    anyhow::ensure!(
        !called.is_empty() && !requested.is_empty(),
        "releases call neither the table nor the bucket"
    );
    let on_table = OPERATIONS
        .iter()
        .filter(|(name, _)| called.contains(name))
        .flat_map(|(_, actions)| actions.iter().map(|action| format!("dynamodb:{action}")));
    let on_bucket = S3_REQUESTS
        .iter()
        .filter(|(method, _)| requested.contains(method))
        .map(|(_, action)| (*action).to_owned());
    Ok(on_table.chain(on_bucket).collect())
}

/// The host's own partitions.
struct Partitions {
    facts: String,
    tokens: String,
    channel: String,
}

fn source_partitions() -> anyhow::Result<Partitions> {
    Ok(Partitions {
        facts: source::layout("HOST_PARTITION")?,
        tokens: source::layout("TOKEN_PARTITION")?,
        channel: source::constant_of(CHANNELS, "PARTITION")?,
    })
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
