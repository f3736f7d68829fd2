//! Outcomes of a guest's last requests, and for how many clients, on which the decision about a fallback is based.

use contract::http::Request;
use std::{
    hash::Hasher,
    net::{IpAddr, Ipv6Addr},
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

/// Number of requests that are recorded: one bit of `failed` each.
const OUTCOMES_KEPT: u32 = u64::BITS;
/// Number of distinct clients that must have met a failure before a guest counts as failing. One client, or a few, must never decide which
/// guest the others get.
const CLIENTS_FAILED_MIN: usize = 5;
/// A guest counts as failing if at least one in this many requests failed.
const REQUESTS_PER_FAILURE_MAX: u32 = 4;
/// A guest counts as failing if at least one in this many clients met a failure.
const CLIENTS_PER_FAILED_MAX: usize = 2;

/// The last requests of a guest.
#[derive(Debug)]
pub struct Outcomes {
    /// One bit for each entry of `clients`.
    failed: AtomicU64,
    /// The clients; 0 for an unused entry.
    clients: [AtomicU32; OUTCOMES_KEPT as usize],
    next: AtomicU32,
}

impl Default for Outcomes {
    fn default() -> Self {
        Self {
            failed: AtomicU64::new(0),
            clients: [const { AtomicU32::new(0) }; OUTCOMES_KEPT as usize],
            next: AtomicU32::new(0),
        }
    }
}

impl Outcomes {
    /// Adds one outcome, and drops the oldest. `client` is the result of the function `client`.
    pub fn note(&self, client: u32, failed: bool) {
        let place = self.next.fetch_add(1, Ordering::Relaxed) % OUTCOMES_KEPT;
        self.clients[place as usize].store(client, Ordering::Relaxed);
        let bit = 1 << place;
        if failed {
            self.failed.fetch_or(bit, Ordering::Relaxed);
        } else if self.failed.load(Ordering::Relaxed) & bit != 0 {
            self.failed.fetch_and(!bit, Ordering::Relaxed);
        }
    }

    /// Whether the guest fails for many clients: by their number, by their share of all clients, and by the share of requests.
    pub fn are_failing(&self) -> bool {
        let failed = self.failed.load(Ordering::Relaxed);
        // The common case costs one read.
        if (failed.count_ones() as usize) < CLIENTS_FAILED_MIN {
            return false;
        }
        let clients = || {
            let all = self.clients.iter().enumerate();
            all.map(|(place, client)| (place, client.load(Ordering::Relaxed)))
                .filter(|(_, client)| *client != 0)
        };
        let requests = clients().count() as u32;
        let all = distinct(clients().map(|(_, client)| client));
        let met_failure = distinct(
            clients()
                .filter(|(place, _)| failed & (1 << place) != 0)
                .map(|(_, client)| client),
        );
        met_failure >= CLIENTS_FAILED_MIN
            && met_failure * CLIENTS_PER_FAILED_MAX >= all
            && failed.count_ones() * REQUESTS_PER_FAILURE_MAX >= requests
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.failed.store(0, Ordering::Relaxed);
        for client in &self.clients {
            client.store(0, Ordering::Relaxed);
        }
    }
}

fn distinct(clients: impl Iterator<Item = u32>) -> usize {
    let mut clients: Vec<u32> = clients.collect();
    clients.sort_unstable();
    clients.dedup();
    clients.len()
}

/// A number for the client, never 0: from the subject that an authorizer gave, otherwise from the client's network. A client can choose
/// among many IPv6 addresses, hence only their first 48 bits, which are what a site is assigned (RFC 6177). All clients without a known
/// address count as one.
pub(super) fn client(request: &Request) -> u32 {
    let context = &request.context;
    let subject = context
        .identity
        .as_ref()
        .and_then(|identity| identity.subject.as_deref());
    let mut hasher = Fnv::default();
    match (subject, context.client_address.as_deref()) {
        (Some(subject), _) => {
            hasher.write(b"subject ");
            hasher.write(subject.as_bytes());
        }
        (None, Some(address)) => match address.parse() {
            Ok(IpAddr::V4(address)) => hasher.write(&address.octets()),
            Ok(IpAddr::V6(address)) => hasher.write(&network(address)),
            Err(_) => hasher.write(address.as_bytes()),
        },
        (None, None) => {}
    }
    let hash = hasher.finish();
    ((hash ^ (hash >> 32)) as u32).max(1)
}

fn network(address: Ipv6Addr) -> [u8; 6] {
    let octets = address.octets();
    std::array::from_fn(|index| octets[index])
}

/// FNV-1a: inputs are short, and collisions are harmless, because they only make two clients count as one.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::http::{Context, FieldLines, Identity, PathFidelity, Scheme};

    fn client_of(subject: Option<&str>, address: Option<&str>) -> u32 {
        client(&Request {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: FieldLines::default(),
            body: Vec::new(),
            context: Context {
                request_id: "1".to_owned(),
                received_at_ms: 0,
                scheme: Scheme::Https,
                base_path: String::new(),
                authority: String::new(),
                client_address: address.map(str::to_owned),
                path_fidelity: PathFidelity::Encoded,
                identity: subject.map(|subject| Identity {
                    subject: Some(subject.to_owned()),
                    claims: "{}".to_owned(),
                }),
            },
        })
    }

    fn note(outcomes: &Outcomes, clients: std::ops::Range<u32>, failed: bool) {
        for client in clients {
            outcomes.note(client + 1, failed);
        }
    }

    #[test]
    fn failures_of_many_clients_count_and_those_of_few_do_not() {
        let outcomes = Outcomes::default();
        for _ in 0..1000 {
            note(&outcomes, 0..4, true);
        }
        assert!(!outcomes.are_failing());
        note(&outcomes, 4..5, true);
        assert!(outcomes.are_failing());
        outcomes.clear();
        assert!(!outcomes.are_failing());
    }

    #[test]
    fn a_few_bad_clients_among_many_good_ones_do_not_count() {
        let outcomes = Outcomes::default();
        note(&outcomes, 0..6, true);
        assert!(outcomes.are_failing());
        note(&outcomes, 6..13, false);
        // Six of thirteen clients.
        assert!(!outcomes.are_failing());
    }

    #[test]
    fn rare_failures_do_not_count_whoever_meets_them() {
        let outcomes = Outcomes::default();
        for client in 0..6 {
            note(&outcomes, client..client + 1, true);
            for _ in 0..4 {
                note(&outcomes, client..client + 1, false);
            }
        }
        assert!(!outcomes.are_failing());
        // Old outcomes are dropped.
        for _ in 0..OUTCOMES_KEPT {
            note(&outcomes, 0..1, false);
        }
        assert_eq!(outcomes.failed.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_client_is_a_subject_or_a_network() {
        let address = |address| client_of(None, Some(address));
        assert_eq!(address("192.0.2.1"), address("192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(address("2001:db8:1::1"), address("2001:db8:1:ffff::2"));
        assert_ne!(address("2001:db8:1::1"), address("2001:db8:2::1"));
        let ann = client_of(Some("ann"), Some("192.0.2.1"));
        assert_eq!(ann, client_of(Some("ann"), Some("192.0.2.2")));
        assert_ne!(ann, client_of(Some("bob"), Some("192.0.2.1")));
        assert_eq!(client_of(None, None), client_of(None, None));
        assert_ne!(client_of(None, None), 0);
    }
}
