//! Determines from wasmtime's errors why a guest returned no response.

use crate::imports::Meter;
use contract::{
    limits::{BACKTRACE_FRAMES_MAX, BACKTRACE_NAME_BYTES_MAX},
    outcome::{Failure, NoResponse, Stop},
};
use wasmtime::{FrameInfo, Trap, WasmBacktrace};

/// Why a guest returned no response, and where it was.
pub(super) struct GuestError {
    pub(super) failure: Failure,
    /// Functions that were active, the innermost first.
    pub(super) backtrace: Vec<String>,
}

impl GuestError {
    /// The meaning of a wasmtime error.
    pub(super) fn of(error: &wasmtime::Error, meter: &Meter) -> Self {
        let failure = failure(error, meter);
        let backtrace = backtrace(&failure, error);
        Self { failure, backtrace }
    }

    /// Time ran out while the guest waited for the host.
    pub(super) fn deadline() -> Self {
        Self {
            failure: Failure::Deadline,
            backtrace: Vec::new(),
        }
    }
}

fn failure(error: &wasmtime::Error, meter: &Meter) -> Failure {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return Failure::Stopped(*stop);
    }
    if let Some(reason) = error.downcast_ref::<NoResponse>() {
        return Failure::NoResponse(*reason);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Failure::Deadline,
        Some(_) if meter.memory_refused => Failure::Memory(meter.memory_bytes_max),
        Some(trap) => Failure::Trap(trap.to_string()),
        // wasmtime does not export the type of this error.
        None if error
            .root_cause()
            .to_string()
            .starts_with("too much data is being copied") =>
        {
            Failure::Stopped(Stop::CallBytes)
        }
        // Neither a trap nor our own error: a response that breaks the canonical ABI.
        None => Failure::Trap(error.root_cause().to_string()),
    }
}

/// Where the guest was when it failed, the innermost function first. For the operator's log only: clients do not see it, and a replay does
/// not compare it, because the depth of a stack differs between processors. Empty for a timeout, which has no place in the guest.
fn backtrace(failure: &Failure, error: &wasmtime::Error) -> Vec<String> {
    match failure {
        Failure::Trap(_) | Failure::Memory(_) | Failure::Stopped(_) => {}
        Failure::Deadline | Failure::Busy | Failure::NoResponse(_) => return Vec::new(),
    }
    let frames = error.downcast_ref::<WasmBacktrace>();
    let frames = frames.into_iter().flat_map(|backtrace| backtrace.frames());
    frames.take(BACKTRACE_FRAMES_MAX).map(function).collect()
}

/// A function by its name, if the component has names, otherwise by its index.
fn function(frame: &FrameInfo) -> String {
    match frame.func_name() {
        Some(name) => name[..name.floor_char_boundary(BACKTRACE_NAME_BYTES_MAX)].to_owned(),
        None => format!("function {}", frame.func_index()),
    }
}
