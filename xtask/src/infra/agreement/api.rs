//! Routes, and what they call.

use super::unmatched;
use crate::infra::{
    requirements::{Requirements, described},
    template::{Template, elements, members, plain, text},
};
use serde_json::Value;

/// Compares the API's methods with the guest's OpenAPI document.
pub fn routes(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let (_, api) = template.resource("AWS::ApiGateway::RestApi")?;
    Ok(unmatched(
        &described(&api["Body"]["paths"]),
        &requirements.routes,
        "is a method of the API that the guest does not describe",
        "is described by the guest, but no method of the API",
    ))
}

/// Checks that each method calls the alias, which canary and rollback move, and that the API may call it.
pub fn integrations(template: &Template, _: &Requirements) -> anyhow::Result<Vec<String>> {
    let (alias, properties) = template.resource("AWS::Lambda::Alias")?;
    let mut complaints = Vec::new();
    if properties["Name"] != "live" {
        complaints.push(format!(
            "the alias is named `{}`, alarms watch `live`",
            plain(&properties["Name"])
        ));
    }
    for (route, integration) in each_integration(template)? {
        let uri = text(&integration["uri"]);
        if !uri.ends_with(&format!("functions/{alias}/invocations")) {
            complaints.push(format!("`{route}` calls `{uri}`, not the alias `{alias}`"));
        }
    }
    for (name, permission) in template.resources("AWS::Lambda::Permission") {
        if permission["FunctionName"] != alias.as_str() {
            complaints.push(format!(
                "`{name}` permits calls of `{}`, not of the alias",
                plain(&permission["FunctionName"])
            ));
        }
    }
    if template.resources("AWS::Lambda::Permission").is_empty() {
        complaints.push("the API may not call the function".to_owned());
    }
    Ok(complaints)
}

/// Compares the API's binary types with those that the host and `serve --event-kind rest` assume.
pub fn binary_types(
    template: &Template,
    requirements: &Requirements,
) -> anyhow::Result<Vec<String>> {
    let (_, api) = template.resource("AWS::ApiGateway::RestApi")?;
    let of_api = match &api["BinaryMediaTypes"] {
        Value::Null => &api["Body"]["x-amazon-apigateway-binary-media-types"],
        types => types,
    };
    let found = elements(of_api)
        .map(|media_type| plain(media_type).replace("~1", "/"))
        .collect();
    Ok(unmatched(
        &found,
        &requirements.texts("/binary_types")?,
        "is a binary type of the API that `REST_BINARY_TYPES` of the host lacks",
        "is in `REST_BINARY_TYPES` of the host, but no binary type of the API",
    ))
}

/// Checks that each method without a key has its own rate, below the one that all others share.
pub fn open_methods(template: &Template, _: &Requirements) -> anyhow::Result<Vec<String>> {
    let (_, api) = template.resource("AWS::ApiGateway::RestApi")?;
    let (_, stage) = template.resource("AWS::ApiGateway::Stage")?;
    let rate = |path: &str, method: &str| {
        let settings = stage["MethodSettings"].as_array()?;
        let setting = settings.iter().find(|setting| {
            setting["ResourcePath"] == path
                && text(&setting["HttpMethod"]).eq_ignore_ascii_case(method)
        })?;
        plain(&setting["ThrottlingRateLimit"]).parse::<f64>().ok()
    };
    let Some(shared) = rate("/*", "*") else {
        return Ok(vec!["the API has no rate".to_owned()]);
    };
    let mut complaints = Vec::new();
    for (path, item) in members(&api["Body"]["paths"]) {
        for (method, operation) in members(item) {
            let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
            let setting = format!("/{}", path.replace('/', "~1"));
            if is_open && rate(&setting, method).is_none_or(|own| own >= shared) {
                complaints.push(format!(
                    "`{} {path}` needs no key, and has no lower rate of its own",
                    method.to_uppercase()
                ));
            }
        }
    }
    Ok(complaints)
}

/// `METHOD /path` with the target of its call.
pub fn each_integration(template: &Template) -> anyhow::Result<Vec<(String, Value)>> {
    let (_, api) = template.resource("AWS::ApiGateway::RestApi")?;
    let mut integrations = Vec::new();
    for (path, item) in members(&api["Body"]["paths"]) {
        for (method, operation) in members(item) {
            let integration = operation["x-amazon-apigateway-integration"].clone();
            integrations.push((format!("{} {path}", method.to_uppercase()), integration));
        }
    }
    Ok(integrations)
}
