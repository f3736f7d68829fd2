//! Reading secrets where they are kept.

#[cfg(feature = "aws")]
mod aws;
mod error;
mod local;
mod port;

#[cfg(feature = "aws")]
pub use aws::AwsSources;
pub use error::{FetchError, FetchErrorClass};
pub use local::LocalSources;
pub use port::SecretSources;

use crate::{
    source::{Source, SourceKind},
    value::SecretValue,
};
use std::sync::Arc;

/// Local sources, and those of AWS on hosts that have its credentials.
#[derive(Clone)]
pub struct HostSources {
    local: LocalSources,
    aws: Option<Arc<dyn SecretSources>>,
}

impl HostSources {
    /// `aws` reads SSM Parameter Store and Secrets Manager; without it, their secrets cannot be read.
    pub fn new(local: LocalSources, aws: Option<Arc<dyn SecretSources>>) -> Self {
        Self { local, aws }
    }
}

#[async_trait::async_trait]
impl SecretSources for HostSources {
    async fn fetch(&self, sources: &[Source]) -> Vec<Result<SecretValue, FetchError>> {
        let is_local = |source: &Source| match source.kind() {
            SourceKind::Environment | SourceKind::File => true,
            SourceKind::Parameter | SourceKind::SecretsManager => false,
        };
        let remote: Vec<Source> = sources
            .iter()
            .filter(|source| !is_local(source))
            .cloned()
            .collect();
        let mut fetched = match &self.aws {
            Some(aws) if !remote.is_empty() => aws.fetch(&remote).await.into_iter(),
            Some(_) | None => Vec::new().into_iter(),
        };
        let mut fetch = |source: &Source| {
            if is_local(source) {
                return self.local.fetch(source);
            }
            fetched.next().unwrap_or_else(|| {
                let detail = "it needs a host with credentials of AWS";
                let error = FetchError::new(FetchErrorClass::Unsupported, detail);
                Err(error.about(source))
            })
        };
        sources.iter().map(&mut fetch).collect()
    }
}
