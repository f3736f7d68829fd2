//! A running `host-cli dev`, as its developer sees it.

use crate::program::{Folder, GUEST, command};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// Guests are compiled by an unoptimised program, on a machine that runs other tests.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// A project whose build copies a file.
pub fn project(folder: &Folder, build: &str) {
    folder.write(
        "tenon.toml",
        format!(
            "name = \"copied\"\n\n[guest]\nbuild = \"{build}\"\ncomponent = \"guest.wasm\"\nwatch = [\"source.wasm\", \"build.sh\"]\n\n\
             [serve]\nlisten = \"127.0.0.1:0\"\nstore = \"memory\"\n"
        ),
    );
    folder.write("source.wasm", fs::read(GUEST).unwrap());
}

/// A running `host-cli dev`.
pub struct Dev {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: Receiver<String>,
    /// What was read of stderr so far.
    pub seen: String,
    pub address: SocketAddr,
}

impl Dev {
    pub fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut all = vec!["dev"];
        all.extend_from_slice(arguments);
        let mut child = command(&all)
            .current_dir(folder.path("."))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, stderr) = mpsc::channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in errors.lines() {
                let Ok(()) = sender.send(line.unwrap()) else {
                    return;
                };
            }
        });
        let mut first = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut first).unwrap();
        let address = first.trim().strip_prefix("listening on http://");
        let address = address
            .unwrap_or_else(|| panic!("{first:?}"))
            .parse()
            .unwrap();
        Self {
            stdin: child.stdin.take(),
            child,
            stderr,
            seen: String::new(),
            address,
        }
    }

    /// Waits for a line on stderr with this text; returns everything since the last wait.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        let mut read = String::new();
        while Instant::now() < until {
            let line = match self.stderr.recv_timeout(Duration::from_secs(1)) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => continue,
                // It has ended.
                Err(RecvTimeoutError::Disconnected) => break,
            };
            read.push_str(&line);
            read.push('\n');
            if line.contains(text) {
                self.seen.push_str(&read);
                return read;
            }
        }
        panic!("no line with {text:?} in {}{read}", self.seen);
    }

    pub fn type_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub fn ask(&self, request: &str) -> String {
        ask(self.address, request).unwrap()
    }

    pub fn get(&self, path: &str) -> String {
        self.get_with(path, "")
    }

    /// The same with further header lines.
    pub fn get_with(&self, path: &str, headers: &str) -> String {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n"
        ))
    }

    pub fn post(&self, body: &str) -> String {
        self.ask(&format!(
            "POST /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Types `q` and waits for the end.
    pub fn quit(mut self) -> (i32, String) {
        self.type_line("q");
        let code = self.child.wait().unwrap().code().unwrap();
        let rest: Vec<String> = self.stderr.iter().collect();
        (code, rest.join("\n"))
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn ask(address: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
