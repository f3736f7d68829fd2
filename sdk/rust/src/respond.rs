//! Everything that a handler can return as a response.

use crate::{
    Context, Page, Problem,
    conditional::{Conditions, Verdict, entity_tag},
    json::{Document, ToJson, push_string},
    negotiation::JSON,
    pagination::next_link,
    response::{Response, Text},
    store::{Item, Replaced},
};
use alloc::{string::String, vec::Vec};

/// Only the client may keep it, and must revalidate it before each use, which is what entity tags are for.
const CACHE_CONTROL: &str = "private, no-cache";

/// What a handler can return.
///
/// ```
/// use tenon::{App, Context, IntoResponse, Response};
///
/// struct Html(String);
///
/// impl IntoResponse for Html {
///     fn into_response(self, _: &Context) -> Response {
///         Response::new(200, "text/html; charset=utf-8", self.0)
///     }
/// }
///
/// let client = App::new().get("/", || Html("<h1>Hello</h1>".into())).test();
/// assert_eq!(client.get("/").send().header("content-type"), Some("text/html; charset=utf-8"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a response",
    label = "not a response",
    note = "responses are `Json<T>`, `Item<T>`, `Created<R>`, `NoContent`, a text, `(status, R)`, and `Option` and `Result` of them"
)]
pub trait IntoResponse: Sized {
    /// Makes the response to the request of `context`.
    fn into_response(self, context: &Context) -> Response;

    /// The same with a field, in place of one of this name. A problem in place of the answer stays without it: the field is about the answer.
    ///
    /// ```
    /// use tenon::{App, IntoResponse};
    ///
    /// let client = App::new().get("/", || "<b>hello</b>".with_header("content-type", "text/html")).test();
    /// assert_eq!(client.get("/").send().header("content-type"), Some("text/html"));
    /// ```
    fn with_header(self, name: impl Into<Text>, value: impl Into<Text>) -> WithHeader<Self> {
        WithHeader {
            inner: self,
            name: name.into(),
            value: value.into(),
            is_appended: false,
        }
    }

    /// The same with one more field of a name that may be repeated, such as `link`, `set-cookie` and `vary`.
    fn append_header(self, name: impl Into<Text>, value: impl Into<Text>) -> WithHeader<Self> {
        WithHeader {
            is_appended: true,
            ..self.with_header(name, value)
        }
    }
}

/// A response with a further field; made by [`IntoResponse::with_header`] and [`IntoResponse::append_header`].
#[derive(Clone, Debug)]
pub struct WithHeader<R> {
    inner: R,
    name: Text,
    value: Text,
    is_appended: bool,
}

/// 204: done, and there is nothing to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoContent;

/// 201 with the new resource's reference in `Location` and `Content-Location`, in place of those of its content, and what it is now as content.
///
/// The segments of its path are percent-encoded and preceded by the API's base path. Content that is an error, such as `None` or a problem,
/// stays one.
///
/// ```
/// use tenon::{App, Created, Json};
///
/// let app = App::new().post("/rooms", || Created::at(["rooms", "a b"], Json("a b")));
/// let response = app.test().post("/rooms").base_path("/live").send();
/// assert_eq!(response.status(), 201);
/// assert_eq!(response.header("location"), Some("/live/rooms/a%20b"));
/// ```
#[derive(Clone, Debug)]
pub struct Created<R> {
    segments: Vec<String>,
    content: R,
}

impl<R> Created<R> {
    /// The resource at the path of these segments.
    pub fn at<S: Into<String>>(segments: impl IntoIterator<Item = S>, content: R) -> Self {
        Self {
            segments: segments.into_iter().map(Into::into).collect(),
            content,
        }
    }
}

impl IntoResponse for Response {
    fn into_response(self, _: &Context) -> Response {
        self
    }
}

impl<R: IntoResponse> IntoResponse for WithHeader<R> {
    fn into_response(self, context: &Context) -> Response {
        let response = self.inner.into_response(context);
        if response.is_problem() {
            response
        } else if self.is_appended {
            response.append_header(self.name, self.value)
        } else {
            response.with_header(self.name, self.value)
        }
    }
}

impl IntoResponse for NoContent {
    fn into_response(self, _: &Context) -> Response {
        Response::empty(204)
    }
}

impl<R: IntoResponse> IntoResponse for Created<R> {
    fn into_response(self, context: &Context) -> Response {
        let location = context.reference(self.segments);
        let mut response = self.content.into_response(context);
        if !response.is_success() {
            return response;
        }
        response.status = 201;
        response
            .with_header("location", location.clone())
            .with_header("content-location", location)
    }
}

/// 204.
impl IntoResponse for () {
    fn into_response(self, context: &Context) -> Response {
        NoContent.into_response(context)
    }
}

/// Plain text.
impl IntoResponse for String {
    fn into_response(self, _: &Context) -> Response {
        Response::new(200, "text/plain; charset=utf-8", self)
    }
}

