//! The host's side of a guest's handles. The generated bindings refer to these types.

/// Why a stream operation failed. None does; the interface requires the type.
pub struct StreamError;

/// Standard input, which is empty.
pub struct InputStream;

/// The destination of output.
#[derive(Clone, Copy)]
pub enum OutputStream {
    /// Log lines at level `info`.
    Stdout,
    /// Log lines at level `warn`.
    Stderr,
}

/// Something to wait for.
#[derive(Clone, Copy)]
pub enum Pollable {
    /// A stream, which is always ready.
    Ready,
    /// The guest's monotonic clock reaching this many nanoseconds.
    At(u64),
}

/// A terminal. There is none; the interface requires the type.
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
