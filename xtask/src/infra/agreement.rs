//! Checks that the template and the code agree, which no tool for templates can know.

mod api;
mod metrics;
mod roles;

use super::{
    requirements::Requirements,
    template::{Template, elements, members, plain, text},
};
use anyhow::Context;
use serde_json::Value;
use std::{collections::BTreeSet, path::Path};

/// Parameters that enable everything optional.
const EVERYTHING: [(&str, &str); 18] = [
    ("AlarmTopicArn", "arn:aws:sns:us-east-1:123456789012:alarms"),
    ("BasePath", "/v1"),
    ("Channel", "stable"),
    ("GuestEnvironment", "{\"A\":\"b\"}"),
    ("LogRetentionDays", "7"),
    ("Outgoing", "[\"https://api.example.com\"]"),
    (OUTGOING_POLICY.0, OUTGOING_POLICY.1),
    (
        "PermissionsBoundaryArn",
        "arn:aws:iam::123456789012:policy/boundary",
    ),
    ("PublicKeys", "key"),
    (
        "PublisherPrincipal",
        "arn:aws:iam::123456789012:role/release",
    ),
    (
        "SecretArns",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:x",
    ),
    (
        "SecretParameterArns",
        "arn:aws:ssm:us-east-1:123456789012:parameter/x",
    ),
    ("Secrets", "{\"a\":{\"from\":\"ssm:/x\"}}"),
    ("Tape", "failures"),
    ("TapeRecipient", "age1x"),
    ("TapeRedactFields", "/secret"),
    ("TapeRedactHeaders", "x-secret"),
    (
        "WebAclArn",
        "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b",
    ),
];

/// The parameter that names the policy for signed requests of guests, and a value.
const OUTGOING_POLICY: (&str, &str) = (
    "OutgoingPolicyArn",
    "arn:aws:iam::123456789012:policy/outgoing",
);

/// Outputs that the end-to-end tests or the documentation use.
const OUTPUTS: [&str; 12] = [
    "AccessLogs",
    "ApiId",
    "ApiKeyId",
    "Artifacts",
    "Dashboard",
    "Function",
    "HostLogs",
    "HostRole",
    "PublisherRole",
    "Stage",
    "Table",
    "Url",
];

/// Compares a template with the code, and returns the differences.
type Check = fn(&Template, &Requirements) -> anyhow::Result<Vec<String>>;

/// All checks, with the names used in docs/operations.md.
pub const CHECKS: [(&str, Check); 15] = [
    ("routes", api::routes),
    ("integrations", api::integrations),
    ("binary_types", api::binary_types),
    ("open_methods", api::open_methods),
    ("alarms", metrics::alarms),
    ("dashboard", metrics::dashboard),
    ("all_are_shown", metrics::all_are_shown),
    ("host", roles::host),
    ("outgoing", roles::outgoing),
    ("secrets", roles::secrets),
    ("publisher", roles::publisher),
    ("partitions", roles::partitions),
    ("table", table),
    ("times_and_sizes", times_and_sizes),
    ("outputs", outputs),
];

/// The differences between an expanded template and the code, with defaults and with everything optional.
pub fn complaints(file: &Path, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let mut complaints = BTreeSet::new();
    for settings in [&[][..], &EVERYTHING[..]] {
        let template = Template::load(file, settings)?;
        // A template that lacks what a check needs is a difference as well, and the other checks continue.
        for (_, check) in CHECKS {
            match check(&template, requirements) {
                Ok(found) => complaints.extend(found),
                Err(error) => {
                    complaints.insert(format!("{error:#}"));
                }
            }
        }
    }
    // Optional variables are set only here.
    let everything = Template::load(file, &EVERYTHING)?;
    complaints.extend(variables(&everything, requirements)?);
    Ok(complaints.into_iter().collect())
}

