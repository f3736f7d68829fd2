//! Load balancer targets (AWS: "Use Lambda functions as targets of an Application Load Balancer"). Parameters are not decoded.

use super::{
    Head,
    maps::{self, Names, Pair, write_all, write_last},
};
use crate::envelope::{Envelope, RequestContext, text};
use json::Object;
use serde::de::IgnoredAny;

const TARGET_GROUP_ARN: &str =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tenon/0123456789abcdef";

/// Either the single-value or the multi-value members, depending on the target group's setting.
pub fn envelope<'a>(head: &Head<'a>, headers: Vec<Pair<'a>>, multi_value: bool) -> Envelope<'a> {
    let parameters = maps::encoded(head.query);
    let mut event = Envelope {
        http_method: Some(head.incoming.method.into()),
        path: Some(head.path.into()),
        request_context: Some(RequestContext {
            elb: Some(IgnoredAny),
            ..RequestContext::default()
        }),
        ..Envelope::default()
    };
    if multi_value {
        event.multi_value_query_string_parameters = Some(maps::all(Names::Exact, parameters));
        event.multi_value_headers = Some(maps::all(Names::Exact, headers));
    } else {
        event.query_string_parameters = Some(maps::last(parameters));
        event.headers = Some(maps::last(headers));
    }
    event
}

pub fn write(mut json: Object<'_>, head: &Head<'_>, event: &Envelope<'_>) {
    let mut context = json.object("requestContext");
    let mut load_balancer = context.object("elb");
    load_balancer.plain("targetGroupArn", TARGET_GROUP_ARN);
    load_balancer.end();
    context.end();
    json.string("httpMethod", head.incoming.method);
    json.string("path", head.path);
    if let Some(parameters) = &event.multi_value_query_string_parameters {
        write_all(parameters, json.object("multiValueQueryStringParameters"));
    }
    if let Some(headers) = &event.multi_value_headers {
        write_all(headers, json.object("multiValueHeaders"));
    }
    if let Some(parameters) = &event.query_string_parameters {
        write_last(parameters, json.object("queryStringParameters"));
    }
    if let Some(headers) = &event.headers {
        write_last(headers, json.object("headers"));
    }
    json.string("body", text(&event.body).unwrap_or_default());
    json.boolean("isBase64Encoded", event.is_base64_encoded == Some(true));
    json.end();
}
