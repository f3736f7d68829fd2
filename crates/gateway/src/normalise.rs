//! From event to request: one pass over the JSON, then the same checks for all kinds.

use super::{
    Event, EventError, Origin, ParseContext, RefusedError, diagnose, encode,
    envelope::{Envelope, Fields, Text, text},
    kind,
    path::{self, Split},
    route,
    shape::{self, Query, Shape},
    time::event_time_ms,
};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use contract::{
    http::{Context, FieldLines, Request, Scheme, is_token, without_blanks},
    limits::Limits,
};
use std::{borrow::Cow, net::IpAddr};

/// Some gateways leave out the padding, most do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a request is refused, before the origin of the request is known.
pub struct RequestError {
    pub status: u16,
    pub detail: String,
}

impl RequestError {
    fn bad_request(detail: String) -> Self {
        Self {
            status: 400,
            detail,
        }
    }
}

/// Parses an event.
#[expect(
    clippy::disallowed_methods,
    reason = "an envelope has named members, strings and spans: no `Value`, and no recursion beyond the type's own"
)]
pub fn parse(
    event: &[u8],
    context: &ParseContext<'_>,
    limits: &Limits,
) -> Result<Event, EventError> {
    // A derived struct would also accept a list.
    let is_object = event.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    // UTF-8 is checked as a whole, because a parser does not check strings that it skips.
    let Ok(text) = str::from_utf8(event) else {
        return Err(diagnose::rejection(event, None, context));
    };
    let mut envelope = match serde_json::from_str::<Envelope<'_>>(text) {
        Ok(envelope) if is_object => envelope,
        Ok(_) => return Err(diagnose::rejection(event, None, context)),
        Err(error) => return Err(diagnose::rejection(event, Some(&error), context)),
    };
    match kind::of_envelope(&envelope) {
        Some(kind) => {
            let multi_value =
                kind.has_multi_value_setting() && envelope.multi_value_headers.is_some();
            let origin = Origin { kind, multi_value };
            normalise(origin, &mut envelope, context, limits).map_err(EventError::Http)
        }
        None => Err(diagnose::rejection(event, None, context)),
    }
}

/// The request of an event whose origin is known.
pub fn normalise(
    origin: Origin,
    envelope: &mut Envelope<'_>,
    context: &ParseContext<'_>,
    limits: &Limits,
) -> Result<Event, Box<RefusedError>> {
    let kind = origin.kind;
    let body = envelope.body.take();
    let request_id = context.request_id(
        envelope
            .request_context
            .as_ref()
            .and_then(|context| text(&context.request_id)),
    );
    match request(origin, envelope, body, &request_id, context, limits) {
        Ok(request) => Ok(Event {
            origin,
            time_epoch_ms: envelope
                .request_context
                .as_ref()
                .and_then(|context| event_time_ms(context.time_epoch, context.request_time_epoch)),
            route: route::of(kind, envelope, Some(&request.path)),
            request,
        }),
        Err(RequestError { status, detail }) => Err(Box::new(RefusedError {
            origin,
            status,
            detail,
            request_id,
            method: shape::of(origin, envelope)
                .method
                .filter(|method| is_token(method))
                .unwrap_or_default()
                .to_owned(),
            route: route::of(kind, envelope, None),
        })),
    }
}

fn request(
    origin: Origin,
    envelope: &Envelope<'_>,
    body: Option<Text<'_>>,
    request_id: &str,
    context: &ParseContext<'_>,
    limits: &Limits,
) -> Result<Request, RequestError> {
    let shape = shape::of(origin, envelope);
    let method = shape.method.ok_or_else(|| {
        RequestError::bad_request(format!("event field `{}` is missing", shape.method_field))
    })?;
    if !is_token(method) {
        return Err(RequestError::bad_request(format!(
            "event field `{}` is not an HTTP method",
            shape.method_field
        )));
    }
    let Split {
        base_path,
        path,
        fidelity,
    } = path(&shape, context.base_path, limits)?;
    let query = query(&shape.query, base_path.len() + path.len(), limits)?;
    let headers = headers(&shape, limits)?;
    let identity = shape::identity(origin.kind, envelope).map_err(|error| {
        RequestError::bad_request(format!("event field `requestContext.authorizer` {error}"))
    })?;
    let domain_name = envelope
        .request_context
        .as_ref()
        .and_then(|context| text(&context.domain_name));
    Ok(Request {
        method: method.to_owned(),
        path,
        query,
        body: body_bytes(body, envelope.is_base64_encoded.unwrap_or(false), limits)?,
        context: Context {
            request_id: request_id.to_owned(),
            received_at_ms: context.received_at_ms,
            scheme: scheme(shape.headers, shape.scheme),
            authority: shape
                .headers
                .and_then(|headers| headers.first("host"))
                .map(without_blanks)
                .or(domain_name)
                .unwrap_or_default()
                .to_owned(),
            client_address: shape.client_address.and_then(address),
            base_path,
            path_fidelity: fidelity,
            identity,
        },
        headers,
    })
}

