//! Content of requests and responses.

use crate::{
    Context, FromRequest, IntoResponse, Problem, Response,
    json::{FromJson, ToJson},
    negotiation::{self, JSON},
    respond::json_response,
};
use alloc::vec::Vec;

/// JSON content: of the request as an argument, of the response as a result. `T` is a type that serde describes, a [`Value`](crate::json::Value)
/// or a [`Document`](crate::json::Document).
///
/// A request with another content type is answered with 415, one that is not JSON with 400, and one that does not fit `T` with 422, whose
/// `errors` point to the place:
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tenon::{App, Json};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Guest {
///     name: String,
///     beds: u8,
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Party {
///     guests: Vec<Guest>,
/// }
///
/// fn echo(Json(party): Json<Party>) -> Json<Party> {
///     Json(party)
/// }
///
/// let client = App::new().post("/parties", echo).test();
/// let party = serde_json::json!({"guests": [{"name": "Ada", "beds": 1}, {"name": "Bob", "beds": "two"}]});
/// let response = client.post("/parties").json(&party).send();
/// assert_eq!(response.status(), 422);
/// assert_eq!(response.value()["errors"][0]["pointer"], "/guests/1/beds");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: FromJson> Json<T> {
    /// Reads content that a handler took as [`Bytes`](crate::Bytes), such as a message whose signature it verifies first. The problems are those
    /// of the argument, without one for the media type.
    pub fn read(content: &[u8]) -> Result<Self, Problem> {
        T::from_content(content).map(Self)
    }
}

impl<T: FromJson> FromRequest for Json<T> {
    const CONTENT_TYPE: Option<&'static str> = Some(JSON);

    fn from_request(context: &Context) -> Result<Self, Problem> {
        let hint = match context.method.as_str() {
            "POST" => "accept-post",
            "PATCH" => "accept-patch",
            _ => "accept",
        };
        negotiation::check_content_type(context, JSON, hint)?;
        T::from_content(&context.body).map(Self)
    }
}

impl<T: ToJson> IntoResponse for Json<T> {
    fn into_response(self, context: &Context) -> Response {
        json_response(self.0.into_json()).into_response(context)
    }
}

/// The content as it was sent, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl FromRequest for Bytes {
    fn from_request(context: &Context) -> Result<Self, Problem> {
        Ok(Self(context.body.clone()))
    }
}
