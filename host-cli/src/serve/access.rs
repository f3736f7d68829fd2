//! Access lines on stderr, written by a thread of its own: a request only appends its line to a buffer.

use contract::count::counted;
use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// How long lines are collected before they are written. Under load, one write then contains hundreds of lines.
const COLLECT_DURATION: Duration = Duration::from_millis(5);
/// Bytes of lines that may wait if stderr is not read. Further lines are dropped and counted.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// How long the end of the program waits if stderr is not read.
const END_DURATION_MAX: Duration = Duration::from_secs(1);

/// Accepts lines. Dropping it writes the remaining lines, unless stderr is not read.
pub struct AccessLog {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    dropped: u64,
    /// Some lines are on their way to the sink.
    is_writing: bool,
    is_closed: bool,
    /// The thread has ended.
    is_written: bool,
}

impl AccessLog {
    /// Starts a thread that writes to `sink`.
    pub fn new(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || {
                theirs.write_all(sink);
                theirs.lock().is_written = true;
                theirs.changed.notify_all();
            })?;
        Ok(Self { shared })
    }

    /// Appends what `write` writes: whole lines. Never waits for the sink.
    pub fn add(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut waiting = self.shared.lock();
        if waiting.lines.len() >= WAITING_BYTES_MAX {
            waiting.dropped += 1;
            return;
        }
        let was_empty = waiting.lines.is_empty();
        write(&mut waiting.lines);
        drop(waiting);
        if was_empty {
            self.shared.changed.notify_all();
        }
    }

    /// Waits until everything that was added is written, so that other output comes behind it; not for long if the sink does not take it.
    pub fn flush(&self) {
        let _ = self.shared.changed.wait_timeout_while(
            self.shared.lock(),
            END_DURATION_MAX,
            |waiting| waiting.is_writing || !waiting.lines.is_empty(),
        );
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.changed.notify_all();
        let _ = self.shared.changed.wait_timeout_while(
            self.shared.lock(),
            END_DURATION_MAX,
            |waiting| !waiting.is_written,
        );
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut sink: impl Write) {
        let mut lines = Vec::new();
        loop {
            let waiting = self
                .changed
                .wait_while(self.lock(), |waiting| {
                    waiting.lines.is_empty() && !waiting.is_closed
                })
                .unwrap_or_else(PoisonError::into_inner);
            let is_closed = waiting.is_closed;
            drop(waiting);
            if !is_closed {
                thread::sleep(COLLECT_DURATION);
            }
            let mut waiting = self.lock();
            std::mem::swap(&mut lines, &mut waiting.lines);
            let dropped = std::mem::take(&mut waiting.dropped);
            waiting.is_writing = true;
            drop(waiting);
            // If stderr is closed, there is nowhere to report the error.
            let _ = sink.write_all(&lines);
            if dropped > 0 {
                let _ = writeln!(
                    sink,
                    "{} dropped: stderr was not read",
                    counted(dropped, "line", "lines")
                );
            }
            lines.clear();
            self.lock().is_writing = false;
            self.changed.notify_all();
            if is_closed {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    struct Sink(mpsc::Sender<Vec<u8>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Takes nothing until somebody receives.
    struct Held(mpsc::SyncSender<Vec<u8>>);

    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Stuck(mpsc::SyncSender<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_keep_their_order_and_none_is_lost_at_the_end() {
        let (sender, receiver) = mpsc::channel();
        let log = AccessLog::new(Sink(sender)).unwrap();
        for line in 0..1000 {
            log.add(|lines| writeln!(lines, "{line}").unwrap());
        }
        drop(log);
        let written: Vec<u8> = receiver.iter().flatten().collect();
        let expected: String = (0..1000).map(|line| format!("{line}\n")).collect();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn after_a_flush_everything_is_written() {
        let (sender, receiver) = mpsc::channel();
        let log = AccessLog::new(Sink(sender)).unwrap();
        log.flush();
        log.add(|lines| lines.extend_from_slice(b"line\n"));
        log.flush();
        assert_eq!(receiver.try_recv(), Ok(b"line\n".to_vec()));
    }

    #[test]
    fn a_reader_that_does_not_read_holds_the_end_up_only_for_so_long() {
        let (sender, receiver) = mpsc::sync_channel(0);
        let log = AccessLog::new(Stuck(sender)).unwrap();
        log.add(|lines| lines.extend_from_slice(b"line\n"));
        drop(log);
        assert_eq!(receiver.recv(), Ok(()));
    }

    #[test]
    fn lines_beyond_the_bound_are_counted() {
        let (sender, receiver) = mpsc::sync_channel(0);
        let log = AccessLog::new(Held(sender)).unwrap();
        log.add(|lines| lines.extend_from_slice(b"first\n"));
        // The thread has taken the first line and waits until it is received.
        while !log.shared.lock().is_writing {
            thread::yield_now();
        }
        let mut long = vec![b'x'; WAITING_BYTES_MAX];
        long.push(b'\n');
        log.add(|lines| lines.extend_from_slice(&long));
        for _ in 0..2 {
            log.add(|lines| lines.extend_from_slice(b"lost\n"));
        }
        let reader = thread::spawn(move || receiver.iter().flatten().collect::<Vec<u8>>());
        drop(log);
        let written = reader.join().unwrap();
        let rest = written.strip_prefix(b"first\n").unwrap();
        let rest = rest.strip_prefix(&*long).unwrap();
        let rest = String::from_utf8_lossy(rest);
        assert_eq!(rest, "2 lines dropped: stderr was not read\n");
    }
}
