//! Names of hosts to addresses.

use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

/// Names that are looked up at a time: the system's resolver takes a thread for each, which stays behind when a request ends before it.
const LOOKUPS_MAX: usize = 32;
/// Lookups of one name at a time, so that a name that nobody answers for does not delay the others.
const LOOKUPS_OF_NAME_MAX: usize = 4;

/// Finds the addresses of a name. Asked for each new connection, and not for literal addresses.
#[async_trait::async_trait]
pub trait Resolve: Send + Sync {
    /// Addresses with this port, in the order in which to try them.
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
#[derive(Clone, Debug, Default)]
pub struct SystemResolver {
    lookups: Arc<Lookups>,
}

/// The lookups that run.
#[derive(Debug)]
struct Lookups {
    of_all: Arc<Semaphore>,
    /// Of names that are looked up; dead as soon as nobody looks the name up.
    of_names: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// Lasts as long as a lookup.
struct LookupPermit {
    _of_name: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Default for Lookups {
    fn default() -> Self {
        Self {
            of_all: Arc::new(Semaphore::new(LOOKUPS_MAX)),
            of_names: Mutex::default(),
        }
    }
}

impl Lookups {
    /// Waits for its turn: first among those of the same name, which take nothing from the others meanwhile.
    async fn begin(&self, name: &str) -> io::Result<LookupPermit> {
        let of_name = self.of_name(name).acquire_owned().await;
        let of_all = self.of_all.clone().acquire_owned().await;
        Ok(LookupPermit {
            _of_name: of_name.map_err(io::Error::other)?,
            _of_all: of_all.map_err(io::Error::other)?,
        })
    }

    fn of_name(&self, name: &str) -> Arc<Semaphore> {
        let mut names = self.of_names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = names.get(name).and_then(Weak::upgrade) {
            return found;
        }
        names.retain(|_, lookups| lookups.strong_count() > 0);
        let lookups = Arc::new(Semaphore::new(LOOKUPS_OF_NAME_MAX));
        names.insert(name.to_owned(), Arc::downgrade(&lookups));
        lookups
    }
}

#[async_trait::async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let permit = self.lookups.begin(name).await?;
        let name = name.to_owned();
        let lookup = spawn_blocking(move || {
            // Until the thread is free, however early the request ends.
            let _permit = permit;
            (name.as_str(), port)
                .to_socket_addrs()
                .map(Iterator::collect)
        });
        lookup.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    /// The permit, if there is one without waiting.
    fn at_once(lookups: &Lookups, name: &str) -> Option<LookupPermit> {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(lookups.begin(name)).poll(&mut context) {
            Poll::Ready(permit) => Some(permit.unwrap()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_name_that_is_not_answered_does_not_delay_others() {
        let lookups = Lookups::default();
        let mut slow: Vec<_> = (0..LOOKUPS_OF_NAME_MAX)
            .map(|_| at_once(&lookups, "slow.test").unwrap())
            .collect();
        let mut waiting = pin!(lookups.begin("slow.test"));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        // However many wait for the name, others have their turn.
        let others: Vec<_> = (0..LOOKUPS_MAX)
            .map_while(|number| at_once(&lookups, &format!("{number}.test")))
            .collect();
        assert_eq!(others.len(), LOOKUPS_MAX - LOOKUPS_OF_NAME_MAX);
        drop(others);
        slow.pop();
        assert!(waiting.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn names_that_nobody_looks_up_are_forgotten() {
        let lookups = Lookups::default();
        for number in 0..100 {
            assert!(at_once(&lookups, &format!("{number}.test")).is_some());
        }
        assert_eq!(lookups.of_names.lock().unwrap().len(), 1);
    }
}
