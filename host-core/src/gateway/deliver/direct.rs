//! The same without JSON between function and gateway, where both are the same process.

use super::{BinaryMedia, Delivery, default_type, finish};
use crate::{
    gateway::{
        EventKind, InvalidResponse, Origin,
        respond::{HeadersMember, Reply},
    },
    http::Response,
};

/// What [`deliver`](super::deliver) makes of what [`respond`](crate::gateway::respond) writes.
pub fn deliver_response(
    origin: &Origin,
    response: &Response,
    binary: &BinaryMedia<'_>,
) -> Result<Delivery, InvalidResponse> {
    let reply = Reply::checked(origin, response)?;
    reply.check_size()?;
    let mut headers = Vec::with_capacity(response.headers.len() + 1);
    let mut push = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
    match reply.headers_member() {
        HeadersMember::MultiValue => reply
            .headers
            .iter()
            .for_each(|(name, value)| push(name, value)),
        HeadersMember::Single => reply.each_header(push),
        HeadersMember::SingleAndCookies => {
            reply.each_header(&mut push);
            reply
                .headers
                .cookies()
                .for_each(|cookie| push("set-cookie", cookie));
        }
    }
    let is_decoded = reply.is_base64_encoded
        && (origin.kind != EventKind::Rest || binary.first_accepted_matches());
    let body = if is_decoded {
        response.body.clone()
    } else {
        reply.body.into_owned().into_bytes()
    };
    Ok(finish(
        reply.status,
        headers,
        body,
        default_type(origin.kind),
    ))
}
