//! Connections that wait for the next request. Those that have waited too long are closed at the next request, whatever it is for: nothing
//! runs in between.

use crate::{connection::Connection, options::ClientOptions};
use contract::{address::Addresses, origin::Origin};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// How long a connection is used: a name can come to lead elsewhere.
const AGE_MAX: Duration = Duration::from_secs(300);

/// What a request is sent to, and what its connection can be used again for: where public addresses are allowed only, none that was opened to
/// another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The server.
    pub origin: Origin,
    /// Which of its addresses may be connected to.
    pub addresses: Addresses,
}

struct Idle {
    target: Target,
    connection: Connection,
    since: Instant,
    /// The clock above stands still while a machine is suspended.
    since_wall: SystemTime,
}

/// Idle connections, the one that has waited longest first.
pub struct Pool {
    idle: Mutex<Vec<Idle>>,
    options: ClientOptions,
}

impl Pool {
    /// Without connections.
    pub fn new(options: ClientOptions) -> Self {
        Self {
            idle: Mutex::default(),
            options,
        }
    }

    /// The connection that was used last, if one is still open.
    pub fn take(&self, target: &Target) -> Option<Connection> {
        let (found, _closed) = self.with(|idle| {
            let mut closed = self.remove_expired(idle);
            while let Some(position) = idle.iter().rposition(|idle| idle.target == *target) {
                let candidate = idle.remove(position);
                if candidate.connection.opened().elapsed() < AGE_MAX
                    && candidate.connection.is_quiet()
                {
                    return (Some(candidate.connection), closed);
                }
                closed.push(candidate);
            }
            (None, closed)
        });
        found
    }

    /// Keeps a connection; closes those that have waited longest if there are too many.
    pub fn put(&self, target: Target, connection: Connection) {
        if connection.opened().elapsed() >= AGE_MAX {
            return;
        }
        let _closed = self.with(|idle| {
            let mut closed = self.remove_expired(idle);
            let same = idle.iter().filter(|idle| idle.target == target).count();
            if same >= self.options.idle_connections_max {
                let oldest = idle.iter().position(|idle| idle.target == target);
                closed.extend(oldest.map(|position| idle.remove(position)));
            } else if idle.len() >= self.options.idle_connections_of_all_max {
                closed.push(idle.remove(0));
            }
            idle.push(Idle {
                target,
                connection,
                since: Instant::now(),
                since_wall: SystemTime::now(),
            });
            closed
        });
    }

    /// What a function returns; connections in it are closed after others can use the pool again.
    fn with<R>(&self, function: impl FnOnce(&mut Vec<Idle>) -> R) -> R {
        function(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn remove_expired(&self, idle: &mut Vec<Idle>) -> Vec<Idle> {
        let (now, now_wall) = (Instant::now(), SystemTime::now());
        let is_expired = |idle: &Idle| {
            let waited_wall = now_wall.duration_since(idle.since_wall);
            let waited = now.saturating_duration_since(idle.since);
            waited.max(waited_wall.unwrap_or(Duration::MAX)) >= self.options.idle_duration_max
        };
        let count = idle.iter().take_while(|idle| is_expired(idle)).count();
        idle.drain(..count).collect()
    }
}
