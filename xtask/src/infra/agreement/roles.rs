//! Checks that each role allows exactly what the code behind it calls.

use super::{OUTGOING_POLICY, unmatched};
use crate::infra::{
    requirements::Requirements,
    template::{STACK, Template, elements, members, plain},
};
use anyhow::Context;
use serde_json::Value;
use std::collections::BTreeSet;

/// What Lambda itself does with the host's role: logs and traces.
const PLATFORM: [&str; 4] = [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];
/// Compares the host's role with the calls in the code.
pub fn host(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let role = Role::of_service(template, "lambda.amazonaws.com")?;
    let mut expected = requirements.texts("/actions/storing")?;
    expected.extend(requirements.texts("/actions/following")?);
    expected.extend(requirements.texts("/actions/parameters")?);
    expected.extend(requirements.texts("/actions/secrets")?);
    expected.extend(PLATFORM.map(str::to_owned));
    Ok(role.against(&expected))
}

/// Checks that the host's role reads only the secrets that the operator names, or those with the stack's name.
pub fn secrets(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let role = Role::of_service(template, "lambda.amazonaws.com")?;
    let mut complaints = Vec::new();
    for (kind, parameter, own) in [
        ("parameters", "SecretParameterArns", ":parameter/"),
        ("secrets", "SecretArns", ":secret:"),
    ] {
        let named = template.value(parameter);
        let actions = requirements.texts(&format!("/actions/{kind}"))?;
        let of_kind = role.statements.iter();
        let of_kind = of_kind.filter(|statement| !statement.actions.is_disjoint(&actions));
        for resource in of_kind.flat_map(|statement| &statement.resources) {
            let is_expected = match named.as_str() {
                "" => resource.contains(&format!("{own}{STACK}/")),
                named => resource == named,
            };
            if !is_expected {
                complaints.push(format!(
                    "`{}` may read `{resource}`, which `{parameter}` does not name",
                    role.name
                ));
            }
        }
    }
    Ok(complaints)
}

/// Checks that what guests' signed requests may do is in the one policy that the operator names, and that no other role has it.
pub fn outgoing(template: &Template, _: &Requirements) -> anyhow::Result<Vec<String>> {
    let (parameter, _) = OUTGOING_POLICY;
    let host = Role::of_service(template, "lambda.amazonaws.com")?;
    let named = template.value(parameter);
    let expected: BTreeSet<String> = match named.as_str() {
        "" => BTreeSet::new(),
        named => BTreeSet::from([named.to_owned()]),
    };
    let roles = template.resources("AWS::IAM::Role").into_iter();
    let complaints = roles.map(|(name, role)| {
        let managed = elements(&role["ManagedPolicyArns"]).map(plain);
        let managed = managed
            .filter(|policy| !policy.contains(":aws:policy/service-role/"))
            .collect();
        let expected = match name == host.name {
            true => expected.clone(),
            false => BTreeSet::new(),
        };
        unmatched(
            &managed,
            &expected,
            &format!("is a policy of `{name}`, but not that of `{parameter}`"),
            &format!("is named by `{parameter}`, but no policy of `{name}`"),
        )
    });
    Ok(complaints.flatten().collect())
}

/// Checks the publisher's role, which may reach channels and artifacts only.
pub fn publisher(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let role = Role::named(template, "PublisherRole")?;
    let actions = requirements.texts("/actions/publishing")?;
    let channels = requirements.text("/partitions/channels")?;
    let mut complaints = role.against(&actions);
    let expected = granted(&actions, "the table", [channels.to_owned()]).collect();
    complaints.extend(role.tables_against(template, &expected)?);
    Ok(complaints)
}

/// Compares the partitions on which the host's role allows each action with those that each call in the code uses. An action that is
/// allowed somewhere may still be denied where it is called.
pub fn partitions(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let role = Role::of_service(template, "lambda.amazonaws.com")?;
    let namespace = format!("{}#*", plain(&template.parameter("Namespace")["Default"]));
    let partition = |name: &str| requirements.text(&format!("/partitions/{name}"));
    let own = [
        namespace.clone(),
        partition("facts")?.to_owned(),
        partition("tokens")?.to_owned(),
    ];
    let channels = [partition("channels")?.to_owned()];
    let storing = requirements.texts("/actions/storing")?;
    let following = requirements.texts("/actions/following")?;
    let expected = granted(&storing, "the table", own)
        .chain(granted(&following, "the table", channels))
        // An index can only be queried.
        .chain(granted(
            &[QUERY.to_owned()].into(),
            "the index",
            [namespace],
        ))
        .collect();
    role.tables_against(template, &expected)
}

const QUERY: &str = "dynamodb:Query";

/// What each action on DynamoDB is allowed on, in the terms of [`Role::on_tables`].
fn granted<const COUNT: usize>(
    actions: &BTreeSet<String>,
    on: &str,
    partitions: [String; COUNT],
) -> impl Iterator<Item = String> {
    let actions = actions.iter().filter(|action| is_on_tables(action));
    actions.flat_map(move |action| {
        let partitions = partitions.clone().into_iter();
        partitions.map(move |partition| grant(action, on, &partition))
    })
}

