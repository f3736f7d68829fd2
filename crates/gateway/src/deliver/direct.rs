//! The same without JSON between function and gateway, if both are in the same process.

use super::{BinaryMedia, Delivery, default_type, finish};
use crate::{
    EventKind, InvalidResponse, Origin,
    respond::{Body, Headers, Reply},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::http::Response;

/// The result of [`deliver`](super::deliver) for the output of [`respond`](crate::respond).
pub fn deliver_response(
    origin: &Origin,
    response: Response,
    binary: &BinaryMedia<'_>,
) -> Result<Delivery, InvalidResponse> {
    let reply = Reply::checked(origin, response)?;
    reply.check_size()?;
    let headers = match reply.headers {
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
    let is_decoded = origin.kind != EventKind::Rest || binary.first_accepted_matches();
    let body = match reply.body {
        Body::Text(text) => text.into_bytes(),
        Body::Binary(bytes) if is_decoded => bytes,
        Body::Binary(bytes) => STANDARD.encode(bytes).into_bytes(),
    };
    Ok(finish(
        reply.status,
        headers,
        body,
        default_type(origin.kind),
    ))
}
