//! `wasi:io`: input that is empty, output that is always ready, and waiting that only advances the guest's own clock.

use crate::imports::{
    RequestState,
    bindings::wasi::io::{error, poll, streams},
    resources::{InputStream, OutputStream, Pollable, StreamError},
};
use contract::{
    limits::{OUTPUT_BYTES_MAX, RESOURCES_MAX},
    log::LogLevel,
    outcome::Stop,
};
use wasmtime::component::Resource;

/// Length at which an unfinished line of output is cut.
const LINE_BYTES_MAX: usize = contract::limits::LOG_LINE_BYTES_MAX;

type Written = wasmtime::Result<Result<(), streams::StreamError>>;

impl error::Host for RequestState {}

impl error::HostError for RequestState {
    fn to_debug_string(&mut self, _error: Resource<StreamError>) -> wasmtime::Result<String> {
        Ok("stream error".to_owned())
    }

    fn drop(&mut self, error: Resource<StreamError>) -> wasmtime::Result<()> {
        self.wasi.table.delete(error)?;
        Ok(())
    }
}

impl poll::Host for RequestState {
    fn poll(&mut self, pollables: Vec<Resource<Pollable>>) -> wasmtime::Result<Vec<u32>> {
        self.meter.count_host_call()?;
        if pollables.is_empty() {
            return Err(Stop::EmptyPoll.into());
        }
        if pollables.len() > RESOURCES_MAX {
            return Err(Stop::PollList.into());
        }
        let pollables = pollables
            .iter()
            .map(|pollable| self.wasi.table.get(pollable).copied())
            .collect::<Result<Vec<_>, _>>()?;
        // Nothing else happens during a request, so time jumps to the earliest event that is waited for.
        let earliest = pollables
            .iter()
            .map(|pollable| pollable.ready_at_ns())
            .min()
            .unwrap_or(0);
        self.wasi.elapsed_ns = self.wasi.elapsed_ns.max(earliest);
        let ready = pollables
            .iter()
            .enumerate()
            .filter(|(_, pollable)| pollable.ready_at_ns() <= self.wasi.elapsed_ns);
        Ok(ready.map(|(index, _)| index as u32).collect())
    }
}

impl poll::HostPollable for RequestState {
    fn ready(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<bool> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.get(&pollable)?.ready_at_ns() <= self.wasi.elapsed_ns)
    }

    fn block(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        self.meter.count_host_call()?;
        let ready_at_ns = self.wasi.table.get(&pollable)?.ready_at_ns();
        self.wasi.elapsed_ns = self.wasi.elapsed_ns.max(ready_at_ns);
        Ok(())
    }

    fn drop(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        self.wasi.table.delete(pollable)?;
        Ok(())
    }
}

impl streams::Host for RequestState {}

impl streams::HostInputStream for RequestState {
    fn read(
        &mut self,
        _: Resource<InputStream>,
        _: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, streams::StreamError>> {
        self.meter.count_host_call()?;
        Ok(Err(streams::StreamError::Closed))
    }

    fn blocking_read(
        &mut self,
        stream: Resource<InputStream>,
        length: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, streams::StreamError>> {
        self.read(stream, length)
    }

    fn skip(
        &mut self,
        _: Resource<InputStream>,
        _: u64,
    ) -> wasmtime::Result<Result<u64, streams::StreamError>> {
        self.meter.count_host_call()?;
        Ok(Err(streams::StreamError::Closed))
    }

    fn blocking_skip(
        &mut self,
        stream: Resource<InputStream>,
        length: u64,
    ) -> wasmtime::Result<Result<u64, streams::StreamError>> {
        self.skip(stream, length)
    }

    fn subscribe(&mut self, _: Resource<InputStream>) -> wasmtime::Result<Resource<Pollable>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.push(Pollable::Ready)?)
    }

    fn drop(&mut self, stream: Resource<InputStream>) -> wasmtime::Result<()> {
        self.wasi.table.delete(stream)?;
        Ok(())
    }
}

impl streams::HostOutputStream for RequestState {
    fn check_write(
        &mut self,
        _: Resource<OutputStream>,
    ) -> wasmtime::Result<Result<u64, streams::StreamError>> {
        self.meter.count_host_call()?;
        Ok(Ok(OUTPUT_BYTES_MAX as u64))
    }

    fn write(&mut self, stream: Resource<OutputStream>, contents: Vec<u8>) -> Written {
        self.meter.count_host_call()?;
        // More than `check-write` allows: the interface requires a trap.
        if contents.len() > OUTPUT_BYTES_MAX {
            return Err(Stop::OutputBytes.into());
        }
        let stream = *self.wasi.table.get(&stream)?;
        self.print(stream, &contents);
        Ok(Ok(()))
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: Resource<OutputStream>,
        contents: Vec<u8>,
    ) -> Written {
        self.write(stream, contents)
    }

    fn flush(&mut self, _: Resource<OutputStream>) -> Written {
        self.meter.count_host_call()?;
        Ok(Ok(()))
    }

    fn blocking_flush(&mut self, stream: Resource<OutputStream>) -> Written {
        self.flush(stream)
    }

    fn subscribe(&mut self, _: Resource<OutputStream>) -> wasmtime::Result<Resource<Pollable>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.push(Pollable::Ready)?)
    }

    fn write_zeroes(&mut self, stream: Resource<OutputStream>, length: u64) -> Written {
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= OUTPUT_BYTES_MAX)
            .ok_or(Stop::OutputBytes)?;
        self.write(stream, vec![0; length])
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<OutputStream>,
        length: u64,
    ) -> Written {
        self.write_zeroes(stream, length)
    }

    fn splice(
        &mut self,
        _: Resource<OutputStream>,
        _: Resource<InputStream>,
        _: u64,
    ) -> wasmtime::Result<Result<u64, streams::StreamError>> {
        self.meter.count_host_call()?;
        Ok(Err(streams::StreamError::Closed))
    }

    fn blocking_splice(
        &mut self,
        stream: Resource<OutputStream>,
        source: Resource<InputStream>,
        length: u64,
    ) -> wasmtime::Result<Result<u64, streams::StreamError>> {
        self.splice(stream, source, length)
    }

    fn drop(&mut self, stream: Resource<OutputStream>) -> wasmtime::Result<()> {
        self.wasi.table.delete(stream)?;
        Ok(())
    }
}

impl RequestState {
    /// Converts whole lines to log lines and keeps the rest for the next write.
    fn print(&mut self, stream: OutputStream, contents: &[u8]) {
        let storage_calls = self.meter.storage_calls();
        let (buffer, level) = match stream {
            OutputStream::Stdout => (&mut self.wasi.stdout, LogLevel::Info),
            OutputStream::Stderr => (&mut self.wasi.stderr, LogLevel::Warn),
        };
        for piece in contents.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE_BYTES_MAX.saturating_sub(buffer.len());
            buffer.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                let line = String::from_utf8_lossy(buffer.trim_ascii_end()).into_owned();
                self.logs.write(storage_calls, level, line, []);
                buffer.clear();
            }
        }
    }

    /// Writes lines that the guest did not finish.
    pub(crate) fn flush_output(&mut self) {
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            let pending = match stream {
                OutputStream::Stdout => &self.wasi.stdout,
                OutputStream::Stderr => &self.wasi.stderr,
            };
            if !pending.is_empty() {
                self.print(stream, b"\n");
            }
        }
    }
}
