//! One signed request, and its response.

use crate::{plain_endpoint::credentials_for, response::words, signature::signature};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sigv4::http_request::{SignableBody, SignableRequest};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::HttpConnector,
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use std::{error::Error, fmt, io, iter, time::Duration};
use tokio::time::timeout;

/// A service of AWS in one region, or another server that speaks its protocol.
pub struct AwsService {
    name: &'static str,
    region: String,
    endpoint: Option<String>,
    credentials: SharedCredentialsProvider,
    connector: Connector,
}

/// What is sent. `host` and the signature's own headers are added.
#[derive(Clone, Copy, Debug)]
pub struct AwsRequest<'a> {
    /// An HTTP method, upper-case.
    pub method: &'static str,
    /// The whole address, percent-encoded, the parameters of its query sorted by name, as signing requires.
    pub address: &'a str,
    /// Headers that are signed and sent; names are lower-case.
    pub headers: &'a [(&'static str, &'a str)],
    /// Empty if there is none.
    pub body: &'a [u8],
}

/// Why a request got no response.
#[derive(Debug)]
pub enum SendError {
    /// Another attempt may succeed: the network failed, or time ran out.
    Transient(String),
    /// Nothing listens at the address.
    Refused(String),
    /// The request could not be made: no credentials, or an address that is none.
    Permanent(String),
}

impl fmt::Display for SendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transient(words) | Self::Refused(words) | Self::Permanent(words) => {
                formatter.write_str(words)
            }
        }
    }
}

impl Error for SendError {}

impl AwsService {
    /// `name` is that of signatures and of addresses, like `logs`; `endpoint` another server than AWS's own in that region:
    /// `http://127.0.0.1:4566`. Nothing is sent yet.
    pub fn new(
        name: &'static str,
        region: &str,
        endpoint: Option<&str>,
        credentials: &SharedCredentialsProvider,
    ) -> Self {
        let endpoint = endpoint.map(|endpoint| endpoint.trim_end_matches('/').to_owned());
        Self {
            name,
            region: region.to_owned(),
            credentials: credentials_for(endpoint.as_deref(), credentials),
            connector: connector(endpoint.as_deref()),
            endpoint,
        }
    }

    /// The region of signatures.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The service's address, without a slash at its end.
    pub fn address(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => format!(
                "https://{}.{}.{}",
                self.name,
                self.region,
                domain(&self.region)
            ),
        }
    }

    /// Signs a request for now, sends it, and waits for the head of its response, including connecting, until `duration_max` has passed.
    /// Sends it once.
    pub async fn send(
        &self,
        request: AwsRequest<'_>,
        duration_max: Duration,
    ) -> Result<HttpResponse, SendError> {
        let signed = self.sign(request).await;
        let signed = signed.map_err(|error| SendError::Permanent(words(&*error)))?;
        match timeout(duration_max, self.connector.call(signed)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if is_refused(&error) => Err(SendError::Refused(words(&error))),
            Ok(Err(error)) => Err(SendError::Transient(words(&error))),
            Err(_) => Err(SendError::Transient(format!(
                "no answer in {} s",
                duration_max.as_secs()
            ))),
        }
    }

    async fn sign(
        &self,
        request: AwsRequest<'_>,
    ) -> Result<HttpRequest, Box<dyn Error + Send + Sync>> {
        let signable = SignableRequest::new(
            request.method,
            request.address,
            request.headers.iter().copied(),
            SignableBody::Bytes(request.body),
        )?;
        let added = signature(self.name, &self.region, &self.credentials, signable).await?;
        let mut signed = HttpRequest::new(SdkBody::from(request.body));
        signed.set_method(request.method)?;
        signed.set_uri(request.address)?;
        for (name, value) in added {
            signed.headers_mut().insert(name, value);
        }
        for (name, value) in request.headers {
            signed.headers_mut().insert(*name, (*value).to_owned());
        }
        if matches!(request.method, "POST" | "PUT") {
            signed
                .headers_mut()
                .insert("content-length", request.body.len().to_string());
        }
        Ok(signed)
    }
}

/// Without credentials, which must not be printed.
impl fmt::Debug for AwsService {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AwsService")
            .field("name", &self.name)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// The domain of AWS's addresses in a region.
pub fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

/// Without TLS if the endpoint has none, because reading the system's root certificates takes time.
fn connector(endpoint: Option<&str>) -> Connector {
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        return Connector::builder().build_http();
    }
    Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build()
}

/// Whether an error comes from a refused connection.
fn is_refused(error: &(dyn Error + 'static)) -> bool {
    iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;

    fn service(name: &'static str, region: &str, endpoint: Option<&str>) -> AwsService {
        let credentials = Credentials::new("AKID", "planted", None, None, "test");
        let credentials = SharedCredentialsProvider::new(credentials);
        AwsService::new(name, region, endpoint, &credentials)
    }

    #[test]
    fn a_service_has_one_address_in_a_region() {
        let address = |region, endpoint| service("logs", region, endpoint).address();
        assert_eq!(
            address("eu-central-1", None),
            "https://logs.eu-central-1.amazonaws.com"
        );
        assert_eq!(
            address("cn-north-1", None),
            "https://logs.cn-north-1.amazonaws.com.cn"
        );
        let local = address("eu-central-1", Some("http://127.0.0.1:9/"));
        assert_eq!(local, "http://127.0.0.1:9");
    }

    #[tokio::test]
    async fn a_request_carries_its_headers_and_a_signature_over_them() {
        let request = AwsRequest {
            method: "POST",
            address: "https://logs.eu-central-1.amazonaws.com/",
            headers: &[("x-amz-target", "Logs_20140328.FilterLogEvents")],
            body: b"{}",
        };
        let logs = service("logs", "eu-central-1", None);
        let signed = logs.sign(request).await.unwrap();
        let header = |name: &str| signed.headers().get(name).unwrap_or_default().to_owned();
        assert_eq!(header("content-length"), "2");
        assert_eq!(header("x-amz-target"), "Logs_20140328.FilterLogEvents");
        let authorization = header("authorization");
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"));
        assert!(authorization.contains("/eu-central-1/logs/aws4_request"));
        assert!(authorization.contains("x-amz-target"), "{authorization}");
        assert!(!format!("{logs:?}").contains("planted"));
    }
}
