//! Counts what one request uses, and enforces its limits.

use contract::{
    limits::{
        HTTP_TEXT_BYTES_MAX, Limits, OUTGOING_BYTES_MAX, OUTGOING_CALLS_TOGETHER_MAX,
        OUTGOING_RESPONSE_BODY_BYTES_MAX, SECRET_CALLS_MAX, SECRET_MESSAGES_BYTES_MAX,
    },
    outcome::{Stop, Usage},
};
use std::time::Duration;
use wasmtime::ResourceLimiter;

/// Counts the use of one request against its limits.
pub(crate) struct Meter {
    host_calls_left: u32,
    storage_calls_left: u32,
    outgoing_calls_left: u32,
    host_calls_max: u32,
    storage_calls_max: u32,
    outgoing_calls_max: u32,
    outgoing_bytes_left: usize,
    secret_calls_left: u32,
    secret_messages_bytes_left: usize,
    body_bytes_left: usize,
    http_text_bytes_left: usize,
    pub(crate) storage_duration: Duration,
    pub(crate) outgoing_duration: Duration,
    pub(crate) memory_bytes_max: usize,
    pub(crate) memory_refused: bool,
    /// All linear memories together.
    memory_bytes: usize,
    memory_bytes_peak: usize,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            host_calls_left: limits.host_calls_max,
            storage_calls_left: limits.storage_calls_max,
            outgoing_calls_left: limits.outgoing_calls_max,
            host_calls_max: limits.host_calls_max,
            storage_calls_max: limits.storage_calls_max,
            outgoing_calls_max: limits.outgoing_calls_max,
            outgoing_bytes_left: OUTGOING_BYTES_MAX,
            secret_calls_left: SECRET_CALLS_MAX,
            secret_messages_bytes_left: SECRET_MESSAGES_BYTES_MAX,
            body_bytes_left: limits.response_body_bytes_max,
            http_text_bytes_left: HTTP_TEXT_BYTES_MAX,
            storage_duration: Duration::ZERO,
            outgoing_duration: Duration::ZERO,
            memory_bytes_max: limits.guest_memory_bytes_max,
            memory_refused: false,
            memory_bytes: 0,
            memory_bytes_peak: 0,
        }
    }

    /// For an instance without a request: allows no calls.
    pub(crate) fn idle(limits: &Limits) -> Self {
        Self {
            host_calls_left: 0,
            storage_calls_left: 0,
            outgoing_calls_left: 0,
            secret_calls_left: 0,
            ..Self::new(limits)
        }
    }

    /// For an instance that already exists: its memory counts.
    pub(crate) fn go_on_from(&mut self, before: &Self) {
        self.memory_bytes = before.memory_bytes;
        self.memory_bytes_peak = before.memory_bytes_peak;
    }

    pub(crate) fn count_host_call(&mut self) -> Result<(), Stop> {
        self.host_calls_left = self.host_calls_left.checked_sub(1).ok_or(Stop::HostCalls)?;
        Ok(())
    }

    pub(crate) fn count_storage_call(&mut self) -> Result<(), Stop> {
        self.count_host_call()?;
        self.storage_calls_left = self
            .storage_calls_left
            .checked_sub(1)
            .ok_or(Stop::StorageCalls)?;
        Ok(())
    }

    /// Before a request to another service.
    pub(crate) fn count_outgoing_call(&mut self) -> Result<(), Stop> {
        self.count_host_call()?;
        self.outgoing_calls_left = self
            .outgoing_calls_left
            .checked_sub(1)
            .ok_or(Stop::OutgoingCalls)?;
        Ok(())
    }

    /// Counts bytes of the bodies of such requests and of their responses, which a recording keeps.
    pub(crate) fn count_outgoing_bytes(&mut self, bytes: usize) -> Result<(), Stop> {
        self.outgoing_bytes_left = self
            .outgoing_bytes_left
            .checked_sub(bytes)
            .ok_or(Stop::OutgoingBytes)?;
        Ok(())
    }

    /// How many of these requests may be sent at the same time: the responses of all of them have to be within the bound.
    pub(crate) fn outgoing_calls_together(&self) -> usize {
        let responses = self.outgoing_bytes_left / OUTGOING_RESPONSE_BODY_BYTES_MAX;
        responses.clamp(1, OUTGOING_CALLS_TOGETHER_MAX)
    }

    /// Before a call about a secret.
    pub(crate) fn count_secret_call(&mut self) -> Result<(), Stop> {
        self.count_host_call()?;
        self.secret_calls_left = self
            .secret_calls_left
            .checked_sub(1)
            .ok_or(Stop::SecretCalls)?;
        Ok(())
    }

    /// Before a message is signed or verified, which takes time, and which a recording keeps.
    pub(crate) fn count_secret_message(&mut self, bytes: usize) -> Result<(), Stop> {
        self.secret_messages_bytes_left = self
            .secret_messages_bytes_left
            .checked_sub(bytes)
            .ok_or(Stop::SecretMessages)?;
        Ok(())
    }

    /// Before the host keeps bytes of a body.
    pub(crate) fn count_body_bytes(&mut self, bytes: usize) -> Result<(), Stop> {
        self.body_bytes_left = self
            .body_bytes_left
            .checked_sub(bytes)
            .ok_or(Stop::BodyBytes)?;
        Ok(())
    }

    /// Before the host keeps text of an HTTP message.
    pub(crate) fn count_http_text(&mut self, bytes: usize) -> Result<(), Stop> {
        self.http_text_bytes_left = self
            .http_text_bytes_left
            .checked_sub(bytes)
            .ok_or(Stop::HttpText)?;
        Ok(())
    }

    /// Number of storage calls so far.
    pub(crate) fn storage_calls(&self) -> u32 {
        self.storage_calls_max - self.storage_calls_left
    }

    pub(crate) fn usage(&self, total_duration: Duration) -> Usage {
        Usage {
            total_duration,
            storage_duration: self.storage_duration,
            outgoing_calls: self.outgoing_calls_max - self.outgoing_calls_left,
            outgoing_duration: self.outgoing_duration,
            storage_calls: self.storage_calls(),
            host_calls: self.host_calls_max - self.host_calls_left,
            memory_bytes_peak: self.memory_bytes_peak,
            fuel: None,
        }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current);
        let total = self.memory_bytes.saturating_add(growth);
        let allowed = total <= self.memory_bytes_max;
        if allowed {
            self.memory_bytes = total;
            self.memory_bytes_peak = self.memory_bytes_peak.max(total);
        } else {
            self.memory_refused = true;
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(maximum.is_none_or(|maximum| desired <= maximum)
            && desired <= contract::limits::GUEST_TABLE_ELEMENTS_MAX)
    }
}
