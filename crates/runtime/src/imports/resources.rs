//! What handles of a guest stand for. The interfaces name these types, so that they are below the bindings.

/// Why a stream operation failed. None does: the interface needs the type.
pub struct StreamError;

/// Standard input: at its end.
pub struct InputStream;

/// Where output goes.
#[derive(Clone, Copy)]
pub enum OutputStream {
    /// Lines at level `info`.
    Stdout,
    /// Lines at level `warn`.
    Stderr,
}

/// Something to wait for.
#[derive(Clone, Copy)]
pub enum Pollable {
    /// Streams never make anyone wait.
    Ready,
    /// The guest's monotonic clock reaching this many nanoseconds.
    At(u64),
}

/// A terminal. There is none: the interface needs the type.
pub struct Terminal;

impl Pollable {
    /// When it is ready, in nanoseconds of the guest's monotonic clock.
    pub fn ready_at_ns(self) -> u64 {
        match self {
            Self::Ready => 0,
            Self::At(instant) => instant,
        }
    }
}
