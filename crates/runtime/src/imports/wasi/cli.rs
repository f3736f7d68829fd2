//! `wasi:cli`: the operator's environment variables, no arguments, no terminal; output becomes log lines.

use crate::imports::{
    RequestState,
    bindings::wasi::cli::{
        environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr,
        terminal_stdin, terminal_stdout,
    },
    resources::{InputStream, OutputStream, StandardStream, Terminal},
};
use contract::outcome::Stop;
use wasmtime::component::Resource;

impl environment::Host for RequestState {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.environment.to_vec())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        self.meter.count_host_call()?;
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        self.meter.count_host_call()?;
        Ok(None)
    }
}

impl exit::Host for RequestState {
    fn exit(&mut self, _status: Result<(), ()>) -> wasmtime::Result<()> {
        Err(Stop::Exit.into())
    }
}

impl stdin::Host for RequestState {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<InputStream>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.push(InputStream::empty())?)
    }
}

impl stdout::Host for RequestState {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<OutputStream>> {
        self.meter.count_host_call()?;
        Ok(self
            .wasi
            .table
            .push(OutputStream::Log(StandardStream::Stdout))?)
    }
}

impl stderr::Host for RequestState {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<OutputStream>> {
        self.meter.count_host_call()?;
        Ok(self
            .wasi
            .table
            .push(OutputStream::Log(StandardStream::Stderr))?)
    }
}

impl terminal_input::Host for RequestState {}

impl terminal_input::HostTerminalInput for RequestState {
    fn drop(&mut self, terminal: Resource<Terminal>) -> wasmtime::Result<()> {
        self.wasi.table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_output::Host for RequestState {}

impl terminal_output::HostTerminalOutput for RequestState {
    fn drop(&mut self, terminal: Resource<Terminal>) -> wasmtime::Result<()> {
        self.wasi.table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_stdin::Host for RequestState {
    fn get_terminal_stdin(&mut self) -> wasmtime::Result<Option<Resource<Terminal>>> {
        Ok(None)
    }
}

impl terminal_stdout::Host for RequestState {
    fn get_terminal_stdout(&mut self) -> wasmtime::Result<Option<Resource<Terminal>>> {
        Ok(None)
    }
}

impl terminal_stderr::Host for RequestState {
    fn get_terminal_stderr(&mut self) -> wasmtime::Result<Option<Resource<Terminal>>> {
        Ok(None)
    }
}
