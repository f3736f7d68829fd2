//! Limits how much of DynamoDB's responses is read into memory.
//!
//! The SDK builds a tree of a response that needs up to forty times as much memory as its text. DynamoDB bounds a response by the sizes of
//! items only, so a hundred items of a batch, or one page, could take a gigabyte. A caller that requested several items requests fewer if
//! their response is too large; the response with a single item never is.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use contract::limits::{STORE_RESPONSE_BYTES_MAX, STORE_RESPONSE_VALUES_MAX};
use http_body_util::BodyExt;

/// Smallest number of bytes of a value in a response: `{"L":[]}`.
const VALUE_BYTES_MIN: usize = 8;

/// The response exceeds a limit; the request was carried out.
#[derive(Debug, thiserror::Error)]
#[error(
    "the answer has more than {STORE_RESPONSE_BYTES_MAX} bytes or {STORE_RESPONSE_VALUES_MAX} values"
)]
pub(super) struct ResponseTooLargeError;

/// A client that reads responses up to the limits.
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

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct BoundedHttpConnector(SharedHttpConnector);

impl HttpConnector for BoundedHttpConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let response = self.0.call(request);
        HttpConnectorFuture::new(async move { read(response.await?).await })
    }
}

fn too_large() -> ConnectorError {
    ConnectorError::user(ResponseTooLargeError.into())
}

/// The same response with its body in memory.
async fn read(mut response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let length = response.headers().get("content-length");
    let length: usize = length.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    if length > STORE_RESPONSE_BYTES_MAX {
        return Err(too_large());
    }
    let mut body = response.take_body();
    let mut bytes = Vec::with_capacity(length);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(ConnectorError::io)?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > STORE_RESPONSE_BYTES_MAX {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    if bytes.len() > STORE_RESPONSE_VALUES_MAX * VALUE_BYTES_MIN
        && values(&bytes) > STORE_RESPONSE_VALUES_MAX
    {
        return Err(too_large());
    }
    *response.body_mut() = SdkBody::from(bytes);
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
