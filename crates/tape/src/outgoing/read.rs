//! Reads recorded exchanges with other services.

use super::BODY;
use crate::redact::BODY_BASE64;
use base64::Engine as _;
use copies::LENIENT;
use json::{elements, members, string};
use outgoing::{OutgoingError, OutgoingResponse};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An exchange with another service.
#[derive(Clone, Debug, Deserialize)]
pub struct OutgoingRecord<'a> {
    /// Number of storage calls made before.
    #[serde(default)]
    pub after: u32,
    /// The request: `{method, url, headers?, body?, timeout_ms?}`.
    #[serde(borrow)]
    pub request: &'a RawValue,
    /// What the guest got; `None` if its own request ended before.
    #[serde(borrow, default)]
    pub result: Option<&'a RawValue>,
    /// Microseconds from the start of the guest's request to that of this one.
    #[serde(default)]
    pub at_us: u64,
    /// Microseconds until the result.
    #[serde(default)]
    pub us: u64,
}

/// What identifies a recorded request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedOutgoingRequest {
    /// Its method.
    pub method: String,
    /// Its URL, redacted as the tape is.
    pub url: String,
}

/// Why a recorded result cannot be returned to a guest.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingResultError {
    /// It is no result.
    #[error("it cannot be read: {0}")]
    Shape(String),
    /// The body was left out.
    #[error(
        "the body of the response is not on the tape: it was too long, or could not be redacted"
    )]
    Omitted,
}

impl OutgoingRecord<'_> {
    /// What identifies the request; an error if it cannot be read.
    pub fn recorded_request(&self) -> Result<RecordedOutgoingRequest, OutgoingResultError> {
        let members = members(self.request.get()).map_err(shape)?;
        let text = |name: &str| {
            let member = members.iter().find(|(found, _)| found == name);
            member
                .and_then(|(_, value)| string(value).ok())
                .map(Cow::into_owned)
                .ok_or_else(|| shape(format!("the request has no `{name}`")))
        };
        Ok(RecordedOutgoingRequest {
            method: text("method")?,
            url: text("url")?,
        })
    }

    /// The result; `None` if there is none.
    pub fn read_result(
        &self,
    ) -> Option<Result<Result<OutgoingResponse, OutgoingError>, OutgoingResultError>> {
        self.result.map(|result| read_result(result.get()))
    }
}

/// Reads a result.
pub(super) fn read_result(
    json: &str,
) -> Result<Result<OutgoingResponse, OutgoingError>, OutgoingResultError> {
    let (mut error, mut detail) = (None, String::new());
    for (name, value) in members(json).map_err(shape)? {
        match &*name {
            "ok" => return read_response(value).map(Ok),
            "error" => error = Some(string(value).map_err(shape)?),
            "detail" => detail = string(value).map_err(shape)?.into_owned(),
            _ => {}
        }
    }
    let Some(error) = error else {
        return Err(shape("the result has neither `ok` nor `error`"));
    };
    OutgoingError::from_name(&error, detail)
        .map(Err)
        .ok_or_else(|| shape(format!("unknown error `{error}`")))
}

fn read_response(json: &str) -> Result<OutgoingResponse, OutgoingResultError> {
    let mut response = OutgoingResponse {
        status: 0,
        headers: Vec::new(),
        body: Vec::new(),
    };
    for (name, value) in members(json).map_err(shape)? {
        match &*name {
            "status" => response.status = value.parse().map_err(shape)?,
            "headers" => response.headers = read_headers(value)?,
            BODY | BODY_BASE64 if value == "null" => return Err(OutgoingResultError::Omitted),
            BODY => response.body = string(value).map_err(shape)?.into_owned().into_bytes(),
            BODY_BASE64 => {
                let text = string(value).map_err(shape)?;
                response.body = LENIENT.decode(text.as_bytes()).map_err(shape)?;
            }
            _ => {}
        }
    }
    state_length(&mut response);
    Ok(response)
}

/// A redacted body has another length than the one that was received. A guest that passes both on must not be stopped by that. The response to
/// a `HEAD` states a length and has no body.
fn state_length(response: &mut OutgoingResponse) {
    if response.body.is_empty() {
        return;
    }
    let lengths = response.headers.iter_mut();
    for (_, value) in lengths.filter(|(name, _)| name == "content-length") {
        *value = response.body.len().to_string();
    }
}

fn read_headers(json: &str) -> Result<Vec<(String, String)>, OutgoingResultError> {
    let mut headers = Vec::new();
    for (name, values) in members(json).map_err(shape)? {
        for value in elements(values).map_err(shape)? {
            let value = string(value).map_err(shape)?;
            headers.push((name.clone().into_owned(), value.into_owned()));
        }
    }
    Ok(headers)
}

fn shape(error: impl ToString) -> OutgoingResultError {
    OutgoingResultError::Shape(error.to_string())
}