/// The same by some of the checks, with the defaults only: other deployments have other parameters.
pub fn complaints_of(
    file: &Path,
    requirements: &Requirements,
    applies: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<String>> {
    let template = Template::load(file, &[])?;
    let mut complaints = Vec::new();
    for (_, check) in CHECKS.into_iter().filter(|(name, _)| applies(name)) {
        match check(&template, requirements) {
            Ok(found) => complaints.extend(found),
            Err(error) => complaints.push(format!("{error:#}")),
        }
    }
    Ok(complaints)
}

/// Names that only one side has, as differences.
fn unmatched(
    template: &BTreeSet<String>,
    code: &BTreeSet<String>,
    only_template: &str,
    only_code: &str,
) -> Vec<String> {
    let extra = template
        .difference(code)
        .map(|name| format!("`{name}` {only_template}"));
    let missing = code
        .difference(template)
        .map(|name| format!("`{name}` {only_code}"));
    extra.chain(missing).collect()
}

/// Compares the function's environment with the variables that the host reads.
fn variables(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let (_, function) = template.resource("AWS::Lambda::Function")?;
    let set = members(&function["Environment"]["Variables"])
        .map(|(name, _)| name.clone())
        .collect();
    let read = requirements.texts("/variables")?;
    Ok(unmatched(
        &set,
        &read,
        "is set, but the host does not read it",
        "is read by the host, but cannot be set",
    ))
}

/// Compares the table with the backend's layout.
fn table(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let (_, table) = template.resource("AWS::DynamoDB::Table")?;
    let key = |schema: &Value| -> String {
        let names: Vec<_> = elements(schema)
            .map(|part| {
                format!(
                    "{} {}",
                    plain(&part["KeyType"]),
                    plain(&part["AttributeName"])
                )
            })
            .collect();
        names.join(", ")
    };
    let pair = |key: &str| -> anyhow::Result<String> {
        Ok(format!(
            "HASH {}, RANGE {}",
            requirements.text(&format!("{key}/0"))?,
            requirements.text(&format!("{key}/1"))?
        ))
    };
    let index = &table["GlobalSecondaryIndexes"][0];
    let facts = [
        (
            "the table's key",
            key(&table["KeySchema"]),
            pair("/table/key")?,
        ),
        (
            "the index's key",
            key(&index["KeySchema"]),
            pair("/table/index_key")?,
        ),
        (
            "the index",
            plain(&index["IndexName"]),
            requirements.text("/table/index")?.to_owned(),
        ),
        (
            "the index's projection",
            plain(&index["Projection"]["ProjectionType"]),
            "ALL".to_owned(),
        ),
        (
            "the attribute for expiry",
            plain(&table["TimeToLiveSpecification"]["AttributeName"]),
            requirements.text("/table/expiry")?.to_owned(),
        ),
    ];
    let mut complaints: Vec<_> = facts
        .into_iter()
        .filter(|(_, found, expected)| found != expected)
        .map(|(what, found, expected)| {
            format!("{what} is `{found}`, the backend wants `{expected}`")
        })
        .collect();
    for attribute in elements(&table["AttributeDefinitions"]) {
        if attribute["AttributeType"] != "S" {
            complaints.push(format!(
                "key attribute `{}` is not text",
                plain(&attribute["AttributeName"])
            ));
        }
    }
    Ok(complaints)
}

/// Checks the order of timeouts: the host's is shortest, then Lambda's, then the gateway's. And that a guest's memory fits the function's.
fn times_and_sizes(template: &Template, _: &Requirements) -> anyhow::Result<Vec<String>> {
    /// REST APIs (AWS: API Gateway quotas).
    const GATEWAY_MS_MAX: u64 = 29_000;
    let (_, function) = template.resource("AWS::Lambda::Function")?;
    let variables = &function["Environment"]["Variables"];
    let function_ms = 1000 * number("the function's timeout", &function["Timeout"])?;
    let memory_bytes = 1024 * 1024 * number("the function's memory", &function["MemorySize"])?;
    let host_ms_max = number(
        "the largest `RequestDurationMs`",
        &template.parameter("RequestDurationMs")["MaxValue"],
    )?;
    let guest_bytes = number(
        "a guest's memory",
        &variables["TENON_GUEST_MEMORY_BYTES_MAX"],
    )?;
    let mut complaints = Vec::new();
    if host_ms_max >= function_ms {
        complaints.push(format!(
            "the host may wait {host_ms_max} ms, but Lambda ends it after {function_ms} ms"
        ));
    }
    for (route, integration) in api::each_integration(template)? {
        let gateway_ms = number(&route, &integration["timeoutInMillis"])?;
        if gateway_ms <= function_ms || gateway_ms > GATEWAY_MS_MAX {
            complaints.push(format!(
                "the gateway waits {gateway_ms} ms for `{route}`: more than the function's {function_ms} and at most {GATEWAY_MS_MAX} would do"
            ));
        }
    }
    if guest_bytes * 2 > memory_bytes {
        complaints.push(format!("a guest may take {guest_bytes} bytes of a function with {memory_bytes}: leave half for the host"));
    }
    complaints.extend(architecture(template, &function)?);
    Ok(complaints)
}

fn number(what: &str, value: &Value) -> anyhow::Result<u64> {
    plain(value)
        .parse()
        .with_context(|| format!("{what} is `{}`, no number", plain(value)))
}

/// Checks that the packages are for the architecture that runs them.
fn architecture(template: &Template, function: &Value) -> anyhow::Result<Vec<String>> {
    let (_, layer) = template.resource("AWS::Lambda::LayerVersion")?;
    let wanted = plain(&function["Architectures"][0]);
    let folder = |key: &Value| text(key).split('/').next().unwrap_or_default().to_owned();
    let found = [
        ("the function's package", folder(&function["Code"]["S3Key"])),
        ("the layer's package", folder(&layer["Content"]["S3Key"])),
        ("the layer", plain(&layer["CompatibleArchitectures"][0])),
    ];
    Ok(found
        .into_iter()
        .filter(|(_, found)| *found != wanted)
        .map(|(what, found)| format!("{what} is for `{found}`, the function for `{wanted}`"))
        .collect())
}

fn outputs(template: &Template, _: &Requirements) -> anyhow::Result<Vec<String>> {
    let found: BTreeSet<_> = template.outputs().cloned().collect();
    let expected = OUTPUTS.map(str::to_owned).into();
    Ok(unmatched(
        &found,
        &expected,
        "is an output that `OUTPUTS` does not list",
        "is no output",
    ))
}
