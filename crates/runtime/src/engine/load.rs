//! Loads a guest so that it can be linked: compiles a component, or checks and maps an image.

use super::{
    Engine,
    image::{self, Image, ImageError, is_image_name},
    inspect::Inspection,
    load_error::LoadError,
};
use crate::{
    imports::{is_outgoing, is_secrets},
    world::World,
};
use contract::{digest::Digest, limits::IMAGE_BYTES_MAX};
use files::{self, FileError, NamedBy};
use std::{fs::File, path::Path, sync::Arc};
use wasmtime::component::Component;

/// A loaded component whose imports this host provides and whose exports it can call.
#[derive(Clone)]
pub struct Guest {
    /// One for each pool of the engine.
    pub(crate) components: Arc<[Component]>,
    digest: Digest,
    pub(crate) world: World,
    /// The import for requests to other services, if it has one.
    pub(crate) outgoing: Option<Arc<str>>,
    /// The import for uses of secrets, if it has one.
    pub(crate) secrets: Option<Arc<str>>,
}

impl Guest {
    /// SHA-256 of the component (`.wasm`), the same whether it came as a component or as an image.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// A guest that was read, but not yet checked for whether it can run here.
pub struct Candidate {
    components: Arc<[Component]>,
    digest: Digest,
    inspection: Inspection,
}

impl Candidate {
    /// SHA-256 of the component. For an image it is only a claim, which nothing in the image can prove.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What it imports and exports.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// The guest, if this host provides its imports and can call its exports.
    pub fn accept(self) -> Result<Guest, LoadError> {
        let Self {
            components,
            digest,
            inspection,
        } = self;
        let import = |is_wanted: fn(&str) -> bool| {
            let mut imports = inspection.imports.iter().map(|import| import.name.as_str());
            imports.find(|import| is_wanted(import)).map(Arc::from)
        };
        let (outgoing, secrets) = (import(is_outgoing), import(is_secrets));
        let missing: Vec<String> = inspection
            .imports
            .into_iter()
            .filter(|import| !import.granted)
            .map(|import| import.name)
            .collect();
        if !missing.is_empty() {
            return Err(LoadError::NotGranted(missing));
        }
        let Some(world) = inspection.world else {
            let found = match inspection.exports.as_slice() {
                [] => "nothing".to_owned(),
                exports => format!("`{}`", exports.join("`, `")),
            };
            return Err(LoadError::WrongWorld { found });
        };
        Ok(Guest {
            components,
            digest,
            world,
            outgoing,
            secrets,
        })
    }
}

impl Engine {
    /// Loads a component, if the host has a compiler. An image is refused: native code runs only if it is explicitly requested.
    pub fn load(&self, component: &[u8]) -> Result<Guest, LoadError> {
        self.read_component(component)?.accept()
    }

    /// Loads an image.
    ///
    /// # Trust
    ///
    /// An image is native code. Call this only with images whose origin the caller trusts.
    pub fn load_image(&self, image: &[u8]) -> Result<Guest, LoadError> {
        self.read_image(image)?.accept()
    }

    /// Loads a component or, from a file whose name [says so](is_image_name), an image. An image is not read but mapped, which takes a
    /// third of the time: for files that nobody changes while they are in use, such as those of a Lambda layer.
    ///
    /// # Trust
    ///
    /// As for [`Engine::load_image`]. Changing the file later changes the code that runs.
    pub fn load_file(&self, path: &Path) -> Result<Guest, LoadError> {
        self.read_file(path)?.accept()
    }

    /// Reads a component without checking whether it can run here.
    pub fn read_component(&self, component: &[u8]) -> Result<Candidate, LoadError> {
        if image::is_image(component) {
            return Err(LoadError::NativeCode);
        }
        if is_core_module(component) {
            return Err(LoadError::CoreModule);
        }
        if !is_component(component) {
            return Err(LoadError::NotAComponent);
        }
        Ok(self.candidate(self.compile(component)?, Digest::of(component)))
    }

    /// Reads an image without checking whether it can run here.
    ///
    /// # Trust
    ///
    /// As for [`Engine::load_image`]: code that is only mapped must be trusted, too.
    pub fn read_image(&self, image: &[u8]) -> Result<Candidate, LoadError> {
        let Image { code, component } = image::open(image)?;
        Ok(self.candidate(self.deserialize(code)?, component))
    }

