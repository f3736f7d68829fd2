//! Accepts connections and ends them: how many, how long, and what a shutdown waits for.

use super::{
    clients::{Client, Clients, Registered},
    exchange::Exchanger,
    wire::{OnRefusal, Wire},
    workers::Workers,
};
use gateway::{EventKind, Quotas};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    io,
    os::fd::AsRawFd,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

/// How long a client may take to send a request's head, and how long a connection may be idle.
const HEAD_DURATION_MAX: Duration = Duration::from_secs(30);
/// Read buffer of a connection. Longer heads are refused before they end. It has at least twice the size that the gateway accepts, so that
/// most refusals can state the size.
const READ_BUFFER_BYTES_MIN: usize = 32 << 10;
/// Number of header lines: as many as fit into the head that API Gateway accepts, at four bytes or more each; in memory each takes sixteen
/// times as much.
const HEADER_LINES_MAX: usize = 10_240 / "a:\r\n".len();
/// How long a shutdown waits for requests in flight.
const SHUTDOWN_DURATION_MAX: Duration = Duration::from_secs(30);
/// Connections that were accepted but that no thread has begun to serve. Further ones wait: otherwise they could arrive faster than other
/// clients' requests are read, and those clients would seem to be slow.
const UNSTARTED_MAX: usize = 32;
/// Pause after a connection could not be accepted, usually because files or memory are exhausted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// How long a new connection waits for room if no connection waits for its client.
const ROOM_DURATION_MAX: Duration = Duration::from_secs(1);
/// Pause before the next attempt.
const ROOM_PAUSE: Duration = Duration::from_millis(2);

/// State shared by all connections.
struct Shared {
    exchanger: Arc<Exchanger>,
    on_refusal: OnRefusal,
    protocol: http1::Builder,
}

/// Serves until `shutdown` completes, then lets requests in flight finish. Returns how many connections were closed before they were done.
pub async fn serve(
    listener: TcpListener,
    workers: Workers,
    exchanger: Arc<Exchanger>,
    shutdown: impl Future<Output = ()>,
) -> usize {
    let clients = Arc::clone(&exchanger.clients);
    let (closing, closes) = watch::channel(false);
    let shared = Arc::new(Shared::new(exchanger));
    let unstarted = Arc::new(Semaphore::new(UNSTARTED_MAX));
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let start = Arc::clone(&unstarted).acquire_owned().await.ok();
            (start, listener.accept().await)
        };
        let (start, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if is_about_resources(&error) {
                    clients.close_one();
                }
                // A client that has already disconnected affects nobody else; a persistent error must not keep a processor busy.
                if error.kind() != io::ErrorKind::ConnectionAborted {
                    sleep(ACCEPT_PAUSE).await;
                }
                continue;
            }
        };
        let address = peer.ip().to_canonical().to_string();
        if let Some(registered) = register(&clients, &address).await
            && let Ok(stream) = stream.into_std()
        {
            let (shared, closes) = (Arc::clone(&shared), closes.clone());
            workers.spawn(async move {
                drop(start);
                // A connection that cannot be moved to another thread is dropped.
                if let Ok(stream) = TcpStream::from_std(stream) {
                    connection(stream, &registered, &shared, closes).await;
                }
                drop(registered);
            });
        }
    }
    drop(listener);
    let _ = closing.send(true);
    let _ = timeout(SHUTDOWN_DURATION_MAX, clients.all_left()).await;
    clients.count()
}

/// Whether too many files are open or too little memory is left for another connection (Linux: accept(2)).
fn is_about_resources(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
    )
}

/// Waits briefly for room if this process is busy with all open connections.
async fn register(clients: &Arc<Clients>, address: &str) -> Option<Registered> {
    let until = Instant::now() + ROOM_DURATION_MAX;
    loop {
        match clients.add(address.into()) {
            None if Instant::now() < until => sleep(ROOM_PAUSE).await,
            registered => return registered,
        }
    }
}

impl Shared {
    fn new(exchanger: Arc<Exchanger>) -> Self {
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_DURATION_MAX)
            .max_headers(HEADER_LINES_MAX)
            // A client that has closed its sending side still gets its response (RFC 9112, 9.6).
            .half_close(true)
            // Head and body in one buffer: copying a small body costs less than a list of two buffers.
            .writev(false)
            .max_buf_size(read_buffer_bytes_max(exchanger.origin.kind));
        let theirs = Arc::clone(&exchanger);
        Self {
            exchanger,
            on_refusal: Arc::new(move |status| theirs.note_refusal(status)),
            protocol,
        }
    }
}

/// Bounded by what the gateway accepts, or by the host's limit if the gateway has none.
fn read_buffer_bytes_max(kind: EventKind) -> usize {
    let head_bytes_max = Quotas::of(kind).head_bytes_max;
    if head_bytes_max > 64 << 10 {
        4 * READ_BUFFER_BYTES_MIN
    } else {
        (2 * head_bytes_max).max(READ_BUFFER_BYTES_MIN)
    }
}

/// Serves one connection to its end.
async fn connection(
    stream: TcpStream,
    registered: &Registered,
    shared: &Shared,
    mut closes: watch::Receiver<bool>,
) {
    // Responses are written in one piece: waiting for more data would only delay them.
    let _ = stream.set_nodelay(true);
    let client: &Arc<Client> = registered.client();
    client.uses(stream.as_raw_fd());
    let wire = Wire::new(stream, Arc::clone(client), Arc::clone(&shared.on_refusal));
    let service = service_fn(move |request| async move {
        let is_conflicting = client.asked();
        let (response, bytes) = shared
            .exchanger
            .answer(request, client, is_conflicting)
            .await;
        client.answered(bytes);
        Ok::<_, Infallible>(response)
    });
    let mut connection = pin!(
        shared
            .protocol
            .serve_connection(TokioIo::new(wire), service)
    );
    tokio::select! {
        // Errors on a connection are caused by the client, and were answered if possible.
        _ = connection.as_mut() => return,
        () = client.has_to_close() => return,
        _ = closes.changed() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = client.has_to_close() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_want_of_files_or_memory_closes_another_connection() {
        for number in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
            assert!(is_about_resources(&io::Error::from_raw_os_error(number)));
        }
        for number in [libc::ECONNABORTED, libc::EINTR, libc::EPROTO] {
            assert!(!is_about_resources(&io::Error::from_raw_os_error(number)));
        }
    }
}
