//! Signature Version 4, made by the SDK's signing code.

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use std::{error::Error, time::SystemTime};

/// Name of S3 in signatures, which has rules of its own.
const S3: &str = "s3";

/// The headers that sign a request for now; names are lower-case. That of a session token is one of them.
pub async fn signature(
    service: &str,
    region: &str,
    credentials: &SharedCredentialsProvider,
    request: SignableRequest<'_>,
) -> Result<Vec<(String, String)>, Box<dyn Error + Send + Sync>> {
    let identity = credentials.provide_credentials().await?.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::now())
        .settings(settings(service))
        .build()?
        .into();
    let (instructions, _) = sign(request, &params)?.into_parts();
    let (headers, _) = instructions.into_parts();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Ok(headers
        .iter()
        .map(|signed| header(signed.name(), signed.value()))
        .collect())
}

/// S3 signs the path as it is, and wants the body's checksum in a header (AWS: "Create a signed AWS API request").
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}
