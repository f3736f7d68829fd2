//! Composes the event that a gateway would make of an HTTP request. `host-cli serve` and `host-cli event` pass it to the same code that
//! runs behind real gateways. What a gateway loses is lost here too.

mod alb;
mod authorization;
mod authorizer;
mod claims;
mod http_api;
mod maps;
mod rest;
mod time;
mod trace;
mod unauthorized;

pub use authorization::Authorization;
pub use authorizer::{Authorizer, AuthorizerNameError, ClaimsError};
pub use unauthorized::{TokenRefusal, unauthorized};

use super::{
    Event, EventKind, Origin, ParseContext, Quotas, RefusedError,
    deliver::Delivery,
    envelope::{Envelope, Text},
    media, normalise,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::{
    http::{CONNECTION_FIELDS, Scheme, without_blanks},
    limits::Limits,
};
use json::{self, Object};
use maps::Pair;
use std::borrow::Cow;

/// An HTTP request as a server received it.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// As in the request line.
    pub method: &'a str,
    /// Path and query as in the request line, percent-encoded, beginning with `/`.
    pub target: &'a str,
    /// Names of any case, repeated fields repeated, in order.
    pub headers: &'a [(&'a str, &'a str)],
    /// Without transfer encoding.
    pub body: &'a [u8],
    /// IP address without port.
    pub client_address: &'a str,
    /// How the client connected; becomes `x-forwarded-proto`.
    pub scheme: Scheme,
    /// 1 to 256 bytes of visible ASCII. Load balancer events do not contain it.
    pub request_id: &'a str,
    /// Milliseconds since the Unix epoch.
    pub received_at_ms: u64,
}

/// An event before it is written: the members that [`parse`](super::parse) reads in its JSON, and the source of those that only the JSON
/// has.
#[derive(Debug)]
pub struct Composed<'a> {
    origin: Origin,
    head: Head<'a>,
    envelope: Envelope<'a>,
}

/// What all kinds of event are made from, besides headers and body.
#[derive(Debug)]
struct Head<'a> {
    incoming: &'a Incoming<'a>,
    path: &'a str,
    query: &'a str,
    /// What the authorizer says about the caller.
    authorization: Option<&'a Authorization>,
}

/// An upper bound for an event without target, headers, body and caller.
const EVENT_BYTES_USUAL: usize = 4096;

const ACCOUNT_ID: &str = "123456789012";
const API_ID: &str = "a1b2c3d4e5";
const API_DOMAIN: &str = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com";
const URL_ID: &str = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6";
const URL_DOMAIN: &str = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6.lambda-url.us-east-1.on.aws";

/// The response of the gateway itself to a request for `target` (path and query as in the request line) for which it makes no event.
pub fn refused(kind: EventKind, target: &str) -> Option<Delivery> {
    let path = target.split('?').next().unwrap_or_default();
    match kind {
        EventKind::HttpApi if path.contains('%') && !http_api::takes(path) => Some(Delivery {
            status: 400,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: br#"{"message":"Bad Request"}"#.to_vec(),
            fault: Some(
                "an HTTP API refuses a path in which `%25` is not followed by two hexadecimal digits".to_owned(),
            ),
        }),
        EventKind::HttpApi | EventKind::Rest | EventKind::FunctionUrl | EventKind::Alb => None,
    }
}

/// The event that the gateway would make of a request without a caller.
pub fn compose<'a>(origin: Origin, incoming: &'a Incoming<'a>) -> Composed<'a> {
    compose_for(origin, incoming, None)
}

