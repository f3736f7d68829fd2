//! End-to-end tests: everything that needs a real guest, a real store or the real program. `cargo xtask test` builds what they need.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read what they or the hosts wrote"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

mod cases;
mod component;
mod corpus;
mod crash;
mod determinism;
mod dev;
mod embed;
mod environment;
mod failing_cases;
mod guest;
mod hostile;
mod keyvalue;
mod lambda;
mod load;
mod outgoing;
mod pairs;
mod plain;
mod prewarm;
mod proxy;
mod release;
mod sdk;
mod secrets;
mod tape;
