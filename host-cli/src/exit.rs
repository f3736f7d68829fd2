//! How the program ends: documented exit codes, and failures that say what is wrong and what to do about it.

use std::{fmt, process::ExitCode};

/// What the exit code of every command means. Shown by `--help`.
pub const EXIT_CODES_HELP: &str = "\
Exit codes:
  0  done; for `replay`, everything came out as expected
  1  something differs (`replay`, `table check`), an event was refused (`invoke`, `replay`), or this host cannot run the guest (`inspect`)
  2  the command line is wrong
  3  the environment is: a file, a port, a store, a guest";

/// How a command ended when it could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is as it should be: exit code 0.
    Same,
    /// The work is done, and its result is not what was asked for: exit code 1.
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
pub struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Refused,
    Usage,
    Environment,
    /// Whoever read the output has gone: nobody is left to tell.
    OutputClosed,
}

impl Failure {
    /// The event is not one that this host answers: exit code 1.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// The command line asks for something that cannot be: exit code 2.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A file, a port, a store or a guest is not as needed: exit code 3.
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

    /// Says what to do about it.
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

    /// The documented exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::OutputClosed => 0,
            Kind::Refused => 1,
            Kind::Usage => 2,
            Kind::Environment => 3,
        })
    }
}

/// Messages may come from elsewhere; one failure stays one line, without control characters for the terminal.
fn one_line(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines
        .join("; ")
        .replace(|character: char| character.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_and_a_hint() {
        let failure = Failure::environment("broken\n\n  in \x1b two").hint("mend it");
        insta::assert_snapshot!(failure.render(false).unwrap(), @r"
        error: broken; in   two
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
        assert_eq!(Failure::output(&error).render(false), None);
    }
}