    /// Reads a file as [`Engine::load_file`] does, without checking whether it can run here.
    pub fn read_file(&self, path: &Path) -> Result<Candidate, LoadError> {
        if is_image_name(path)
            && let Some(component) =
                image::open_file(&files::open(path, NamedBy::Setting)?).map_err(FileError::Io)?
        {
            let digest = component?;
            return Ok(self.candidate(self.map(path)?, digest));
        }
        self.read_component(&files::read(
            path,
            NamedBy::Setting,
            IMAGE_BYTES_MAX as u64,
        )?)
    }

    /// Reads an image from an open file, whatever has its name meanwhile.
    ///
    /// # Trust
    ///
    /// As for [`Engine::load_file`].
    pub fn read_open_image(&self, file: &File) -> Result<Candidate, LoadError> {
        let digest = image::open_file(file).map_err(FileError::Io)?;
        let digest = digest.ok_or(ImageError::Truncated)??;
        let path = files::path_of_open(file);
        Ok(self.candidate(self.map(&path)?, digest))
    }

    fn candidate(&self, components: Arc<[Component]>, digest: Digest) -> Candidate {
        // It is the same in all pools, of which there is at least one.
        let inspection = Inspection::of(self, &components[0]);
        Candidate {
            components,
            digest,
            inspection,
        }
    }

    /// Compiles once; the other pools load the result as an image.
    #[cfg(feature = "compiler")]
    fn compile(&self, bytes: &[u8]) -> Result<Arc<[Component]>, LoadError> {
        super::bounds::check(bytes)?;
        super::unsupported::check(bytes)?;
        let refused = |error: wasmtime::Error| LoadError::Compile(format!("{error:#}"));
        let component = Component::from_binary(self.wasmtime(), bytes).map_err(refused)?;
        if self.pools().all().len() == 1 {
            return Ok(Arc::new([component]));
        }
        self.deserialize(&component.serialize().map_err(refused)?)
    }

    #[cfg(not(feature = "compiler"))]
    fn compile(&self, _: &[u8]) -> Result<Arc<[Component]>, LoadError> {
        Err(LoadError::NoCompiler)
    }

    fn deserialize(&self, code: &[u8]) -> Result<Arc<[Component]>, LoadError> {
        self.pools()
            .all()
            .iter()
            .map(|pool| deserialize(&pool.wasmtime, code))
            .collect()
    }

    fn map(&self, image: &Path) -> Result<Arc<[Component]>, LoadError> {
        self.pools()
            .all()
            .iter()
            .map(|pool| deserialize_file(&pool.wasmtime, image))
            .collect()
    }
}

/// The binary format's magic, then its version: 1 for core modules, 13 on layer 1 for components.
pub(super) fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm\x0d\0\x01\0")
}

pub(super) fn is_core_module(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm\x01\0\0\0")
}

#[expect(
    unsafe_code,
    reason = "loads native code whose checksum was verified; the caller guarantees its origin"
)]
fn deserialize(engine: &wasmtime::Engine, code: &[u8]) -> Result<Component, LoadError> {
    // SAFETY: wasmtime's compiler produced these bytes, just now or before `image::seal`, whose seal `image::open` verified.
    let component = unsafe { Component::deserialize(engine, code) };
    component.map_err(incompatible)
}

#[expect(
    unsafe_code,
    reason = "loads native code whose checksum was verified; the caller guarantees its origin"
)]
fn deserialize_file(engine: &wasmtime::Engine, image: &Path) -> Result<Component, LoadError> {
    // SAFETY: wasmtime's compiler produced these bytes before `image::seal`, whose seal `image::open_file` verified, and the caller of
    // `Engine::load_file` guarantees that the file does not change. The seal follows the code, which ELF files allow.
    let component = unsafe { Component::deserialize_file(engine, image) };
    component.map_err(incompatible)
}

fn incompatible(error: wasmtime::Error) -> LoadError {
    LoadError::Image(ImageError::Configuration(format!("{error:#}")))
}
