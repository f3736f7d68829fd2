//! `wasi:io`: input that is there already, output that is always ready, and waiting that only advances the guest's own clock.

use crate::imports::{
    RequestState,
    bindings::wasi::io::{error, poll, streams},
    resources::{InputStream, OutputStream, Pollable, StandardStream, StreamError},
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
    fn to_debug_string(&mut self, error: Resource<StreamError>) -> wasmtime::Result<String> {
        self.meter.count_host_call()?;
        Ok(match self.wasi.table.get(&error)? {
            StreamError::BodyBytes(_) => "the body is longer than its content-length".to_owned(),
        })
    }

    fn drop(&mut self, error: Resource<StreamError>) -> wasmtime::Result<()> {
        self.wasi.table.delete(error)?;
        Ok(())
    }
}

impl poll::Host for RequestState {
    async fn poll(&mut self, pollables: Vec<Resource<Pollable>>) -> wasmtime::Result<Vec<u32>> {
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
        self.wait_for(&pollables).await?;
        let mut ready = Vec::new();
        for (index, pollable) in (0..).zip(pollables) {
            if self.is_ready(pollable)? {
                ready.push(index);
            }
        }
        Ok(ready)
    }
}

impl poll::HostPollable for RequestState {
    async fn ready(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<bool> {
        self.meter.count_host_call()?;
        let pollable = *self.wasi.table.get(&pollable)?;
        self.send_awaited(&[pollable]).await?;
        self.is_ready(pollable)
    }

    async fn block(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        self.meter.count_host_call()?;
        let pollable = *self.wasi.table.get(&pollable)?;
        self.wait_for(&[pollable]).await
    }

    async fn drop(&mut self, pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        self.wasi.table.delete(pollable)?;
        Ok(())
    }
}

impl RequestState {
    /// Waits until one of these is ready. Responses of other services are waited for, and take none of the guest's time; without one, time
    /// jumps to the earliest instant that is waited for, because nothing else happens during a request.
    async fn wait_for(&mut self, pollables: &[Pollable]) -> wasmtime::Result<()> {
        self.send_awaited(pollables).await?;
        let mut earliest = None;
        for pollable in pollables {
            let ready_at_ns = match *pollable {
                Pollable::Ready => 0,
                Pollable::At(instant) => instant,
                Pollable::Response(future) if self.is_answered(future)? => 0,
                Pollable::Response(_) => continue,
            };
            earliest =
                Some(earliest.map_or(ready_at_ns, |earliest: u64| earliest.min(ready_at_ns)));
        }
        let earliest = earliest.ok_or(Stop::UnfinishedRequest)?;
        self.wasi.elapsed_ns = self.wasi.elapsed_ns.max(earliest);
        Ok(())
    }

    async fn send_awaited(&mut self, pollables: &[Pollable]) -> wasmtime::Result<()> {
        let futures = pollables.iter().filter_map(|pollable| match pollable {
            Pollable::Response(future) => Some(*future),
            Pollable::Ready | Pollable::At(_) => None,
        });
        self.send_whole(futures).await
    }

    fn is_ready(&self, pollable: Pollable) -> wasmtime::Result<bool> {
        match pollable {
            Pollable::Ready => Ok(true),
            Pollable::At(instant) => Ok(instant <= self.wasi.elapsed_ns),
            Pollable::Response(future) => self.is_answered(future),
        }
    }
}

impl streams::Host for RequestState {}

impl streams::HostInputStream for RequestState {
    fn read(
        &mut self,
        stream: Resource<InputStream>,
        length: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, streams::StreamError>> {
        self.meter.count_host_call()?;
        let taken = self.wasi.table.get_mut(&stream)?.take(chunk(length));
        Ok(taken
            .map(<[u8]>::to_vec)
            .ok_or(streams::StreamError::Closed))
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
        stream: Resource<InputStream>,
        length: u64,
    ) -> wasmtime::Result<Result<u64, streams::StreamError>> {
        self.meter.count_host_call()?;
        let taken = self.wasi.table.get_mut(&stream)?.take(chunk(length));
        Ok(taken
            .map(|bytes| bytes.len() as u64)
            .ok_or(streams::StreamError::Closed))
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
        match *self.wasi.table.get(&stream)? {
            OutputStream::Log(stream) => {
                self.print(stream, &contents);
                Ok(Ok(()))
            }
            OutputStream::Body(body) => self.write_body(body, &contents),
        }
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
        stream: Resource<OutputStream>,
        source: Resource<InputStream>,
        length: u64,
    ) -> wasmtime::Result<Result<u64, streams::StreamError>> {
        let contents = match streams::HostInputStream::read(self, source, length)? {
            Ok(contents) => contents,
            Err(closed) => return Ok(Err(closed)),
        };
        let length = contents.len() as u64;
        Ok(self.write(stream, contents)?.map(|()| length))
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

/// How much is read at once if a guest asks for so many bytes: as much as it may write at once.
fn chunk(length: u64) -> usize {
    usize::try_from(length).map_or(OUTPUT_BYTES_MAX, |length| length.min(OUTPUT_BYTES_MAX))
}

impl RequestState {
    /// Converts whole lines to log lines and keeps the rest for the next write.
    fn print(&mut self, stream: StandardStream, contents: &[u8]) {
        let storage_calls = self.meter.storage_calls();
        let (buffer, level) = match stream {
            StandardStream::Stdout => (&mut self.wasi.stdout, LogLevel::Info),
            StandardStream::Stderr => (&mut self.wasi.stderr, LogLevel::Warn),
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
        for stream in [StandardStream::Stdout, StandardStream::Stderr] {
            let pending = match stream {
                StandardStream::Stdout => &self.wasi.stdout,
                StandardStream::Stderr => &self.wasi.stderr,
            };
            if !pending.is_empty() {
                self.print(stream, b"\n");
            }
        }
    }
}
