//! `compile`: a component to an image for one processor.

use crate::{
    args::{ArchName, CompileArgs},
    exit::{Failure, Outcome},
    guest::{self, GuestSource},
    output,
    replacement::{self, Readers},
};
use contract::compatibility::Target;
use runtime::engine;
use std::path::PathBuf;

/// The output in messages.
const WHAT: &str = "image";

/// What to compile, for what, to where.
pub struct Configuration {
    guest: GuestSource,
    output: PathBuf,
    target: Target,
}

/// Checks what can be checked before compiling.
pub fn resolve(arguments: &CompileArgs) -> Result<Configuration, Failure> {
    let target = match arguments.arch {
        Some(ArchName::X86_64) => Target::X86_64,
        Some(ArchName::Arm64) => Target::Aarch64,
        None => Target::HOST.ok_or_else(|| {
            Failure::usage("images cannot be made for this machine's processor")
                .hint("name one with `--arch x86_64` or `--arch arm64`")
        })?,
    };
    let guest = GuestSource::resolve(arguments.guest.as_deref());
    replacement::check(&arguments.output, WHAT, guest.path())?;
    Ok(Configuration {
        guest,
        output: arguments.output.clone(),
        target,
    })
}

/// Compiles, then puts the image in place as a whole.
pub fn run(configuration: Configuration) -> Result<Outcome, Failure> {
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
