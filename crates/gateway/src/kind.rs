//! Which gateway sent an event.

use super::envelope::{Envelope, text};
use json::Value;
use std::{fmt, str::FromStr};

/// The gateways that send HTTP requests as events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// API Gateway REST API; also an HTTP API with payload format 1.0.
    Rest,
    /// API Gateway HTTP API, payload format 2.0.
    HttpApi,
    /// Lambda function URL.
    FunctionUrl,
    /// Application Load Balancer.
    Alb,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Rest, Self::HttpApi, Self::FunctionUrl, Self::Alb];

    /// The name under which people choose it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::HttpApi => "http",
            Self::FunctionUrl => "url",
            Self::Alb => "alb",
        }
    }

    /// Which gateway that is, for people.
    pub fn description(self) -> &'static str {
        match self {
            Self::Rest => "API Gateway REST API (payload 1.0)",
            Self::HttpApi => "API Gateway HTTP API (payload 2.0)",
            Self::FunctionUrl => "Lambda function URL",
            Self::Alb => "Application load balancer",
        }
    }

    /// Whether lists of header values are a setting of the gateway, which each event shows and the response must follow.
    pub(crate) fn has_multi_value_setting(self) -> bool {
        match self {
            Self::Alb => true,
            Self::Rest | Self::HttpApi | Self::FunctionUrl => false,
        }
    }

    /// Whether a response has to repeat its status in words.
    pub(crate) fn wants_status_description(self) -> bool {
        match self {
            Self::Alb => true,
            Self::Rest | Self::HttpApi | Self::FunctionUrl => false,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A name that no kind has.
#[derive(Debug, thiserror::Error)]
#[error("unknown event kind `{0}`; one of {names}", names = names())]
pub struct EventKindError(String);

fn names() -> String {
    EventKind::ALL.map(|kind| format!("`{kind}`")).join(", ")
}

impl FromStr for EventKind {
    type Err = EventKindError;

    fn from_str(name: &str) -> Result<Self, EventKindError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| EventKindError(name.to_owned()))
    }
}

/// The few facts that tell kinds apart, taken from a parsed event or from a tree of one that did not parse.
struct Marks<'a> {
    authorizer: bool,
    connection: bool,
    load_balancer: bool,
    http: bool,
    context: bool,
    http_method: bool,
    domain_name: Option<&'a str>,
}

/// The kind of an event that fits the envelope; `None` if it is no HTTP request.
pub fn of_envelope(envelope: &Envelope<'_>) -> Option<EventKind> {
    let context = envelope.request_context.as_ref();
    of_marks(&Marks {
        authorizer: envelope.method_arn.is_some() || envelope.route_arn.is_some(),
        connection: context.is_some_and(|context| context.connection_id.is_some()),
        load_balancer: context.is_some_and(|context| context.elb.is_some()),
        http: context.is_some_and(|context| context.http.is_some()),
        context: context.is_some(),
        http_method: envelope.http_method.is_some(),
        domain_name: context.and_then(|context| text(&context.domain_name)),
    })
}

/// The same for any JSON value.
pub fn of_value(event: &Value) -> Option<EventKind> {
    let has = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    let context = event
        .get("requestContext")
        .filter(|context| !context.is_null());
    let in_context = |name: &str| context.and_then(|context| context.get(name));
    of_marks(&Marks {
        authorizer: has(event.get("methodArn")) || has(event.get("routeArn")),
        connection: has(in_context("connectionId")),
        load_balancer: has(in_context("elb")),
        http: has(in_context("http")),
        context: context.is_some(),
        http_method: has(event.get("httpMethod")),
        domain_name: in_context("domainName").and_then(Value::as_str),
    })
}

fn of_marks(marks: &Marks<'_>) -> Option<EventKind> {
    if marks.authorizer || marks.connection {
        None
    } else if marks.load_balancer {
        Some(EventKind::Alb)
    } else if marks.http {
        // Function URLs have no custom domains: their own is the one thing that tells them from HTTP APIs.
        let is_url = marks
            .domain_name
            .is_some_and(|name| name.contains(".lambda-url."));
        Some(if is_url {
            EventKind::FunctionUrl
        } else {
            EventKind::HttpApi
        })
    } else if marks.context && marks.http_method {
        Some(EventKind::Rest)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names() {
        for kind in EventKind::ALL {
            assert_eq!(kind.to_string().parse::<EventKind>().unwrap(), kind);
        }
        let error = "soap".parse::<EventKind>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown event kind `soap`; one of `rest`, `http`, `url`, `alb`"
        );
    }
}
