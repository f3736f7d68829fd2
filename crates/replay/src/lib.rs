//! Runs recorded requests again and tells what differs.
//!
//! - *Strict*: storage results come from the tape, every call must be the recorded one, and the response must have the recorded bytes. This proves
//!   that the tape explains what happened.
//! - *State*: for another guest. It works on what the tape says about the store (`recorded_state`), and its writes stay in memory. Compared are the
//!   response, the writes with their preconditions, and the cost; calls in another order, further reads and other log lines are equal in effect.
//! - *Live*: the event runs on a store as it is now, and the response is compared.
//!
//! [`run_case`] runs a case, [`case_of`] makes one of an exchange, and [`Gate`] decides whether a new guest may be promoted. What is compared, and how, is in the crate `observation`.
//!
//! ```no_run
//! use replay::{ReplayGuest, ReplayOptions, Replayer, Verdict};
//! use runtime::Runtime;
//! use std::sync::Arc;
//! use tape::Exchange;
//!
//! # async fn example(runtime: Runtime, line: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
//! let replayer = Replayer {
//!     guest: ReplayGuest::new(runtime),
//!     metered: None,
//!     baseline: None,
//!     live: None,
//!     live_services: None,
//!     live_secrets: None,
//!     options: ReplayOptions::default(),
//! };
//! let line: Arc<[u8]> = line.into();
//! let exchange = Exchange::read(&line)?;
//! let comparison = replayer.replay(&line, &exchange).await;
//! if comparison.verdict != Verdict::Same {
//!     println!("{:?}", comparison.verdict);
//! }
//! # Ok(())
//! # }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod comparison;
mod gate;
mod guest;
mod list;
mod live;
mod observe;
mod overlay;
mod recorded_case;
mod recorded_state;
mod recording_error;
mod run;
mod secret_calls;
mod services;
mod state;
mod strict;
mod subject;
mod values_left;
mod view;
mod writes;

pub use comparison::{ComparedCosts, Comparison, Note, Verdict};
pub use gate::{Gate, GateCounts, GateDecision, GateEvents, GateResult};
pub use guest::ReplayGuest;
pub use live::compare_live;
pub use overlay::OnMiss;
pub use recorded_case::{RecordedCaseError, case_of};
pub use run::{
    CaseOutcome, CaseStore, ReplayedEvent, exchange_seed, local_view, replay_cursor_key, run_case,
};

use contract::{count::counted, limits::Limits};
use gateway::message::Message;
use observation::IgnoreRule;
use outgoing::OutgoingHttp;
use secrets::GuestSecrets;
use std::sync::Arc;
use storage::Storage;
use tape::{Exchange, redact::body_place};

/// How a request is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Call by call, byte by byte.
    Strict,
    /// By its outcome.
    State,
}

/// How to replay, and what counts as a difference.
#[derive(Clone)]
pub struct ReplayOptions {
    /// `None`: strict for the guest that was recorded, state for any other.
    pub mode: Option<Mode>,
    /// What a read returns when the tape has no answer.
    pub on_miss: OnMiss,
    /// Ignored differences.
    pub ignore: Vec<IgnoreRule>,
    /// Runs the recorded guest a second time, with another seed and a little later: what then differs is noise.
    pub detect_noise: bool,
    /// More work or memory than this many times the recorded guest's counts as a difference.
    pub cost_ratio_max: f64,
    /// The baseline is the expectation for every request, also for those that another guest was recorded with.
    pub expects_baseline: bool,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self {
            mode: None,
            on_miss: OnMiss::Fail,
            ignore: Vec::new(),
            detect_noise: false,
            cost_ratio_max: 2.0,
            expects_baseline: false,
        }
    }
}

