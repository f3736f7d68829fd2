//! How the program ends: documented exit codes, and failures that say what is wrong and what to do about it.

use contract::text::printable;
use std::{fmt, process::ExitCode};

/// The meaning of the exit codes of all commands, shown by `--help`.
pub const EXIT_CODES_HELP: &str = "\
Exit codes:
  0    done; for `replay` and `test`, everything is as expected
  1    a check failed: something differs (`replay`, `test`, `table check`,
       `wit`), a request did not become a case (`tape cases`), an item is
       missing or in another state (`store get`, `store put`, `store delete`),
       the gate found a difference or the release was refused (`promote`,
       `rollback`), an event was refused (`invoke`, `replay`), a host could not
       serve the channel (`channel verify`), a document was left out
       (`releases`, `published`), the template is not what would be generated
       or cannot work (`template`), or this host cannot run the guest
       (`inspect`)
  2    the command line is wrong
  3    the environment is at fault: a file, a port, a store, a guest
  130  interrupted by SIGINT; 143 by SIGTERM
  141  the reader of the output has closed it";

/// Shells add this to the number of the signal that ended a program.
const SIGNALLED: u8 = 128;
const SIGPIPE: u8 = 13;

/// How a command ended if it could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is as expected: exit code 0.
    Same,
    /// The work is done, but a check failed: exit code 1.
    Differs,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Same => Self::SUCCESS,
            Outcome::Differs => Self::from(1),
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub struct CommandError {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Refused,
    Usage,
    Environment,
    /// The reader of the output has closed it, so nothing can be reported.
    OutputClosed,
    /// A signal interrupted the program: its number.
    Interrupted(u8),
}

impl CommandError {
    /// This host does not answer such an event: exit code 1.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// The command line is invalid: exit code 2.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A file, a port, a store or a guest is missing or invalid: exit code 3.
    pub fn environment(message: impl fmt::Display) -> Self {
        Self::new(Kind::Environment, message)
    }

    /// Writing a result failed.
    pub fn output(error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::BrokenPipe => Kind::OutputClosed,
            _ => Kind::Environment,
        };
        Self::new(kind, format_args!("failed to write the result: {error}"))
    }

    /// SIGINT or SIGTERM, by its number.
    pub fn interrupted(signal: u8) -> Self {
        Self::new(Kind::Interrupted(signal), "interrupted")
    }

    /// Whether the command line is invalid.
    pub fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// Whether something was refused that others are not.
    pub fn is_refused(&self) -> bool {
        self.kind == Kind::Refused
    }

    /// Whether the reader of stdout has closed it.
    pub fn is_output_closed(&self) -> bool {
        self.kind == Kind::OutputClosed
    }

    /// Adds a hint that says what to do.
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(one_line(hint));
        self
    }

    fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: one_line(message),
            hint: None,
        }
    }

    /// The lines for stderr, if there is anything to say.
    pub fn render(&self, colour: bool) -> Option<String> {
        if self.kind == Kind::OutputClosed {
            return None;
        }
        let (red, plain) = if colour {
            ("\x1b[1;31m", "\x1b[0m")
        } else {
            ("", "")
        };
        let mut text = format!("{red}error:{plain} {}\n", self.message);
        if let Some(hint) = &self.hint {
            text.push_str("  hint: ");
            text.push_str(hint);
            text.push('\n');
        }
        Some(text)
    }

    /// What failed, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, in one line.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The documented exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            // Shells report a program that a signal ended by this exit code.
            Kind::OutputClosed => SIGNALLED + SIGPIPE,
            Kind::Interrupted(signal) => SIGNALLED + signal,
            Kind::Refused => 1,
            Kind::Usage => 2,
            Kind::Environment => 3,
        })
    }
}

/// Messages may contain foreign text: a failure is printed as one line, without terminal control characters.
fn one_line(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    printable(&lines.join("; ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_and_a_hint() {
        let failure = CommandError::environment("broken\n\n  in \x1b \u{202e} two").hint("mend it");
        insta::assert_snapshot!(failure.render(false).unwrap(), @r"
        error: broken; in \u001b \u202e two
          hint: mend it
        ");
        assert!(
            failure
                .render(true)
                .unwrap()
                .starts_with("\x1b[1;31merror:\x1b[0m broken")
        );
    }

    #[test]
    fn a_closed_pipe_is_not_worth_a_word() {
        let error = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let failure = CommandError::output(&error);
        assert_eq!(failure.render(false), None);
        // The output is incomplete, so this is not a success.
        assert_eq!(failure.exit_code(), ExitCode::from(141));
    }
}
