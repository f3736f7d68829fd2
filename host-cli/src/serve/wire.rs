//! The bytes of a connection; responses that hyper makes by itself get a body.
//!
//! hyper answers a request that it cannot parse with a bare status: 400, 414 or 431. For an unsupported version, this module makes it 505.
//! All our errors are problem documents, so such a response is recognised when it is written, and replaced. It is the only thing that hyper
//! writes while no request of the connection is being answered.
//!
//! If a request is answered before it was read completely, closing immediately would make the client's system discard the response (RFC
//! 9112, 9.6). So the remaining bytes are read and discarded for a while.
//!
//! A response that the client does not read is given up after a while.

use super::{
    clients::{Client, Phase},
    framing::Framing,
};
use gateway::problem;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How long a client may take to read a response, once the system's buffer is full.
const WRITE_DURATION_MAX: Duration = Duration::from_secs(30);
/// How long the rest of a refused request is read.
const LINGER_DURATION: Duration = Duration::from_secs(2);
/// How much of the rest of a refused request is read.
const LINGER_BYTES_MAX: usize = 64 << 20;

/// Called for a response with this status that hyper made by itself; returns the id to put into it.
pub type OnRefusal = Arc<dyn Fn(u16) -> String + Send + Sync>;

/// Bytes of one connection.
pub struct Wire<T> {
    inner: T,
    client: Arc<Client>,
    framing: Framing,
    on_refusal: OnRefusal,
    /// A response that replaces hyper's own, and how much of it is written.
    replacement: Option<(Vec<u8>, usize)>,
    /// When a response that the client does not read is given up.
    write_end: Option<Pin<Box<Sleep>>>,
    linger: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<T> Wire<T> {
    /// Wraps a connection whose service reports what it does to `client`.
    pub fn new(inner: T, client: Arc<Client>, on_refusal: OnRefusal) -> Self {
        Self {
            inner,
            client,
            framing: Framing::default(),
            on_refusal,
            replacement: None,
            write_end: None,
            linger: None,
        }
    }

    /// Handles the result of a write, and limits how long a client that does not read can hold a response.
    fn written<R>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if result.is_ready() {
            return result;
        }
        self.client.waits();
        let end = self
            .write_end
            .get_or_insert_with(|| Box::pin(sleep(WRITE_DURATION_MAX)));
        ready!(end.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncWrite + Unpin> Wire<T> {
    fn poll_replacement(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((bytes, written)) = &mut self.replacement {
            if *written == bytes.len() {
                self.replacement = None;
                break;
            }
            let result = Pin::new(&mut self.inner).poll_write(context, &bytes[*written..]);
            let count = ready!(self.written(context, result))?;
            match &mut self.replacement {
                Some((_, written)) if count > 0 => *written += count,
                Some(_) | None => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Replaces a response that hyper made by itself.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        if !self.client.is_in(Phase::Idle) {
            return false;
        }
        let Some(status) = status_of_error(bytes) else {
            return false;
        };
        // hyper uses the same status for a request line and for a head without end.
        let is_target = status == 431 && self.framing.is_in_request_line();
        let is_version =
            status == 400 && self.framing.other_version() == Some(self.client.requests());
        let status = match (is_target, is_version) {
            (true, _) => 414,
            (_, true) => 505,
            (false, false) => status,
        };
        let request_id = (self.on_refusal)(status);
        self.replacement = Some((answer(status, &request_id), 0));
        self.client.leaves_unread();
        true
    }
}

impl<T: AsyncRead + Unpin> Wire<T> {
    /// Reads and discards until the client has closed, or until the limit of time or bytes is reached.
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
                Poll::Pending => {
                    // Otherwise clients that are refused early could keep all others out.
                    self.client.waits();
                    return timer.as_mut().poll(context);
                }
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
        let filled = buffer.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(context, buffer);
        if result.is_pending() {
            self.client.waits();
        }
        ready!(result)?;
        self.framing.follow(&mut buffer.filled_mut()[filled..]);
        if let Some(number) = self.framing.conflicting() {
            self.client.conflicts(number);
        }
        Poll::Ready(Ok(()))
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
        let result = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.written(context, result)
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
        let result = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(context))?;
        let result = Pin::new(&mut self.inner).poll_flush(context);
        ready!(self.written(context, result))?;
        self.write_end = None;
        self.client.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(context))?;
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.inner).poll_shutdown(context))?;
            if self.client.has_unread() {
                self.linger = Some((Box::pin(sleep(LINGER_DURATION)), 0));
            }
        }
        self.poll_linger(context).map(Ok)
    }
}

