//! Where each kind of event has the parts of a request. All differences between kinds are here; `normalise` processes the parts.

use super::{
    EventKind, Origin,
    envelope::{Envelope, Fields, RequestContext, Text, text},
    identity,
    path::{Base, Encoding},
};
use contract::http::{Identity, Scheme};
use std::net::SocketAddr;

/// The parts of a request, as the event has them.
pub struct Shape<'e> {
    pub method: Option<&'e str>,
    pub method_field: &'static str,
    pub path: Option<&'e str>,
    pub path_field: &'static str,
    pub path_may_lack_slash: bool,
    pub path_encoding: Encoding,
    pub base: Base<'e>,
    pub query: Query<'e>,
    pub headers: Option<&'e Fields<'e>>,
    /// Cookies that the gateway took out of the headers.
    pub cookies: &'e [Text<'e>],
    pub client_address: Option<&'e str>,
    /// Used if no header has it.
    pub scheme: Scheme,
}

/// The three ways in which events represent a query.
pub enum Query<'e> {
    Raw(&'e str),
    /// Names and values, still percent-encoded.
    Encoded(&'e Fields<'e>),
    /// Names and values, decoded.
    Decoded(&'e Fields<'e>),
    None,
}

/// The shape of an event of the given origin.
pub fn of<'e>(origin: Origin, envelope: &'e Envelope<'e>) -> Shape<'e> {
    match origin.kind {
        EventKind::Rest => rest(envelope),
        EventKind::HttpApi => http_api(envelope),
        EventKind::FunctionUrl => function_url(envelope),
        EventKind::Alb => load_balancer(envelope, origin.multi_value),
    }
}

/// The caller, by the rules of the kind.
pub fn identity(
    kind: EventKind,
    envelope: &Envelope<'_>,
) -> Result<Option<Identity>, identity::AuthorizerError> {
    let Some(context) = &envelope.request_context else {
        return Ok(None);
    };
    match kind {
        EventKind::Rest => {
            let authorizer = context
                .authorizer
                .map(|raw| identity::of_rest_authorizer(raw.get()))
                .transpose()?
                .flatten();
            Ok(authorizer.or_else(|| {
                context
                    .identity
                    .as_deref()
                    .and_then(identity::of_iam_caller)
            }))
        }
        EventKind::HttpApi | EventKind::FunctionUrl => Ok(context
            .authorizer
            .map(|raw| identity::of_http_authorizer(raw.get()))
            .transpose()?
            .flatten()),
        EventKind::Alb => Ok(None),
    }
}

fn rest<'e>(envelope: &'e Envelope<'e>) -> Shape<'e> {
    // Payload format 1.0 is an HTTP API that uses a REST API's format, but treats paths differently.
    let is_http_api = text(&envelope.version) == Some("1.0");
    let context = envelope.request_context.as_ref();
    let query = fuller(
        &envelope.multi_value_query_string_parameters,
        &envelope.query_string_parameters,
    );
    Shape {
        method: text(&envelope.http_method),
        method_field: "httpMethod",
        path: text(&envelope.path),
        path_field: "path",
        path_may_lack_slash: true,
        path_encoding: if is_http_api {
            Encoding::Unknown
        } else {
            Encoding::Kept
        },
        base: if is_http_api {
            stage_in_path(context)
        } else {
            Base::ClientPath(context.and_then(|context| text(&context.path)))
        },
        query: query.map_or(Query::None, Query::Decoded),
        headers: fuller(&envelope.multi_value_headers, &envelope.headers),
        cookies: &[],
        client_address: context
            .and_then(|context| context.identity.as_deref())
            .and_then(|identity| text(&identity.source_ip)),
        scheme: Scheme::Https,
    }
}

fn http_api<'e>(envelope: &'e Envelope<'e>) -> Shape<'e> {
    Shape {
        path_encoding: Encoding::Lost,
        base: stage_in_path(envelope.request_context.as_ref()),
        ..function_url(envelope)
    }
}

