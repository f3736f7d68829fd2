//! The host's side of a guest's handles. The generated bindings refer to these types.

pub mod http;

/// Why a stream operation failed.
pub enum StreamError {
    /// The body of an HTTP message has more bytes than its `content-length` says: at least so many.
    BodyBytes(u64),
}

/// A source of bytes, all of which are there already.
pub struct InputStream {
    bytes: Vec<u8>,
    position: usize,
}

impl InputStream {
    /// Standard input.
    pub fn empty() -> Self {
        Self::of(Vec::new())
    }

    /// The body of an HTTP message.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self { bytes, position: 0 }
    }

    /// At most so many bytes, or nothing at the end.
    pub fn take(&mut self, bytes_max: usize) -> Option<&[u8]> {
        let rest = &self.bytes[self.position..];
        if rest.is_empty() {
            return None;
        }
        let length = rest.len().min(bytes_max);
        self.position += length;
        Some(&rest[..length])
    }
}

/// The destination of output.
#[derive(Clone, Copy)]
pub enum OutputStream {
    /// Log lines.
    Log(StandardStream),
    /// The body of an HTTP message: its place in the table, where it stays as long as the stream, which is its child.
    Body(u32),
}

/// A stream whose lines are log lines.
#[derive(Clone, Copy)]
pub enum StandardStream {
    /// At level `info`.
    Stdout,
    /// At level `warn`.
    Stderr,
}

/// Something to wait for.
#[derive(Clone, Copy)]
pub enum Pollable {
    /// What is always ready, such as a stream.
    Ready,
    /// The guest's monotonic clock reaching this many nanoseconds.
    At(u64),
    /// The response to an outgoing request: the place of its future in the table, where it stays as long as this, which is its child.
    Response(u32),
}

/// A terminal. There is none; the interface requires the type.
pub struct Terminal;