fn path(
    shape: &Shape<'_>,
    base_path: Option<&str>,
    limits: &Limits,
) -> Result<Split, RequestError> {
    let path = shape.path.ok_or_else(|| {
        RequestError::bad_request(format!("event field `{}` is missing", shape.path_field))
    })?;
    let path = match path.starts_with('/') {
        true => Cow::Borrowed(path),
        // The value that the console's test of a method sends for an omitted one.
        false if shape.path_may_lack_slash => Cow::Owned(format!("/{path}")),
        false => {
            return Err(RequestError::bad_request(format!(
                "event field `{}` does not begin with `/`",
                shape.path_field
            )));
        }
    };
    check_target(path.len(), limits)?;
    Ok(path::split(
        &path,
        shape.path_encoding,
        shape.base,
        base_path,
    ))
}

fn query(query: &Query<'_>, path_bytes: usize, limits: &Limits) -> Result<String, RequestError> {
    let (fields, encode): (_, fn(&str) -> Cow<'_, str>) = match query {
        Query::Raw(raw) => {
            check_target(path_bytes.saturating_add(raw.len()), limits)?;
            let query = encode::encoded_query(raw);
            check_target(path_bytes.saturating_add(query.len()), limits)?;
            return Ok(query.into_owned());
        }
        Query::Encoded(fields) => (fields, encode::encoded_query),
        Query::Decoded(fields) => (fields, encode::query_component),
        Query::None => return check_target(path_bytes, limits).map(|()| String::new()),
    };
    let mut query = String::new();
    for (name, value) in fields.iter() {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&encode(name));
        query.push('=');
        query.push_str(&encode(value));
        check_target(path_bytes.saturating_add(query.len()), limits)?;
    }
    check_target(path_bytes.saturating_add(query.len()), limits).map(|()| query)
}

fn check_target(bytes: usize, limits: &Limits) -> Result<(), RequestError> {
    let bytes_max = limits.request_target_bytes_max;
    if bytes <= bytes_max {
        return Ok(());
    }
    Err(RequestError {
        status: 414,
        detail: format!("path and query take more than the {bytes_max} bytes allowed"),
    })
}

fn headers(shape: &Shape<'_>, limits: &Limits) -> Result<FieldLines, RequestError> {
    let mut lines = FieldLines::with_capacity(1024);
    let mut bytes = 0_usize;
    let mut push = |name: &str, value: &str| {
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        let bytes_max = limits.request_headers_bytes_max;
        if bytes > bytes_max {
            return Err(RequestError {
                status: 431,
                detail: format!("headers take more than the {bytes_max} bytes allowed"),
            });
        }
        lines
            .push(name, value)
            .map_err(|error| RequestError::bad_request(error.to_string()))
    };
    if let Some(headers) = shape.headers {
        headers
            .iter()
            .try_for_each(|(name, value)| push(name, value))?;
    }
    if !shape.cookies.is_empty() {
        // RFC 6265, 4.2.1: one field, pairs separated by `; `.
        push(
            "cookie",
            &shape
                .cookies
                .iter()
                .map(|cookie| &*cookie.0)
                .collect::<Vec<_>>()
                .join("; "),
        )?;
    }
    Ok(lines)
}

fn body_bytes(
    body: Option<Text<'_>>,
    is_base64: bool,
    limits: &Limits,
) -> Result<Vec<u8>, RequestError> {
    let Some(Text(body)) = body else {
        return Ok(Vec::new());
    };
    let bytes_max = limits.request_body_bytes_max;
    // Base64 encodes 3 bytes as 4 characters with up to two of padding; checked before memory is allocated.
    let bytes_min = if is_base64 {
        (body.len() / 4).saturating_mul(3).saturating_sub(2)
    } else {
        body.len()
    };
    let too_large = || RequestError {
        status: 413,
        detail: format!("body takes more than the {bytes_max} bytes allowed"),
    };
    if bytes_min > bytes_max {
        return Err(too_large());
    }
    if !is_base64 {
        return Ok(body.into_owned().into_bytes());
    }
    let bytes = BASE64.decode(body.as_bytes()).map_err(|error| {
        RequestError::bad_request(format!(
            "event field `body` is not base64, as `isBase64Encoded` says: {error}"
        ))
    })?;
    if bytes.len() > bytes_max {
        Err(too_large())
    } else {
        Ok(bytes)
    }
}

/// An IP address; empty if the event has another text, such as the console's `test-invoke-source-ip`.
fn address(text: &str) -> Option<String> {
    let address = text.trim();
    address.parse::<IpAddr>().ok().map(|_| address.to_owned())
}

/// The last value, which the gateway wrote, because a client may have sent a header of its own; otherwise the default of the kind.
fn scheme(headers: Option<&Fields<'_>>, usual: Scheme) -> Scheme {
    let forwarded = headers.and_then(|headers| headers.last("x-forwarded-proto"));
    match forwarded
        .and_then(|value| value.rsplit(',').next())
        .map(str::trim)
    {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
        Some(_) | None => usual,
    }
}
