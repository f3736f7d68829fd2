//! Payload format 2.0: HTTP APIs and function URLs (AWS: "Create AWS Lambda proxy integrations for HTTP APIs", "Invoking Lambda
//! function URLs").

use super::{
    ACCOUNT_ID, API_DOMAIN, API_ID, Message, URL_DOMAIN, URL_ID, maps::Fields,
    time::common_log_format,
};
use crate::json::{Object, write_array, write_string};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

const ROUTE: &str = "$default";

/// What HTTP APIs and function URLs differ in.
struct Gateway {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'static str,
    /// Also as a header, beside the member `cookies`.
    keeps_cookies: bool,
}

/// The event of an HTTP API.
pub fn write(event: Object<'_>, message: &Message<'_>) {
    let gateway = Gateway {
        account_id: ACCOUNT_ID,
        api_id: API_ID,
        domain_name: API_DOMAIN,
        keeps_cookies: false,
    };
    gateway.write(event, message, &path_twice_decoded(message.path));
}

/// The event of a function URL.
pub fn write_url(event: Object<'_>, message: &Message<'_>) {
    let gateway = Gateway {
        account_id: "anonymous",
        api_id: URL_ID,
        domain_name: URL_DOMAIN,
        keeps_cookies: true,
    };
    gateway.write(event, message, message.path);
}

impl Gateway {
    fn write(&self, mut event: Object<'_>, message: &Message<'_>, path: &str) {
        event.plain("version", "2.0");
        event.plain("routeKey", ROUTE);
        event.string("rawPath", path);
        event.string("rawQueryString", message.query);
        let mut cookies = message
            .headers
            .all("cookie")
            .flat_map(|field| field.split(';'))
            .map(str::trim)
            .filter(|cookie| !cookie.is_empty())
            .peekable();
        if cookies.peek().is_some() {
            write_array(event.name("cookies"), cookies, write_string);
        }
        let headers = event.object("headers");
        message.headers.write_joined(self.keeps_cookies, headers);
        let parameters = Fields::decoded(message.query);
        if !parameters.is_empty() {
            let map = event.object("queryStringParameters");
            parameters.write_joined(true, map);
        }
        self.write_context(event.object("requestContext"), message, path);
        if let Some(body) = message.body_text() {
            event.string("body", body);
        }
        event.boolean("isBase64Encoded", message.is_base64);
        event.end();
    }

    fn write_context(&self, mut context: Object<'_>, message: &Message<'_>, path: &str) {
        let incoming = message.incoming;
        context.plain("accountId", self.account_id);
        context.plain("apiId", self.api_id);
        context.plain("domainName", self.domain_name);
        context.plain("domainPrefix", self.api_id);
        let mut http = context.object("http");
        http.string("method", incoming.method);
        http.string("path", path);
        http.plain("protocol", "HTTP/1.1");
        http.string("sourceIp", incoming.client_address);
        http.string("userAgent", message.user_agent().unwrap_or_default());
        http.end();
        context.string("requestId", incoming.request_id);
        context.plain("routeKey", ROUTE);
        context.plain("stage", "$default");
        context.plain("time", &common_log_format(incoming.received_at_ms));
        context.number("timeEpoch", incoming.received_at_ms);
        context.end();
    }
}

/// What an HTTP API makes of a path: it decodes it, cuts it at a `?` that this brought out, and decodes it again.
fn path_twice_decoded(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let once = percent_decode_str(path).decode_utf8_lossy();
    let cut = once.split('?').next().unwrap_or_default();
    Cow::Owned(percent_decode_str(cut).decode_utf8_lossy().into_owned())
}
