//! Signing, verifying and revealing, for guests whose declarations grant it.

use crate::{
    cache::{Held, Secrets},
    declaration::SecretDeclaration,
    port::{GuestSecrets, HmacAlgorithm, SecretError, SecretRequest, SecretResponse},
    value::SecretValue,
};
use ring::hmac;
use std::time::Instant;

impl Secrets {
    /// The value, if its declaration grants a use.
    async fn granted(
        &self,
        name: &str,
        is_granted: impl Fn(&SecretDeclaration) -> bool,
        member: &str,
        deadline: Instant,
    ) -> Result<Held, SecretError> {
        if !is_granted(self.declared(name)?) {
            return Err(SecretError::NotGranted(format!(
                "secret `{name}` has no `{member} = true` in its declaration"
            )));
        }
        Ok(self.value(name, deadline).await?)
    }

    async fn key(
        &self,
        name: &str,
        algorithm: HmacAlgorithm,
        deadline: Instant,
    ) -> Result<hmac::Key, SecretError> {
        let held = self.granted(name, |secret| secret.hmac, "hmac", deadline);
        let algorithm = match algorithm {
            HmacAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            HmacAlgorithm::Sha256 => hmac::HMAC_SHA256,
            HmacAlgorithm::Sha512 => hmac::HMAC_SHA512,
        };
        Ok(hmac::Key::new(algorithm, held.await?.value.expose()))
    }
}

#[async_trait::async_trait]
impl GuestSecrets for Secrets {
    async fn perform(
        &self,
        request: SecretRequest,
        deadline: Instant,
    ) -> Result<SecretResponse, SecretError> {
        match request {
            SecretRequest::Sign {
                name,
                algorithm,
                message,
            } => {
                let key = self.key(&name, algorithm, deadline).await?;
                let tag = hmac::sign(&key, &message);
                Ok(SecretResponse::Signed(tag.as_ref().to_vec()))
            }
            SecretRequest::Verify {
                name,
                algorithm,
                message,
                tag,
            } => {
                let key = self.key(&name, algorithm, deadline).await?;
                // In constant time, and false for a tag of another length.
                let is_valid = hmac::verify(&key, &message, &tag).is_ok();
                Ok(SecretResponse::Verified(is_valid))
            }
            SecretRequest::Reveal { name } => {
                let held = self.granted(&name, |secret| secret.reveal, "reveal", deadline);
                let value = SecretValue::new(held.await?.value.expose().to_vec());
                let value = value.map_err(|error| SecretError::Unavailable(error.to_string()))?;
                Ok(SecretResponse::Revealed(value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cache::SecretOptions,
        declaration::SecretDeclarations,
        sources::{HostSources, LocalSources},
    };
    use contract::hexadecimal::Hexadecimal;
    use std::{sync::Arc, time::Duration};

    fn secrets() -> Secrets {
        let declarations = SecretDeclarations::from_json(
            r#"{
                "jefe": {"from": "env:JEFE", "hmac": true},
                "plain": {"from": "env:PLAIN", "reveal": true},
                "absent": {"from": "env:ABSENT", "hmac": true},
                "remote": {"from": "ssm:/remote", "hmac": true, "reveal": true}
            }"#,
        );
        let local = LocalSources::new(|name| match name {
            "JEFE" => Some("Jefe".into()),
            "PLAIN" => Some("planted".into()),
            _ => None,
        });
        let sources = Arc::new(HostSources::new(local, None));
        Secrets::new(declarations.unwrap(), sources, SecretOptions::default())
    }

    async fn perform(request: SecretRequest) -> Result<SecretResponse, SecretError> {
        let deadline = Instant::now() + Duration::from_secs(5);
        secrets().perform(request, deadline).await
    }

    fn sign(name: &str, algorithm: HmacAlgorithm) -> SecretRequest {
        SecretRequest::Sign {
            name: name.into(),
            algorithm,
            message: b"what do ya want for nothing?".to_vec(),
        }
    }

    /// RFC 2202 and RFC 4231, the second test case of each.
    #[tokio::test]
    async fn tags_are_those_of_the_published_vectors() {
        for (algorithm, expected) in [
            (
                HmacAlgorithm::Sha1,
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (
                HmacAlgorithm::Sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                HmacAlgorithm::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let Ok(SecretResponse::Signed(tag)) = perform(sign("jefe", algorithm)).await else {
                panic!("{algorithm:?}");
            };
            assert_eq!(Hexadecimal(&tag).to_string(), expected);
            let verify = |tag: &[u8]| {
                perform(SecretRequest::Verify {
                    name: "jefe".into(),
                    algorithm,
                    message: b"what do ya want for nothing?".to_vec(),
                    tag: tag.to_vec(),
                })
            };
            let is_valid = |response| matches!(response, Ok(SecretResponse::Verified(true)));
            assert!(is_valid(verify(&tag).await));
            let mut other = tag.clone();
            other[0] ^= 1;
            for tag in [&other[..], &tag[1..], &tag[..8], &[]] {
                assert!(!is_valid(verify(tag).await));
            }
        }
    }

    #[tokio::test]
    async fn only_granted_uses_are_possible() {
        let reveal = |name: &str| perform(SecretRequest::Reveal { name: name.into() });
        let Ok(SecretResponse::Revealed(value)) = reveal("plain").await else {
            panic!("not revealed");
        };
        assert_eq!(value.expose(), b"planted");
        for (response, words) in [
            (
                reveal("jefe").await,
                "not granted: secret `jefe` has no `reveal = true` in its declaration",
            ),
            (
                perform(sign("plain", HmacAlgorithm::Sha256)).await,
                "not granted: secret `plain` has no `hmac = true` in its declaration",
            ),
            (
                reveal("other").await,
                "unknown secret `other`; `[secrets]` in tenon.toml declares it, on Lambda `TENON_SECRETS`, for the guest of route `/` only",
            ),
            (
                perform(sign("absent", HmacAlgorithm::Sha256)).await,
                "unavailable: the host cannot read secret `absent`; not found at its source",
            ),
            (
                reveal("remote").await,
                "unavailable: the host cannot read secret `remote`; this host cannot read its source",
            ),
        ] {
            assert_eq!(response.unwrap_err().to_string(), words);
        }
    }
}
