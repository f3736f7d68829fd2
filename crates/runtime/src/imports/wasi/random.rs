//! `wasi:random`: one generator per request, from its seed.

use crate::imports::{
    RequestState,
    bindings::wasi::random::{insecure, insecure_seed, random},
};
use contract::{limits::RANDOM_BYTES_MAX, outcome::Stop};
use rand_chacha::rand_core::Rng;

impl random::Host for RequestState {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random_u64()
    }
}

impl insecure::Host for RequestState {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random_u64()
    }
}

impl insecure_seed::Host for RequestState {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.random_u64()?, self.random_u64()?))
    }
}

impl RequestState {
    fn random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.meter.count_host_call()?;
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= RANDOM_BYTES_MAX)
            .ok_or(Stop::RandomBytes)?;
        let mut bytes = vec![0; length];
        self.wasi.random().fill_bytes(&mut bytes);
        Ok(bytes)
    }

    fn random_u64(&mut self) -> wasmtime::Result<u64> {
        self.meter.count_host_call()?;
        Ok(self.wasi.random().next_u64())
    }
}
