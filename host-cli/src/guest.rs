//! `--guest`: the embedded reference guest, or one from a file.

pub mod environment;
mod images;

use crate::{exit::CommandError, input};
use runtime::{
    Environment, Runtime, RuntimeOptions,
    engine::{self, Candidate, Engine, EngineOptions, Guest, LoadError},
};
use std::path::{Path, PathBuf};

/// Largest size of a guest's file. Interpreters with their language's library have about ten megabytes, and several times that when
/// compiled.
pub const GUEST_BYTES_MAX: u64 = 256 << 20;

/// The reference guest that the build script built.
static EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));

/// The name of the embedded guest on the command line. A file of this name is written `./embedded`.
pub const EMBEDDED_NAME: &str = "embedded";

/// Where the guest comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestSource {
    /// The items API inside this program.
    Embedded,
    /// A component or an image.
    File(PathBuf),
}

impl GuestSource {
    /// The guest named by `--guest`, or by default the embedded one.
    pub fn resolve(named: Option<&Path>) -> Self {
        named.map_or(Self::Embedded, Self::named)
    }

    /// A file, or the embedded guest if the name is its name.
    pub fn named(name: &Path) -> Self {
        if name == Path::new(EMBEDDED_NAME) {
            Self::Embedded
        } else {
            Self::File(name.to_owned())
        }
    }

    /// Its file, unless it is the embedded guest.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Embedded => None,
            Self::File(path) => Some(path),
        }
    }

    /// Describes the guest to the user.
    pub fn describe(&self) -> String {
        match self {
            Self::Embedded => {
                format!("{EMBEDDED_NAME}, the reference guest in this program: the items API")
            }
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Loads and links the guest, for up to `instances_max` concurrent requests.
    pub fn link(
        &self,
        instances_max: usize,
        environment: Environment,
    ) -> Result<Runtime, CommandError> {
        self.link_on(&engine(instances_max)?, environment)
    }

    /// Loads and links the guest on the given engine.
    pub fn link_on(
        &self,
        engine: &Engine,
        environment: Environment,
    ) -> Result<Runtime, CommandError> {
        let (name, guest) = self.load(engine)?;
        let options = RuntimeOptions {
            environment,
            ..RuntimeOptions::default()
        };
        Runtime::new(engine, &guest, options).map_err(|error| cannot_load(&name, &error))
    }

    /// Whether it is a component, which can be compiled for any engine, and not an image.
    pub fn is_component(&self) -> Result<bool, CommandError> {
        Ok(self.read()?.1.starts_with(b"\0asm"))
    }

    /// Its name in messages, and its bytes.
    pub fn read(&self) -> Result<(String, Vec<u8>), CommandError> {
        Ok(match self {
            Self::Embedded => (EMBEDDED_NAME.to_owned(), EMBEDDED.to_vec()),
            Self::File(path) => (
                path.display().to_string(),
                input::read_file(path, "guest", GUEST_BYTES_MAX)?,
            ),
        })
    }

    /// Loads the guest, and returns it with its name for messages.
    pub fn load(&self, engine: &Engine) -> Result<(String, Guest), CommandError> {
        let (name, bytes) = self.read()?;
        let candidate = self.candidate(engine, &bytes);
        let guest = candidate.and_then(Candidate::accept);
        Ok((
            name.clone(),
            guest.map_err(|error| cannot_load(&name, &error))?,
        ))
    }

    /// Reads a guest from these bytes, without checking that it can run here. Native code is accepted only from a file whose name says so.
    pub fn candidate(&self, engine: &Engine, bytes: &[u8]) -> Result<Candidate, LoadError> {
        match self {
            Self::File(path) if engine::is_image_name(path) && !bytes.starts_with(b"\0asm") => {
                engine.read_image(bytes)
            }
            Self::File(_) | Self::Embedded => images::read(engine, bytes),
        }
    }
}

/// An engine for up to `instances_max` concurrent instances that meters the work of guests.
pub fn metered_engine(instances_max: usize) -> Result<Engine, CommandError> {
    Engine::metered(&options(instances_max)).map_err(CommandError::environment)
}

/// An engine for up to `instances_max` concurrent instances.
pub fn engine(instances_max: usize) -> Result<Engine, CommandError> {
    Engine::new(&options(instances_max)).map_err(CommandError::environment)
}

fn options(instances_max: usize) -> EngineOptions {
    EngineOptions {
        instances_max: u32::try_from(instances_max).unwrap_or(u32::MAX),
        pools: std::thread::available_parallelism().map_or(1, |count| count.get() as u32),
        ..EngineOptions::default()
    }
}

/// The failure to load a guest from a file's bytes.
pub fn cannot_load(name: &str, error: &LoadError) -> CommandError {
    CommandError::environment(format_args!("guest `{name}`: {error}")).hint(error.hint())
}
