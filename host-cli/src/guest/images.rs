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
    env,
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Number of images to keep; the oldest are removed first. The image of a small guest has less than a megabyte.
const IMAGES_MAX: usize = 32;

/// Loads the component's cached image if there is one; otherwise compiles the component and caches the image.
pub fn read(engine: &Engine, bytes: &[u8]) -> Result<Candidate, LoadError> {
    let is_component = bytes.starts_with(b"\0asm\x0d");
    let Some(target) = Target::HOST.filter(|_| is_component) else {
        return engine.read_component(bytes);
    };
    let digest = Digest::of(bytes);
    let folder = Folder::create();
    let load = || load(engine, folder.as_ref()?, digest, target);
    if let Some(candidate) = load() {
        return Ok(candidate);
    }
    let image = match engine.is_metered() {
        true => engine::compile_metered(bytes, target)?,
        false => engine::compile(bytes, target)?,
    };
    // A mapped image takes less memory than one that is read. If it cannot be written, for example on a full disk, that is the only cost.
    let kept = folder.as_ref().map(|folder| {
        let name = name(engine, digest, target);
        folder.keep(&name, &image)
    });
    match kept.and_then(Result::ok).and_then(|()| load()) {
        Some(candidate) => Ok(candidate),
        None => engine.read_image(&image),
    }
}

/// Loads the cached image of a component, if there is one, and never has the whole component in memory.
pub fn cached(engine: &Engine, component: impl Read) -> Option<Candidate> {
    let folder = Folder::open(&place()?)?;
    let digest = Digest::of_stream(component).ok()?;
    load(engine, &folder, digest, Target::HOST?)
}

fn load(engine: &Engine, folder: &Folder, digest: Digest, target: Target) -> Option<Candidate> {
    let image = folder.image(&name(engine, digest, target))?;
    let candidate = engine.read_open_image(&image).ok()?;
    (candidate.digest() == digest).then_some(candidate)
}

/// Name of a component's image.
fn name(engine: &Engine, digest: Digest, target: Target) -> String {
    // A metered engine needs other images.
    let kind = if engine.is_metered() { METERED } else { "" };
    format!("{digest}-{}{kind}{SUFFIX}", target.compatibility())
}

const METERED: &str = "-metered";
const SUFFIX: &str = ".cwasm";

/// Whether a file of this name is an image that this cache wrote.
fn is_name(name: &str) -> bool {
    let Some(name) = name.strip_suffix(SUFFIX) else {
        return false;
    };
    let name = name.strip_suffix(METERED).unwrap_or(name);
    name.split_once('-').is_some_and(|(digest, compatibility)| {
        digest.parse::<Digest>().is_ok()
            && compatibility.len() == 16
            && compatibility.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// `tenon` in the user's cache folder (XDG Base Directory Specification), if there is one.
fn place() -> Option<PathBuf> {
    let cache = match env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("HOME").filter(|home| !home.is_empty())?).join(".cache"),
    };
    cache.is_absolute().then(|| cache.join("tenon"))
}

/// The open folder of the cache, which only the user can have written to. Everything in it is reached through this handle, because whoever
/// can write to a folder above can put another one in its place at any time.
struct Folder(File);

impl Folder {
    /// `None` if the user has no cache folder, or one that others can write to.
    fn create() -> Option<Self> {
        let place = place()?;
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&place).ok()?;
        Self::open(&place)
    }

    fn open(path: &Path) -> Option<Self> {
        let folder = open(path, libc::O_DIRECTORY)?;
        Some(Self(folder))
    }

    /// An image that only the user can have written.
    fn image(&self, name: &str) -> Option<File> {
        // Opening a pipe would wait for its writer.
        let image = open(&self.path(name), libc::O_NONBLOCK)?;
        image.metadata().ok()?.is_file().then_some(image)
    }

    /// A path that leads through the handle.
    fn path(&self, name: &str) -> PathBuf {
        files::path_of_open(&self.0).join(name)
    }

    fn keep(&self, name: &str, image: &[u8]) -> io::Result<()> {
        replacement::replace(&self.path(name), Readers::Owner, image).map_err(io::Error::other)?;
        self.prune()
    }

    /// Removes the oldest images beyond [`IMAGES_MAX`], and nothing else.
    fn prune(&self) -> io::Result<()> {
        let mut images = Vec::new();
        for entry in fs::read_dir(self.path(""))? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(is_name) {
                images.push((entry.metadata()?.modified()?, entry.file_name()));
            }
        }
        images.sort();
        let surplus = images.len().saturating_sub(IMAGES_MAX);
        for (_, name) in &images[..surplus] {
            fs::remove_file(self.path("").join(name))?;
        }
        Ok(())
    }
}

