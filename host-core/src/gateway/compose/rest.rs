//! Payload format 1.0 as REST APIs send it (AWS: "Lambda proxy integrations in API Gateway"). What is empty is `null`.

use super::{
    ACCOUNT_ID, API_DOMAIN, API_ID, Message,
    maps::{All, Fields, Last, Names},
    time::common_log_format,
};
use serde::{Serialize, Serializer};
use std::rc::Rc;

const STAGE: &str = "prod";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'m> {
    resource: &'static str,
    path: &'m str,
    http_method: &'m str,
    headers: Last<'m>,
    multi_value_headers: All<'m>,
    query_string_parameters: Option<LastParameters<'m>>,
    multi_value_query_string_parameters: Option<AllParameters<'m>>,
    path_parameters: Option<Proxy<'m>>,
    stage_variables: Option<()>,
    request_context: RequestContext<'m>,
    body: Option<&'m str>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
struct Proxy<'m> {
    proxy: &'m str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'m> {
    account_id: &'static str,
    api_id: &'static str,
    deployment_id: &'static str,
    domain_name: &'static str,
    domain_prefix: &'static str,
    extended_request_id: &'m str,
    http_method: &'m str,
    identity: CallerIdentity<'m>,
    path: String,
    protocol: &'static str,
    request_id: &'m str,
    request_time: String,
    request_time_epoch: u64,
    resource_id: &'static str,
    resource_path: &'static str,
    stage: &'static str,
}

/// Nobody vouches for the caller: all but the last two members are `null`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallerIdentity<'m> {
    access_key: Option<()>,
    account_id: Option<()>,
    caller: Option<()>,
    cognito_authentication_provider: Option<()>,
    cognito_authentication_type: Option<()>,
    cognito_identity_id: Option<()>,
    cognito_identity_pool_id: Option<()>,
    principal_org_id: Option<()>,
    user: Option<()>,
    user_arn: Option<()>,
    source_ip: &'m str,
    user_agent: Option<&'m str>,
}

/// Two maps of the same parameters.
struct LastParameters<'m>(Rc<Fields<'m>>);
struct AllParameters<'m>(Rc<Fields<'m>>);

impl Serialize for LastParameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Last(&self.0, Names::Exact).serialize(serializer)
    }
}

impl Serialize for AllParameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        All(&self.0, Names::Exact).serialize(serializer)
    }
}

pub fn event<'m>(message: &'m Message<'m>) -> Event<'m> {
    let incoming = message.incoming;
    let parameters =
        Some(Rc::new(Fields::decoded(message.query))).filter(|fields| !fields.is_empty());
    let proxy = message
        .path
        .strip_prefix('/')
        .filter(|proxy| !proxy.is_empty());
    let (resource, resource_id) = if proxy.is_some() {
        ("/{proxy+}", "pr0xy1")
    } else {
        ("/", "r00t01")
    };
    Event {
        resource,
        path: message.path,
        http_method: incoming.method,
        headers: Last(&message.headers, Names::AsSent),
        multi_value_headers: All(&message.headers, Names::AsSent),
        query_string_parameters: parameters.clone().map(LastParameters),
        multi_value_query_string_parameters: parameters.map(AllParameters),
        path_parameters: proxy.map(|proxy| Proxy { proxy }),
        stage_variables: None,
        request_context: RequestContext {
            account_id: ACCOUNT_ID,
            api_id: API_ID,
            deployment_id: "d3pl0y",
            domain_name: API_DOMAIN,
            domain_prefix: API_ID,
            extended_request_id: incoming.request_id,
            http_method: incoming.method,
            identity: CallerIdentity {
                access_key: None,
                account_id: None,
                caller: None,
                cognito_authentication_provider: None,
                cognito_authentication_type: None,
                cognito_identity_id: None,
                cognito_identity_pool_id: None,
                principal_org_id: None,
                user: None,
                user_arn: None,
                source_ip: incoming.client_address,
                user_agent: message.user_agent(),
            },
            path: format!("/{STAGE}{}", message.path),
            protocol: "HTTP/1.1",
            request_id: incoming.request_id,
            request_time: common_log_format(incoming.received_at_ms),
            request_time_epoch: incoming.received_at_ms,
            resource_id,
            resource_path: resource,
            stage: STAGE,
        },
        body: Some(&*message.body).filter(|body| !body.is_empty()),
        is_base64_encoded: message.is_base64,
    }
}
