//! The SDK's client: the hosts' own HTTP client, and neither retries nor clocks of the SDK.

use super::{response::BoundedHttpClient, retry::ATTEMPT_DURATION_MAX};
use aws_requests::{plain_endpoint::credentials_for, sdk_client};
use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, Config, Region, SharedCredentialsProvider, SharedHttpClient,
        StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use contract::limits::STORE_RESPONSE_BYTES_MAX;
use http_client::{Authorities, ClientOptions};
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

impl DynamoDbOptions {
    /// A client for the store.
    pub fn client(&self) -> Client {
        self.client_with(ATTEMPT_DURATION_MAX)
    }

    /// A client with this time limit for a response.
    pub(super) fn client_with(&self, read_duration_max: Duration) -> Client {
        let timeouts = TimeoutConfig::builder()
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

    fn http_client(&self) -> SharedHttpClient {
        let options = ClientOptions {
            connect_duration_max: CONNECT_DURATION_MAX,
            ..ClientOptions::default()
        };
        let authorities = match &self.endpoint {
            None if self.has_amazons_authorities() => Authorities::Pem(AMAZON_ROOTS),
            Some(_) | None => Authorities::System,
        };
        sdk_client(options, authorities, STORE_RESPONSE_BYTES_MAX)
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

    #[test]
    fn amazons_roots_can_be_read() {
        assert_eq!(Authorities::Pem(AMAZON_ROOTS).count(), Ok(5));
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
