//! What SSM and Secrets Manager answer. No error repeats any of it, except for what a service says about a failure.

use crate::sources::error::{FetchError, FetchErrorClass};
use aws_requests::CallError;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer};
use std::fmt;
use zeroize::Zeroizing;

pub(super) type Fetched<T> = Result<T, FetchError>;

/// Text that is overwritten when it is dropped.
pub(super) struct Text(Zeroizing<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ParametersAnswer {
    #[serde(default)]
    parameters: Vec<Parameter>,
    /// Names that lead to none.
    #[serde(default)]
    invalid_parameters: Vec<String>,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "ARN")]
    arn: Option<String>,
    #[serde(rename = "Value")]
    value: Text,
}

impl ParametersAnswer {
    /// What the answer has about these names. A parameter that was asked for by its ARN may be called by its name.
    pub(super) fn by_name(&self, names: &[&str]) -> Vec<(String, Fetched<Zeroizing<Vec<u8>>>)> {
        let about = |name: &str| {
            let found = self
                .parameters
                .iter()
                .find(|parameter| parameter.name == name || parameter.arn.as_deref() == Some(name));
            if let Some(parameter) = found {
                let value = parameter.value.0.as_bytes().to_vec();
                return Some(Ok(Zeroizing::new(value)));
            }
            let is_invalid = self
                .invalid_parameters
                .iter()
                .any(|invalid| invalid == name);
            is_invalid.then(|| {
                let detail = "there is no such parameter in this account and region";
                Err(FetchError::new(FetchErrorClass::Missing, detail))
            })
        };
        names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), about(name)?)))
            .collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SecretAnswer {
    secret_string: Option<Text>,
    /// Base64.
    secret_binary: Option<Text>,
}

impl SecretAnswer {
    /// The whole secret, or a member of its JSON object.
    pub(super) fn value(&self, member: Option<&str>) -> Fetched<Vec<u8>> {
        let unusable = |words: &str| FetchError::new(FetchErrorClass::Unusable, words);
        match (&self.secret_string, &self.secret_binary, member) {
            (Some(text), _, None) => Ok(text.0.as_bytes().to_vec()),
            (Some(text), _, Some(member)) => {
                let members = json::members(&text.0)
                    .map_err(|_| unusable("the secret is not a JSON object"))?;
                let (_, value) = members
                    .iter()
                    .find(|(name, _)| name == member)
                    .ok_or_else(|| unusable("the JSON object has no such member"))?;
                let text =
                    json::string(value).map_err(|_| unusable("the member is not a string"))?;
                Ok(text.into_owned().into_bytes())
            }
            (None, Some(binary), None) => STANDARD
                .decode(binary.0.as_bytes())
                .map_err(|_| unusable("the binary secret is not base64")),
            (None, Some(_), Some(_)) => Err(unusable("a binary secret has no members")),
            (None, None, _) => Err(unusable("the secret has no value")),
        }
    }
}

/// A response has another form. The reader's own words could quote it.
pub(super) fn unreadable(service: &str) -> FetchError {
    let detail = format!("the answer of {service} has another form than documented");
    FetchError::new(FetchErrorClass::Unusable, detail)
}

pub(super) fn classify(service: &str, error: &CallError) -> FetchError {
    let class = match error {
        error if error.is_throttled() => FetchErrorClass::Throttled,
        CallError::Answered { code, .. } => class_of(code),
        CallError::Refused(_) | CallError::Failed(_) => FetchErrorClass::Unreachable,
        CallError::TooLarge(_) => FetchErrorClass::Unusable,
    };
    FetchError::new(class, format!("{service}: {error}"))
}

/// The class of an error by its name (AWS: common errors, and those of the two operations).
fn class_of(code: &str) -> FetchErrorClass {
    match code {
        "ResourceNotFoundException" | "ParameterNotFound" => FetchErrorClass::Missing,
        // Marked for deletion.
        "InvalidRequestException" => FetchErrorClass::Missing,
        "AccessDenied"
        | "AccessDeniedException"
        | "DecryptionFailure"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidKeyId"
        | "InvalidSignatureException"
        | "NotAuthorized"
        | "UnrecognizedClientException" => FetchErrorClass::Denied,
        "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "ServiceUnavailable" => FetchErrorClass::Unreachable,
        code if code.starts_with("status 5") => FetchErrorClass::Unreachable,
        "status 429" => FetchErrorClass::Throttled,
        "status 401" | "status 403" => FetchErrorClass::Denied,
        _ => FetchErrorClass::Unusable,
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Text(..)")
    }
}
