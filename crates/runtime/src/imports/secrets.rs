//! `tenon:handler/secrets`. The port decides what may be done; names are checked here, and what a request may use is counted.

use super::{RequestState, bindings::tenon::handler::secrets as wit};
use contract::{deadline::end_of_calls, outcome::Stop};
use secrets::{HmacAlgorithm, SecretError, SecretName, SecretRequest, SecretResponse};
use std::time::Instant;

impl wit::Host for RequestState {
    async fn sign(
        &mut self,
        name: String,
        algorithm: wit::Algorithm,
        message: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, wit::Error>> {
        self.meter.count_secret_message(message.len())?;
        let request = SecretRequest::Sign {
            name,
            algorithm: algorithm.into(),
            message,
        };
        Ok(match self.perform_on_secrets(request).await? {
            Ok(SecretResponse::Signed(tag)) => Ok(tag),
            other => Err(no_result(other)),
        })
    }

    async fn verify(
        &mut self,
        name: String,
        algorithm: wit::Algorithm,
        message: Vec<u8>,
        tag: Vec<u8>,
    ) -> wasmtime::Result<Result<bool, wit::Error>> {
        self.meter.count_secret_message(message.len())?;
        self.meter.count_secret_message(tag.len())?;
        let request = SecretRequest::Verify {
            name,
            algorithm: algorithm.into(),
            message,
            tag,
        };
        Ok(match self.perform_on_secrets(request).await? {
            Ok(SecretResponse::Verified(is_valid)) => Ok(is_valid),
            other => Err(no_result(other)),
        })
    }

    async fn reveal(&mut self, name: String) -> wasmtime::Result<Result<Vec<u8>, wit::Error>> {
        let request = SecretRequest::Reveal { name };
        Ok(match self.perform_on_secrets(request).await? {
            Ok(SecretResponse::Revealed(value)) => Ok(value.expose().to_vec()),
            other => Err(no_result(other)),
        })
    }
}

impl RequestState {
    /// What is no name does not reach the port, so that nothing else is recorded. Calls end before the guest's own time does, so that it can
    /// respond.
    async fn perform_on_secrets(
        &mut self,
        request: SecretRequest,
    ) -> Result<Result<SecretResponse, SecretError>, Stop> {
        self.meter.count_secret_call()?;
        if request.name().parse::<SecretName>().is_err() {
            return Ok(Err(SecretError::unknown(request.name())));
        }
        let deadline = end_of_calls(Instant::now(), self.deadline);
        Ok(self.secrets.perform(request, deadline).await)
    }
}

/// The error; a response to another function is none.
fn no_result(result: Result<SecretResponse, SecretError>) -> wit::Error {
    match result {
        Ok(_) => wit::Error::Unavailable("the host gave no result".to_owned()),
        Err(error) => error.into(),
    }
}

impl From<wit::Algorithm> for HmacAlgorithm {
    fn from(algorithm: wit::Algorithm) -> Self {
        match algorithm {
            wit::Algorithm::Sha1 => Self::Sha1,
            wit::Algorithm::Sha256 => Self::Sha256,
            wit::Algorithm::Sha512 => Self::Sha512,
        }
    }
}

impl From<SecretError> for wit::Error {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Unknown(detail) => Self::Unknown(detail),
            SecretError::NotGranted(detail) => Self::NotGranted(detail),
            SecretError::Unavailable(detail) => Self::Unavailable(detail),
        }
    }
}
