//! Content of requests and responses.

use crate::{
    Context, FromRequest, IntoResponse, Problem, Response, json,
    negotiation::{self, JSON},
};
use alloc::vec::Vec;
use serde::{Serialize, de::DeserializeOwned};

/// JSON content: of the request as an argument, of the response as a result.
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

impl<T: DeserializeOwned> Json<T> {
    /// Reads content that a handler took as [`Bytes`](crate::Bytes), such as a message whose signature it verifies first. The problems are those
    /// of the argument, without one for the media type.
    pub fn read(content: &[u8]) -> Result<Self, Problem> {
        json::read_content(content).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest for Json<T> {
    fn from_request(context: &Context) -> Result<Self, Problem> {
        let hint = match context.method.as_str() {
            "POST" => "accept-post",
            "PATCH" => "accept-patch",
            _ => "accept",
        };
        negotiation::check_content_type(context, JSON, hint)?;
        json::read_content(&context.body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self, context: &Context) -> Response {
        json::write(&self.0).into_response(context)
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
