//! `compile`: compiles a component to an image for one processor.

use crate::{
    args::{ArchName, CompileArgs},
    exit::{CommandError, Outcome},
    guest::{self, GuestSource},
    output,
    project::Project,
    replacement::{self, Readers},
};
use contract::compatibility::Target;
use runtime::engine;
use std::path::PathBuf;

/// Name of the output in messages.
const WHAT: &str = "image";

/// The component, the processor to compile for, and the output file.
pub struct Configuration {
    guest: GuestSource,
    output: PathBuf,
    target: Target,
}

/// Checks what can be checked before compiling.
pub fn resolve(
    arguments: &CompileArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    let target = match arguments.arch {
        Some(ArchName::X86_64) => Target::X86_64,
        Some(ArchName::Arm64) => Target::Aarch64,
        None => Target::HOST.ok_or_else(|| {
            CommandError::usage("cannot compile for this machine's processor")
                .hint("name another one with `--arch x86_64` or `--arch arm64`")
        })?,
    };
    let guest = GuestSource::resolve(arguments.guest.as_deref(), project)?;
    replacement::check(&arguments.output, WHAT, guest.path())?;
    Ok(Configuration {
        guest,
        output: arguments.output.clone(),
        target,
    })
}

/// Compiles, then writes the image completely or not at all.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration {
        guest,
        output,
        target,
    } = configuration;
    let (name, component) = guest.read()?;
    let image =
        engine::compile(&component, target).map_err(|error| guest::cannot_load(&name, &error))?;
    replacement::replace(&output, Readers::Usual, &image)
        .map_err(|error| replacement::cannot_write(&output, WHAT, &error))?;
    output::remark(&format!(
        "wrote `{}`, {} bytes, of guest {}\n",
        output.display(),
        image.len(),
        guest.describe()
    ));
    Ok(Outcome::Same)
}
