//! `wasi:clocks`: the time of the request.

use crate::imports::{
    RequestState,
    bindings::wasi::clocks::{monotonic_clock, wall_clock},
    resources::Pollable,
};
use wasmtime::component::Resource;

impl wall_clock::Host for RequestState {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.meter.count_host_call()?;
        let milliseconds = self.wasi.received_at_ms;
        Ok(wall_clock::Datetime {
            seconds: milliseconds / 1000,
            nanoseconds: (milliseconds % 1000) as u32 * 1_000_000,
        })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.meter.count_host_call()?;
        Ok(wall_clock::Datetime {
            seconds: 0,
            nanoseconds: 1_000_000,
        })
    }
}

/// How far the monotonic clock advances at each reading, so that a loop that waits for time to pass ends.
const STEP_NS: u64 = 1_000;

impl monotonic_clock::Host for RequestState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.meter.count_host_call()?;
        self.wasi.elapsed_ns = self.wasi.elapsed_ns.saturating_add(STEP_NS);
        Ok(self.wasi.elapsed_ns)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.meter.count_host_call()?;
        Ok(STEP_NS)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<Pollable>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.push(Pollable::At(when))?)
    }

    fn subscribe_duration(&mut self, when: u64) -> wasmtime::Result<Resource<Pollable>> {
        let instant = self.wasi.elapsed_ns.saturating_add(when);
        self.subscribe_instant(instant)
    }
}
