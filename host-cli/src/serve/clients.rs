//! The open connections, what each is doing, and the bounds over all of them.
//!
//! A client can occupy a connection by sending a head or a body slowly, or by not reading its response. Other clients do not have to wait
//! for it: if there are too many connections, or if bodies and responses use too much memory, the connection that has waited longest for
//! its client is closed. A connection whose request is being answered, or that this process has not served yet, is never closed for that
//! reason.

use std::{
    collections::HashMap,
    os::fd::RawFd,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};
use tokio::sync::Notify;

/// Concurrent connections: half of the 1,024 files that most systems allow a process to open, so that enough remain for stores.
pub const CONNECTIONS_MAX: usize = 512;
/// Bytes of bodies that are being received and of responses that wait to be read, over all connections.
pub const HELD_BYTES_MAX: usize = 64 << 20;
/// Bytes that a connection may hold without counting: most bodies and responses are smaller, and all threads share the counter.
pub const HELD_BYTES_UNCOUNTED: usize = 16 << 10;

/// All connections.
#[derive(Default)]
pub struct Clients {
    open: Mutex<Open>,
    held_bytes: AtomicUsize,
    closed: AtomicU64,
    /// Number of requests of connections that have ended.
    requests: AtomicU64,
    left: Notify,
}

#[derive(Default)]
struct Open {
    clients: HashMap<u64, Arc<Client>>,
    next: u64,
}

/// One connection.
pub struct Client {
    /// The client's IP address.
    pub address: Box<str>,
    clients: Arc<Clients>,
    phase: AtomicU8,
    leaves_unread: AtomicBool,
    /// Number of requests that were parsed.
    requests: AtomicU64,
    /// The number of the first request with conflicting framing fields.
    conflicting: AtomicU64,
    opened: Instant,
    /// Microseconds since `opened`, or `NOT_WAITING`.
    waits_since: AtomicU64,
    held_bytes: AtomicUsize,
    is_closed: AtomicBool,
    close: Notify,
    /// The connection's own file descriptor.
    socket: OnceLock<RawFd>,
}

const NOT_WAITING: u64 = u64::MAX;

/// No memory is available until requests that are being answered are done.
#[derive(Debug)]
pub struct NoRoomError;

/// Removes the connection when its task ends.
pub struct Registered {
    number: u64,
    client: Arc<Client>,
}

impl Clients {
    /// Adds a connection. If there are too many, another one is closed; `None` if none of them waits for its client.
    pub fn add(self: &Arc<Self>, address: Box<str>) -> Option<Registered> {
        let mut open = self.open();
        if open.clients.len() >= CONNECTIONS_MAX {
            let (number, _) = longest_waiting(&open, |_| true)?;
            self.close(open.clients.remove(&number));
        }
        let client = Arc::new(Client::new(address, Arc::clone(self)));
        let number = open.next;
        open.next += 1;
        open.clients.insert(number, Arc::clone(&client));
        Some(Registered { number, client })
    }

    /// Closes the connection that has waited longest for its client; used when the system has no file left for another connection.
    pub fn close_one(&self) {
        let mut open = self.open();
        if let Some((number, _)) = longest_waiting(&open, |_| true) {
            self.close(open.clients.remove(&number));
        }
    }

    /// Number of open connections.
    pub fn count(&self) -> usize {
        self.open().clients.len()
    }

    /// Number of requests on all connections.
    pub fn requests(&self) -> u64 {
        let open = self.open();
        let on_open: u64 = open.clients.values().map(|client| client.requests()).sum();
        on_open + self.requests.load(Ordering::Relaxed)
    }

    /// Number of connections that were closed in favour of others since the last call.
    pub fn take_closed(&self) -> u64 {
        self.closed.swap(0, Ordering::Relaxed)
    }

    /// Waits until all connections have ended.
    pub async fn all_left(&self) {
        while self.count() > 0 {
            self.left.notified().await;
        }
    }

