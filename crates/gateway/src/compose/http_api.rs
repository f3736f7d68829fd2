//! Payload format 2.0: HTTP APIs and function URLs (AWS: "Create AWS Lambda proxy integrations for HTTP APIs", "Invoking Lambda
//! function URLs").

use super::{
    ACCOUNT_ID, API_DOMAIN, API_ID, Authorization, Head, URL_DOMAIN, URL_ID,
    maps::{self, Pair, write_last},
    time::common_log_format,
};
use crate::{
    envelope::{Envelope, HttpContext, RequestContext, Text, text},
    time::Epoch,
};
use json::{Object, write_array, write_string};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

const ROUTE: &str = "$default";

/// The differences between HTTP APIs and function URLs.
struct Gateway {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'static str,
}

const API: Gateway = Gateway {
    account_id: ACCOUNT_ID,
    api_id: API_ID,
    domain_name: API_DOMAIN,
};

const URL: Gateway = Gateway {
    account_id: "anonymous",
    api_id: URL_ID,
    domain_name: URL_DOMAIN,
};

/// The event of an HTTP API. Cookies are removed from the headers.
pub fn envelope<'a>(head: &Head<'a>, mut headers: Vec<Pair<'a>>) -> Envelope<'a> {
    headers.retain(|(name, _)| name != "cookie");
    API.envelope(head, headers, path_twice_decoded(head.path))
}

/// The event of a function URL. Cookies are also left in the headers.
pub fn envelope_of_url<'a>(head: &Head<'a>, headers: Vec<Pair<'a>>) -> Envelope<'a> {
    URL.envelope(head, headers, Cow::Borrowed(head.path))
}

pub fn write(json: Object<'_>, head: &Head<'_>, event: &Envelope<'_>) {
    API.write(json, head, event);
}

pub fn write_url(json: Object<'_>, head: &Head<'_>, event: &Envelope<'_>) {
    URL.write(json, head, event);
}

impl Gateway {
    /// Without a route, because `$default` names none, and without what the raw query contains.
    fn envelope<'a>(
        &self,
        head: &Head<'a>,
        headers: Vec<Pair<'a>>,
        path: Cow<'a, str>,
    ) -> Envelope<'a> {
        let incoming = head.incoming;
        let cookies: Vec<Text<'a>> = incoming
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("cookie"))
            .flat_map(|(_, field)| field.split(';'))
            .map(str::trim)
            .filter(|cookie| !cookie.is_empty())
            .map(Text::from)
            .collect();
        Envelope {
            version: Some("2.0".into()),
            raw_path: Some(Text(path)),
            raw_query_string: Some(head.query.into()),
            cookies: (!cookies.is_empty()).then_some(cookies),
            headers: Some(maps::joined(headers, separator)),
            request_context: Some(RequestContext {
                domain_name: Some(self.domain_name.into()),
                http: Some(HttpContext {
                    method: Some(incoming.method.into()),
                    source_ip: Some(incoming.client_address.into()),
                }),
                request_id: Some(incoming.request_id.into()),
                stage: Some("$default".into()),
                time_epoch: Some(Epoch(Some(incoming.received_at_ms))),
                ..RequestContext::default()
            }),
            ..Envelope::default()
        }
    }

    fn write(&self, mut json: Object<'_>, head: &Head<'_>, event: &Envelope<'_>) {
        let path = text(&event.raw_path).unwrap_or_default();
        json.plain("version", "2.0");
        json.plain("routeKey", ROUTE);
        json.string("rawPath", path);
        json.string("rawQueryString", head.query);
        if let Some(cookies) = &event.cookies {
            let cookies = cookies.iter().map(|cookie| &*cookie.0);
            write_array(json.name("cookies"), cookies, write_string);
        }
        if let Some(headers) = &event.headers {
            write_last(headers, json.object("headers"));
        }
        let parameters = maps::decoded(head.query);
        if !parameters.is_empty() {
            let map = json.object("queryStringParameters");
            write_last(&maps::joined(parameters, |_| ","), map);
        }
        self.write_context(json.object("requestContext"), head, path);
        if let Some(body) = text(&event.body) {
            json.string("body", body);
        }
        json.boolean("isBase64Encoded", event.is_base64_encoded == Some(true));
        json.end();
    }

    fn write_context(&self, mut context: Object<'_>, head: &Head<'_>, path: &str) {
        let incoming = head.incoming;
        let authorizer = head.authorization.and_then(Authorization::authorizer);
        // `anonymous` is who calls a function URL without a signature.
        let account_id = authorizer.map_or(self.account_id, |_| ACCOUNT_ID);
        context.plain("accountId", account_id);
        context.plain("apiId", self.api_id);
        if let Some(authorizer) = authorizer {
            context.raw("authorizer", authorizer.get().as_bytes());
        }
        context.plain("domainName", self.domain_name);
        context.plain("domainPrefix", self.api_id);
        let mut http = context.object("http");
        http.string("method", incoming.method);
        http.string("path", path);
        http.plain("protocol", "HTTP/1.1");
        http.string("sourceIp", incoming.client_address);
        http.string("userAgent", head.user_agent().unwrap_or_default());
        http.end();
        context.string("requestId", incoming.request_id);
        context.plain("routeKey", ROUTE);
        context.plain("stage", "$default");
        context.plain("time", &common_log_format(incoming.received_at_ms));
        context.number("timeEpoch", incoming.received_at_ms);
        context.end();
    }
}

/// Joins repeated headers with commas, without spaces. Commas would break `cookie` fields: they are joined as in RFC 6265.
fn separator(name: &str) -> &'static str {
    if name == "cookie" { "; " } else { "," }
}

/// Whether an HTTP API accepts a path. It answers 400 itself if one decoding leaves a `%` that is not followed by two hexadecimal digits,
/// as in `/100%25`.
pub fn takes(path: &str) -> bool {
    let once = percent_decode_str(path).decode_utf8_lossy();
    let cut = once.split('?').next().unwrap_or_default();
    cut.split('%').skip(1).all(|part| {
        let digits = part.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// How an HTTP API transforms a path: it decodes it, cuts it at a `?` that the decoding produced, and decodes it again.
fn path_twice_decoded(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let once = percent_decode_str(path).decode_utf8_lossy();
    let cut = once.split('?').next().unwrap_or_default();
    Cow::Owned(percent_decode_str(cut).decode_utf8_lossy().into_owned())
}
