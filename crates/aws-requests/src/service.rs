//! One signed request, and its response.

use crate::{plain_endpoint::credentials_for, signature::signature};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sigv4::http_request::{SignableBody, SignableRequest};
use bytes::Bytes;
use contract::{
    address::Addresses,
    origin::{Origin, UrlError},
};
use http::{HeaderName, HeaderValue, Request};
use http_client::{ClientOptions, HttpClient, Target, Wait, with_causes};
use std::{
    error::Error,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout_at;

/// Between two pieces of a response's body.
const PIECE_DURATION_MAX: Duration = Duration::from_secs(10);

/// A service of AWS in one region, or another server that speaks its protocol.
pub struct AwsService {
    name: &'static str,
    region: String,
    endpoint: Option<String>,
    credentials: SharedCredentialsProvider,
    client: Arc<HttpClient>,
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

/// A whole response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsResponse {
    /// The status code.
    pub status: u16,
    /// Empty if there is none.
    pub body: Vec<u8>,
}

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Another attempt may succeed: the network failed, or time ran out.
    #[error("{0}")]
    Transient(String),
    /// Nothing listens at the address.
    #[error("{0}")]
    Refused(String),
    /// The request could not be made: no credentials, or an address that is none.
    #[error("{0}")]
    Permanent(String),
    /// The response has more bytes than allowed.
    #[error("the response has more than {0} bytes")]
    TooLarge(usize),
}

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
            client: Arc::new(HttpClient::new(ClientOptions::default())),
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

    /// Signs a request for now, sends it once, and waits until `head_duration_max` has passed for the head of its response, credentials
    /// and connecting included, and for the rest as long as it goes on coming. The body has at most `bytes_max` bytes.
    pub async fn send(
        &self,
        request: AwsRequest<'_>,
        bytes_max: usize,
        head_duration_max: Duration,
    ) -> Result<AwsResponse, SendError> {
        let head = Instant::now() + head_duration_max;
        let wait = Wait::Pieces {
            head,
            piece: PIECE_DURATION_MAX,
        };
        let signed = timeout_at(head.into(), self.sign(request)).await;
        let signed =
            signed.map_err(|_| SendError::Transient("no credentials in time".to_owned()))?;
        let (target, signed) =
            signed.map_err(|error| SendError::Permanent(with_causes(&*error)))?;
        let sending = self.client.send(&target, signed, bytes_max, wait);
        let response = sending.await.map_err(|error| match error {
            http_client::SendError::Refused(words) => SendError::Refused(words),
            http_client::SendError::TooLarge(_) => SendError::TooLarge(bytes_max),
            http_client::SendError::Invalid(words)
            | http_client::SendError::HeadTooLarge(words) => SendError::Permanent(words),
            http_client::SendError::NotAllowed(_)
            | http_client::SendError::NotSent(_)
            | http_client::SendError::Unknown(_) => SendError::Transient(error.to_string()),
        })?;
        Ok(AwsResponse {
            status: response.status().as_u16(),
            body: response.into_body(),
        })
    }

    async fn sign(
        &self,
        request: AwsRequest<'_>,
    ) -> Result<(Target, Request<Bytes>), Box<dyn Error + Send + Sync>> {
        let signable = SignableRequest::new(
            request.method,
            request.address,
            request.headers.iter().copied(),
            SignableBody::Bytes(request.body),
        )?;
        let added = signature(self.name, &self.region, &self.credentials, signable).await?;
        let (target, path) = target_of(request.address)?;
        let mut signed = Request::builder()
            .method(request.method)
            .uri(path)
            .body(Bytes::copy_from_slice(request.body))?;
        let headers = signed.headers_mut();
        for (name, value) in added {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        for (name, value) in request.headers {
            headers.insert(*name, HeaderValue::try_from(*value)?);
        }
        Ok((target, signed))
    }
}

/// The server of an address that the operator or AWS chose, and what is sent as target.
pub(crate) fn target_of(address: &str) -> Result<(Target, String), UrlError> {
    let (origin, rest) = Origin::split(address)?;
    let path = match rest {
        "" => "/".to_owned(),
        query if query.starts_with('?') => format!("/{query}"),
        path => path.to_owned(),
    };
    let target = Target {
        origin,
        addresses: Addresses::Unchecked,
    };
    Ok((target, path))
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
        let (target, signed) = logs.sign(request).await.unwrap();
        assert_eq!(
            target.origin.to_string(),
            "https://logs.eu-central-1.amazonaws.com"
        );
        assert_eq!(signed.uri(), "/");
        let header = |name: &str| signed.headers()[name].to_str().unwrap();
        assert_eq!(header("x-amz-target"), "Logs_20140328.FilterLogEvents");
        let authorization = header("authorization");
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"));
        assert!(authorization.contains("/eu-central-1/logs/aws4_request"));
        assert!(authorization.contains("x-amz-target"), "{authorization}");
        assert!(!format!("{logs:?}").contains("planted"));
    }
}