    fn close(&self, client: Option<Arc<Client>>) {
        if let Some(client) = client {
            client.is_closed.store(true, Ordering::Relaxed);
            client.release();
            client.close.notify_one();
            self.closed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Makes room by closing connections, the longest waiting first.
    fn make_room(&self, for_client: &Client) -> Result<(), NoRoomError> {
        let mut open = self.open();
        while self.held_bytes.load(Ordering::Relaxed) > HELD_BYTES_MAX {
            let holds = |client: &Client| {
                client.held_bytes.load(Ordering::Relaxed) > 0 && !std::ptr::eq(client, for_client)
            };
            let (number, _) = longest_waiting(&open, holds).ok_or(NoRoomError)?;
            self.close(open.clients.remove(&number));
        }
        Ok(())
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn longest_waiting(open: &Open, is_meant: impl Fn(&Client) -> bool) -> Option<(u64, Instant)> {
    let waiting = open.clients.iter().filter_map(|(number, client)| {
        let since = client.waits_since()?;
        is_meant(client).then_some((*number, since))
    });
    waiting.min_by_key(|(_, since)| *since)
}

impl Client {
    fn new(address: Box<str>, clients: Arc<Clients>) -> Self {
        Self {
            address,
            clients,
            phase: AtomicU8::new(Phase::Idle as u8),
            leaves_unread: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            conflicting: AtomicU64::new(u64::MAX),
            opened: Instant::now(),
            waits_since: AtomicU64::new(NOT_WAITING),
            held_bytes: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            close: Notify::new(),
            socket: OnceLock::new(),
        }
    }

    /// The connection has this file descriptor as long as it has requests.
    pub fn uses(&self, socket: RawFd) {
        // It is told once.
        let _ = self.socket.set(socket);
    }

    /// Whether the client has closed the connection, or the side on which it sends: which of the two shows only when something is sent to it.
    pub fn has_hung_up(&self) -> bool {
        self.socket.get().is_some_and(|socket| is_closed(*socket))
    }

    /// Completes when the connection must be closed in favour of another one.
    pub async fn has_to_close(&self) {
        self.close.notified().await;
    }

    /// The connection now waits for its client to send or read something. The time counts from the first call.
    pub fn waits(&self) {
        if self.waits_since.load(Ordering::Relaxed) == NOT_WAITING {
            let since = u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(NOT_WAITING - 1);
            self.waits_since.store(since, Ordering::Relaxed);
        }
    }

    /// The client has sent or read what it had to: a head, a body, a response.
    pub fn has_done_its_part(&self) {
        self.waits_since.store(NOT_WAITING, Ordering::Relaxed);
    }

    fn waits_since(&self) -> Option<Instant> {
        match self.waits_since.load(Ordering::Relaxed) {
            NOT_WAITING => None,
            since => Some(self.opened + std::time::Duration::from_micros(since)),
        }
    }

    /// Counts bytes that are held for the client, and closes other connections if there are too many.
    pub fn hold(&self, bytes: usize) -> Result<(), NoRoomError> {
        // In this order, no other thread can subtract what was not added yet.
        let held = self.clients.held_bytes.fetch_add(bytes, Ordering::AcqRel) + bytes;
        self.held_bytes.fetch_add(bytes, Ordering::AcqRel);
        if self.is_closed.load(Ordering::Relaxed) {
            self.release();
            return Err(NoRoomError);
        }
        if held > HELD_BYTES_MAX {
            self.clients.make_room(self)?;
        }
        Ok(())
    }

    /// Nothing is held for the client any more.
    pub fn release(&self) {
        // Most connections hold no counted bytes.
        if self.held_bytes.load(Ordering::Relaxed) > 0 {
            let bytes = self.held_bytes.swap(0, Ordering::AcqRel);
            self.clients.held_bytes.fetch_sub(bytes, Ordering::AcqRel);
        }
    }
}

/// Linux alone tells at once that a client has closed its side of the connection.
#[cfg(target_os = "linux")]
const CLOSED_BY_CLIENT: libc::c_short = libc::POLLRDHUP;
/// Elsewhere, only connections that are closed on both sides, or broken, are found.
#[cfg(not(target_os = "linux"))]
const CLOSED_BY_CLIENT: libc::c_short = 0;

#[expect(
    unsafe_code,
    reason = "the standard library and tokio only tell after everything that was sent has been read"
)]
fn is_closed(socket: RawFd) -> bool {
    let closed = CLOSED_BY_CLIENT | libc::POLLHUP | libc::POLLERR | libc::POLLNVAL;
    let mut asked = libc::pollfd {
        fd: socket,
        events: CLOSED_BY_CLIENT,
        revents: 0,
    };
    // SAFETY: the pointer is to one structure, as the second argument says, and the call does not wait.
    let count = unsafe { libc::poll(&raw mut asked, 1, 0) };
    count > 0 && asked.revents & closed != 0
}

/// What a connection is doing, as far as the writer to it needs to know. Connection and service run in one task, so changes happen in
/// program order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// No request: bytes written now are hyper's own response.
    Idle,
    /// A request was received and its response does not exist yet. `100 Continue` may be written.
    Asked,
    /// hyper is writing the response.
    Answered,
}

impl Client {
    /// A request was parsed. Returns whether it is the one with conflicting framing.
    pub fn asked(&self) -> bool {
        self.phase.store(Phase::Asked as u8, Ordering::Relaxed);
        self.has_done_its_part();
        let number = self.requests.load(Ordering::Relaxed);
        self.requests.store(number + 1, Ordering::Relaxed);
        number == self.conflicting.load(Ordering::Relaxed)
    }

