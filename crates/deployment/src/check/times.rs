//! Time limits are nested: the host's, then the function's, then the gateway's.

use super::Template;
use crate::{api_kind::ApiKind, settings::Deployment};
use serde_json::Value;

/// What a gateway may wait at most (AWS: API Gateway quotas, "Integration timeout").
fn gateway_ms_max(api: ApiKind) -> u64 {
    match api {
        ApiKind::Rest => 29_000,
        ApiKind::Http => 30_000,
        ApiKind::FunctionUrl => 900_000,
    }
}

pub fn findings(template: &Template<'_>, deployment: &Deployment) -> Vec<String> {
    let mut findings = Vec::new();
    let host_ms = template
        .0
        .pointer("/Parameters/RequestDurationMs/MaxValue")
        .and_then(Value::as_u64);
    let Some(function) = template.0.pointer("/Resources/Host/Properties") else {
        return vec!["there is no function `Host`".to_owned()];
    };
    let Some(function_ms) = function["Timeout"].as_u64().map(|seconds| seconds * 1000) else {
        return vec!["function `Host` has no timeout".to_owned()];
    };
    if host_ms.is_none_or(|host_ms| host_ms >= function_ms) {
        findings.push(format!(
            "parameter `RequestDurationMs` does not end below the function's timeout of {function_ms} ms"
        ));
    }
    let mut waits = Vec::new();
    // Other APIs are the project's own.
    gateway_waits(&template.0["Resources"]["Api"], &mut waits);
    let max = gateway_ms_max(deployment.api);
    if waits.is_empty() && deployment.api != ApiKind::FunctionUrl {
        findings.push("the API calls nothing".to_owned());
    }
    let wrong = waits
        .into_iter()
        .find(|wait| *wait <= function_ms || *wait > max);
    findings.extend(wrong.map(|wait| {
        format!("the gateway waits {wait} ms: more than the function's {function_ms} and at most {max} would do")
    }));
    if deployment.api != ApiKind::FunctionUrl
        && let Some((name, _)) = template.resources("AWS::Lambda::Url").next()
    {
        findings.push(format!("`{name}` leads past the API"));
    }
    findings
}

/// Every `timeoutInMillis`.
fn gateway_waits(value: &Value, waits: &mut Vec<u64>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "timeoutInMillis" {
                    waits.push(member.as_u64().unwrap_or_default());
                }
                gateway_waits(member, waits);
            }
        }
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| gateway_waits(element, waits)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
