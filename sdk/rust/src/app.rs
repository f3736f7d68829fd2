//! The application: routes, and what every response has.

use crate::{
    Context, Cors, IntoResponse, Problem, Request, Response,
    extract::Handler,
    host::Host,
    negotiation,
    route::{Pattern, Segments},
};
use alloc::{boxed::Box, format, string::String, vec::Vec};

/// As many as a small API has, so that they are not moved while they are added.
const ROUTES_USUAL: usize = 16;

/// A REST API: handlers by method and path.
///
/// It answers by itself: HEAD like GET without content, OPTIONS with `Allow` and `Accept-Patch`, 405 with `Allow` for other methods of a known path, and 404.
/// Paths with literal segments go before paths with parameters. A response without `Cache-Control` gets `no-store`.
///
/// ```
/// use tenon::{App, Path};
///
/// let app = App::new()
///     .get("/rooms/{room}", |Path(room): Path<String>| room)
///     .get("/rooms/new", || "a form");
/// let client = app.test();
/// assert_eq!(client.get("/rooms/7").send().text(), "7");
/// assert_eq!(client.get("/rooms/new").send().text(), "a form");
/// let refused = client.delete("/rooms/7").send();
/// assert_eq!(refused.status(), 405);
/// assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS"));
/// ```
#[derive(Default)]
pub struct App {
    routes: Vec<Route>,
    cors: Option<Cors>,
    is_json_only: bool,
}

struct Route {
    method: &'static str,
    pattern: Pattern,
    content_type: Option<&'static str>,
    handler: Box<dyn Fn(&Context) -> Response>,
}

/// The routes that match a path most precisely, and differ by method.
struct Resource<'a> {
    routes: Vec<&'a Route>,
}

impl App {
    /// Without routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers GET, and HEAD with the same headers.
    #[must_use]
    pub fn get<A>(self, path: &'static str, handler: impl Handler<A>) -> Self {
        self.on("GET", path, handler)
    }

    /// Answers POST.
    #[must_use]
    pub fn post<A>(self, path: &'static str, handler: impl Handler<A>) -> Self {
        self.on("POST", path, handler)
    }

    /// Answers PUT.
    #[must_use]
    pub fn put<A>(self, path: &'static str, handler: impl Handler<A>) -> Self {
        self.on("PUT", path, handler)
    }

    /// Answers PATCH.
    #[must_use]
    pub fn patch<A>(self, path: &'static str, handler: impl Handler<A>) -> Self {
        self.on("PATCH", path, handler)
    }

    /// Answers DELETE.
    #[must_use]
    pub fn delete<A>(self, path: &'static str, handler: impl Handler<A>) -> Self {
        self.on("DELETE", path, handler)
    }

    /// Answers another method.
    ///
    /// # Panics
    ///
    /// If the path is not a pattern, or the method has a handler there already: mistakes in the program, which its first test shows.
    #[must_use]
    pub fn on<A, H: Handler<A>>(
        mut self,
        method: &'static str,
        path: &'static str,
        handler: H,
    ) -> Self {
        let pattern = Pattern::new(path);
        // Not in a finished component, which would look for them in each request again.
        if cfg!(any(debug_assertions, not(target_arch = "wasm32"))) {
            Pattern::check(path);
            let mut others = self.routes.iter();
            let is_taken = others
                .any(|route| route.method == method && route.pattern.is_same_resource(pattern));
            assert!(!is_taken, "`{method} {path}` has two handlers");
        }
        if self.routes.capacity() == 0 {
            self.routes.reserve(ROUTES_USUAL);
        }
        self.routes.push(Route {
            method,
            pattern,
            content_type: H::CONTENT_TYPE,
            handler: Box::new(move |context| handler.call(context)),
        });
        self
    }

