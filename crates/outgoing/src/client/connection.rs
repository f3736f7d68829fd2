//! One connection, on which one exchange runs at a time.
//!
//! Nothing runs between requests: a connection moves on only while an exchange waits for it, so that a host which is frozen or whose
//! guest ends early leaves no task behind. Dropping a connection closes it.

use super::{
    failure::{Failure, with_causes},
    response::{ReceiveError, Received, head_too_large, receive},
    wire::{Stream, Traffic, Wire},
};
use bytes::Bytes;
use contract::limits::{OUTGOING_HEADERS_BYTES_MAX, OUTGOING_HEADERS_MAX};
use http::Request;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::{
    future::{Future, poll_fn},
    io,
    net::TcpStream,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Instant,
};
use tokio::time::timeout_at;

type Driver = http1::Connection<TokioIo<Wire>, Full<Bytes>>;

/// A connection to a server.
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// Nothing after the connection has ended.
    driver: Option<Driver>,
    traffic: Arc<Traffic>,
    /// The same socket, to look whether the server has closed it.
    probe: TcpStream,
    opened: Instant,
}

impl Connection {
    /// Speaks HTTP through a stream; `probe` is its socket.
    pub async fn new(stream: Box<dyn Stream>, probe: TcpStream) -> Result<Self, hyper::Error> {
        let traffic = Arc::new(Traffic::default());
        let wire = Wire::new(stream, traffic.clone());
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(OUTGOING_HEADERS_BYTES_MAX)
            .max_headers(OUTGOING_HEADERS_MAX)
            .handshake(TokioIo::new(wire))
            .await?;
        Ok(Self {
            sender,
            driver: Some(driver),
            traffic,
            probe,
            opened: Instant::now(),
        })
    }

    /// When it was opened.
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// Whether the server has neither closed the connection nor sent anything that nobody asked for. Asks the system, because a host that was
    /// frozen has not been told yet.
    pub fn is_quiet(&self) -> bool {
        let peeked = self.probe.peek(&mut [0]);
        matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends a request and reads the whole response. [`Received::may_be_kept`] says whether the connection can be used again.
    pub async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Received, Failure> {
        if deadline <= Instant::now() {
            return Err(no_time_left());
        }
        self.traffic.begin();
        let sending = self.sender.send_request(request);
        let exchange = driven(&mut self.driver, async { receive(sending.await?).await });
        match timeout_at(deadline.into(), exchange).await {
            Ok(Ok(mut received)) => {
                received.may_be_kept &= self.is_reusable().await;
                Ok(received)
            }
            Ok(Err(error)) => Err(self.failure(error)),
            Err(_) if self.traffic.is_sent() => {
                Err(Failure::Unknown("no whole response in time".to_owned()))
            }
            Err(_) => Err(no_time_left()),
        }
    }

    /// Lets the connection notice that it is done, and what came behind the response.
    async fn is_reusable(&mut self) -> bool {
        for _ in 0..2 {
            poll_fn(|context| {
                advance(&mut self.driver, context);
                Poll::Ready(())
            })
            .await;
        }
        self.driver.is_some() && self.sender.is_ready() && self.is_quiet()
    }

    fn failure(&self, error: ReceiveError) -> Failure {
        match error {
            ReceiveError::Refused(failure) => failure,
            ReceiveError::Http(_) if self.traffic.is_over() => {
                Failure::TooLarge("far more bytes than a response may have".to_owned())
            }
            ReceiveError::Http(error) if error.is_parse_too_large() => head_too_large(),
            ReceiveError::Http(error) if self.traffic.is_sent() => {
                Failure::Unknown(with_causes(&error))
            }
            ReceiveError::Http(error) => Failure::NotSent(with_causes(&error)),
        }
    }
}

fn no_time_left() -> Failure {
    Failure::NotSent("no time left".to_owned())
}

/// Runs a future that waits for the connection, and the connection with it.
async fn driven<F: Future>(driver: &mut Option<Driver>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        advance(driver, context);
        future.as_mut().poll(context)
    })
    .await
}

/// Errors of the connection reach whoever waits for a response.
fn advance(driver: &mut Option<Driver>, context: &mut std::task::Context<'_>) {
    let is_done = driver
        .as_mut()
        .is_some_and(|driver| Pin::new(driver).poll(context).is_ready());
    if is_done {
        *driver = None;
    }
}