fn grant(action: &str, on: &str, partition: &str) -> String {
    format!("{action}` on {on}, partition `{partition}")
}

fn is_on_tables(action: &str) -> bool {
    action.starts_with("dynamodb:")
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
    /// A role with inline policies that a service assumes.
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
                    .flat_map(|(operator, keys)| {
                        elements(&keys["dynamodb:LeadingKeys"])
                            .map(|partition| meant(operator, plain(partition)))
                    })
                    .collect(),
            })
            .collect();
        Self { name, statements }
    }

    /// What it allows on the table and its index, separately for each action and partition.
    fn on_tables(&self, table: &str, index: &str) -> BTreeSet<String> {
        let named = |resource: &String| {
            if resource.ends_with(&format!("/{table}/index/{index}")) {
                "the index".to_owned()
            } else if resource.ends_with(&format!("/{table}")) {
                "the table".to_owned()
            } else {
                format!("`{resource}`")
            }
        };
        let mut grants = BTreeSet::new();
        for statement in &self.statements {
            let actions = statement.actions.iter().filter(|one| is_on_tables(one));
            for action in actions {
                for resource in statement.resources.iter().map(named) {
                    if statement.partitions.is_empty() {
                        grants.insert(grant(action, &resource, "*"));
                    }
                    let partitions = statement.partitions.iter();
                    grants.extend(partitions.map(|partition| grant(action, &resource, partition)));
                }
            }
        }
        grants
    }

    fn tables_against(
        &self,
        template: &Template,
        expected: &BTreeSet<String>,
    ) -> anyhow::Result<Vec<String>> {
        let (table, properties) = template.resource("AWS::DynamoDB::Table")?;
        let index = plain(&properties["GlobalSecondaryIndexes"][0]["IndexName"]);
        Ok(unmatched(
            &self.on_tables(&table, &index),
            expected,
            &format!("is allowed to `{}`, but not called there", self.name),
            &format!("is called, but not allowed to `{}` there", self.name),
        ))
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

/// A partition as the condition's operator matches it: only `StringLike` has wildcards.
fn meant(operator: &str, partition: String) -> String {
    if partition.contains('*') && !operator.ends_with("StringLike") {
        format!("{partition} (literally)")
    } else {
        partition
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn statement(actions: &[&str], partitions: &[&str]) -> Value {
        json!({
            "Effect": "Allow",
            "Action": actions,
            "Resource": {"Fn::GetAtt": ["Table", "Arn"]},
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": partitions}},
        })
    }

    fn complaints(statements: &[Value]) -> Vec<String> {
        let index = json!({
            "Effect": "Allow",
            "Action": "dynamodb:Query",
            "Resource": {"Fn::Sub": "${Table.Arn}/index/index"},
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "items#*"}},
        });
        let statements = [&[index], statements].concat();
        let template = Template::new(
            json!({
                "Parameters": {"Namespace": {"Default": "items"}},
                "Resources": {
                    "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"GlobalSecondaryIndexes": [{"IndexName": "index"}]}},
                    "Role": {"Type": "AWS::IAM::Role", "Properties": {
                        "AssumeRolePolicyDocument": {"Statement": [{"Principal": {"Service": "lambda.amazonaws.com"}}]},
                        "Policies": [{"PolicyDocument": {"Statement": statements}}],
                    }},
                },
            }),
            &[],
        )
        .unwrap();
        let requirements = Requirements::new(json!({
            "actions": {"storing": ["dynamodb:GetItem", "dynamodb:Query"], "following": ["dynamodb:GetItem", "s3:GetObject"]},
            "partitions": {"facts": "#facts", "tokens": "#tokens", "channels": "#channel"},
        }));
        partitions(&template, &requirements).unwrap()
    }

    /// The union of all statements is the same in each.
    #[test]
    fn each_action_is_compared_on_its_own_partitions() {
        const OWN: [&str; 3] = ["items#*", "#facts", "#tokens"];
        let channels = statement(&["dynamodb:GetItem"], &["#channel"]);
        let right = statement(&["dynamodb:GetItem", "dynamodb:Query"], &OWN);
        assert_eq!(complaints(&[right, channels.clone()]), [""; 0]);
        let without_reads = statement(&["dynamodb:Query"], &OWN);
        assert_eq!(
            complaints(&[without_reads, channels.clone()]),
            OWN_ORDER.map(|partition| format!(
                "`dynamodb:GetItem` on the table, partition `{partition}` is called, but not allowed to `Role` there"
            ))
        );
        let other = statement(
            &["dynamodb:GetItem", "dynamodb:Query"],
            &["items#*", "#facts"],
        );
        let swapped = statement(&["dynamodb:GetItem"], &["#channel", "#tokens"]);
        assert_eq!(
            complaints(&[other, swapped]),
            [
                "`dynamodb:Query` on the table, partition `#tokens` is called, but not allowed to `Role` there"
            ]
        );
        let mut literal = statement(&["dynamodb:GetItem", "dynamodb:Query"], &OWN);
        literal["Condition"] = json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": OWN}});
        assert_eq!(complaints(&[literal, channels]).len(), 4);
    }

    /// In the order of complaints.
    const OWN_ORDER: [&str; 3] = ["#facts", "#tokens", "items#*"];
}
