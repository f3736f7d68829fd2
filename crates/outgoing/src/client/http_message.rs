//! Requests and responses in the form in which the client sends and receives them.

use crate::{
    error::OutgoingError, fields::counted_bytes, message::OutgoingResponse, request::ParsedRequest,
};
use bytes::Bytes;
use contract::{
    address::Addresses,
    http::{CONNECTION_FIELDS, field_value},
    limits::{OUTGOING_HEADERS_BYTES_MAX, OUTGOING_HEADERS_MAX},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_client::{RefusedAddress, SendError};

/// What is sent: the target without the origin.
pub fn request(parsed: ParsedRequest) -> Result<Request<Bytes>, OutgoingError> {
    build(parsed).map_err(|error| OutgoingError::InvalidRequest(error.to_string()))
}

fn build(mut parsed: ParsedRequest) -> Result<Request<Bytes>, http::Error> {
    let mut request = Request::new(Bytes::from(parsed.take_body()));
    *request.method_mut() = Method::from_bytes(parsed.method().as_bytes())?;
    *request.uri_mut() = Uri::builder().path_and_query(parsed.target()).build()?;
    for (name, value) in parsed.headers() {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        let value = HeaderValue::from_bytes(value.as_bytes())?;
        request.headers_mut().append(name, value);
    }
    Ok(request)
}

/// What a guest receives.
pub fn response(response: Response<Vec<u8>>) -> Result<OutgoingResponse, OutgoingError> {
    let (head, body) = response.into_parts();
    let headers = fields(&head.headers);
    let counted = counted_bytes(headers.iter().map(|(name, value)| (&**name, &**value)));
    if counted > OUTGOING_HEADERS_BYTES_MAX {
        return Err(OutgoingError::ResponseTooLarge(format!(
            "more than {OUTGOING_HEADERS_MAX} headers or {OUTGOING_HEADERS_BYTES_MAX} bytes of them"
        )));
    }
    Ok(OutgoingResponse {
        status: head.status.as_u16(),
        headers,
        body,
    })
}

fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let has_encoding = headers.contains_key(header::TRANSFER_ENCODING);
    let is_passed_on = |name: &str| {
        !(CONNECTION_FIELDS.contains(&name) || has_encoding && name == "content-length")
    };
    let fields = headers
        .iter()
        .filter(|(name, _)| is_passed_on(name.as_str()));
    let fields = fields.map(|(name, value)| {
        let value = field_value(value.as_bytes());
        (name.as_str().to_owned(), value.into_owned())
    });
    fields.collect()
}

/// A failure in the words of the port.
impl From<SendError> for OutgoingError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Invalid(words) => Self::InvalidRequest(words),
            SendError::NotAllowed(refused) => {
                Self::NotGranted(format!("{refused}{}", hint(&refused)))
            }
            SendError::Refused(words) | SendError::NotSent(words) => Self::Unreachable(words),
            SendError::Unknown(words) => Self::OutcomeUnknown(words),
            SendError::TooLarge(words) | SendError::HeadTooLarge(words) => {
                Self::ResponseTooLarge(words)
            }
        }
    }
}

/// What would allow an address.
fn hint(refused: &RefusedAddress) -> &'static str {
    let is_private = Addresses::Any.check(refused.address).is_ok();
    if refused.allowed == Addresses::Public && is_private {
        ": the grant has no `private_addresses`"
    } else {
        ", which no grant allows"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OutgoingRequest;

    #[test]
    fn every_url_that_is_taken_is_sent_as_it_is() {
        let printable = (0x21..0x7f).map(char::from);
        for character in printable {
            for target in [
                format!("/{character}"),
                format!("//a{character}?"),
                format!("/?{character}"),
            ] {
                let parsed = ParsedRequest::new(OutgoingRequest {
                    method: "GET".to_owned(),
                    url: format!("https://a.example{target}"),
                    headers: Vec::new(),
                    body: Vec::new(),
                    timeout: None,
                });
                let Ok(parsed) = parsed else { continue };
                let request = request(parsed).unwrap();
                assert_eq!(request.uri().to_string(), target);
            }
        }
    }
}
