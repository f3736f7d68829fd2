//! One connection, on which one exchange runs at a time.
//!
//! Nothing runs between requests: a connection moves on only while an exchange waits for it, so that a host which is frozen or whose
//! guest ends early leaves no task behind. Dropping a connection closes it.

use crate::{
    error::{SendError, with_causes},
    options::ClientOptions,
    response::{self, ReceiveError, receive},
    wait::Wait,
    wire::{Stream, Traffic, Wire},
};
use bytes::Bytes;
use http::{Request, Response};
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

/// A whole response, and whether the connection may serve another request after it.
pub struct Received {
    pub response: Response<Vec<u8>>,
    pub may_be_kept: bool,
}

/// A connection to a server.
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// Nothing after the connection has ended.
    driver: Option<Driver>,
    traffic: Arc<Traffic>,
    /// The same socket, to look whether the server has closed it.
    probe: TcpStream,
    opened: Instant,
    head_bytes_max: usize,
}

impl Connection {
    /// Speaks HTTP through a stream; `probe` is its socket.
    pub async fn new(
        stream: Box<dyn Stream>,
        probe: TcpStream,
        options: &ClientOptions,
    ) -> Result<Self, hyper::Error> {
        let traffic = Arc::new(Traffic::default());
        let wire = Wire::new(stream, traffic.clone());
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(options.head_bytes_max)
            .max_headers(options.headers_max)
            .handshake(TokioIo::new(wire))
            .await?;
        Ok(Self {
            sender,
            driver: Some(driver),
            traffic,
            probe,
            opened: Instant::now(),
            head_bytes_max: options.head_bytes_max,
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
        body_bytes_max: usize,
        wait: Wait,
    ) -> Result<Received, SendError> {
        if wait.head() <= Instant::now() {
            return Err(no_time_left());
        }
        self.traffic
            .begin(read_bytes_max(self.head_bytes_max, body_bytes_max));
        let sending = self.sender.send_request(request);
        let exchange = async {
            let head = timeout_at(wait.head().into(), sending).await;
            receive(head.map_err(|_| ReceiveError::Late)??, body_bytes_max, wait).await
        };
        match driven(&mut self.driver, exchange).await {
            Ok(response) => Ok(Received {
                may_be_kept: response::may_be_kept(&response) && self.is_reusable().await,
                response,
            }),
            Err(error) => Err(self.failure(error)),
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
        self.driver.is_some()
            && self.sender.is_ready()
            && !self.traffic.is_writing()
            && self.is_quiet()
    }

    fn failure(&self, error: ReceiveError) -> SendError {
        match error {
            ReceiveError::Refused(error) => error,
            ReceiveError::Late if self.traffic.is_sent() => {
                SendError::Unknown("no whole response in time".to_owned())
            }
            ReceiveError::Late => no_time_left(),
            ReceiveError::Http(_) if self.traffic.is_over() => {
                SendError::HeadTooLarge("far more bytes than a response may have".to_owned())
            }
            ReceiveError::Http(error) if error.is_parse_too_large() => {
                SendError::HeadTooLarge(format!(
                    "more headers than allowed, or more than {} bytes of them",
                    self.head_bytes_max
                ))
            }
            ReceiveError::Http(error) if self.traffic.is_sent() => {
                SendError::Unknown(with_causes(&error))
            }
            ReceiveError::Http(error) => SendError::NotSent(with_causes(&error)),
        }
    }
}

fn no_time_left() -> SendError {
    SendError::NotSent("no time left".to_owned())
}

/// Bytes that are read for one response, with what frames it: interim responses, and the lengths of chunks, which have no bound of their own.
fn read_bytes_max(head_bytes_max: usize, body_bytes_max: usize) -> usize {
    head_bytes_max
        .saturating_add(body_bytes_max)
        .saturating_mul(4)
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