fn function_url<'e>(envelope: &'e Envelope<'e>) -> Shape<'e> {
    let http = envelope
        .request_context
        .as_ref()
        .and_then(|context| context.http.as_ref());
    let has_cookie_header = envelope
        .headers
        .as_ref()
        .is_some_and(|headers| headers.last("cookie").is_some());
    Shape {
        method: http.and_then(|http| text(&http.method)),
        method_field: "requestContext.http.method",
        // An empty path is the root, as the gateway means it; a missing one is an error.
        path: envelope
            .raw_path
            .as_ref()
            .map(|path| if path.0.is_empty() { "/" } else { &*path.0 }),
        path_field: "rawPath",
        path_may_lack_slash: false,
        path_encoding: Encoding::Kept,
        base: Base::None,
        query: match (
            &envelope.raw_query_string,
            &envelope.query_string_parameters,
        ) {
            (Some(raw), _) => Query::Raw(&raw.0),
            (None, Some(parameters)) => Query::Decoded(parameters),
            (None, None) => Query::None,
        },
        headers: envelope.headers.as_ref(),
        // Function URLs also leave the cookies in the headers.
        cookies: if has_cookie_header {
            &[]
        } else {
            envelope.cookies.as_deref().unwrap_or_default()
        },
        client_address: http.and_then(|http| text(&http.source_ip)),
        scheme: Scheme::Https,
    }
}

fn load_balancer<'e>(envelope: &'e Envelope<'e>, multi_value: bool) -> Shape<'e> {
    let query = fuller(
        &envelope.multi_value_query_string_parameters,
        &envelope.query_string_parameters,
    );
    let headers = if multi_value {
        fuller(&envelope.multi_value_headers, &envelope.headers)
    } else {
        envelope.headers.as_ref()
    };
    Shape {
        method: text(&envelope.http_method),
        method_field: "httpMethod",
        path: text(&envelope.path),
        path_field: "path",
        path_may_lack_slash: false,
        path_encoding: Encoding::Kept,
        base: Base::None,
        query: query.map_or(Query::None, Query::Encoded),
        headers,
        cookies: &[],
        client_address: headers
            .and_then(|headers| headers.last("x-forwarded-for"))
            .map(last_hop),
        scheme: Scheme::Http,
    }
}

/// The map with every value, or the one with the last value of each name if the first is missing or empty, as test tools and frameworks
/// write it.
fn fuller<'e>(all: &'e Option<Fields<'e>>, last: &'e Option<Fields<'e>>) -> Option<&'e Fields<'e>> {
    all.as_ref()
        .filter(|fields| !fields.is_empty())
        .or(last.as_ref())
        .or(all.as_ref())
}

/// What precedes the path of an HTTP API: a named stage, which events contain whichever domain the client used. Any domain that is not the
/// API's own is a custom domain.
fn stage_in_path<'e>(context: Option<&'e RequestContext<'e>>) -> Base<'e> {
    let domain_name = context.and_then(|context| text(&context.domain_name));
    Base::Stage {
        stage: context
            .and_then(|context| text(&context.stage))
            .filter(|stage| *stage != "$default"),
        client_path: context.and_then(|context| text(&context.path)),
        is_custom_domain: domain_name.is_some_and(|name| !name.contains(".execute-api.")),
    }
}

/// The address that the load balancer itself saw and appended, without the port that it may be configured to add.
fn last_hop(forwarded_for: &str) -> &str {
    let last = forwarded_for.rsplit(',').next().unwrap_or_default().trim();
    match last.parse::<SocketAddr>() {
        Ok(_) => last.rsplit_once(':').map_or(last, |(address, _)| {
            address.trim_start_matches('[').trim_end_matches(']')
        }),
        Err(_) => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hop_is_the_one_the_load_balancer_saw() {
        assert_eq!(last_hop("6.6.6.6, 192.0.2.1"), "192.0.2.1");
        assert_eq!(last_hop("192.0.2.1:4711"), "192.0.2.1");
        assert_eq!(last_hop("[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(last_hop("2001:db8::1"), "2001:db8::1");
    }
}
