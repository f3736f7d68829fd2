//! The cost of the component compared with the same logic compiled natively. `cargo xtask bench` builds in release mode and runs this.
//!
//! Everything is measured in one run, interleaved, and printed as medians and ratios, because absolute figures depend on the machine.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read what they or the hosts wrote"
)]

mod growth;
mod guest;
mod instructions;
mod lambda;
mod load;
mod normaliser;
mod overhead;
mod peers;
mod release;
mod replay;
mod report;
mod serve;
mod sizes;
mod tables;
mod tape;
mod turns;
mod workload;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The same allocator as in `host-cli`, so that the native server has it as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let run = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        // The comparison server runs in a process of its own, as `host-cli serve` does.
        ["native-server"] => serve::native_server(),
        ["instructions"] => instructions::run(),
        // Under callgrind.
        ["instructions-of", subject, times, folder] => {
            instructions::subject(subject, times, Path::new(folder))
        }
        [] => all(),
        ["growth"] => growth::run(),
        ["guest"] => guest::run(),
        ["overhead"] => overhead::run(),
        // Needs programs that `all` has not built: xtask runs it after the others.
        ["lambda"] => lambda::run(),
        ["normaliser"] => normaliser::run(),
        // The same.
        ["peers"] => peers::run(&host_cli()),
        ["release"] => release::run(),
        ["replay"] => replay::run(&host_cli()),
        ["serve"] => serve::run(&host_cli()),
        ["sizes"] => sizes::run(),
        ["tables"] => tables::run(),
        ["tape"] => tape::run(&host_cli()),
        other => Err(anyhow::anyhow!(
            "unknown benchmark `{}`: growth, guest, instructions, normaliser, overhead, release, replay, serve, sizes, tables, tape, lambda or peers",
            other.join(" ")
        )),
    };
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn all() -> anyhow::Result<()> {
    report::machine();
    guest::run()?;
    overhead::run()?;
    normaliser::run()?;
    sizes::run()?;
    // Before a million items use and free memory.
    growth::run()?;
    tables::run()?;
    replay::run(&host_cli())?;
    tape::run(&host_cli())?;
    release::run()?;
    serve::run(&host_cli())
}

/// The binary that `cargo xtask bench` has built, beside this one.
fn host_cli() -> PathBuf {
    let own = env::current_exe().unwrap_or_default();
    own.ancestors()
        .nth(2)
        .map(|target| target.join("host-cli"))
        .unwrap_or_default()
}