/// The event that the gateway would make of a request whose caller its authorizer knows. The authorization must be made for this kind.
pub fn compose_for<'a>(
    origin: Origin,
    incoming: &'a Incoming<'a>,
    authorization: Option<&'a Authorization>,
) -> Composed<'a> {
    debug_assert!(authorization.is_none_or(|caller| caller.kind() == origin.kind));
    let (path, query) = incoming
        .target
        .split_once('?')
        .unwrap_or((incoming.target, ""));
    let head = Head {
        incoming,
        path,
        query,
        authorization,
    };
    let mut headers = headers(origin.kind, incoming);
    if let Some(authorization) = authorization {
        authorization.add_headers(&mut headers, incoming.received_at_ms);
    }
    let mut envelope = match origin.kind {
        EventKind::Rest => rest::envelope(&head, headers),
        EventKind::HttpApi => http_api::envelope(&head, headers),
        EventKind::FunctionUrl => http_api::envelope_of_url(&head, headers),
        EventKind::Alb => alb::envelope(&head, headers, origin.multi_value),
    };
    let (body, is_base64) = body(origin.kind, incoming);
    envelope.body = Some(Text(body));
    envelope.is_base64_encoded = Some(is_base64);
    if let (Some(caller), Some(context)) = (authorization, &mut envelope.request_context) {
        context.authorizer = caller.authorizer();
    }
    Composed {
        origin,
        head,
        envelope,
    }
}

impl<'a> Composed<'a> {
    /// The event as the gateway sends it.
    pub fn to_json(&self) -> Vec<u8> {
        let Self {
            origin,
            head,
            envelope,
        } = self;
        let body_bytes = envelope.body.as_ref().map_or(0, |body| body.0.len());
        let mut json = json::with_room(body_bytes);
        let event = Object::begin(&mut json);
        match origin.kind {
            EventKind::Rest => rest::write(event, head, envelope),
            EventKind::HttpApi => http_api::write(event, head, envelope),
            EventKind::FunctionUrl => http_api::write_url(event, head, envelope),
            EventKind::Alb => alb::write(event, head, envelope),
        }
        json
    }

    /// Checks whether Lambda accepts the event; the error is the number of bytes of its JSON. The JSON is only written for this if the
    /// request is so large that the size is not obvious.
    pub fn check_size(&self) -> Result<(), usize> {
        let bytes_max = Quotas::of(self.origin.kind).event_bytes_max;
        let body_bytes = self.envelope.body.as_ref().map_or(0, |body| body.0.len());
        // An escape takes six bytes at most; what follows besides the body is written up to three times.
        let caller_bytes = self.head.authorization.map_or(0, Authorization::bytes);
        let rest_bytes =
            self.head.incoming.head_bytes().saturating_mul(3) + caller_bytes + EVENT_BYTES_USUAL;
        if body_bytes.saturating_add(rest_bytes).saturating_mul(6) <= bytes_max {
            return Ok(());
        }
        let bytes = self.to_json().len();
        if bytes <= bytes_max {
            Ok(())
        } else {
            Err(bytes)
        }
    }

    /// The request: equivalent to [`parse`](super::parse) of the event's JSON, which is not written.
    pub fn into_event(
        mut self,
        context: &ParseContext<'_>,
        limits: &Limits,
    ) -> Result<Event, Box<RefusedError>> {
        normalise::normalise(self.origin, &mut self.envelope, context, limits)
    }
}

impl Incoming<'_> {
    fn head_bytes(&self) -> usize {
        let texts = self.headers.iter().flat_map(|(name, value)| [name, value]);
        // Each field has quotes, colon and comma besides its texts.
        texts.fold(self.target.len(), |bytes, text| bytes + text.len() + 4)
    }
}

impl<'a> Head<'a> {
    fn user_agent(&self) -> Option<&'a str> {
        let mut fields = self.incoming.headers.iter().rev();
        let (_, value) = fields.find(|(name, _)| name.eq_ignore_ascii_case("user-agent"))?;
        Some(value)
    }
}

/// What gateways add to the headers.
const ADDED: [&str; 4] = [
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
];

/// The same as REST APIs spell it.
const ADDED_BY_REST: [&str; 4] = [
    "X-Amzn-Trace-Id",
    "X-Forwarded-For",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
];

