//! Access to AWS with a person's own configuration: environment variables and profiles.

use crate::exit::CommandError;
use aws_config::{
    BehaviorVersion, environment::EnvironmentVariableCredentialsProvider,
    environment::EnvironmentVariableRegionProvider, meta::credentials::CredentialsProviderChain,
    meta::region::RegionProviderChain, profile::ProfileFileCredentialsProvider,
    profile::ProfileFileRegionProvider, provider_config::ProviderConfig,
};
use aws_requests::{AwsService, AwsSigner, JsonService, SharedHttpClient, sdk_client};
use contract::origin::Origin;
use http_client::{Authorities, ClientOptions};
use outgoing::{AwsScope, RequestSigner, UnsignedRequest};
use release::ArtifactStore;
use release_aws::{S3Artifacts, S3Location};
use secrets::{AwsSources, FetchError, FetchErrorClass, SecretSources, SecretValue, Source};
use std::{
    env,
    sync::{Arc, OnceLock},
};
use storage_dynamodb::{Credentials, SharedCredentialsProvider};
use tokio::sync::OnceCell;

/// Region for local servers, most of which ignore it.
const LOCAL_REGION: &str = "us-east-1";
/// A response with credentials, or about them.
const CREDENTIALS_BYTES_MAX: usize = 1 << 20;

/// The AWS service to call.
#[derive(Clone, Copy, Debug)]
pub enum Service {
    DynamoDb,
    Logs,
    S3,
    Parameters,
    SecretsManager,
}

impl Service {
    /// Variables that set another endpoint than AWS's own, the more specific one first (AWS: service-specific endpoints).
    fn endpoint_variables(self) -> [&'static str; 2] {
        let own = match self {
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Logs => "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
            Self::S3 => "AWS_ENDPOINT_URL_S3",
            Self::Parameters => "AWS_ENDPOINT_URL_SSM",
            Self::SecretsManager => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        };
        [own, "AWS_ENDPOINT_URL"]
    }
}

/// How to reach a service.
pub struct Access {
    pub region: String,
    pub endpoint: Option<String>,
    pub credentials: SharedCredentialsProvider,
}

/// Finds region and credentials as AWS's own tools do. For a local server, missing ones are replaced by defaults. `what` names the resource
/// in messages.
pub async fn access(
    what: &str,
    service: Service,
    endpoint: Option<&str>,
) -> Result<Access, CommandError> {
    match endpoint {
        Some(endpoint) => {
            check_endpoint(endpoint)?;
            Ok(access_at(endpoint).await)
        }
        None => access_on_aws(what, service).await,
    }
}

/// Checks the address of a server before anything is sent to it, because the SDK's errors for an invalid address explain nothing.
pub fn check_endpoint(endpoint: &str) -> Result<(), CommandError> {
    Origin::split(endpoint).map(drop).map_err(|error| {
        CommandError::usage(format_args!(
            "`{endpoint}` is not the address of a server: it {error}"
        ))
        .hint("write an address with its scheme: `http://127.0.0.1:4566`")
    })
}

/// Consults only variables and profiles: outside of a cloud, querying a cloud's metadata services takes seconds.
async fn access_at(endpoint: &str) -> Access {
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .region()
        .await;
    let anybody = Credentials::new("local", "local", None, None, "host-cli");
    let credentials = own_credentials().or_else("anybody", anybody);
    Access {
        region: region.map_or(LOCAL_REGION.to_owned(), |region| region.to_string()),
        endpoint: Some(endpoint.to_owned()),
        credentials: SharedCredentialsProvider::new(credentials),
    }
}

/// For services that give credentials.
fn credentials_client() -> SharedHttpClient {
    sdk_client(
        ClientOptions::default(),
        Authorities::System,
        CREDENTIALS_BYTES_MAX,
    )
}

