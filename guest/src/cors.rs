//! CORS (WHATWG Fetch): what browsers ask before and read after a call, and the headers of every response.
//!
//! Any origin may call, but without the browser's credentials: callers authenticate with a header that their own code sets. Responses are
//! the same for every origin, hence no `Vary: Origin`.

use crate::{
    http::{Request, Response},
    router::Route,
};

const ALLOW_HEADERS: &str =
    "accept, authorization, content-type, idempotency-key, if-match, if-none-match, x-api-key";
const EXPOSE_HEADERS: &str = "accept-patch, allow, content-location, etag, idempotency-replayed, link, location, retry-after";
/// Browsers keep the response to a preflight request for two hours at most.
const MAX_AGE_SECONDS: &str = "7200";

/// Answers OPTIONS: the headers of a preflight response if it is one, and the allowed methods in any case.
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

/// Adds the headers of every response. A response without a rule for caching must not be cached.
pub fn finish(mut response: Response) -> Response {
    if response.header("cache-control").is_none() {
        response = response.with("cache-control", "no-store");
    }
    response
        .with("access-control-allow-origin", "*")
        .with("access-control-expose-headers", EXPOSE_HEADERS)
        .with("x-content-type-options", "nosniff")
}
