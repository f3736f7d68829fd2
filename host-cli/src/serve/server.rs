//! Accepts connections and ends them: how many, how long, and what a shutdown waits for.

use super::{
    exchange::Exchanger,
    wire::{Phase, Wire},
    workers::Workers,
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: u32 = 1024;
/// How long a client may take to send a request's head, and how long a connection may be idle.
const HEAD_DURATION_MAX: Duration = Duration::from_secs(30);
/// Buffer of a connection for what it reads. Larger heads are answered with 431. Beyond the bound of targets, so that a long one is
/// told from a large head.
const READ_BUFFER_BYTES_MAX: usize = 128 << 10;
/// How long a shutdown waits for requests in flight.
const SHUTDOWN_DURATION_MAX: Duration = Duration::from_secs(30);
/// Pause after a connection could not be accepted, which usually means that the process has too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown` completes, then lets requests in flight finish. Returns how many connections had to be cut.
pub async fn serve(
    listener: TcpListener,
    workers: Workers,
    exchanger: Arc<Exchanger>,
    shutdown: impl Future<Output = ()>,
) -> usize {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    let (closing, closes) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (exchanger, closes) = (Arc::clone(&exchanger), closes.clone());
                let stream = stream.into_std();
                workers.spawn(async move {
                    // A connection that cannot change threads is as good as one that was not accepted.
                    if let Ok(stream) = stream.and_then(TcpStream::from_std) {
                        connection(stream, peer, exchanger, closes).await;
                    }
                    drop(slot);
                });
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    let _ = closing.send(true);
    let _ = timeout(SHUTDOWN_DURATION_MAX, slots.acquire_many(CONNECTIONS_MAX)).await;
    CONNECTIONS_MAX as usize - slots.available_permits()
}

/// Serves one connection to its end.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    exchanger: Arc<Exchanger>,
    mut closes: watch::Receiver<bool>,
) {
    // Answers are written in one piece: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let phase = Phase::default();
    let client: Arc<str> = peer.ip().to_canonical().to_string().into();
    let wire = Wire::new(stream, phase.clone());
    let service = service_fn(move |request| {
        let (exchanger, phase, client) =
            (Arc::clone(&exchanger), phase.clone(), Arc::clone(&client));
        async move {
            phase.asked();
            let response = exchanger.answer(request, &client, &phase).await;
            phase.answered();
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_DURATION_MAX)
            // Head and body in one piece: copying a small body costs less than a list of two buffers.
            .writev(false)
            .max_buf_size(READ_BUFFER_BYTES_MAX)
            .serve_connection(TokioIo::new(wire), service)
    );
    tokio::select! {
        // What breaks a connection is the client's affair; it was answered where it could be.
        _ = connection.as_mut() => return,
        _ = closes.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
