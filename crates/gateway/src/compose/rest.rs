//! Payload format 1.0 as REST APIs send it (AWS: "Lambda proxy integrations in API Gateway"). Empty members are `null`.

use super::{
    ACCOUNT_ID, API_DOMAIN, API_ID, Authorization, Head,
    maps::{self, Names, Pair, write_all, write_last},
    time::common_log_format,
};
use crate::{
    envelope::{CallerIdentity, Envelope, RequestContext, text},
    time::Epoch,
};
use json::Object;

const STAGE: &str = "prod";

/// Only those maps that have every value: the others can be derived from them.
#[expect(clippy::disallowed_methods, reason = "a text of ours")]
pub fn envelope<'a>(head: &Head<'a>, headers: Vec<Pair<'a>>) -> Envelope<'a> {
    let incoming = head.incoming;
    let parameters = maps::decoded(head.query);
    let resource = match proxy(head) {
        Some(_) => "\"/{proxy+}\"",
        None => "\"/\"",
    };
    Envelope {
        resource: serde_json::from_str(resource).ok(),
        path: Some(head.path.into()),
        http_method: Some(incoming.method.into()),
        multi_value_headers: Some(maps::all(Names::AnyCase, headers)),
        multi_value_query_string_parameters: (!parameters.is_empty())
            .then(|| maps::all(Names::Exact, parameters)),
        request_context: Some(RequestContext {
            domain_name: Some(API_DOMAIN.into()),
            identity: Some(Box::new(CallerIdentity {
                source_ip: Some(incoming.client_address.into()),
                ..caller(head)
            })),
            request_id: Some(incoming.request_id.into()),
            request_time_epoch: Some(Epoch(Some(incoming.received_at_ms))),
            stage: Some(STAGE.into()),
            path: Some(head.path.into()),
            ..RequestContext::default()
        }),
        ..Envelope::default()
    }
}

/// The caller that IAM knows; all members are empty if nobody or another authorizer knows the caller.
fn caller(head: &Head<'_>) -> CallerIdentity<'static> {
    head.authorization
        .and_then(Authorization::identity)
        .unwrap_or_default()
}

/// The path parameter of the route `/{proxy+}`; `None` for the route `/`.
fn proxy<'a>(head: &Head<'a>) -> Option<&'a str> {
    head.path
        .strip_prefix('/')
        .filter(|proxy| !proxy.is_empty())
}

pub fn write(mut json: Object<'_>, head: &Head<'_>, event: &Envelope<'_>) {
    let proxy = proxy(head);
    let (resource, resource_id) = match proxy {
        Some(_) => ("/{proxy+}", "pr0xy1"),
        None => ("/", "r00t01"),
    };
    json.plain("resource", resource);
    json.string("path", head.path);
    json.string("httpMethod", head.incoming.method);
    if let Some(headers) = &event.multi_value_headers {
        write_last(headers, json.object("headers"));
        write_all(headers, json.object("multiValueHeaders"));
    }
    match &event.multi_value_query_string_parameters {
        Some(parameters) => {
            write_last(parameters, json.object("queryStringParameters"));
            write_all(parameters, json.object("multiValueQueryStringParameters"));
        }
        None => {
            json.null("queryStringParameters");
            json.null("multiValueQueryStringParameters");
        }
    }
    match proxy {
        Some(proxy) => {
            let mut parameters = json.object("pathParameters");
            parameters.string("proxy", proxy);
            parameters.end();
        }
        None => json.null("pathParameters"),
    }
    json.null("stageVariables");
    write_context(json.object("requestContext"), head, resource, resource_id);
    json.optional_string("body", text(&event.body));
    json.boolean("isBase64Encoded", event.is_base64_encoded == Some(true));
    json.end();
}

fn write_context(mut context: Object<'_>, head: &Head<'_>, resource: &str, resource_id: &str) {
    let incoming = head.incoming;
    context.plain("accountId", ACCOUNT_ID);
    context.plain("apiId", API_ID);
    if let Some(authorizer) = head.authorization.and_then(Authorization::authorizer) {
        context.raw("authorizer", authorizer.get().as_bytes());
    }
    context.plain("deploymentId", "d3pl0y");
    context.plain("domainName", API_DOMAIN);
    context.plain("domainPrefix", API_ID);
    context.string("extendedRequestId", incoming.request_id);
    context.string("httpMethod", incoming.method);
    let mut identity = context.object("identity");
    for (name, value) in caller(head).members() {
        identity.optional_string(name, text(value));
    }
    identity.string("sourceIp", incoming.client_address);
    identity.optional_string("userAgent", head.user_agent());
    identity.end();
    // As with a custom domain: the client's path has no stage, so a guest's references must not begin with one.
    context.string("path", head.path);
    context.plain("protocol", "HTTP/1.1");
    context.string("requestId", incoming.request_id);
    context.plain("requestTime", &common_log_format(incoming.received_at_ms));
    context.number("requestTimeEpoch", incoming.received_at_ms);
    context.plain("resourceId", resource_id);
    context.plain("resourcePath", resource);
    context.plain("stage", STAGE);
    context.end();
}
