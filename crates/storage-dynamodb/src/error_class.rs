//! Classifies failures of a request to DynamoDB by what they mean for the caller.
//!
//! AWS: "Error handling with DynamoDB". The SDK's error types are non-exhaustive, so errors are classified by the name of their code, or by
//! the HTTP status if there is no code.

use super::{
    malformed_item::MalformedItemError,
    response::{ResponseTooLargeError, is_too_large},
};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::ConnectorError};
use http_client::SendError;
use std::{error::Error, iter};

/// Longest text about a failure that is kept for the operator.
const WORDS_CHARS_MAX: usize = 500;

/// Why a request has no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorClass {
    /// DynamoDB asks to slow down; nothing was done.
    Throttled,
    /// A transaction holds the item; nothing was done.
    Conflict,
    /// No connection; nothing was sent.
    Unreachable,
    /// The request was sent, but no response came, or one that does not say what was done: a write may have happened.
    Uncertain,
    /// Credentials, permissions, table or region are wrong; nothing was done.
    Misconfigured,
    /// The request is invalid, which is a bug of the host; nothing was done.
    Defect,
}

/// What an operation's own error means to the caller.
pub(super) enum Verdict {
    /// An outcome, not a failure.
    Answer,
    Failed(ErrorClass),
}

/// A failed precondition is an outcome; every other error is a failure.
pub(super) fn judge<E: ProvideErrorMetadata>(error: &E, status: u16) -> Verdict {
    match error.code() {
        Some("ConditionalCheckFailedException") => Verdict::Answer,
        code => Verdict::Failed(of_code(code, error.message().unwrap_or_default(), status)),
    }
}

/// A classified failure with a text for the operator, or an error that is an outcome.
pub(super) enum Judged<E> {
    Answer(E),
    /// The request was carried out, but its response is larger than allowed.
    TooLarge,
    Failed(ErrorClass, String),
}

/// For requests other than those of guests: whether a retry may succeed, and a text for the operator.
pub fn described<E>(error: SdkError<E, HttpResponse>) -> (bool, String)
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let judge = |error: &E, status| {
        let (code, message) = (error.code(), error.message().unwrap_or_default());
        Verdict::Failed(of_code(code, message, status))
    };
    match of_error(error, judge) {
        Judged::Failed(ErrorClass::Misconfigured | ErrorClass::Defect, words) => (false, words),
        Judged::Failed(
            ErrorClass::Throttled
            | ErrorClass::Conflict
            | ErrorClass::Unreachable
            | ErrorClass::Uncertain,
            words,
        ) => (true, words),
        Judged::Answer(error) => (false, service_words(&error)),
        Judged::TooLarge => (false, ResponseTooLargeError.to_string()),
    }
}

/// Classifies a failed request.
pub(super) fn of_error<E>(
    error: SdkError<E, HttpResponse>,
    judge: impl Fn(&E, u16) -> Verdict,
) -> Judged<E>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let error = match error {
        SdkError::ServiceError(refusal) => {
            let status = refusal.raw().status().as_u16();
            return match judge(refusal.err(), status) {
                Verdict::Answer => Judged::Answer(refusal.into_err()),
                Verdict::Failed(class) => Judged::Failed(class, service_words(refusal.err())),
            };
        }
        other => other,
    };
    if chain(&error).any(is_too_large) {
        return Judged::TooLarge;
    }
    let class = match &error {
        SdkError::DispatchFailure(failure) => failure
            .as_connector_error()
            .map_or(ErrorClass::Uncertain, of_dispatch),
        SdkError::ConstructionFailure(_) if find_source::<MalformedItemError>(&error).is_some() => {
            ErrorClass::Defect
        }
        SdkError::ConstructionFailure(_) => ErrorClass::Misconfigured,
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => ErrorClass::Uncertain,
        // The enum is non-exhaustive. An unknown error may come after the request was sent.
        _ => ErrorClass::Uncertain,
    };
    Judged::Failed(class, chain_words(&error))
}

