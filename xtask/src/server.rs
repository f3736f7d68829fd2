//! `host-cli serve` as a child process, and requests to it.

use crate::run::{root, run, target_folder};
use anyhow::Context;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

/// A running `host-cli serve`; killed when dropped. Its stdout stays open, because a closed one would make its prints fail.
pub struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts the program of this workspace on a free port with further arguments; returns once it listens, with its address.
    pub fn start(arguments: &[&str]) -> anyhow::Result<(Self, String)> {
        let mut program = Command::new(target_folder()?.join("release/host-cli"));
        // Also where the checkout belongs to another user than the one who runs this.
        program.arg("--project").arg(root());
        Self::start_program(program, arguments)
    }

    /// The same for another program.
    pub fn start_program(
        mut program: Command,
        arguments: &[&str],
    ) -> anyhow::Result<(Self, String)> {
        let mut child = program
            .args(["serve", "--listen", "127.0.0.1:0", "--quiet"])
            .args(["--event-kind", "http"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to run `host-cli`")?;
        let stdout = child.stdout.take().context("`host-cli` has no stdout")?;
        let mut server = Self {
            child,
            stdout: BufReader::new(stdout),
        };
        let mut line = String::new();
        while server.stdout.read_line(&mut line)? > 0 {
            if let Some(start) = line.find("http://") {
                let address = line[start..].split_whitespace().next().unwrap_or_default();
                let address = address.trim_end_matches('/').to_owned();
                return Ok((server, address));
            }
            line.clear();
        }
        anyhow::bail!("`host-cli serve` ended without saying where it listens")
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, so that it finishes its tape, and waits until it has.
    pub fn end(&mut self) -> anyhow::Result<()> {
        run(Command::new("kill").arg(self.child.id().to_string()))?;
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "`host-cli serve` failed: {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// One request on its own connection; returns head and body of the response.
pub fn ask(address: &str, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let length = body.len();
    stream.write_all(
        format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .as_bytes(),
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
