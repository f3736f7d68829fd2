//! When the requests of local development begin: not before the first build has ended, and not more at a time than there are instances for.
//!
//! Whoever waits may hang up meanwhile, and send the request again: then the first one must not run as well.

use super::clients::Client;
use std::time::Duration;
use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::{sleep, timeout},
};

/// How often to look whether a client that waits has hung up.
const HANG_UP_INTERVAL: Duration = Duration::from_millis(100);

/// Lets requests wait. One for each server, shared by all requests.
pub struct Turns {
    has_begun: watch::Sender<bool>,
    free: Semaphore,
}

/// A request has begun. Dropping it lets another one begin.
pub struct Turn<'a> {
    _permit: Option<SemaphorePermit<'a>>,
}

/// Why a request does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTurnError {
    /// The client has closed the connection, or its side of it, while the request waited.
    #[error("not run: the client closed its side of the connection while the request waited")]
    HungUp,
    /// All the time that a request may take is over.
    #[error("the service is busy; try again")]
    Busy,
}

impl Turns {
    /// Turns for so many requests at a time.
    pub fn new(requests_max: usize) -> Self {
        Self {
            has_begun: watch::Sender::default(),
            free: Semaphore::new(requests_max),
        }
    }

    /// From now on, requests begin.
    pub fn begin(&self) {
        self.has_begun.send_replace(true);
    }

    /// Waits until a request may begin: for the first build as long as it takes, then for so long.
    pub async fn wait(
        &self,
        client: &Client,
        duration_max: Duration,
    ) -> Result<Turn<'_>, NoTurnError> {
        // Without waiting, a client that has closed its sending side is answered as usual.
        if *self.has_begun.borrow()
            && let Ok(permit) = self.free.try_acquire()
        {
            return Ok(Turn::with(Some(permit)));
        }
        let turn = async {
            let mut has_begun = self.has_begun.subscribe();
            // The sender is there as long as this waits, and the semaphore is never closed.
            let _ = has_begun.wait_for(|has_begun| *has_begun).await;
            let permit = timeout(duration_max, self.free.acquire()).await;
            permit.map_err(|_| NoTurnError::Busy)
        };
        let turn = tokio::select! {
            turn = turn => Turn::with(turn?.ok()),
            () = hung_up(client) => return Err(NoTurnError::HungUp),
        };
        match client.has_hung_up() {
            false => Ok(turn),
            true => Err(NoTurnError::HungUp),
        }
    }
}

impl<'a> Turn<'a> {
    fn with(permit: Option<SemaphorePermit<'a>>) -> Self {
        Self { _permit: permit }
    }
}

async fn hung_up(client: &Client) {
    while !client.has_hung_up() {
        sleep(HANG_UP_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::super::clients::{Clients, Registered};
    use super::*;
    use std::{
        net::{Shutdown, TcpListener, TcpStream},
        os::fd::AsRawFd,
        sync::Arc,
    };

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(10);

    /// A client with its connection, both sides of it.
    fn connected() -> (Registered, TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let ours = listener.accept().unwrap().0;
        let registered = Arc::new(Clients::default()).add("::1".into()).unwrap();
        registered.client().uses(ours.as_raw_fd());
        (registered, ours, theirs)
    }

    #[tokio::test]
    async fn a_request_begins_after_the_first_build_and_when_another_one_is_done() {
        let turns = Turns::new(1);
        let (client, _ours, _theirs) = connected();
        assert!(
            timeout(SHORT, turns.wait(client.client(), LONG))
                .await
                .is_err()
        );
        turns.begin();
        let first = turns.wait(client.client(), LONG).await.unwrap();
        let second = turns.wait(client.client(), SHORT).await;
        assert_eq!(second.err(), Some(NoTurnError::Busy));
        let (second, ()) = tokio::join!(turns.wait(client.client(), LONG), async {
            sleep(SHORT).await;
            drop(first);
        });
        assert!(second.is_ok());
    }

    #[tokio::test]
    async fn whoever_hangs_up_while_waiting_has_no_turn() {
        let turns = Turns::new(1);
        turns.begin();
        let (client, _ours, theirs) = connected();
        let first = turns.wait(client.client(), LONG).await.unwrap();
        let (waited, ()) = tokio::join!(turns.wait(client.client(), LONG), async {
            sleep(SHORT).await;
            // Before the next look at the connection.
            drop(theirs);
            drop(first);
        });
        assert_eq!(waited.err(), Some(NoTurnError::HungUp));

        let _first = turns.wait(client.client(), LONG).await.unwrap();
        let (client, _ours, theirs) = connected();
        theirs.shutdown(Shutdown::Write).unwrap();
        let waited = turns.wait(client.client(), LONG).await;
        assert_eq!(waited.err(), Some(NoTurnError::HungUp));
    }
}
