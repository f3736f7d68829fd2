//! Replaying many events: finding them, running them on all cores, reporting in the order of the input.

pub mod ignore_rules;
pub mod input;
pub mod new_case;
pub mod progress;
pub mod report;
pub mod runner;
pub mod tapes;
pub mod trace;
