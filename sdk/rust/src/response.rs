//! Responses, and everything that a handler can return as one.

use crate::{Context, Problem};
use alloc::{borrow::Cow, string::String, vec::Vec};

/// A text that is mostly constant.
pub type Text = Cow<'static, str>;

/// A response, as the host expects it. The host sets `content-length`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 200 to 599.
    pub status: u16,
    /// Fields in order; names in any case.
    pub headers: Vec<(Text, Text)>,
    /// The content.
    pub body: Vec<u8>,
}

impl Response {
    /// Without content.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::with_capacity(8),
            body: Vec::new(),
        }
    }

    /// With content of a media type.
    pub fn new(status: u16, content_type: impl Into<Text>, body: impl Into<Vec<u8>>) -> Self {
        let mut response = Self::empty(status).with("content-type", content_type);
        response.body = body.into();
        response
    }

    /// With an additional field.
    #[must_use]
    pub fn with(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With the field, unless there is one of this name.
    #[must_use]
    pub fn with_default(self, name: &'static str, value: impl Into<Text>) -> Self {
        if self.header(name).is_some() {
            self
        } else {
            self.with(name, value)
        }
    }

    /// The first value of a field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }
}

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
pub trait IntoResponse: Sized {
    /// Makes the response to the request of `context`.
    fn into_response(self, context: &Context) -> Response;

    /// The same with an additional field.
    fn with_header(self, name: impl Into<Text>, value: impl Into<Text>) -> WithHeader<Self> {
        WithHeader {
            inner: self,
            name: name.into(),
            value: value.into(),
        }
    }
}

/// A response with an additional field; made by [`IntoResponse::with_header`].
#[derive(Clone, Debug)]
pub struct WithHeader<R> {
    inner: R,
    name: Text,
    value: Text,
}

/// 204: done, and there is nothing to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoContent;

/// 201 with the new resource's reference in `Location` and `Content-Location`, and what it is now as content.
///
/// The segments of its path are percent-encoded and preceded by the API's base path.
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
        response.with(self.name, self.value)
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
        response.status = 201;
        response
            .with("location", location.clone())
            .with("content-location", location)
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

/// With another status.
impl<R: IntoResponse> IntoResponse for (u16, R) {
    fn into_response(self, context: &Context) -> Response {
        let mut response = self.1.into_response(context);
        response.status = self.0;
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
