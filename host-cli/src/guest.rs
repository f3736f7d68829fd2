//! `--guest`: a guest from a file, or the embedded reference guest.

pub mod environment;
mod hosted;
mod images;
mod secrets;
mod warnings;

pub use self::secrets::{provider as secrets, say_plainly};
pub use hosted::{HostedGuest, runtime_options, services, with_those_of_project};

use crate::{
    exit::CommandError,
    input, ownership,
    project::{EMBEDDED_NAME, PROJECT_FILE, Project},
};
use files::NamedBy;
use runtime::{
    Runtime, RuntimeOptions,
    engine::{self, Candidate, Engine, EngineOptions, Guest, LoadError},
};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// Largest size of a guest's file. Interpreters with their language's library have about ten megabytes, and several times that when
/// compiled.
pub const GUEST_BYTES_MAX: u64 = 256 << 20;

/// The reference guest that the build script built.
static EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));

/// Where the guest comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestSource {
    /// The items API inside this program.
    Embedded,
    /// A component or an image that the user named, or whose project the user named.
    File(PathBuf),
    /// A component of a project that was found: it is loaded only if nobody else can have written it. It is never an image, because who
    /// replays a project that somebody sent, or serves it, did not ask to run native code.
    Found(PathBuf),
}

impl GuestSource {
    /// The guest that the command line names, otherwise that of the project. The embedded guest only runs if either names it.
    pub fn resolve(named: Option<&Path>, project: Option<&Project>) -> Result<Self, CommandError> {
        if let Some(name) = named {
            return Ok(Self::named(name));
        }
        match project {
            Some(project) => Self::of_project(project).ok_or_else(|| {
                CommandError::usage(format_args!(
                    "`{}` does not say where the guest is",
                    project.path_of_file().display()
                ))
                .hint("add `component = \"FILE.wasm\"` to its section `[guest]`, or name a guest with `--guest FILE`")
            }),
            None => Err(CommandError::usage(format_args!(
                "no guest is named, and neither this folder nor one above has a `{PROJECT_FILE}`"
            ))
            .hint(format_args!(
                "name one with `--guest FILE`, or `--guest {EMBEDDED_NAME}` for the items API in this program; `host-cli new` makes a project"
            ))),
        }
    }

    /// The guest of a project, if its file names one.
    pub fn of_project(project: &Project) -> Option<Self> {
        Some(match Self::named(&project.component()?) {
            Self::File(path) if !project.is_named() => Self::Found(path),
            named @ (Self::Embedded | Self::File(_) | Self::Found(_)) => named,
        })
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
            Self::File(path) | Self::Found(path) => Some(path),
        }
    }

    /// Describes the guest to the user.
    pub fn describe(&self) -> String {
        match self {
            Self::Embedded => {
                format!("{EMBEDDED_NAME}, the reference guest in this program: the items API")
            }
            Self::File(path) | Self::Found(path) => path.display().to_string(),
        }
    }

    /// Loads and links the guest on the given engine.
    pub fn link_on(
        &self,
        engine: &Engine,
        options: RuntimeOptions,
    ) -> Result<Runtime, CommandError> {
        let (name, guest) = self.load(engine)?;
        Runtime::new(engine, &guest, options).map_err(|error| cannot_load(&name, &error))
    }

    /// Whether it is a component, which can be compiled for any engine, and not an image.
    pub fn is_component(&self) -> Result<bool, CommandError> {
        Ok(self.read()?.1.starts_with(b"\0asm"))
    }

    /// Its name in messages, and its bytes.
    pub fn read(&self) -> Result<(String, Vec<u8>), CommandError> {
        let path = match self {
            Self::Embedded => return Ok((EMBEDDED_NAME.to_owned(), EMBEDDED.to_vec())),
            Self::File(path) => path,
            Self::Found(path) => {
                ownership::check("guest", path)?;
                path
            }
        };
        // `dev` reads it again and again, and a project names it: it must not wait for the other end of a pipe.
        let bytes = input::read_named(path, NamedBy::Setting, "guest", GUEST_BYTES_MAX)?;
        if matches!(self, Self::Found(_)) && engine::is_image_name(path) {
            return Err(CommandError::environment(format_args!(
                "guest `{}` is an image by its name, which is native code; the guest of a project is a component",
                path.display()
            ))
            .hint("name the component in `[guest]` of tenon.toml, or the image with `--guest FILE` if you trust who compiled it"));
        }
        Ok((path.display().to_string(), bytes))
    }

    /// Loads the guest, and returns it with its name for messages.
    pub fn load(&self, engine: &Engine) -> Result<(String, Guest), CommandError> {
        let (name, candidate) = match self.cached(engine) {
            Some((path, candidate)) => (path.display().to_string(), Ok(candidate)),
            None => {
                let (name, bytes) = self.read()?;
                (name, self.candidate(engine, &bytes))
            }
        };
        match candidate.and_then(Candidate::accept) {
            Ok(guest) => Ok((name, guest)),
            Err(error) => Err(cannot_load(&name, &error)),
        }
    }

    /// The cached image of the component in its file. `None` also if something is wrong with the file, which [`Self::read`] says.
    fn cached(&self, engine: &Engine) -> Option<(&Path, Candidate)> {
        let path = match self {
            Self::Embedded => return None,
            Self::File(path) => path,
            Self::Found(path) => {
                ownership::check("guest", path).ok()?;
                path
            }
        };
        let file = (!engine::is_image_name(path)).then(|| files::open(path, NamedBy::Setting));
        Some((
            path,
            images::cached(engine, file?.ok()?.take(GUEST_BYTES_MAX))?,
        ))
    }

    /// Reads a guest from these bytes, without checking that it can run here. Native code is accepted only from a file whose name says so.
    pub fn candidate(&self, engine: &Engine, bytes: &[u8]) -> Result<Candidate, LoadError> {
        match self {
            Self::File(path) if engine::is_image_name(path) && !bytes.starts_with(b"\0asm") => {
                engine.read_image(bytes)
            }
            Self::File(_) | Self::Found(_) | Self::Embedded => images::read(engine, bytes),
        }
    }
}

/// Reads a component from its bytes or the cache, without checking that it can run here.
pub fn read_component(engine: &Engine, component: &[u8]) -> Result<Candidate, LoadError> {
    images::read(engine, component)
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

#[cfg(test)]
mod tests;