/// Plain text.
impl IntoResponse for &'static str {
    fn into_response(self, _: &Context) -> Response {
        Response::new(200, "text/plain; charset=utf-8", self)
    }
}

/// Bytes without a more precise media type.
impl IntoResponse for Vec<u8> {
    fn into_response(self, _: &Context) -> Response {
        Response::new(200, "application/octet-stream", self)
    }
}

/// JSON as it is.
impl IntoResponse for Document {
    fn into_response(self, context: &Context) -> Response {
        json_response(self.into_json()).into_response(context)
    }
}

/// JSON as a response; 500 if it cannot be written.
pub(crate) fn json_response(json: Result<String, String>) -> Result<Response, Problem> {
    match json {
        Ok(json) => Ok(Response::new(200, JSON, json)),
        Err(error) => Err(Problem::internal_because("a response is not JSON", error)),
    }
}

/// With another status, if the inner response is a success (2xx): an error keeps its own.
///
/// ```
/// use tenon::{App, Problem};
///
/// let refuse = || (202, Err::<(), _>(Problem::forbidden("not yours")));
/// let client = App::new().get("/wait", || (202, "later")).get("/refuse", refuse).test();
/// assert_eq!(client.get("/wait").send().status(), 202);
/// assert_eq!(client.get("/refuse").send().status(), 403);
/// ```
impl<R: IntoResponse> IntoResponse for (u16, R) {
    fn into_response(self, context: &Context) -> Response {
        let mut response = self.1.into_response(context);
        if response.is_success() {
            response.status = self.0;
        }
        response
    }
}

impl<R: IntoResponse, E: IntoResponse> IntoResponse for Result<R, E> {
    fn into_response(self, context: &Context) -> Response {
        match self {
            Ok(answer) => answer.into_response(context),
            Err(error) => error.into_response(context),
        }
    }
}

/// 404 if there is nothing.
impl<R: IntoResponse> IntoResponse for Option<R> {
    fn into_response(self, context: &Context) -> Response {
        match self {
            Some(answer) => answer.into_response(context),
            None => Problem::nothing_at(&context.path).into_response(context),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self, context: &Context) -> Response {
        if let Some(cause) = self.cause() {
            context
                .log()
                .at(cause.level, cause.message)
                .with("error", &cause.error)
                .with("method", &context.method)
                .with("path", &context.path)
                .write();
        }
        self.into_document(&context.request_id)
    }
}

impl<T: ToJson> IntoResponse for Page<T> {
    fn into_response(self, context: &Context) -> Response {
        let link = self
            .cursor
            .as_deref()
            .map(|cursor| next_link(context, cursor));
        let response = json_response(self.into_json()).into_response(context);
        match link {
            Some(link) if response.is_success() => response.with("link", link),
            Some(_) | None => response,
        }
    }
}

impl<T: ToJson> Page<T> {
    /// The list as JSON, composed of the items' text.
    fn into_json(self) -> Result<String, String> {
        let mut list = String::from("{\"items\":[");
        for (position, item) in self.items.into_iter().enumerate() {
            if position > 0 {
                list.push(',');
            }
            list.push_str(&item.into_json()?);
        }
        list.push(']');
        if let Some(cursor) = &self.cursor {
            list.push_str(",\"next\":");
            push_string(&mut list, cursor);
        }
        list.push('}');
        Ok(list)
    }
}

impl<T: ToJson> IntoResponse for Item<T> {
    fn into_response(self, context: &Context) -> Response {
        let is_read = matches!(context.method.as_str(), "GET" | "HEAD");
        let is_known = if is_read {
            match is_known(&self.revision, context) {
                Ok(is_known) => is_known,
                Err(problem) => return problem.into_response(context),
            }
        } else {
            false
        };
        let response = if is_known {
            Ok(Response::empty(304))
        } else {
            json_response(self.value.into_json())
        };
        match response {
            Ok(response) => response
                .with("etag", entity_tag(&self.revision))
                .with("cache-control", CACHE_CONTROL),
            Err(problem) => problem.into_response(context),
        }
    }
}

/// Whether the client of a read has this revision already; 412 if it wants another one.
fn is_known(revision: &str, context: &Context) -> Result<bool, Problem> {
    let conditions = Conditions::of(context)?;
    match conditions.verdict(Some(revision)) {
        Verdict::Holds => Ok(false),
        Verdict::Match => Ok(true),
        Verdict::NoMatch => conditions.check(Some(revision)).map(|()| true),
    }
}

impl<T: ToJson> IntoResponse for Replaced<T> {
    fn into_response(self, context: &Context) -> Response {
        let mut response = self.item.into_response(context);
        if !response.is_success() {
            return response;
        }
        let location = [context.base_path.as_str(), &context.path].concat();
        if self.is_new {
            response.status = 201;
            response = response.with("location", location.clone());
        }
        response.with("content-location", location)
    }
}
