//! The program `bootstrap`: the Lambda host with the real clock and real random numbers.

use std::process::ExitCode;

fn main() -> ExitCode {
    host_lambda::run(host_lambda::SystemSource)
}
