//! Load balancer targets (AWS: "Use Lambda functions as targets of an Application Load Balancer"). Parameters are not decoded.

use super::{
    Message,
    maps::{All, Fields, Last, Names},
};
use serde::{Serialize, Serializer};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'m> {
    request_context: RequestContext,
    http_method: &'m str,
    path: &'m str,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<LastParameters<'m>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_query_string_parameters: Option<AllParameters<'m>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Last<'m>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<All<'m>>,
    body: &'m str,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
struct RequestContext {
    elb: LoadBalancer,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoadBalancer {
    target_group_arn: &'static str,
}

struct LastParameters<'m>(Fields<'m>);
struct AllParameters<'m>(Fields<'m>);

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

/// Either the single-value or the multi-value members, as the target group is set up.
pub fn event<'m>(message: &'m Message<'m>, multi_value: bool) -> Event<'m> {
    let parameters = || Fields::encoded(message.query);
    Event {
        request_context: RequestContext {
            elb: LoadBalancer {
                target_group_arn: "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tenon/0123456789abcdef",
            },
        },
        http_method: message.incoming.method,
        path: message.path,
        query_string_parameters: (!multi_value).then(|| LastParameters(parameters())),
        multi_value_query_string_parameters: multi_value.then(|| AllParameters(parameters())),
        headers: (!multi_value).then_some(Last(&message.headers, Names::LowerCase)),
        multi_value_headers: multi_value.then_some(All(&message.headers, Names::LowerCase)),
        body: &message.body,
        is_base64_encoded: message.is_base64,
    }
}
