//! What browsers ask before and read after a call: CORS (WHATWG Fetch), and headers that every answer carries.
//!
//! Any origin may call, none with credentials of the browser: a caller proves itself with a header that its own code sets. Answers
//! are the same for every origin, hence no `Vary: Origin`.

use crate::{
    http::{Request, Response},
    router::Route,
};

const ALLOW_HEADERS: &str =
    "accept, authorization, content-type, idempotency-key, if-match, if-none-match, x-api-key";
const EXPOSE_HEADERS: &str = "accept-patch, allow, content-location, etag, idempotency-replayed, link, location, retry-after";
/// Browsers forget an answer to a preflight request after two hours at the latest.
const MAX_AGE_SECONDS: &str = "7200";

/// Answers OPTIONS: with what browsers ask for in a preflight request, and with the methods in any case.
pub fn options(request: &Request, route: &Route) -> Response {
    let mut response = Response::empty(204).with("allow", route.allow());
    if matches!(route, Route::Item(_)) {
        response = response.with("accept-patch", crate::negotiation::MERGE_PATCH);
    }
    let is_preflight = request.headers.get("origin").is_some()
        && request
            .headers
            .get("access-control-request-method")
            .is_some();
    if is_preflight {
        response = response
            .with("access-control-allow-methods", route.allow())
            .with("access-control-allow-headers", ALLOW_HEADERS)
            .with("access-control-max-age", MAX_AGE_SECONDS);
    }
    response
}

/// Adds what every answer has. What did not say how it may be cached may not be.
pub fn finish(mut response: Response) -> Response {
    if response.header("cache-control").is_none() {
        response = response.with("cache-control", "no-store");
    }
    response
        .with("access-control-allow-origin", "*")
        .with("access-control-expose-headers", EXPOSE_HEADERS)
        .with("x-content-type-options", "nosniff")
}
