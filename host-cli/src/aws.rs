//! S3 as a person has it set up: environment variables and profiles.

use crate::exit::Failure;
use aws_config::BehaviorVersion;
use host_core::{
    release::{ArtifactStore, S3Artifacts, S3Location},
    storage::dynamodb::http_client,
};
use std::{env, sync::Arc};

/// Other servers than AWS's own, the more particular variable first (AWS: service-specific endpoints).
const ENDPOINT_VARIABLES: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

/// Artifacts in S3, with region and credentials as Amazon's own tools find them.
pub async fn artifacts(
    url: &str,
    endpoint: Option<&str>,
) -> Result<Arc<dyn ArtifactStore>, Failure> {
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client())
        .load()
        .await;
    let region = config.region().ok_or_else(|| {
        Failure::environment(format_args!("the region of `{url}` is not known"))
            .hint("set `AWS_REGION`, or a profile that has one with `AWS_PROFILE`")
    })?;
    let credentials = config.credentials_provider().ok_or_else(|| {
        Failure::environment(format_args!("there are no credentials for `{url}`"))
            .hint("set `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`")
    })?;
    let endpoint = endpoint.map(str::to_owned).or_else(|| {
        ENDPOINT_VARIABLES
            .iter()
            .find_map(|variable| env::var(variable).ok().filter(|url| !url.is_empty()))
    });
    let location = S3Location::new(url, region.as_ref(), endpoint.as_deref(), credentials)
        .map_err(Failure::usage)?;
    Ok(Arc::new(S3Artifacts::new(location)))
}
