//! Load balancer targets (AWS: "Use Lambda functions as targets of an Application Load Balancer"). Parameters are not decoded.

use super::{Message, maps::Fields};
use crate::json::Object;

const TARGET_GROUP_ARN: &str =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tenon/0123456789abcdef";

/// Either the single-value or the multi-value members, as the target group is set up.
pub fn write(mut event: Object<'_>, message: &Message<'_>, multi_value: bool) {
    let mut context = event.object("requestContext");
    let mut load_balancer = context.object("elb");
    load_balancer.plain("targetGroupArn", TARGET_GROUP_ARN);
    load_balancer.end();
    context.end();
    event.string("httpMethod", message.incoming.method);
    event.string("path", message.path);
    let parameters = Fields::encoded(message.query);
    if multi_value {
        parameters.write_all(event.object("multiValueQueryStringParameters"));
        let headers = event.object("multiValueHeaders");
        message.headers.write_all(headers);
    } else {
        parameters.write_last(event.object("queryStringParameters"));
        let headers = event.object("headers");
        message.headers.write_last(headers);
    }
    event.string("body", &message.body);
    event.boolean("isBase64Encoded", message.is_base64);
    event.end();
}
