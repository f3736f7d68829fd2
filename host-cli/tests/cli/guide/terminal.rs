//! A terminal in which a program runs.

use super::page::matches_line;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// A first build of a project takes a minute on two busy cores.
const LINE_DURATION_MAX: Duration = Duration::from_secs(400);

pub struct Terminal {
    program: Child,
    lines: Receiver<String>,
    /// What was printed so far, for messages.
    seen: Vec<String>,
}

impl Terminal {
    /// Starts a program whose stdout is everything that it prints.
    pub fn start(command: &mut Command) -> Self {
        let mut program = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(program.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            program,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line. Others may come before it.
    #[track_caller]
    pub fn expect(&mut self, expected: &str, place: &str) {
        let deadline = Instant::now() + LINE_DURATION_MAX;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let seen = self.seen.join("\n");
                panic!("{place}: `{expected}` was not printed, but\n{seen}");
            };
            let is_expected = matches_line(expected, &line);
            self.seen.push(line);
            if is_expected {
                return;
            }
        }
    }

    /// Reads to the line that `is_last` recognises, and returns all lines.
    pub fn read_to(&mut self, is_last: impl Fn(&str) -> bool, place: &str) -> Vec<String> {
        let deadline = Instant::now() + LINE_DURATION_MAX;
        let mut read = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!(
                    "{place}: the last line was not printed, but\n{}",
                    read.join("\n")
                );
            };
            self.seen.push(line.clone());
            read.push(line);
            if read.last().is_some_and(|line| is_last(line)) {
                return read;
            }
        }
    }

    pub fn type_line(&mut self, line: &str) {
        let stdin = self.program.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }

    /// Ends the program by the key `q`, or by `^C`.
    /// Returns what it printed to its end.
    pub fn end(mut self, key: &str) -> Vec<String> {
        if key == "q" {
            self.type_line("q");
        } else {
            let program = self.program.id().to_string();
            let status = Command::new("kill").args(["-INT", &program]).status();
            assert!(status.unwrap().success());
        }
        let status = self.program.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.seen.join("\n"));
        self.lines.iter().collect()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
