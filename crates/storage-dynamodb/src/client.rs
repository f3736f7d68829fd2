//! The SDK's client: one TLS stack, and neither retries nor clocks of the SDK.

use super::{response::BoundedHttpClient, retry::ATTEMPT_DURATION_MAX};
use aws_requests::plain_endpoint::credentials_for;
use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, Config, Region, SharedCredentialsProvider, SharedHttpClient,
        StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use std::{fmt, time::Duration};

/// Time to connect, TLS included.
const CONNECT_DURATION_MAX: Duration = Duration::from_secs(2);

/// Which table to use, and how to reach it. The host that starts creates it: nothing here reads the environment.
#[derive(Clone)]
pub struct DynamoDbOptions {
    /// Name or ARN of the table.
    pub table: String,
    /// The table's region, like `eu-central-1`.
    pub region: String,
    /// Another server than AWS's own in that region: `http://127.0.0.1:8000`.
    pub endpoint: Option<String>,
    /// The source of credentials.
    pub credentials: SharedCredentialsProvider,
}

/// The only TLS stack, for everything else that connects to AWS.
pub fn http_client() -> SharedHttpClient {
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

impl DynamoDbOptions {
    /// A client for the store.
    pub fn client(&self) -> Client {
        self.client_with(ATTEMPT_DURATION_MAX)
    }

    /// A client with this time limit for a response.
    pub(super) fn client_with(&self, read_duration_max: Duration) -> Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_DURATION_MAX)
            .read_timeout(read_duration_max)
            .build();
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .credentials_provider(credentials_for(self.endpoint.as_deref(), &self.credentials))
            .http_client(BoundedHttpClient(self.http_client()))
            // Our own retries know what may be repeated, and until when.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(endpoint) = &self.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Client::from_conf(config.build())
    }

    /// Without TLS if the endpoint has none; with Amazon's own authorities if it is Amazon's.
    fn http_client(&self) -> SharedHttpClient {
        match &self.endpoint {
            Some(endpoint) if endpoint.starts_with("http://") => Builder::new().build_http(),
            None if self.has_amazons_authorities() => Builder::new()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(amazons_authorities())
                .build_https(),
            Some(_) | None => http_client(),
        }
    }

    fn has_amazons_authorities(&self) -> bool {
        !OTHER_PARTITIONS
            .iter()
            .any(|prefix| self.region.starts_with(prefix))
    }
}

/// Prefixes of regions whose endpoints use other authorities: China, and isolated clouds.
const OTHER_PARTITIONS: [&str; 4] = ["cn-", "eu-iso", "eusc-", "us-iso"];

/// The roots of Amazon Trust Services, valid until 2037 and later. Reading them takes a tenth of a millisecond; reading the system's
/// hundred and forty takes five milliseconds of every cold start.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

fn amazons_authorities() -> TlsContext {
    TlsContext::builder()
        .with_trust_store(TrustStore::empty().with_pem_certificate(AMAZON_ROOTS))
        .build()
        .unwrap_or_default()
}

/// Without credentials, which must not be printed.
impl fmt::Debug for DynamoDbOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DynamoDbOptions")
            .field("table", &self.table)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_http_client::Connector;

    /// Creating a connector panics if a certificate cannot be read.
    #[test]
    fn amazons_roots_can_be_read() {
        let text = str::from_utf8(AMAZON_ROOTS).unwrap();
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 5);
        Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(amazons_authorities())
            .build();
    }

    #[test]
    fn clouds_apart_are_not_trusted_by_amazons_roots() {
        let credentials = aws_sdk_dynamodb::config::Credentials::new("a", "b", None, None, "tests");
        let options = |region: &str| DynamoDbOptions {
            table: "items".to_owned(),
            region: region.to_owned(),
            endpoint: None,
            credentials: SharedCredentialsProvider::new(credentials.clone()),
        };
        assert!(options("eu-central-1").has_amazons_authorities());
        assert!(options("us-gov-west-1").has_amazons_authorities());
        assert!(!options("cn-north-1").has_amazons_authorities());
    }
}
