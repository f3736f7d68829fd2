//! The same without JSON between function and gateway, if both are in the same process.

use super::{BinaryMedia, Delivery, default_type, finish};
use crate::{
    EventKind, Reply,
    respond::{Body, Headers},
};
use base64::{Engine, engine::general_purpose::STANDARD};

impl Reply {
    /// What the gateway's client gets: the result of [`deliver`](super::deliver) for the reply's JSON.
    pub fn into_delivery(self, binary: &BinaryMedia<'_>) -> Delivery {
        let kind = self.origin().kind;
        let (status, headers, body) = self.into_parts();
        let headers = match headers {
            Headers::MultiValue(fields) => fields,
            Headers::Single {
                mut fields,
                cookies,
            } => {
                fields.extend(
                    cookies
                        .into_iter()
                        .map(|cookie| ("set-cookie".to_owned(), cookie)),
                );
                fields
            }
        };
        let is_decoded = match kind {
            EventKind::Rest => binary.first_accepted_matches(),
            EventKind::HttpApi | EventKind::FunctionUrl | EventKind::Alb => true,
        };
        let body = match body {
            Body::Text(text) => text.into_bytes(),
            Body::Binary(bytes) if is_decoded => bytes,
            Body::Binary(bytes) => STANDARD.encode(bytes).into_bytes(),
        };
        finish(status, headers, body, default_type(kind))
    }
}