/// Those of the environment or of a profile.
fn own_credentials() -> CredentialsProviderChain {
    let config = ProviderConfig::without_region().with_http_client(credentials_client());
    let profile = ProfileFileCredentialsProvider::builder().configure(&config);
    CredentialsProviderChain::first_try(
        "environment",
        EnvironmentVariableCredentialsProvider::new(),
    )
    .or_else("profile", profile.build())
}

/// Signs requests of guests with a person's own credentials, which are looked for when the first request needs them.
#[derive(Default)]
pub struct OwnSigner(OnceLock<AwsSigner>);

#[async_trait::async_trait]
impl RequestSigner for OwnSigner {
    async fn sign(
        &self,
        scope: &AwsScope,
        request: UnsignedRequest<'_>,
    ) -> Result<Vec<(String, String)>, String> {
        let signer = self
            .0
            .get_or_init(|| AwsSigner::new(SharedCredentialsProvider::new(own_credentials())));
        signer.sign(scope, request).await
    }
}

async fn access_on_aws(what: &str, service: Service) -> Result<Access, CommandError> {
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(credentials_client())
        .load()
        .await;
    let region = config.region().ok_or_else(|| {
        CommandError::environment(format_args!("no region is configured for {what}"))
            .hint("set `AWS_REGION`, or `AWS_PROFILE` to a profile with a region, or use a server of your own")
    })?;
    let credentials = config.credentials_provider().ok_or_else(|| {
        CommandError::environment(format_args!("no credentials found for {what}"))
            .hint("set `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`")
    })?;
    let endpoint = service
        .endpoint_variables()
        .iter()
        .find_map(|variable| env::var(variable).ok().filter(|url| !url.is_empty()))
        .or_else(|| config.endpoint_url().map(str::to_owned));
    endpoint.as_deref().map_or(Ok(()), check_endpoint)?;
    Ok(Access {
        region: region.to_string(),
        endpoint,
        credentials,
    })
}

/// Artifacts in S3.
pub async fn artifacts(
    url: &str,
    endpoint: Option<&str>,
) -> Result<Arc<dyn ArtifactStore>, CommandError> {
    let Access {
        region,
        endpoint,
        credentials,
    } = access(&format!("`{url}`"), Service::S3, endpoint).await?;
    let location = S3Location::new(url, &region, endpoint.as_deref(), credentials)
        .map_err(CommandError::usage)?;
    Ok(Arc::new(S3Artifacts::new(location)))
}

/// CloudWatch Logs.
pub async fn logs(group: &str, endpoint: Option<&str>) -> Result<JsonService, CommandError> {
    let Access {
        region,
        endpoint,
        credentials,
    } = access(&format!("log group `{group}`"), Service::Logs, endpoint).await?;
    let service = AwsService::new("logs", &region, endpoint.as_deref(), &credentials);
    Ok(JsonService::new(service, "Logs_20140328"))
}

/// Reads secrets of guests with a person's own configuration, which is looked for when the first of them is read.
#[derive(Default)]
pub struct OwnSecrets(OnceCell<AwsSources>);

impl OwnSecrets {
    async fn open() -> Result<AwsSources, CommandError> {
        let parameters = access_on_aws("secrets in `ssm:`", Service::Parameters).await?;
        let secrets =
            access_on_aws("secrets in `secretsmanager:`", Service::SecretsManager).await?;
        Ok(AwsSources::new(|name| {
            let Access {
                region,
                endpoint,
                credentials,
            } = match name {
                "ssm" => &parameters,
                _ => &secrets,
            };
            AwsService::new(name, region, endpoint.as_deref(), credentials)
        }))
    }
}

#[async_trait::async_trait]
impl SecretSources for OwnSecrets {
    async fn fetch(&self, sources: &[Source]) -> Vec<Result<SecretValue, FetchError>> {
        match self.0.get_or_try_init(Self::open).await {
            Ok(aws) => aws.fetch(sources).await,
            Err(error) => {
                let error = FetchError::new(FetchErrorClass::Denied, error.message());
                sources.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }
}