    /// Number of requests that were parsed, which is the number of the one that is being read.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The response, with this number of bytes, is about to be passed to hyper in one piece.
    pub fn answered(&self, bytes: usize) {
        self.release();
        if bytes > HELD_BYTES_UNCOUNTED {
            // If closing all others does not make enough room, the response is sent nevertheless.
            let _ = self.hold(bytes);
        }
        self.phase.store(Phase::Answered as u8, Ordering::Relaxed);
    }

    /// hyper flushes when it has written everything.
    pub fn flushed(&self) {
        if self.is_in(Phase::Answered) {
            self.phase.store(Phase::Idle as u8, Ordering::Relaxed);
            self.has_done_its_part();
            self.release();
        }
    }

    /// Whether the connection is in this phase.
    pub fn is_in(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }

    /// The request is answered although part of it is unread; the connection ends afterwards.
    pub fn leaves_unread(&self) {
        self.leaves_unread.store(true, Ordering::Relaxed);
    }

    /// Whether the connection ends with unread data.
    pub fn has_unread(&self) -> bool {
        self.leaves_unread.load(Ordering::Relaxed)
    }

    /// The request with this number, counted from 0, has conflicting framing fields. It is the last one to be answered.
    pub fn conflicts(&self, number: u64) {
        self.conflicting.store(number, Ordering::Relaxed);
    }
}

impl Registered {
    /// The connection.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.client.release();
        let clients = &self.client.clients;
        let mut open = clients.open();
        open.clients.remove(&self.number);
        clients
            .requests
            .fetch_add(self.client.requests(), Ordering::Relaxed);
        drop(open);
        clients.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(clients: &Arc<Clients>) -> Registered {
        let registered = clients.add("127.0.0.1".into()).unwrap();
        registered.client.waits();
        // The clock may not have advanced since the last connection.
        std::thread::sleep(std::time::Duration::from_micros(10));
        registered
    }

    fn is_closed(registered: &Registered) -> bool {
        registered.client.is_closed.load(Ordering::Relaxed)
    }

    #[test]
    fn the_longest_waiting_connection_gives_way_to_a_new_one() {
        let clients = Arc::new(Clients::default());
        let all: Vec<_> = (0..CONNECTIONS_MAX).map(|_| add(&clients)).collect();
        all[0].client.asked();
        all[1].client.has_done_its_part();
        all[1].client.waits();
        // A byte now and then does not count as progress.
        all[2].client.waits();
        let new = add(&clients);
        assert_eq!(clients.count(), CONNECTIONS_MAX);
        assert_eq!(all.iter().position(is_closed), Some(2));
        assert_eq!(clients.take_closed(), 1);
        drop(all);
        assert_eq!(clients.count(), 1);
        drop(new);
        assert_eq!(clients.count(), 0);
    }

    #[test]
    fn connections_that_do_not_wait_for_their_clients_stay() {
        let clients = Arc::new(Clients::default());
        let new = || clients.add("::1".into()).unwrap();
        let all: Vec<_> = (0..CONNECTIONS_MAX).map(|_| new()).collect();
        for registered in &all[1..] {
            registered.client.waits();
            registered.client.asked();
        }
        assert!(clients.add("::1".into()).is_none());
        assert!(!all.iter().any(is_closed));
    }

    #[test]
    fn what_is_held_stays_below_the_bound_at_the_longest_waiting_ones_cost() {
        let clients = Arc::new(Clients::default());
        let (idle, slow, running, new) =
            (add(&clients), add(&clients), add(&clients), add(&clients));
        running.client.hold(HELD_BYTES_MAX / 4).unwrap();
        running.client.asked();
        slow.client.hold(HELD_BYTES_MAX / 2).unwrap();
        new.client.hold(HELD_BYTES_MAX / 2).unwrap();
        assert!(is_closed(&slow) && !is_closed(&idle) && !is_closed(&running));
        assert!(slow.client.hold(1).is_err());
        assert!(new.client.hold(HELD_BYTES_MAX / 2).is_err());
        assert!(!is_closed(&running));
        new.client.release();
        assert_eq!(
            clients.held_bytes.load(Ordering::Relaxed),
            HELD_BYTES_MAX / 4
        );
        drop((idle, slow, running, new));
        assert_eq!(clients.held_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn an_answer_is_held_until_it_is_flushed() {
        let clients = Arc::new(Clients::default());
        let one = add(&clients);
        one.client.asked();
        one.client.flushed();
        assert!(one.client.is_in(Phase::Asked));
        one.client.answered(1 << 20);
        assert_eq!(clients.held_bytes.load(Ordering::Relaxed), 1 << 20);
        one.client.flushed();
        assert!(one.client.is_in(Phase::Idle));
        assert_eq!(clients.held_bytes.load(Ordering::Relaxed), 0);
    }
}