/// The meaning of the codes of DynamoDB, of the cancellation reasons of its transactions, and of AWS's front end.
pub(super) fn of_code(code: Option<&str>, message: &str, status: u16) -> ErrorClass {
    match code.unwrap_or_default() {
        "ProvisionedThroughputExceededException"
        | "ProvisionedThroughputExceeded"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown"
        | "Throttling"
        | "ThrottlingError"
        | "ThrottlingException"
        | "TooManyRequestsException" => ErrorClass::Throttled,
        "ReplicatedWriteConflictException"
        | "TransactionConflict"
        | "TransactionConflictException" => ErrorClass::Conflict,
        // An earlier attempt of ours is still in progress.
        "TransactionInProgressException" => ErrorClass::Uncertain,
        "InternalFailure"
        | "InternalServerError"
        | "InternalServerErrorException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => ErrorClass::Uncertain,
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidEndpointException"
        | "InvalidSignatureException"
        | "ItemCollectionSizeLimitExceeded"
        | "ItemCollectionSizeLimitExceededException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired"
        | "RequestExpired"
        | "ResourceNotFoundException"
        | "SignatureDoesNotMatch"
        | "SubscriptionRequiredException"
        | "TableNotFoundException"
        | "UnrecognizedClientException" => ErrorClass::Misconfigured,
        // A table with another layout: its keys or its index are different.
        "ValidationException" | "ValidationError"
            if message.contains("schema") || message.contains("index") =>
        {
            ErrorClass::Misconfigured
        }
        "IdempotentParameterMismatchException"
        | "SerializationException"
        | "ValidationError"
        | "ValidationException" => ErrorClass::Defect,
        // The KMS key that encrypts the table.
        code if code.starts_with("KMS") || code.contains("EncryptionDate") => {
            ErrorClass::Misconfigured
        }
        _ => match status {
            ..=399 | 408 | 500.. => ErrorClass::Uncertain,
            429 => ErrorClass::Throttled,
            401 | 403 | 404 => ErrorClass::Misconfigured,
            _ => ErrorClass::Defect,
        },
    }
}

fn of_dispatch(error: &ConnectorError) -> ErrorClass {
    match find_source::<SendError>(error) {
        Some(SendError::Refused(_) | SendError::NotSent(_)) => ErrorClass::Unreachable,
        Some(SendError::Unknown(_) | SendError::TooLarge(_) | SendError::HeadTooLarge(_)) => {
            ErrorClass::Uncertain
        }
        Some(SendError::Invalid(_) | SendError::NotAllowed(_)) => ErrorClass::Misconfigured,
        None if error.is_timeout() || error.is_io() => ErrorClass::Uncertain,
        // No HTTP request was made: there are no credentials, or no endpoint.
        None => ErrorClass::Misconfigured,
    }
}

fn find_source<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// An error and its causes.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

fn service_words(error: &impl ProvideErrorMetadata) -> String {
    let code = error.code().unwrap_or("error without a code");
    match error.message() {
        Some(message) => words(&format!("{code}: {message}")),
        None => code.to_owned(),
    }
}

/// The error and its causes. Never their debug forms, which may contain the whole body of a response.
pub(super) fn chain_words(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    words(&text)
}

/// Text for the operator. Validation messages may quote values, so the rest of such a message is left out.
fn words(text: &str) -> String {
    let (text, dots) = match text.find("alue '").or_else(|| text.find("alue: ")) {
        Some(position) => (&text[..position + "alue".len()], " ..."),
        None => (text, ""),
    };
    let shown: String = text.chars().take(WORDS_CHARS_MAX).collect();
    shown + dots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_by_what_they_mean() {
        let cases = [
            ("ThrottlingException", 400, ErrorClass::Throttled),
            ("TransactionConflictException", 400, ErrorClass::Conflict),
            ("InternalServerError", 500, ErrorClass::Uncertain),
            ("ServiceUnavailable", 503, ErrorClass::Uncertain),
            ("ExpiredTokenException", 400, ErrorClass::Misconfigured),
            ("ResourceNotFoundException", 400, ErrorClass::Misconfigured),
            ("KMSAccessDeniedException", 400, ErrorClass::Misconfigured),
            ("ValidationException", 400, ErrorClass::Defect),
            ("SomethingNewException", 400, ErrorClass::Defect),
            ("SomethingNewException", 503, ErrorClass::Uncertain),
        ];
        for (code, status, expected) in cases {
            assert_eq!(of_code(Some(code), "", status), expected, "{code}");
        }
        assert_eq!(of_code(None, "", 429), ErrorClass::Throttled);
        assert_eq!(of_code(None, "", 502), ErrorClass::Uncertain);
        let other_keys = "The provided key element does not match the schema";
        let class = of_code(Some("ValidationException"), other_keys, 400);
        assert_eq!(class, ErrorClass::Misconfigured);
    }

    #[test]
    fn words_do_not_quote_values() {
        let quoting = "1 validation error detected: Value 'secret' at 'key' failed";
        assert_eq!(words(quoting), "1 validation error detected: Value ...");
        assert_eq!(words(&"x".repeat(1000)).len(), WORDS_CHARS_MAX);
    }
}
