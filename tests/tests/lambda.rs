//! The Lambda host as a program: under AWS's own emulator of the Lambda runtime, or under the tests' own runtime API if the emulator lacks
//! a feature (deadlines, traces, concurrent invocations), on a real DynamoDB engine in this process, or on a table for large items.

mod bootstrap;
mod emulator;
mod raw_table;
mod runtime_api;

mod cases;
mod events;
mod faults;
mod guests;
mod memory;
mod outgoing;
mod pairs;
mod panics;
mod releases;
mod secrets;
mod soak;
mod telemetry;

use crate::support::{proxy, table};
use std::time::Duration;

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);
