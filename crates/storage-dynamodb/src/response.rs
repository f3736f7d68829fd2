//! Limits how much of DynamoDB's responses is read into memory and into values.
//!
//! The SDK builds a tree of a response that needs up to forty times as much memory as its text. DynamoDB bounds a response by the sizes of
//! items only, so a hundred items of a batch, or one page, could take a gigabyte. A caller that requested several items requests fewer if
//! their response is too large; the response with a single item never is.

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use contract::limits::{STORE_RESPONSE_BYTES_MAX, STORE_RESPONSE_VALUES_MAX};
use http_client::SendError;
use std::error::Error;

/// Smallest number of bytes of a value in a response: `{"L":[]}`.
const VALUE_BYTES_MIN: usize = 8;

/// The response exceeds a limit; the request was carried out.
#[derive(Debug, thiserror::Error)]
#[error(
    "the answer has more than {STORE_RESPONSE_BYTES_MAX} bytes or {STORE_RESPONSE_VALUES_MAX} values"
)]
pub(super) struct ResponseTooLargeError;

/// Whether a request failed because its response exceeds a limit.
pub(super) fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    error.is::<ResponseTooLargeError>()
        || matches!(error.downcast_ref(), Some(SendError::TooLarge(_)))
}

/// A client that refuses responses with too many values.
#[derive(Debug)]
pub(super) struct BoundedHttpClient(pub(super) SharedHttpClient);

impl HttpClient for BoundedHttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(BoundedHttpConnector(
            self.0.http_connector(settings, components),
        ))
    }
}

#[derive(Debug)]
struct BoundedHttpConnector(SharedHttpConnector);

impl HttpConnector for BoundedHttpConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let response = self.0.call(request);
        HttpConnectorFuture::new(async move { checked(response.await?) })
    }
}

fn checked(response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let bytes = response.body().bytes().unwrap_or_default();
    if bytes.len() > STORE_RESPONSE_VALUES_MAX * VALUE_BYTES_MIN
        && values(bytes) > STORE_RESPONSE_VALUES_MAX
    {
        return Err(ConnectorError::user(ResponseTooLargeError.into()));
    }
    Ok(response)
}

/// The number of objects in a JSON text: each value of DynamoDB is one, and a map is one more.
fn values(json: &[u8]) -> usize {
    let mut count = 0;
    let mut is_in_string = false;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_in_string = !is_in_string,
            b'\\' if is_in_string => {
                bytes.next();
            }
            b'{' if !is_in_string => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_strings_are_no_values() {
        let json = br#"{"Items":[{"a{":{"S":"{\"{\\"},"b":{"M":{"{":{"N":"1"}}}}]}"#;
        assert_eq!(values(json), 6);
    }
}
