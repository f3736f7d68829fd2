//! Payload format 1.0 as REST APIs send it (AWS: "Lambda proxy integrations in API Gateway"). What is empty is `null`.

use super::{ACCOUNT_ID, API_DOMAIN, API_ID, Message, maps::Fields, time::common_log_format};
use crate::json::Object;

const STAGE: &str = "prod";

/// Members of `identity` that are `null`, for nobody vouches for the caller.
const UNKNOWN: [&str; 10] = [
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
];

pub fn write(mut event: Object<'_>, message: &Message<'_>) {
    let proxy = message
        .path
        .strip_prefix('/')
        .filter(|proxy| !proxy.is_empty());
    let (resource, resource_id) = if proxy.is_some() {
        ("/{proxy+}", "pr0xy1")
    } else {
        ("/", "r00t01")
    };
    event.plain("resource", resource);
    event.string("path", message.path);
    event.string("httpMethod", message.incoming.method);
    let headers = &message.headers;
    headers.write_last(event.object("headers"));
    headers.write_all(event.object("multiValueHeaders"));
    let parameters = Fields::decoded(message.query);
    if parameters.is_empty() {
        event.null("queryStringParameters");
        event.null("multiValueQueryStringParameters");
    } else {
        parameters.write_last(event.object("queryStringParameters"));
        parameters.write_all(event.object("multiValueQueryStringParameters"));
    }
    match proxy {
        Some(proxy) => {
            let mut parameters = event.object("pathParameters");
            parameters.string("proxy", proxy);
            parameters.end();
        }
        None => event.null("pathParameters"),
    }
    event.null("stageVariables");
    write_context(
        event.object("requestContext"),
        message,
        resource,
        resource_id,
    );
    event.optional_string("body", message.body_text());
    event.boolean("isBase64Encoded", message.is_base64);
    event.end();
}

fn write_context(
    mut context: Object<'_>,
    message: &Message<'_>,
    resource: &str,
    resource_id: &str,
) {
    let incoming = message.incoming;
    context.plain("accountId", ACCOUNT_ID);
    context.plain("apiId", API_ID);
    context.plain("deploymentId", "d3pl0y");
    context.plain("domainName", API_DOMAIN);
    context.plain("domainPrefix", API_ID);
    context.string("extendedRequestId", incoming.request_id);
    context.string("httpMethod", incoming.method);
    let mut identity = context.object("identity");
    for name in UNKNOWN {
        identity.null(name);
    }
    identity.string("sourceIp", incoming.client_address);
    identity.optional_string("userAgent", message.user_agent());
    identity.end();
    context.string("path", &format!("/{STAGE}{}", message.path));
    context.plain("protocol", "HTTP/1.1");
    context.string("requestId", incoming.request_id);
    context.plain("requestTime", &common_log_format(incoming.received_at_ms));
    context.number("requestTimeEpoch", incoming.received_at_ms);
    context.plain("resourceId", resource_id);
    context.plain("resourcePath", resource);
    context.plain("stage", STAGE);
    context.end();
}
