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
    env, fs, io,
    path::{Path, PathBuf},
};

/// Number of images to keep; the oldest are removed first. The image of a small guest has less than a megabyte.
const IMAGES_MAX: usize = 32;

/// Loads the component's cached image if there is one; otherwise compiles the component and caches the image.
pub fn read(engine: &Engine, bytes: &[u8]) -> Result<Candidate, LoadError> {
    let is_component = bytes.starts_with(b"\0asm\x0d");
    let place = is_component.then(folder).flatten().zip(Target::HOST);
    let Some((folder, target)) = place else {
        return engine.read_component(bytes);
    };
    let digest = Digest::of(bytes);
    // A metered engine needs other images.
    let kind = if engine.is_metered() { "-metered" } else { "" };
    let name = format!("{digest}-{}{kind}.cwasm", target.compatibility());
    let path = folder.join(name);
    let cached = cached(engine, &path).filter(|candidate| candidate.digest() == digest);
    if let Some(candidate) = cached {
        return Ok(candidate);
    }
    let image = match engine.is_metered() {
        true => engine::compile_metered(bytes, target)?,
        false => engine::compile(bytes, target)?,
    };
    let candidate = engine.read_image(&image)?;
    // If the image cannot be written, for example on a full disk, the only cost is time.
    let _ = keep(&folder, &path, &image);
    Ok(candidate)
}

/// `tenon` in the user's cache folder (XDG Base Directory Specification), if there is one.
fn folder() -> Option<PathBuf> {
    let cache = match env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("HOME").filter(|home| !home.is_empty())?).join(".cache"),
    };
    cache.is_absolute().then(|| cache.join("tenon"))
}

fn cached(engine: &Engine, path: &Path) -> Option<Candidate> {
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
        let is_taken = || cached(&engine, &path).is_some();
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
        assert!(cached(&engine, &path).is_none());
        image[5_000] ^= 1;
        keep(&folder, &path, &image).unwrap();
        let guest = cached(&engine, &path).unwrap();
        assert_eq!(guest.digest(), Digest::of(&component()));
        fs::remove_dir_all(folder).unwrap();
    }

    /// An image for one kind of engine is none for the other.
    #[test]
    fn a_metered_engine_takes_only_a_metered_image() {
        let (plain, metered) = (guest::engine(1).unwrap(), guest::metered_engine(1).unwrap());
        let (folder, path) = filled("metered");
        assert!(cached(&metered, &path).is_none());
        let image = engine::compile_metered(&component(), Target::HOST.unwrap()).unwrap();
        keep(&folder, &path, &image).unwrap();
        assert!(cached(&metered, &path).is_some() && cached(&plain, &path).is_none());
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
