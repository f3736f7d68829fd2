//! Limits that an operator may change.

use super::{InvalidVariable, Variables};
use contract::limits::{GUEST_MEMORY_BYTES_CEILING, LAMBDA_PAYLOAD_BYTES_MAX, Limits};
use std::time::Duration;

/// A guest with less memory cannot start.
const GUEST_MEMORY_BYTES_MIN: u64 = 64 * 1024;
/// The longest timeout of a Lambda function.
const REQUEST_DURATION_MS_MAX: u64 = 900_000;

/// The default limits with the changes from the environment.
pub fn read(variables: &Variables) -> Result<Limits, InvalidVariable> {
    let mut limits = Limits::default();
    let bytes = |name, allowed| {
        let number = variables.optional_number(name, allowed)?;
        Ok(number.and_then(|number| usize::try_from(number).ok()))
    };
    if let Some(bytes) = bytes(
        "TENON_REQUEST_BODY_BYTES_MAX",
        1..=LAMBDA_PAYLOAD_BYTES_MAX as u64,
    )? {
        limits.request_body_bytes_max = bytes;
    }
    if let Some(bytes) = bytes(
        "TENON_GUEST_MEMORY_BYTES_MAX",
        GUEST_MEMORY_BYTES_MIN..=GUEST_MEMORY_BYTES_CEILING as u64,
    )? {
        limits.guest_memory_bytes_max = bytes;
    }
    let name = "TENON_REQUEST_DURATION_MS_MAX";
    if let Some(ms) = variables.optional_number(name, 1..=REQUEST_DURATION_MS_MAX)? {
        limits.request_duration_max = Duration::from_millis(ms);
    }
    Ok(limits)
}
