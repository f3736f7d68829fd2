//! A connection's bytes, with a body put into the answers that hyper makes by itself.
//!
//! hyper answers a request that it cannot parse with a bare status: 400, 414 or 431. Every error answer of ours is a problem
//! document, so such an answer is recognised on its way out and replaced. It is the only thing that hyper ever writes while no
//! request of the connection is being answered.
//!
//! After an answer to a request that was not read to its end, closing at once would make the client's system throw the answer away
//! (RFC 9112, 9.6): what still comes is read for a while and forgotten.

use host_core::problem;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How long the rest of a refused request is read.
const LINGER_DURATION: Duration = Duration::from_secs(2);
/// How much of the rest of a refused request is read.
const LINGER_BYTES_MAX: usize = 64 << 20;

/// What a connection is doing, as far as whoever writes to it needs to know. Connection and service run in one task, so that the
/// order of changes is the order of the program.
#[derive(Clone, Default)]
pub struct Phase(Arc<State>);

#[derive(Default)]
struct State {
    phase: AtomicU8,
    unread: AtomicBool,
}

/// No request: what is written now is hyper's own answer.
const IDLE: u8 = 0;
/// A request came, its answer is not there yet. `100 Continue` may be written.
const ASKED: u8 = 1;
/// hyper has the answer and is writing it.
const ANSWERED: u8 = 2;

impl Phase {
    /// A request was parsed.
    pub fn asked(&self) {
        self.0.phase.store(ASKED, Ordering::Relaxed);
    }

    /// Its answer is about to be given to hyper, in one piece.
    pub fn answered(&self) {
        self.0.phase.store(ANSWERED, Ordering::Relaxed);
    }

    /// The request is answered although some of it is unread; the connection ends with it.
    pub fn leaves_unread(&self) {
        self.0.unread.store(true, Ordering::Relaxed);
    }

    fn is(&self, phase: u8) -> bool {
        self.0.phase.load(Ordering::Relaxed) == phase
    }

    /// hyper flushes when it has written all it has.
    fn flushed(&self) {
        if self.is(ANSWERED) {
            self.0.phase.store(IDLE, Ordering::Relaxed);
        }
    }
}

/// Bytes of one connection.
pub struct Wire<T> {
    inner: T,
    phase: Phase,
    /// An answer in place of hyper's own, and how much of it is written.
    replacement: Option<(Vec<u8>, usize)>,
    linger: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<T> Wire<T> {
    /// Wraps a connection whose service tells `phase`.
    pub fn new(inner: T, phase: Phase) -> Self {
        Self {
            inner,
            phase,
            replacement: None,
            linger: None,
        }
    }
}

impl<T: AsyncWrite + Unpin> Wire<T> {
    fn poll_replacement(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((bytes, written)) = &mut self.replacement {
            if *written == bytes.len() {
                self.replacement = None;
                break;
            }
            let inner = Pin::new(&mut self.inner);
            match ready!(inner.poll_write(context, &bytes[*written..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => *written += count,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes hyper's own answer out of its hands.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        if !self.phase.is(IDLE) {
            return false;
        }
        let Some(status) = status_of_error(bytes) else {
            return false;
        };
        self.replacement = Some((answer(status), 0));
        self.phase.leaves_unread();
        true
    }
}

impl<T: AsyncRead + Unpin> Wire<T> {
    /// Reads and forgets until the client has seen that there is no more, or until time or patience are over.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some((timer, bytes_read)) = &mut self.linger else {
            return Poll::Ready(());
        };
        let mut space = [0; 8192];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut self.inner).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    *bytes_read += buffer.filled().len();
                    if *bytes_read > LINGER_BYTES_MAX {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(Ok(()) | Err(_)) => return Poll::Ready(()),
                Poll::Pending => return timer.as_mut().poll(context),
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_replacement(context))?;
        if self.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_replacement(context))?;
        if let Some(first) = slices.iter().find(|slice| !slice.is_empty())
            && self.replaces(first)
        {
            return Poll::Ready(Ok(first.len()));
        }
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(context))?;
        self.phase.flushed();
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(context))?;
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.inner).poll_shutdown(context))?;
            if self.phase.0.unread.load(Ordering::Relaxed) {
                self.linger = Some((Box::pin(sleep(LINGER_DURATION)), 0));
            }
        }
        self.poll_linger(context).map(Ok)
    }
}

/// The status of an answer without content, if it is an error.
fn status_of_error(bytes: &[u8]) -> Option<u16> {
    let rest = bytes
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| bytes.strip_prefix(b"HTTP/1.0 "))?;
    let status = std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok()?;
    (400..600).contains(&status).then_some(status)
}

fn answer(status: u16) -> Vec<u8> {
    let detail = match status {
        414 => "the request target is too long",
        431 => "the request's head is too large",
        _ => "the request is not valid HTTP/1.1",
    };
    let response = problem::response(status, detail, "");
    let mut bytes = format!("HTTP/1.1 {status} {}\r\n", problem::title(status)).into_bytes();
    for (name, value) in &response.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    let length = response.body.len();
    bytes.extend_from_slice(
        format!("content-length: {length}\r\nconnection: close\r\n\r\n").as_bytes(),
    );
    bytes.extend_from_slice(&response.body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const HYPERS: &[u8] =
        b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";

    async fn written(phase: Phase, bytes: &[u8]) -> String {
        let (near, mut far) = tokio::io::duplex(64);
        let mut wire = Wire::new(near, phase);
        let reading = tokio::spawn(async move {
            let mut text = String::new();
            far.read_to_string(&mut text).await.unwrap();
            text
        });
        wire.write_all(bytes).await.unwrap();
        wire.flush().await.unwrap();
        drop(wire);
        reading.await.unwrap()
    }

    #[tokio::test]
    async fn an_answer_of_hypers_own_becomes_a_problem_document() {
        let text = written(Phase::default(), HYPERS).await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"),
            "{head}"
        );
        assert!(
            head.contains("content-type: application/problem+json"),
            "{head}"
        );
        assert!(
            head.contains(&format!("content-length: {}", body.len())),
            "{head}"
        );
        assert!(body.contains("\"status\":431"), "{body}");
    }

    #[tokio::test]
    async fn a_guests_answer_passes_until_it_is_flushed() {
        let phase = Phase::default();
        phase.asked();
        phase.answered();
        assert_eq!(written(phase.clone(), HYPERS).await.as_bytes(), HYPERS);
        assert!(phase.is(IDLE));
    }

    #[tokio::test]
    async fn a_flush_before_the_answer_does_not_end_the_exchange() {
        let phase = Phase::default();
        phase.asked();
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        assert_eq!(written(phase.clone(), interim).await.as_bytes(), interim);
        assert!(phase.is(ASKED));
    }
}
