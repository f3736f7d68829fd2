//! Who may call what, in the template of each variant.

use crate::{ApiKind, Authorizer, Deployment, Method, RouteKey, examples::variants, yaml};
use serde_json::Value;

/// Every method of an API with whether it wants credentials.
fn methods(api: &Value) -> Vec<(String, String, bool)> {
    let mut found = Vec::new();
    let paths = api["DefinitionBody"]["paths"].as_object().unwrap();
    for (path, item) in paths {
        for (member, operation) in item.as_object().unwrap() {
            let known = Method::ALL
                .into_iter()
                .find(|method| method.member() == member);
            let method = match known {
                Some(method) => method.as_str().to_owned(),
                None => {
                    assert_eq!(member, "x-amazon-apigateway-any-method");
                    "ANY".to_owned()
                }
            };
            let security = &operation["security"];
            let is_open = security.as_array().is_some_and(Vec::is_empty);
            assert!(is_open || !security.is_null(), "{path} {member}");
            found.push((method, path.clone(), is_open));
        }
    }
    found
}

/// Whether a method has a rate of its own.
fn has_rate(deployment: &Deployment, api: &Value, method: &str, path: &str) -> bool {
    let is_rate = |setting: &Value| {
        setting["ThrottlingRateLimit"]["Ref"] == "OpenRequestsPerSecond"
            && setting["ThrottlingBurstLimit"]["Ref"] == "OpenRequestsBurst"
    };
    match deployment.api {
        ApiKind::Rest => {
            let resource = format!("/{}", path.replace('/', "~1"));
            let mut settings = api["MethodSettings"].as_array().unwrap().iter();
            settings.any(|setting| {
                setting["ResourcePath"] == *resource
                    && setting["HttpMethod"] == method
                    && is_rate(setting)
            })
        }
        ApiKind::Http => is_rate(&api["RouteSettings"][format!("{method} {path}")]),
        ApiKind::FunctionUrl => false,
    }
}

#[test]
fn only_what_is_named_is_open_and_has_a_rate_of_its_own() {
    for (name, deployment) in variants() {
        if deployment.api == ApiKind::FunctionUrl || deployment.authorizer == Authorizer::None {
            continue;
        }
        let document = yaml::parse(&deployment.template().unwrap()).unwrap();
        let api = &document["Resources"]["Api"]["Properties"];
        let methods = methods(api);
        assert!(methods.iter().any(|(_, _, is_open)| !is_open), "{name}");
        for (method, path, is_open) in methods {
            let key = format!("{method} {path}").parse::<RouteKey>();
            let is_named = key.is_ok_and(|key| deployment.open.contains(&key));
            let is_meant = is_named || method == "OPTIONS";
            assert_eq!(is_open, is_meant, "{name}: {method} {path}");
            let is_bounded = has_rate(&deployment, api, &method, &path);
            assert_eq!(is_bounded, is_meant, "{name}: {method} {path}");
        }
    }
}

/// A function URL without an authorizer is open, and with one it is not.
#[test]
fn a_url_is_open_only_without_an_authorizer() {
    for (name, deployment) in variants() {
        if deployment.api != ApiKind::FunctionUrl {
            continue;
        }
        let template = deployment.template().unwrap();
        let document = yaml::parse(&template).unwrap();
        let is_open = deployment.authorizer == Authorizer::None;
        let kind = if is_open { "NONE" } else { "AWS_IAM" };
        let url = &document["Resources"]["HostUrl"]["Properties"];
        assert_eq!(url["AuthType"], kind, "{name}");
        let resources = document["Resources"].as_object().unwrap();
        let everybody = resources.values().filter(|resource| {
            resource["Type"] == "AWS::Lambda::Permission"
                && resource["Properties"]["Principal"] == "*"
        });
        assert_eq!(everybody.count() > 0, is_open, "{name}");
    }
}
