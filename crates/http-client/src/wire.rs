//! What lies beneath a connection, and what has passed through it.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A TCP or TLS stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Whether a write that fails can have sent something.
    fn fails_after_sending(&self) -> bool;
}

/// What has passed since the request began.
#[derive(Debug, Default)]
pub struct Traffic {
    is_sent: AtomicBool,
    /// Whether something that was to be written waits for the server.
    is_writing: AtomicBool,
    bytes_read: AtomicUsize,
    bytes_read_max: AtomicUsize,
}

impl Traffic {
    /// A request begins, for whose response so many bytes may be read.
    pub fn begin(&self, bytes_read_max: usize) {
        self.is_sent.store(false, Relaxed);
        self.is_writing.store(false, Relaxed);
        self.bytes_read_max.store(bytes_read_max, Relaxed);
        self.bytes_read.store(0, Relaxed);
    }

    /// Whether a byte of the request can have left.
    pub fn is_sent(&self) -> bool {
        self.is_sent.load(Relaxed)
    }

    /// Whether a part of the request was not taken by the system. Whoever used the connection next would wait for that.
    pub fn is_writing(&self) -> bool {
        self.is_writing.load(Relaxed)
    }

    /// Whether more was read.
    pub fn is_over(&self) -> bool {
        self.bytes_read.load(Relaxed) > self.bytes_read_max.load(Relaxed)
    }
}

/// A stream whose bytes are counted.
pub struct Wire {
    stream: Box<dyn Stream>,
    traffic: Arc<Traffic>,
}

impl Wire {
    /// Counts what passes through a stream.
    pub fn new(stream: Box<dyn Stream>, traffic: Arc<Traffic>) -> Self {
        Self { stream, traffic }
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        self.traffic.is_writing.store(written.is_pending(), Relaxed);
        let is_sent = match written {
            Poll::Pending => false,
            Poll::Ready(Ok(bytes)) => *bytes > 0,
            Poll::Ready(Err(_)) => self.stream.fails_after_sending(),
        };
        if is_sent {
            self.traffic.is_sent.store(true, Relaxed);
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        self.traffic.bytes_read.fetch_add(read, Relaxed);
        if self.traffic.is_over() {
            return Poll::Ready(Err(io::Error::other("too many bytes")));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.traffic.is_writing.store(flushed.is_pending(), Relaxed);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