/// The status of a response without content, if it is an error.
fn status_of_error(bytes: &[u8]) -> Option<u16> {
    let rest = bytes
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| bytes.strip_prefix(b"HTTP/1.0 "))?;
    let status = std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok()?;
    (400..600).contains(&status).then_some(status)
}

fn answer(status: u16, request_id: &str) -> Vec<u8> {
    let detail = match status {
        414 => "the request target is too long",
        431 => "the request's head is too large",
        505 => "this server supports HTTP/1.1 only, not HTTP/2",
        _ => "the request is not valid HTTP/1.1",
    };
    let response = problem::response(status, detail, request_id);
    let mut bytes = format!("HTTP/1.1 {status} {}\r\n", problem::title(status)).into_bytes();
    for (name, value) in &response.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    let length = response.body.len();
    bytes.extend_from_slice(
        format!(
            "x-request-id: {request_id}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        )
        .as_bytes(),
    );
    bytes.extend_from_slice(&response.body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::clients::{Clients, Registered};
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const HYPERS: &[u8] =
        b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";

    fn client() -> Registered {
        Arc::new(Clients::default()).add("::1".into()).unwrap()
    }

    fn wire<T>(inner: T, client: &Registered) -> Wire<T> {
        let on_refusal: OnRefusal = Arc::new(|status| format!("r-{status}"));
        Wire::new(inner, Arc::clone(client.client()), on_refusal)
    }

    async fn written(client: &Registered, bytes: &[u8]) -> String {
        let (near, mut far) = tokio::io::duplex(64);
        let mut wire = wire(near, client);
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

    /// What is written to a client that has sent `sent`, when hyper refuses it.
    async fn refused(sent: &[u8]) -> String {
        let client = client();
        let (near, mut far) = tokio::io::duplex(4096);
        let mut wire = wire(near, &client);
        far.write_all(sent).await.unwrap();
        wire.read_exact(&mut vec![0; sent.len()]).await.unwrap();
        wire.write_all(HYPERS).await.unwrap();
        wire.flush().await.unwrap();
        drop(wire);
        let mut text = String::new();
        far.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn an_answer_of_hypers_own_becomes_a_problem_document() {
        let text = refused(b"GET / HTTP/1.1\r\nx: y").await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"),
            "{head}"
        );
        for field in [
            "content-type: application/problem+json",
            "access-control-allow-origin: *",
            "x-request-id: r-431",
            &format!("content-length: {}", body.len()),
        ] {
            assert!(head.contains(field), "{head}");
        }
        assert!(body.contains("\"status\":431"), "{body}");
    }

    #[tokio::test]
    async fn a_request_line_without_end_is_a_target_that_is_too_long() {
        let text = refused(b"GET /aaaa").await;
        assert!(text.starts_with("HTTP/1.1 414 URI Too Long\r\n"), "{text}");
        let text = refused(b"GET / HTTP/1.1\r\nx: y\r\n\r\n").await;
        assert!(text.starts_with("HTTP/1.1 431 "), "{text}");
    }

    #[tokio::test]
    async fn a_guests_answer_passes_until_it_is_flushed() {
        let client = client();
        client.client().asked();
        client.client().answered(HYPERS.len());
        assert_eq!(written(&client, HYPERS).await.as_bytes(), HYPERS);
        assert!(client.client().is_in(Phase::Idle));
    }

    #[tokio::test]
    async fn a_flush_before_the_answer_does_not_end_the_exchange() {
        let client = client();
        client.client().asked();
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        assert_eq!(written(&client, interim).await.as_bytes(), interim);
        assert!(client.client().is_in(Phase::Asked));
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_is_given_up() {
        let client = client();
        client.client().asked();
        client.client().answered(1000);
        let (near, far) = tokio::io::duplex(64);
        let mut wire = wire(near, &client);
        wire.write_end = Some(Box::pin(sleep(Duration::from_millis(20))));
        let error = wire.write_all(&[b'x'; 1000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(far);
    }

    #[tokio::test]
    async fn the_time_for_an_answer_begins_anew_with_each() {
        let client = client();
        let (near, mut far) = tokio::io::duplex(64);
        let mut wire = wire(near, &client);
        wire.write_end = Some(Box::pin(sleep(Duration::from_millis(20))));
        wire.write_all(&[b'x'; 64]).await.unwrap();
        wire.flush().await.unwrap();
        assert!(wire.write_end.is_none());
        far.read_exact(&mut [0; 64]).await.unwrap();
    }
}
