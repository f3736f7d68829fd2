//! Protects credentials on the way to a server without TLS. A signature reveals nothing about the secret key, but a session token is sent
//! in plain text to anybody who listens.

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use std::{fmt, net::IpAddr};

/// The credentials for an endpoint. Session credentials are refused for an endpoint without TLS on another machine.
pub fn credentials_for(
    endpoint: Option<&str>,
    credentials: &SharedCredentialsProvider,
) -> SharedCredentialsProvider {
    match endpoint {
        Some(endpoint) if is_plain_and_remote(endpoint) => {
            SharedCredentialsProvider::new(WithoutSession {
                inner: credentials.clone(),
                endpoint: endpoint.to_owned(),
            })
        }
        Some(_) | None => credentials.clone(),
    }
}

fn is_plain_and_remote(endpoint: &str) -> bool {
    let scheme_is_plain = endpoint
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
    if !scheme_is_plain {
        return false;
    }
    let authority = endpoint[7..]
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_loopback_name = host.eq_ignore_ascii_case("localhost");
    !is_loopback_name
        && !host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

struct WithoutSession {
    inner: SharedCredentialsProvider,
    endpoint: String,
}

impl WithoutSession {
    async fn provide(&self) -> Result<Credentials, CredentialsError> {
        let credentials = self.inner.provide_credentials().await?;
        if credentials.session_token().is_some() {
            return Err(CredentialsError::invalid_configuration(format!(
                "a session token is not sent to `{}`, which has no TLS: use an endpoint with `https://`, or credentials without a session",
                self.endpoint
            )));
        }
        Ok(credentials)
    }
}

impl ProvideCredentials for WithoutSession {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// Without credentials, which must not be printed.
impl fmt::Debug for WithoutSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WithoutSession")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_token_is_not_sent_in_the_clear_to_another_machine() {
        let with = |token: Option<&str>| {
            let token = token.map(str::to_owned);
            SharedCredentialsProvider::new(Credentials::new("id", "secret", token, None, "test"))
        };
        for (endpoint, is_sent) in [
            (None, true),
            (Some("https://example.com"), true),
            (Some("http://127.0.0.1:8000"), true),
            (Some("http://[::1]:8000/"), true),
            (Some("http://localhost"), true),
            (Some("http://example.com:8000"), false),
            (Some("HTTP://10.0.0.1"), false),
            (Some("http://127.0.0.1@example.com/"), false),
            (Some("http://localhost.example.com"), false),
        ] {
            let session = credentials_for(endpoint, &with(Some("token")));
            let provided = session.provide_credentials().await;
            assert_eq!(provided.is_ok(), is_sent, "{endpoint:?}");
            let lasting = credentials_for(endpoint, &with(None));
            assert!(lasting.provide_credentials().await.is_ok(), "{endpoint:?}");
        }
    }
}