    /// Lets pages of other origins call the API.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = Some(cors);
        self
    }

    /// Refuses with 406 requests whose `Accept` excludes JSON, before a handler does anything; except DELETE, whose response has no content.
    #[must_use]
    pub fn json_only(mut self) -> Self {
        self.is_json_only = true;
        self
    }

    /// Answers one request.
    pub(crate) fn answer(&self, request: Request, host: &Host) -> Response {
        let is_head = request.method == "HEAD";
        let origin = self.cors.as_ref().and_then(|cors| cors.origin_of(&request));
        let mut response = self.dispatch(request, host);
        if is_head {
            response.body.clear();
        }
        if response.status == 401 {
            // It must say how to authenticate (RFC 9110, 15.5.2).
            response = response.with_default("www-authenticate", "Bearer");
        }
        response = response.with_default("cache-control", "no-store");
        if let Some(cors) = &self.cors {
            response = cors.allow(response, origin);
        }
        response.with_default("x-content-type-options", "nosniff")
    }

    fn dispatch(&self, request: Request, host: &Host) -> Response {
        let Some(segments) = Segments::of(&request.path) else {
            let detail = "the path is not percent-encoded UTF-8";
            let context = Context::new(request, Vec::new(), host.clone());
            return Problem::new(400, "invalid-path", detail).into_response(&context);
        };
        let resource = self.find(&segments);
        let Some(route) = resource.route(&request.method) else {
            drop(segments);
            let context = Context::new(request, Vec::new(), host.clone());
            return self.without_handler(&resource, &context);
        };
        let parameters = route.pattern.parameters(&segments);
        drop(segments); // they borrow the request
        let context = Context::new(request, parameters, host.clone());
        if self.is_json_only
            && context.method != "DELETE"
            && let Err(problem) = negotiation::check_accept(&context)
        {
            return problem.into_response(&context);
        }
        let response = (route.handler)(&context);
        if context.is_replayed().get() && response.status < 400 {
            return response.with_default("idempotency-replayed", "true");
        }
        response
    }

    fn find(&self, segments: &Segments<'_>) -> Resource<'_> {
        let mut routes = Vec::with_capacity(8); // more than most resources have
        let mut best = None;
        let mut latest = None;
        for route in &self.routes {
            // The routes of one resource are usually together.
            let precision = match latest {
                Some((pattern, precision)) if route.pattern.is_identical(pattern) => precision,
                _ => route.pattern.matches(segments),
            };
            latest = Some((route.pattern, precision));
            if precision.is_none() || precision < best {
                continue;
            }
            if precision > best {
                routes.clear();
                best = precision;
            }
            routes.push(route);
        }
        Resource { routes }
    }

    fn without_handler(&self, resource: &Resource<'_>, context: &Context) -> Response {
        if resource.routes.is_empty() {
            return Problem::nothing_at(&context.path).into_response(context);
        }
        let allow = resource.allow();
        if context.method == "OPTIONS" {
            let mut response = Response::empty(204).with("allow", allow.clone());
            let patch = resource.route("PATCH");
            if let Some(content_type) = patch.and_then(|route| route.content_type) {
                response = response.with("accept-patch", content_type);
            }
            return match &self.cors {
                Some(cors) => cors.preflight(response, context, allow),
                None => response,
            };
        }
        let detail = format!("this resource does not know `{}`", context.method);
        Problem::new(405, "method-not-allowed", detail)
            .with_header("allow", allow)
            .into_response(context)
    }
}

impl<'a> Resource<'a> {
    /// The route of a method; HEAD is answered by GET, unless it has its own.
    fn route(&self, method: &str) -> Option<&'a Route> {
        let of = |method: &str| self.routes.iter().find(|route| route.method == method);
        match method {
            "HEAD" => of("HEAD").or_else(|| of("GET")),
            method => of(method),
        }
        .copied()
    }

    /// The value of `Allow`.
    fn allow(&self) -> String {
        let mut allow = String::new();
        let mut add = |method: &str| {
            if !allow.split(", ").any(|known| known == method) {
                allow.push_str(method);
                allow.push_str(", ");
            }
        };
        for route in &self.routes {
            add(route.method);
            if route.method == "GET" {
                add("HEAD");
            }
        }
        add("OPTIONS");
        allow.truncate(allow.len().saturating_sub(", ".len()));
        allow
    }
}
