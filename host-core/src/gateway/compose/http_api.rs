//! Payload format 2.0: HTTP APIs and function URLs (AWS: "Create AWS Lambda proxy integrations for HTTP APIs", "Invoking Lambda
//! function URLs").

use super::{
    ACCOUNT_ID, API_DOMAIN, API_ID, Message, URL_DOMAIN, URL_ID,
    maps::{Fields, Joined, Names},
    time::common_log_format,
};
use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};
use std::borrow::Cow;

const ROUTE: &str = "$default";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'m> {
    version: &'static str,
    route_key: &'static str,
    raw_path: &'m str,
    raw_query_string: &'m str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<&'m str>,
    headers: Joined<'m>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<Parameters<'m>>,
    request_context: RequestContext<'m>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'m str>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'m> {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'static str,
    domain_prefix: &'static str,
    http: HttpContext<'m>,
    request_id: &'m str,
    route_key: &'static str,
    stage: &'static str,
    time: String,
    time_epoch: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpContext<'m> {
    method: &'m str,
    path: &'m str,
    protocol: &'static str,
    source_ip: &'m str,
    user_agent: &'m str,
}

/// Decoded, repeated ones joined by commas.
struct Parameters<'m>(Fields<'m>);

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Joined {
            fields: &self.0,
            names: Names::Exact,
            keeps_cookies: true,
        }
        .serialize(serializer)
    }
}

/// What an HTTP API makes of a path: it decodes it, cuts it at a `?` that this brought out, and decodes it again.
pub fn path_twice_decoded(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let once = percent_decode_str(path).decode_utf8_lossy();
    let cut = once.split('?').next().unwrap_or_default();
    Cow::Owned(percent_decode_str(cut).decode_utf8_lossy().into_owned())
}

pub fn event<'m>(message: &'m Message<'m>, path: &'m str) -> Event<'m> {
    let context = (ACCOUNT_ID, API_ID, API_DOMAIN);
    build(message, path, false, context)
}

pub fn url_event<'m>(message: &'m Message<'m>) -> Event<'m> {
    build(
        message,
        message.path,
        true,
        ("anonymous", URL_ID, URL_DOMAIN),
    )
}

fn build<'m>(
    message: &'m Message<'m>,
    path: &'m str,
    keeps_cookies: bool,
    (account_id, api_id, domain_name): (&'static str, &'static str, &'static str),
) -> Event<'m> {
    let incoming = message.incoming;
    let cookies = message
        .headers
        .all("cookie")
        .flat_map(|field| field.split(';'))
        .map(str::trim);
    Event {
        version: "2.0",
        route_key: ROUTE,
        raw_path: path,
        raw_query_string: message.query,
        cookies: cookies.filter(|cookie| !cookie.is_empty()).collect(),
        headers: Joined {
            fields: &message.headers,
            names: Names::LowerCase,
            keeps_cookies,
        },
        query_string_parameters: Some(Fields::decoded(message.query))
            .filter(|fields| !fields.is_empty())
            .map(Parameters),
        request_context: RequestContext {
            account_id,
            api_id,
            domain_name,
            domain_prefix: api_id,
            http: HttpContext {
                method: incoming.method,
                path,
                protocol: "HTTP/1.1",
                source_ip: incoming.client_address,
                user_agent: message.user_agent().unwrap_or_default(),
            },
            request_id: incoming.request_id,
            route_key: ROUTE,
            stage: "$default",
            time: common_log_format(incoming.received_at_ms),
            time_epoch: incoming.received_at_ms,
        },
        body: Some(&*message.body).filter(|body| !body.is_empty()),
        is_base64_encoded: message.is_base64,
    }
}
