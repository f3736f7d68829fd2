//! What a developer types: one command a line.

use std::{
    io::{self, BufRead, IsTerminal, Read, Stdin},
    os::{fd::AsFd, unix::fs::FileTypeExt},
};

/// Longest line that is read. Names of cases are shorter.
const LINE_BYTES_MAX: u64 = 4096;

/// What the keys do, shown by `h`.
pub const HELP: &str = "\
d N         show what differs for request N in full
t N [NAME]  make a case of request N, without credentials
t N [NAME] as-sent   the same, with credentials as they were sent
p           write a page with all requests and what differs
r           build again
h           show these keys
q           quit
";

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Show the difference of a request.
    Difference(u64),
    /// Make a case of a request.
    Case(NewCase),
    /// Write a page with all requests.
    Page,
    /// Build again.
    Rebuild,
    /// Show the keys.
    Help,
    /// End the program.
    Quit,
    /// An empty line: nothing.
    Nothing,
    /// Anything else: what to say.
    Unknown(String),
}

/// A case to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCase {
    /// The request.
    pub number: u64,
    /// The name, if it is to have this one.
    pub name: Option<String>,
    /// Whether credentials stay in it.
    pub is_as_sent: bool,
}

/// The word for a case with credentials.
const AS_SENT: &str = "as-sent";

impl Key {
    /// Reads a line.
    pub fn read(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let (key, argument) = (words.next(), words.next());
        let mut rest: Vec<&str> = words.collect();
        let is_as_sent = key == Some("t") && rest.last() == Some(&AS_SENT);
        if is_as_sent {
            rest.pop();
        }
        let name = rest.first().map(|name| (*name).to_owned());
        let number = |use_of: fn(u64) -> Self| match argument.map(str::parse) {
            Some(Ok(number)) => use_of(number),
            Some(Err(_)) | None => Self::Unknown(format!(
                "`{}` needs the number of a request, which its line shows: `{} 17`",
                key.unwrap_or_default(),
                key.unwrap_or_default()
            )),
        };
        match key {
            None => Self::Nothing,
            Some(_) if rest.len() > 1 => Self::unknown(line),
            Some("d") if name.is_none() => number(Self::Difference),
            Some("t") => match number(Self::Difference) {
                Self::Difference(number) => Self::Case(NewCase {
                    number,
                    name,
                    is_as_sent,
                }),
                other => other,
            },
            Some("p") if argument.is_none() => Self::Page,
            Some("r") if argument.is_none() => Self::Rebuild,
            Some("h" | "?" | "help") if argument.is_none() => Self::Help,
            Some("q" | "quit" | "exit") if argument.is_none() => Self::Quit,
            Some(_) => Self::unknown(line),
        }
    }

    fn unknown(line: &str) -> Self {
        Self::Unknown(format!(
            "unknown command `{}`; `h` shows the keys",
            line.trim()
        ))
    }
}

/// Whether a person or a program can type here: a terminal that this program may read from, or a pipe. A terminal stops a background job that
/// reads from it.
pub fn are_typed(stdin: &Stdin) -> bool {
    if stdin.is_terminal() {
        return is_in_foreground();
    }
    let file = stdin.as_fd().try_clone_to_owned().map(std::fs::File::from);
    let metadata = file.and_then(|file| file.metadata());
    metadata.is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_fifo() || kind.is_socket()
    })
}

#[expect(
    unsafe_code,
    reason = "the standard library does not know the groups of processes"
)]
fn is_in_foreground() -> bool {
    // SAFETY: both calls have no memory arguments.
    let (owner, own) = unsafe { (libc::tcgetpgrp(libc::STDIN_FILENO), libc::getpgrp()) };
    owner == own
}

/// Reads commands until the input ends, or `each` says that it was the last one.
pub fn read(input: impl BufRead, mut each: impl FnMut(Key) -> bool) -> io::Result<()> {
    let mut input = input;
    loop {
        let mut line = Vec::new();
        (&mut input)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LINE_BYTES_MAX {
            input.skip_until(b'\n')?;
        }
        if !each(Key::read(&String::from_utf8_lossy(&line))) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command() {
        assert_eq!(Key::read("d 17\n"), Key::Difference(17));
        let case = |name: Option<&str>, is_as_sent| {
            Key::Case(NewCase {
                number: 3,
                name: name.map(str::to_owned),
                is_as_sent,
            })
        };
        assert_eq!(Key::read(" t 3\r\n"), case(None, false));
        assert_eq!(Key::read("t 3 gone"), case(Some("gone"), false));
        assert_eq!(Key::read("t 3 as-sent"), case(None, true));
        assert_eq!(Key::read("t 3 gone as-sent"), case(Some("gone"), true));
        assert_eq!(Key::read("p"), Key::Page);
        assert_eq!(Key::read("q"), Key::Quit);
        assert_eq!(Key::read("\n"), Key::Nothing);
        for bad in [
            "d",
            "d x",
            "d -1",
            "t",
            "d 1 2",
            "x",
            "p 1",
            "q q",
            "t 1 a b",
            "d 1 as-sent",
        ] {
            let Key::Unknown(text) = Key::read(bad) else {
                panic!("{bad}");
            };
            assert!(
                text.contains("needs the number") || text.contains("`h`"),
                "{text}"
            );
        }
    }

    #[test]
    fn reading_ends_with_the_input_or_the_last_command() {
        let keys = |input: &str| {
            let mut keys = Vec::new();
            read(input.as_bytes(), |key| {
                let is_last = key == Key::Quit;
                keys.push(key);
                !is_last
            })
            .unwrap();
            keys
        };
        assert_eq!(keys("h\nr"), [Key::Help, Key::Rebuild]);
        assert_eq!(keys("q\nr\n"), [Key::Quit]);
        assert_eq!(keys(""), []);
        let long = format!("{}\nh\n", "x".repeat(10_000));
        let read = keys(&long);
        assert!(
            matches!(read.as_slice(), [Key::Unknown(_), Key::Help]),
            "{}",
            read.len()
        );
    }
}