/// Opens what is no link, and what only the user can have written.
fn open(path: &Path, flags: i32) -> Option<File> {
    let mut options = File::options();
    options.read(true).custom_flags(libc::O_NOFOLLOW | flags);
    let file = options.open(path).ok()?;
    let found = file.metadata().ok()?;
    let is_private = found.mode() & 0o022 == 0 && found.uid() == ownership::own_user();
    is_private.then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn component() -> Vec<u8> {
        guest::GuestSource::Embedded.read().unwrap().1
    }

    fn target() -> Target {
        Target::HOST.unwrap()
    }

    /// A cache in its own folder, with the image of the reference guest, and the path of that image.
    fn filled(test: &str) -> (PathBuf, PathBuf) {
        let path = env::temp_dir().join(format!("tenon-images-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        let folder = Folder::open(&path).unwrap();
        let component = component();
        let image = engine::compile(&component, target()).unwrap();
        let name = name(&guest::engine(1).unwrap(), Digest::of(&component), target());
        folder.keep(&name, &image).unwrap();
        let image = path.join(name);
        (path, image)
    }

    fn is_taken(engine: &Engine, folder: &Path) -> bool {
        let digest = Digest::of(&component());
        Folder::open(folder).is_some_and(|folder| load(engine, &folder, digest, target()).is_some())
    }

    #[test]
    fn an_image_is_taken_only_where_nobody_else_can_have_put_it() {
        let engine = guest::engine(1).unwrap();
        let (folder, path) = filled("private");
        let is_taken = || is_taken(&engine, &folder);
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
    fn a_folder_that_is_a_link_is_neither_read_nor_written() {
        let (folder, _) = filled("link");
        let link = folder.join("link");
        symlink(&folder, &link).unwrap();
        assert!(Folder::open(&link).is_none());
        fs::remove_dir_all(folder).unwrap();
    }

    /// As if somebody who can write to the folder above had exchanged it.
    #[test]
    fn what_takes_the_place_of_an_open_folder_is_not_read() {
        let (folder, path) = filled("exchanged");
        let engine = guest::engine(1).unwrap();
        let open = Folder::open(&folder).unwrap();
        let aside = folder.with_extension("aside");
        fs::rename(&folder, &aside).unwrap();
        fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
        fs::write(&path, b"another image").unwrap();
        let digest = Digest::of(&component());
        assert!(load(&engine, &open, digest, target()).is_some());
        let image = open
            .image(path.file_name().unwrap().to_str().unwrap())
            .unwrap();
        fs::remove_dir_all(&aside).unwrap();
        assert!(engine.read_open_image(&image).is_ok());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_damaged_image_is_not_taken_and_replaced() {
        let engine = guest::engine(1).unwrap();
        let (folder, path) = filled("damaged");
        let mut image = fs::read(&path).unwrap();
        image[5_000] ^= 1;
        fs::write(&path, &image).unwrap();
        assert!(!is_taken(&engine, &folder));
        image[5_000] ^= 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        Folder::open(&folder).unwrap().keep(name, &image).unwrap();
        assert!(is_taken(&engine, &folder));
        fs::remove_dir_all(folder).unwrap();
    }

    /// An image for one kind of engine is none for the other.
    #[test]
    fn a_metered_engine_takes_only_a_metered_image() {
        let (plain, metered) = (guest::engine(1).unwrap(), guest::metered_engine(1).unwrap());
        let (folder, path) = filled("metered");
        let component = component();
        let metered_name = name(&metered, Digest::of(&component), target());
        fs::rename(&path, folder.join(&metered_name)).unwrap();
        assert!(!is_taken(&metered, &folder));
        let image = engine::compile_metered(&component, target()).unwrap();
        let open = Folder::open(&folder).unwrap();
        open.keep(&metered_name, &image).unwrap();
        assert!(is_taken(&metered, &folder) && !is_taken(&plain, &folder));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_oldest_images_go_and_nothing_else() {
        let (folder, first) = filled("prune");
        let open = Folder::open(&folder).unwrap();
        let others = ["letter.txt", "guest.cwasm", "0-1.cwasm"];
        for name in others {
            fs::write(folder.join(name), b"").unwrap();
        }
        let compatibility = target().compatibility();
        let name = |number: usize| format!("{number:064x}-{compatibility}.cwasm");
        for number in 0..IMAGES_MAX + 3 {
            open.keep(&name(number), b"").unwrap();
        }
        let left = fs::read_dir(&folder).unwrap().count();
        assert_eq!(left, IMAGES_MAX + others.len());
        assert!(folder.join(name(IMAGES_MAX + 2)).exists());
        assert!(!first.exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
