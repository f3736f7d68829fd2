//! A cache of compiled components in the user's cache folder: compiling takes a third of a second, loading a millisecond.
//!
//! An image is native code, so only images that nobody but the user can have written are loaded. If anything fails here, the component is
//! compiled again.

use crate::{
    ownership,
    replacement::{self, Readers},
};
use contract::{compatibility::Target, digest::Digest};
use runtime::engine::{self, Candidate, Engine, LoadError};
use std::{
    env, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Number of images to keep; the oldest are removed first. The image of a small guest has less than a megabyte.
const IMAGES_MAX: usize = 32;

/// Loads the component's cached image if there is one; otherwise compiles the component and caches the image.
pub fn read(engine: &Engine, bytes: &[u8]) -> Result<Candidate, LoadError> {
    let is_component = bytes.starts_with(b"\0asm\x0d");
    let place = is_component.then(|| Place::of(engine, Digest::of(bytes)));
    let Some(place) = place.flatten() else {
        return engine.read_component(bytes);
    };
    if let Some(candidate) = place.load(engine) {
        return Ok(candidate);
    }
    let image = match engine.is_metered() {
        true => engine::compile_metered(bytes, place.target)?,
        false => engine::compile(bytes, place.target)?,
    };
    // A mapped image takes less memory than one that is read. If it cannot be written, for example on a full disk, that is the only cost.
    let kept = keep(&place.folder, &place.path, &image).ok();
    match kept.and_then(|()| place.load(engine)) {
        Some(candidate) => Ok(candidate),
        None => engine.read_image(&image),
    }
}

/// Loads the cached image of a component, if there is one, and never has the whole component in memory.
pub fn cached(engine: &Engine, component: impl Read) -> Option<Candidate> {
    let digest = Digest::of_stream(component).ok()?;
    Place::of(engine, digest)?.load(engine)
}

/// Where the image of a component is, or would be.
struct Place {
    digest: Digest,
    target: Target,
    folder: PathBuf,
    path: PathBuf,
}

impl Place {
    /// `None` if this user has no cache folder, or this machine no name for its images.
    fn of(engine: &Engine, digest: Digest) -> Option<Self> {
        let (folder, target) = folder().zip(Target::HOST)?;
        // A metered engine needs other images.
        let kind = if engine.is_metered() { "-metered" } else { "" };
        let name = format!("{digest}-{}{kind}.cwasm", target.compatibility());
        Some(Self {
            digest,
            target,
            path: folder.join(name),
            folder,
        })
    }

    fn load(&self, engine: &Engine) -> Option<Candidate> {
        load_private(engine, &self.path).filter(|candidate| candidate.digest() == self.digest)
    }
}

/// `tenon` in the user's cache folder (XDG Base Directory Specification), if there is one.
fn folder() -> Option<PathBuf> {
    let cache = match env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("HOME").filter(|home| !home.is_empty())?).join(".cache"),
    };
    cache.is_absolute().then(|| cache.join("tenon"))
}

fn load_private(engine: &Engine, path: &Path) -> Option<Candidate> {
    (is_private(path.parent()?) && is_private(path)).then_some(())?;
    engine.read_file(path).ok()
}

/// Whether only the user can have written it.
#[cfg(unix)]
fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    // The target of a link can change at any time.
    fs::symlink_metadata(path).is_ok_and(|found| {
        !found.is_symlink() && found.mode() & 0o022 == 0 && found.uid() == ownership::own_user()
    })
}

/// On systems where ownership cannot be determined, no image is trusted.
#[cfg(not(unix))]
fn is_private(_: &Path) -> bool {
    false
}

fn keep(folder: &Path, path: &Path, image: &[u8]) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    replacement::replace(path, Readers::Owner, image).map_err(io::Error::other)?;
    prune(folder)
}

fn prune(folder: &Path) -> io::Result<()> {
    let mut images = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        images.push((entry.metadata()?.modified()?, entry.path()));
    }
    images.sort();
    let surplus = images.len().saturating_sub(IMAGES_MAX);
    for (_, path) in &images[..surplus] {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::guest;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn component() -> Vec<u8> {
        guest::GuestSource::Embedded.read().unwrap().1
    }

    /// A cache in its own folder, with the image of the reference guest.
    fn filled(test: &str) -> (PathBuf, PathBuf) {
        let folder = env::temp_dir().join(format!("tenon-images-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let path = folder.join("guest.cwasm");
        let image = engine::compile(&component(), Target::HOST.unwrap()).unwrap();
        keep(&folder, &path, &image).unwrap();
        (folder, path)
    }

    #[test]
    fn an_image_is_taken_only_where_nobody_else_can_have_put_it() {
        let engine = guest::engine(1).unwrap();
        let (folder, path) = filled("private");
        let is_taken = || load_private(&engine, &path).is_some();
        assert!(is_taken());
        for shared in [&path, &folder] {
            let before = fs::metadata(shared).unwrap().permissions();
            let mode = before.mode() | 0o020;
            fs::set_permissions(shared, fs::Permissions::from_mode(mode)).unwrap();
            assert!(!is_taken(), "{}", shared.display());
            fs::set_permissions(shared, before).unwrap();
            assert!(is_taken());
        }
        let elsewhere = folder.join("elsewhere.cwasm");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(!is_taken());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_damaged_image_is_not_taken_and_replaced() {
        let engine = guest::engine(1).unwrap();
        let (folder, path) = filled("damaged");
        let mut image = fs::read(&path).unwrap();
        image[5_000] ^= 1;
        fs::write(&path, &image).unwrap();
        assert!(load_private(&engine, &path).is_none());
        image[5_000] ^= 1;
        keep(&folder, &path, &image).unwrap();
        let guest = load_private(&engine, &path).unwrap();
        assert_eq!(guest.digest(), Digest::of(&component()));
        fs::remove_dir_all(folder).unwrap();
    }

    /// An image for one kind of engine is none for the other.
    #[test]
    fn a_metered_engine_takes_only_a_metered_image() {
        let (plain, metered) = (guest::engine(1).unwrap(), guest::metered_engine(1).unwrap());
        let (folder, path) = filled("metered");
        assert!(load_private(&metered, &path).is_none());
        let image = engine::compile_metered(&component(), Target::HOST.unwrap()).unwrap();
        keep(&folder, &path, &image).unwrap();
        assert!(load_private(&metered, &path).is_some() && load_private(&plain, &path).is_none());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_oldest_images_go() {
        let (folder, _) = filled("prune");
        for number in 0..IMAGES_MAX + 3 {
            keep(&folder, &folder.join(number.to_string()), b"").unwrap();
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), IMAGES_MAX);
        assert!(folder.join((IMAGES_MAX + 2).to_string()).exists());
        assert!(!folder.join("guest.cwasm").exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