/// Replays requests on a guest.
pub struct Replayer {
    /// The guest to replay on.
    pub guest: ReplayGuest,
    /// The same guest, on an engine that counts its work; without it, work is not compared.
    pub metered: Option<ReplayGuest>,
    /// The recorded guest, if it is available, metered if the guest is: its behaviour is the expectation. Another one for
    /// [`ReplayOptions::expects_baseline`].
    pub baseline: Option<ReplayGuest>,
    /// The store for reads that the tape cannot answer, for [`OnMiss::Live`]; it is never written.
    pub live: Option<Arc<dyn Storage>>,
    /// The same for other services: only requests that ask for nothing to be done are sent.
    pub live_services: Option<Arc<dyn OutgoingHttp>>,
    /// The same for secrets: they only sign and verify, nothing is revealed.
    pub live_secrets: Option<Arc<dyn GuestSecrets>>,
    /// The options.
    pub options: ReplayOptions,
}

impl Replayer {
    /// The mode in which a request is replayed.
    pub fn mode(&self, exchange: &Exchange<'_>) -> Mode {
        self.options.mode.unwrap_or(if self.is_recorded(exchange) {
            Mode::Strict
        } else {
            Mode::State
        })
    }

    /// Whether the guest is the recorded one. If none was called, any guest is.
    fn is_recorded(&self, exchange: &Exchange<'_>) -> bool {
        exchange
            .guest
            .is_none_or(|guest| guest == self.guest.digest())
    }

    /// Replays one line of tape.
    pub async fn replay(&self, line: &Arc<[u8]>, exchange: &Exchange<'_>) -> Comparison {
        if let Some(reason) = obstacle(exchange) {
            return Comparison::unplayable(reason);
        }
        match self.mode(exchange) {
            Mode::Strict => strict::replay(self, line, exchange).await,
            Mode::State => state::replay(self, exchange).await,
        }
    }
}

/// Why a request cannot be replayed in any mode.
fn obstacle(exchange: &Exchange<'_>) -> Option<String> {
    let is_left_out = |place: &str| {
        let redacted = exchange.redacted.as_ref();
        redacted.is_some_and(|redacted| redacted.is_left_out(place))
    };
    if is_left_out("/event") {
        return Some(
            "the event is not on the tape, because it could not be redacted; an encrypted tape contains it"
                .to_owned(),
        );
    }
    if exchange.event.is_none() {
        return Some(
            "the event is not on the tape, because it was not text or was too long".to_owned(),
        );
    }
    let body = body_place(Message::Event);
    if is_left_out(&body) {
        return Some(
            "the request's body is not on the tape, because only JSON, forms and plain text can be redacted; an encrypted tape contains it"
                .to_owned(),
        );
    }
    if let Some(omission) = exchange.omitted.iter().find(|omission| omission.at == body) {
        let bytes = omission.bytes;
        return Some(format!(
            "the request's body is not on the tape, because it had {bytes} bytes"
        ));
    }
    if exchange.outgoing_omitted > 0 {
        let (kept, omitted) = (exchange.outgoing.len(), exchange.outgoing_omitted);
        return Some(format!(
            "the tape has {}; {} left out",
            counted(
                kept,
                "exchange with other services",
                "exchanges with other services"
            ),
            counted(omitted, "more was", "more were")
        ));
    }
    if exchange.secrets_omitted > 0 {
        let (kept, omitted) = (exchange.secrets.len(), exchange.secrets_omitted);
        return Some(format!(
            "the tape has {}; {} left out",
            counted(kept, "call about secrets", "calls about secrets"),
            counted(omitted, "more was", "more were")
        ));
    }
    if exchange.calls_omitted > 0 {
        let (kept, omitted) = (exchange.calls.len(), exchange.calls_omitted);
        return Some(format!(
            "the tape has {}; {} left out",
            counted(kept, "storage call", "storage calls"),
            counted(omitted, "more was", "more were")
        ));
    }
    if exchange
        .fault
        .as_ref()
        .is_some_and(|fault| fault.kind == "busy")
    {
        return Some("no instance was free: the guest did not run".to_owned());
    }
    if exchange.host.limits().guest_memory_bytes_max > Limits::default().guest_memory_bytes_max * 4
    {
        return Some("the guest had more memory than this host allows".to_owned());
    }
    None
}

#[cfg(test)]
mod tests;