/// The client's fields without those of its connection, plus those that every gateway adds. REST APIs keep the case of names, the others
/// convert them to lower case.
fn headers<'a>(kind: EventKind, incoming: &Incoming<'a>) -> Vec<Pair<'a>> {
    let (keeps_case, added) = match kind {
        EventKind::Rest => (true, ADDED_BY_REST),
        EventKind::HttpApi | EventKind::FunctionUrl | EventKind::Alb => (false, ADDED),
    };
    let mut headers = Vec::with_capacity(incoming.headers.len() + 4);
    let mut forwarded_for = String::new();
    let mut trace = None;
    let of_connection = connection_options(incoming.headers);
    for &(name, value) in incoming.headers {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("x-forwarded-for") {
            forwarded_for.push_str(value);
            forwarded_for.push_str(", ");
        } else if is("x-amzn-trace-id") {
            trace = trace.or_else(|| trace::continued(value));
        } else if !CONNECTION_FIELDS.iter().any(|field| is(field))
            && !is("x-forwarded-proto")
            && !is("x-forwarded-port")
            && !of_connection.iter().any(|option| is(option))
        {
            let name = if keeps_case || !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                Cow::Borrowed(name)
            } else {
                Cow::Owned(name.to_ascii_lowercase())
            };
            headers.push((name, Cow::Borrowed(value)));
        }
    }
    forwarded_for.push_str(incoming.client_address);
    let (proto, port) = forwarded_to(incoming);
    let values = [
        Cow::Owned(trace.unwrap_or_else(|| trace::begun(incoming))),
        Cow::Owned(forwarded_for),
        Cow::Owned(port.to_owned()),
        Cow::Borrowed(proto),
    ];
    headers.extend(added.map(Cow::Borrowed).into_iter().zip(values));
    headers
}

/// The fields that `Connection` names: they end at the gateway (RFC 9110, 7.6.1). A client cannot remove `Host`, which is for every
/// recipient. Usually there are none.
fn connection_options<'a>(headers: &[(&str, &'a str)]) -> Vec<&'a str> {
    let are_fields = |option: &&str| {
        !["", "close", "keep-alive", "host"]
            .iter()
            .any(|other| option.eq_ignore_ascii_case(other))
    };
    headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .flat_map(|(_, value)| value.split(',').map(without_blanks))
        .filter(are_fields)
        .collect()
}

/// The protocol and port that the client used.
fn forwarded_to<'a>(incoming: &Incoming<'a>) -> (&'static str, &'a str) {
    let (proto, usual_port) = match incoming.scheme {
        Scheme::Http => ("http", "80"),
        Scheme::Https => ("https", "443"),
    };
    let host = incoming
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"));
    // The part after the last colon is a port unless it belongs to an IPv6 address.
    let port = host
        .and_then(|(_, host)| host.rsplit_once(':'))
        .map(|(_, port)| port)
        .filter(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        .unwrap_or(usual_port);
    (proto, port)
}

/// REST APIs send content of their binary types in base64 and everything else as text, in which invalid bytes are lost. The others decide
/// by the type of the content.
fn body<'a>(kind: EventKind, incoming: &Incoming<'a>) -> (Cow<'a, str>, bool) {
    let header = |name: &str| {
        incoming
            .headers
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    };
    let is_text_type = || {
        let content_type = header("content-type");
        let is_form = content_type.is_some_and(|value| value.contains("x-www-form-urlencoded"));
        media::is_text(content_type) && !is_form && header("content-encoding").is_none()
    };
    let is_text = match kind {
        EventKind::Rest => {
            let essence = media::essence(header("content-type").unwrap_or_default());
            if !media::is_one_of(essence, &media::REST_BINARY_TYPES) {
                return (String::from_utf8_lossy(incoming.body), false);
            }
            incoming.body.is_empty()
        }
        EventKind::HttpApi | EventKind::FunctionUrl | EventKind::Alb => {
            incoming.body.is_empty() || is_text_type()
        }
    };
    match str::from_utf8(incoming.body) {
        Ok(text) if is_text => (Cow::Borrowed(text), false),
        Ok(_) | Err(_) => (Cow::Owned(STANDARD.encode(incoming.body)), true),
    }
}
