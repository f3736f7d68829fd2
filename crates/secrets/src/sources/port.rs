//! The port behind which secrets are kept.

use super::error::FetchError;
use crate::{source::Source, value::SecretValue};

/// Reads sources.
#[async_trait::async_trait]
pub trait SecretSources: Send + Sync {
    /// Reads all of them now; the results are in their order.
    async fn fetch(&self, sources: &[Source]) -> Vec<Result<SecretValue, FetchError>>;
}
