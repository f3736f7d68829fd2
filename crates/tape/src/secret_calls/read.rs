//! Reads recorded calls about secrets.

use super::MESSAGE;
use crate::redact::{MESSAGE_BASE64, REPLACEMENT};
use contract::hexadecimal;
use json::{members, string};
use secrets::{HmacAlgorithm, SecretError, SecretFunction, SecretResponse, SecretValue};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// A call about a secret.
#[derive(Clone, Debug, Deserialize)]
pub struct SecretCallRecord<'a> {
    /// Number of storage calls made before.
    #[serde(default)]
    pub after: u32,
    /// The request: `{function, name, algorithm?, message?, tag?}`.
    #[serde(borrow)]
    pub request: &'a RawValue,
    /// What the guest got; `None` if its own request ended before.
    #[serde(borrow, default)]
    pub result: Option<&'a RawValue>,
    /// Microseconds from the start of the guest's request to that of this call.
    #[serde(default)]
    pub at_us: u64,
    /// Microseconds until the result.
    #[serde(default)]
    pub us: u64,
}

/// What identifies a recorded call. Displayed with names and numbers only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedSecretRequest {
    /// The function.
    pub function: SecretFunction,
    /// The secret, as the guest named it.
    pub name: String,
    /// The hash, unless the value is revealed.
    pub algorithm: Option<HmacAlgorithm>,
    /// The JSON of the message as the tape has it; `None` if there is none, `null` if it was left out.
    pub message: Option<String>,
    /// The tag that was verified.
    pub tag: Option<String>,
}

/// Why a recorded call cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("it cannot be read: {0}")]
pub struct SecretResultError(String);

impl SecretCallRecord<'_> {
    /// What identifies the call; an error if it cannot be read.
    pub fn recorded_request(&self) -> Result<RecordedSecretRequest, SecretResultError> {
        RecordedSecretRequest::read(self.request.get())
    }

    /// The result, see [`read_result`]; `None` if there is none.
    pub fn read_result(
        &self,
    ) -> Option<Result<Result<SecretResponse, SecretError>, SecretResultError>> {
        let result = self.result?;
        let request = self.recorded_request();
        Some(request.and_then(|request| read_result(&request, result.get())))
    }
}

impl RecordedSecretRequest {
    /// Reads a request as a tape shows it.
    pub fn read(json: &str) -> Result<Self, SecretResultError> {
        let (mut function, mut name) = (None, None);
        let (mut algorithm, mut message, mut tag) = (None, None, None);
        for (member, value) in members(json).map_err(shape)? {
            let text = || string(value).map(Cow::into_owned).map_err(shape);
            match &*member {
                "function" => function = function_of(&text()?),
                "name" => name = Some(text()?),
                "algorithm" => algorithm = algorithm_of(&text()?),
                MESSAGE | MESSAGE_BASE64 => message = Some(value.to_owned()),
                "tag" => tag = Some(text()?),
                _ => {}
            }
        }
        Ok(Self {
            function: function.ok_or_else(|| shape("the request has no known `function`"))?,
            name: name.ok_or_else(|| shape("the request has no `name`"))?,
            algorithm,
            message,
            tag,
        })
    }

    /// Whether the tag was redacted.
    pub fn is_tag_redacted(&self) -> bool {
        self.tag.as_deref() == Some(REPLACEMENT)
    }

    /// Whether the message was left out.
    pub fn is_message_left_out(&self) -> bool {
        self.message.as_deref() == Some("null")
    }
}

impl fmt::Display for RecordedSecretRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, name, .. } = self;
        write!(formatter, "{function} {name}")?;
        match self.algorithm {
            Some(algorithm) => write!(formatter, " with {}", algorithm.as_str()),
            None => Ok(()),
        }
    }
}

fn function_of(name: &str) -> Option<SecretFunction> {
    let all = [
        SecretFunction::Sign,
        SecretFunction::Verify,
        SecretFunction::Reveal,
    ];
    all.into_iter().find(|function| function.as_str() == name)
}

fn algorithm_of(name: &str) -> Option<HmacAlgorithm> {
    let all = [
        HmacAlgorithm::Sha1,
        HmacAlgorithm::Sha256,
        HmacAlgorithm::Sha512,
    ];
    all.into_iter().find(|algorithm| algorithm.as_str() == name)
}

/// Reads a result. In place of a redacted tag there are zeros, in place of a value the text `REDACTED`.
pub fn read_result(
    request: &RecordedSecretRequest,
    json: &str,
) -> Result<Result<SecretResponse, SecretError>, SecretResultError> {
    let (mut ok, mut error, mut detail) = (None, None, String::new());
    for (name, value) in members(json).map_err(shape)? {
        match &*name {
            "ok" => ok = Some(value),
            "error" => error = Some(string(value).map_err(shape)?),
            "detail" => detail = string(value).map_err(shape)?.into_owned(),
            _ => {}
        }
    }
    match (ok, error) {
        (Some(ok), _) => read_response(request, ok).map(Ok),
        (None, Some(name)) => SecretError::from_name(&name, detail)
            .map(Err)
            .ok_or_else(|| shape(format!("unknown error `{name}`"))),
        (None, None) => Err(shape("the result has neither `ok` nor `error`")),
    }
}

fn read_response(
    request: &RecordedSecretRequest,
    json: &str,
) -> Result<SecretResponse, SecretResultError> {
    let members = members(json).map_err(shape)?;
    let member = |name: &str| {
        let found = members.iter().find(|(found, _)| found == name);
        found
            .map(|(_, value)| *value)
            .ok_or_else(|| shape(format!("the result has no `{name}`")))
    };
    match request.function {
        SecretFunction::Sign => {
            let text = string(member("tag")?).map_err(shape)?;
            let algorithm = request.algorithm.unwrap_or(HmacAlgorithm::Sha256);
            read_tag(algorithm, &text)
                .map(SecretResponse::Signed)
                .ok_or_else(|| shape("the tag is not that of the algorithm"))
        }
        SecretFunction::Verify => match member("valid")? {
            "true" => Ok(SecretResponse::Verified(true)),
            "false" => Ok(SecretResponse::Verified(false)),
            _ => Err(shape("`valid` is neither true nor false")),
        },
        SecretFunction::Reveal => {
            let value = string(member("value")?).map_err(shape)?;
            let value = SecretValue::new(value.into_owned().into_bytes()).map_err(shape)?;
            Ok(SecretResponse::Revealed(value))
        }
    }
}

fn read_tag(algorithm: HmacAlgorithm, text: &str) -> Option<Vec<u8>> {
    if text == REPLACEMENT {
        return Some(vec![0; algorithm.tag_bytes()]);
    }
    match algorithm {
        HmacAlgorithm::Sha1 => hexadecimal::read::<20>(text).map(Vec::from),
        HmacAlgorithm::Sha256 => hexadecimal::read::<32>(text).map(Vec::from),
        HmacAlgorithm::Sha512 => hexadecimal::read::<64>(text).map(Vec::from),
    }
}

fn shape(error: impl ToString) -> SecretResultError {
    SecretResultError(error.to_string())
}
