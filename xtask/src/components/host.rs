//! Hosts that serve a component: `host-cli serve` and `wasmtime serve`.

use super::http;
use crate::server::Server;
use anyhow::Context;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A host that has answered once.
pub struct Host {
    process: Process,
    pub address: SocketAddr,
    /// From the start of its process to the first response.
    pub start: Duration,
}

/// Ended when it is dropped.
enum Process {
    Tenon(Server),
    Wasmtime(Child),
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Self::Wasmtime(child) = self {
            // It may have ended by itself.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

impl Host {
    /// `host-cli serve` with these arguments.
    pub fn tenon(arguments: &[&str]) -> anyhow::Result<Self> {
        let started = Instant::now();
        let (server, address) = Server::start(arguments)?;
        let address = address.trim_start_matches("http://").parse()?;
        let process = Process::Tenon(server);
        http::wait(address, &mut || true)?;
        Ok(Self {
            process,
            address,
            start: started.elapsed(),
        })
    }

    /// `wasmtime serve` of this component, which may call this service.
    pub fn wasmtime(program: &Path, component: &Path, upstream: &str) -> anyhow::Result<Self> {
        // Free a moment ago.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let started = Instant::now();
        let child = Command::new(program)
            .args(["serve", "-Scli", "--addr", &address.to_string()])
            .args(["--env", &format!("UPSTREAM={upstream}")])
            .arg(component)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to run `wasmtime`")?;
        let mut process = Process::Wasmtime(child);
        http::wait(address, &mut || match &mut process {
            Process::Wasmtime(child) => matches!(child.try_wait(), Ok(None)),
            Process::Tenon(_) => true,
        })?;
        Ok(Self {
            process,
            address,
            start: started.elapsed(),
        })
    }

    /// The largest resident size that the kernel has seen, in bytes (proc(5), `VmHWM`).
    pub fn peak_bytes(&self) -> anyhow::Result<u64> {
        let process = match &self.process {
            Process::Tenon(server) => server.process(),
            Process::Wasmtime(child) => child.id(),
        };
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next());
        let kibibytes: u64 = kibibytes.context("no `VmHWM`")?.parse()?;
        Ok(kibibytes * 1024)
    }

    /// Ends it as a user does, so that it writes what it still has.
    pub fn end(mut self) -> anyhow::Result<()> {
        match &mut self.process {
            Process::Tenon(server) => server.end(),
            Process::Wasmtime(_) => Ok(()),
        }
    }
}
