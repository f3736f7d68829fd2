//! CORS (WHATWG Fetch): which pages may call the API, and what their browsers may read.

use crate::{Request, Response, response::Text};
use alloc::{string::String, vec::Vec};

/// Browsers keep the response to a preflight request for two hours at most.
const MAX_AGE_SECONDS: &str = "7200";
const ALLOWED_HEADERS: &str =
    "accept, authorization, content-type, idempotency-key, if-match, if-none-match, x-api-key";
const EXPOSED_HEADERS: &str = "accept-patch, allow, content-location, etag, idempotency-replayed, link, location, retry-after";

/// Which origins may call the API from a browser.
///
/// ```
/// use tenon::{App, Cors};
///
/// let app = App::new()
///     .get("/", || "hello")
///     .cors(Cors::origins(["https://app.example"]).with_credentials());
/// let client = app.test();
/// let response = client.get("/").header("origin", "https://app.example").send();
/// assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example"));
/// let foreign = client.get("/").header("origin", "https://other.example").send();
/// assert_eq!(foreign.header("access-control-allow-origin"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// `None` is any origin.
    origins: Option<Vec<String>>,
    has_credentials: bool,
    allowed_headers: Text,
    exposed_headers: Text,
}

impl Cors {
    /// Any origin, without the browser's cookies and certificates: callers authenticate with a header that their own code sets.
    pub fn any_origin() -> Self {
        Self {
            origins: None,
            has_credentials: false,
            allowed_headers: ALLOWED_HEADERS.into(),
            exposed_headers: EXPOSED_HEADERS.into(),
        }
    }

    /// Only these origins, such as `https://app.example`.
    pub fn origins<S: Into<String>>(origins: impl IntoIterator<Item = S>) -> Self {
        Self {
            origins: Some(origins.into_iter().map(Into::into).collect()),
            ..Self::any_origin()
        }
    }

    /// Lets browsers send cookies. Not for any origin, because then every page could act for its visitors.
    ///
    /// # Panics
    ///
    /// If any origin may call: a mistake in the program, which its first test shows.
    #[must_use]
    pub fn with_credentials(mut self) -> Self {
        assert!(
            self.origins.is_some(),
            "browsers send credentials to listed origins only: `Cors::origins` lists them"
        );
        self.has_credentials = true;
        self
    }

    /// One more request header, in lower case, that pages may send.
    #[must_use]
    pub fn allow_header(mut self, name: &str) -> Self {
        push_name(&mut self.allowed_headers, name);
        self
    }

    /// One more response header, in lower case, that pages may read.
    #[must_use]
    pub fn expose_header(mut self, name: &str) -> Self {
        push_name(&mut self.exposed_headers, name);
        self
    }

    /// The origin of a request, if the response depends on it.
    pub(crate) fn origin_of(&self, request: &Request) -> Option<String> {
        self.origins.as_ref()?;
        Some(request.headers.get("origin")?.into_owned())
    }

    /// Adds the headers of a response to a preflight request, if it is one.
    pub(crate) fn preflight(
        &self,
        response: Response,
        request: &Request,
        methods: String,
    ) -> Response {
        let is_preflight = request.headers.get("origin").is_some()
            && request
                .headers
                .get("access-control-request-method")
                .is_some();
        if !is_preflight {
            return response;
        }
        response
            .with("access-control-allow-methods", methods)
            .with("access-control-allow-headers", self.allowed_headers.clone())
            .with("access-control-max-age", MAX_AGE_SECONDS)
    }

    /// Adds the headers of every response.
    pub(crate) fn allow(&self, response: Response, origin: Option<String>) -> Response {
        let Some(origins) = &self.origins else {
            return response.with("access-control-allow-origin", "*").with(
                "access-control-expose-headers",
                self.exposed_headers.clone(),
            );
        };
        // A cache must not give the response for one origin to another.
        let response = response.with("vary", "origin");
        let Some(origin) = origin.filter(|origin| origins.contains(origin)) else {
            return response;
        };
        let response = response.with("access-control-allow-origin", origin).with(
            "access-control-expose-headers",
            self.exposed_headers.clone(),
        );
        if self.has_credentials {
            response.with("access-control-allow-credentials", "true")
        } else {
            response
        }
    }
}

fn push_name(list: &mut Text, name: &str) {
    let list = list.to_mut();
    list.push_str(", ");
    list.push_str(name);
}
