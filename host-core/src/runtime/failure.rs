//! Why a guest gave no answer.

use super::meter::Meter;
use crate::limits::{BACKTRACE_FRAMES_MAX, BACKTRACE_NAME_BYTES_MAX};
use wasmtime::{FrameInfo, Trap, WasmBacktrace};

/// Why there is no answer. The texts are for clients and logs alike: they say nothing of the host's insides.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The guest trapped: a panic, an overflowing stack, an access out of bounds. Holds wasmtime's words for it.
    #[error("the guest trapped: {0}")]
    Trap(String),
    /// Time ran out.
    #[error("the guest did not answer in time")]
    Deadline,
    /// No instance became free in time.
    #[error("no instance became free in time")]
    Busy,
    /// The guest trapped after it was refused memory.
    #[error("the guest exceeded its memory limit of {0} bytes")]
    Memory(usize),
    /// The guest called the host in a way that it must not.
    #[error("the guest was stopped: {0}")]
    Stopped(Stop),
}

/// Why the host stopped a guest in the middle of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Over `host_calls_max`.
    #[error("too many calls to the host")]
    HostCalls,
    /// Over `storage_calls_max`.
    #[error("too many storage calls")]
    StorageCalls,
    /// One call or answer carried more than `HOST_CALL_BYTES_MAX`.
    #[error("too much data in one call")]
    CallBytes,
    /// Asked for more random bytes at once than the host gives.
    #[error("too many random bytes in one call")]
    RandomBytes,
    /// Wrote more output at once than the stream permitted.
    #[error("too many bytes of output in one call")]
    OutputBytes,
    /// Called `wasi:cli/exit`.
    #[error("it called exit")]
    Exit,
    /// Called `poll` with nothing to wait for, which the interface forbids.
    #[error("it polled an empty list")]
    EmptyPoll,
    /// Called `poll` with a list of more than it can hold.
    #[error("it polled too long a list")]
    PollList,
}

impl Failure {
    pub(super) fn from_error(error: &wasmtime::Error, meter: &Meter) -> Self {
        if let Some(stop) = error.downcast_ref::<Stop>() {
            return Self::Stopped(*stop);
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => Self::Deadline,
            Some(_) if meter.memory_refused => Self::Memory(meter.memory_bytes_max),
            Some(trap) => Self::Trap(trap.to_string()),
            // wasmtime keeps the type of this one to itself.
            None if error
                .root_cause()
                .to_string()
                .starts_with("too much data is being copied") =>
            {
                Self::Stopped(Stop::CallBytes)
            }
            // What is neither a trap nor ours: an answer that breaks the canonical ABI.
            None => Self::Trap(error.root_cause().to_string()),
        }
    }
}

/// Where the guest was when it failed, the innermost function first. For the operator's log only: a client reads nothing of it, and a
/// replay does not compare it, because how deep a stack gets differs between processors. Empty where time ran out, which is no place in the guest.
pub(super) fn backtrace(failure: &Failure, error: &wasmtime::Error) -> Vec<String> {
    match failure {
        Failure::Trap(_) | Failure::Memory(_) | Failure::Stopped(_) => {}
        Failure::Deadline | Failure::Busy => return Vec::new(),
    }
    let frames = error.downcast_ref::<WasmBacktrace>();
    let frames = frames.into_iter().flat_map(|backtrace| backtrace.frames());
    frames.take(BACKTRACE_FRAMES_MAX).map(function).collect()
}

/// A function by its name, where the component has names, else by its index.
fn function(frame: &FrameInfo) -> String {
    match frame.func_name() {
        Some(name) => name[..name.floor_char_boundary(BACKTRACE_NAME_BYTES_MAX)].to_owned(),
        None => format!("function {}", frame.func_index()),
    }
}
