//! WASI 0.2, sealed: what a standard library needs to start and to print, without any effect outside the request; and `wasi:http`, with
//! files and sockets that are not there, for components that were not made for this project.
//!
//! The wall clock stands still, the monotonic clock moves only when it is read or waited on, random numbers follow from the request's seed,
//! output becomes log lines, input is empty, and nothing ever blocks. So a guest's response is a function of its request.

mod cli;
mod clocks;
pub(in crate::imports) mod config;
pub(crate) mod http;
mod io;
pub(in crate::imports) mod keyvalue;
mod random;
pub(in crate::imports) mod sealed;

use super::{
    RequestState,
    bindings::wasi::{
        cli as wasi_cli, clocks as wasi_clocks, io as wasi_io, random as wasi_random,
    },
};
use crate::options::Environment;
use contract::{limits::RESOURCES_MAX, seed::Seed};
use rand_chacha::ChaCha12Rng;
use wasmtime::component::{HasSelf, Linker, ResourceTable};

/// The state of WASI during one request.
pub(super) struct Wasi {
    environment: Environment,
    received_at_ms: u64,
    /// Nanoseconds since the request began, as the guest sees it.
    elapsed_ns: u64,
    seed: Seed,
    /// Created at first use, because most guests draw no random numbers.
    random: Option<Box<ChaCha12Rng>>,
    table: ResourceTable,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    exchange: http::Exchange,
    /// Bytes of the values that handles of `wasi:keyvalue` keep.
    cas_bytes: usize,
}

impl Wasi {
    pub(super) fn new(environment: Environment, received_at_ms: u64, seed: Seed) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        Self {
            environment,
            received_at_ms,
            elapsed_ns: 0,
            seed,
            random: None,
            table,
            stdout: Vec::new(),
            stderr: Vec::new(),
            exchange: http::Exchange::default(),
            cas_bytes: 0,
        }
    }

    fn random(&mut self) -> &mut ChaCha12Rng {
        self.random
            .get_or_insert_with(|| Box::new(self.seed.guest_random()))
    }
}

/// One line for each interface: its name without version, and its module.
macro_rules! interfaces {
    ($($name:literal $interface:path),* $(,)?) => {
        /// The provided interfaces of WASI, by name without version.
        pub(in crate::imports) const INTERFACES: &[&str] = &[$($name),*];

        /// Defines those interfaces that a component `asks` for, by name without version.
        pub(in crate::imports) fn add_to_linker(
            linker: &mut Linker<RequestState>,
            asks: impl Fn(&str) -> bool,
        ) -> wasmtime::Result<()> {
            $(if asks($name) {
                use $interface as interface;
                interface::add_to_linker::<_, HasSelf<RequestState>>(linker, |context| context)?;
            })*
            Ok(())
        }
    };
}

interfaces!(
    "wasi:cli/environment" wasi_cli::environment,
    "wasi:cli/exit" wasi_cli::exit,
    "wasi:cli/stderr" wasi_cli::stderr,
    "wasi:cli/stdin" wasi_cli::stdin,
    "wasi:cli/stdout" wasi_cli::stdout,
    "wasi:cli/terminal-input" wasi_cli::terminal_input,
    "wasi:cli/terminal-output" wasi_cli::terminal_output,
    "wasi:cli/terminal-stderr" wasi_cli::terminal_stderr,
    "wasi:cli/terminal-stdin" wasi_cli::terminal_stdin,
    "wasi:cli/terminal-stdout" wasi_cli::terminal_stdout,
    "wasi:clocks/monotonic-clock" wasi_clocks::monotonic_clock,
    "wasi:clocks/wall-clock" wasi_clocks::wall_clock,
    "wasi:io/error" wasi_io::error,
    "wasi:io/poll" wasi_io::poll,
    "wasi:io/streams" wasi_io::streams,
    "wasi:random/insecure" wasi_random::insecure,
    "wasi:random/insecure-seed" wasi_random::insecure_seed,
    "wasi:random/random" wasi_random::random,
);
