//! Connections that wait for the next request. Those that have waited too long are closed at the next request, whatever it is for: nothing
//! runs in between.

use super::connection::Connection;
use crate::{address::Addresses, origin::Origin};
use contract::limits::{OUTGOING_IDLE_CONNECTIONS_MAX, OUTGOING_IDLE_DURATION_MAX};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// Connections that are kept to all services together.
const CONNECTIONS_MAX: usize = 64;
/// How long a connection is used: a name can come to lead elsewhere.
const AGE_MAX: Duration = Duration::from_secs(300);

/// What a connection can be used for again. A grant of public addresses does not use what another one was allowed to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub origin: Origin,
    pub addresses: Addresses,
}

struct Idle {
    key: Key,
    connection: Connection,
    since: Instant,
    /// The clock above stands still while a machine is suspended.
    since_wall: SystemTime,
}

/// Idle connections, the one that has waited longest first.
#[derive(Default)]
pub struct Pool(Mutex<Vec<Idle>>);

impl Pool {
    /// The connection that was used last, if one is still open.
    pub fn take(&self, key: &Key) -> Option<Connection> {
        let (found, _closed) = self.with(|idle| {
            let mut closed = remove_expired(idle);
            while let Some(position) = idle.iter().rposition(|idle| idle.key == *key) {
                let candidate = idle.remove(position);
                if candidate.connection.is_quiet() {
                    return (Some(candidate.connection), closed);
                }
                closed.push(candidate);
            }
            (None, closed)
        });
        found
    }

    /// Keeps a connection; closes those that have waited longest if there are too many.
    pub fn put(&self, key: Key, connection: Connection) {
        if connection.opened().elapsed() >= AGE_MAX {
            return;
        }
        let _closed = self.with(|idle| {
            let mut closed = remove_expired(idle);
            let same = idle.iter().filter(|idle| idle.key == key).count();
            if same >= OUTGOING_IDLE_CONNECTIONS_MAX {
                let oldest = idle.iter().position(|idle| idle.key == key);
                closed.extend(oldest.map(|position| idle.remove(position)));
            } else if idle.len() >= CONNECTIONS_MAX {
                closed.push(idle.remove(0));
            }
            idle.push(Idle {
                key,
                connection,
                since: Instant::now(),
                since_wall: SystemTime::now(),
            });
            closed
        });
    }

    /// What a function returns; connections in it are closed after others can use the pool again.
    fn with<R>(&self, function: impl FnOnce(&mut Vec<Idle>) -> R) -> R {
        function(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn remove_expired(idle: &mut Vec<Idle>) -> Vec<Idle> {
    let is_expired = |idle: &mut Idle| {
        let waited_wall = idle.since_wall.elapsed().unwrap_or(Duration::MAX);
        let waited = idle.since.elapsed().max(waited_wall);
        waited >= OUTGOING_IDLE_DURATION_MAX || idle.connection.opened().elapsed() >= AGE_MAX
    };
    idle.extract_if(.., is_expired).collect()
}
