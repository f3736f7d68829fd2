//! Files that are written beside the one that they will replace, so that readers never see an incomplete file.
//!
//! A writer that is killed leaves such a file behind. Its name is random, so that it does not block other writers: process ids repeat, in
//! containers at every start. The next writer removes it.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    hash::{BuildHasher, Hasher, RandomState},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Number of names to try. By chance alone, none of them repeats.
const NAMES_MAX: u32 = 8;
/// A file that was not modified for this long has no writer any more.
const LEFTOVER_AGE_MIN: Duration = Duration::from_secs(60 * 60);
/// Separates the name of the file to be replaced from the random part.
const INFIX: &str = ".new-";
/// Digits of the random part.
const DIGITS: usize = 16;

/// Which leftover files to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers {
    /// Those of writers to this file: the folder may contain other users' files.
    OfFile,
    /// Those of writers to any file in its folder.
    OfFolder,
}

/// Creates a file beside `path` with the permissions `mode`, as far as the umask allows, to be renamed to it.
pub fn create(path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    create_named(path, mode, &mut || {
        RandomState::new().build_hasher().finish()
    })
}

fn create_named(
    path: &Path,
    mode: u32,
    random: &mut dyn FnMut() -> u64,
) -> io::Result<(PathBuf, File)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let mut attempt = 1;
    loop {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!("{INFIX}{:0DIGITS$x}", random()));
        let beside = PathBuf::from(beside);
        match options.open(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < NAMES_MAX => {
                attempt += 1;
            }
            opened => return opened.map(|file| (beside, file)),
        }
    }
}

/// Removes what killed writers left beside `path`. Call it when a write is complete; it ignores errors, because leftovers are no failure of
/// this writer.
pub fn remove_leftovers(path: &Path, leftovers: Leftovers) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_theirs = match (replaced_by(&entry.file_name()), leftovers) {
            (Some(replaced), Leftovers::OfFile) => OsStr::new(&replaced) == name,
            (Some(_), Leftovers::OfFolder) => true,
            (None, _) => false,
        };
        let is_old = || {
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_file);
            let modified = metadata.and_then(|metadata| metadata.modified().ok());
            let age = modified.and_then(|modified| modified.elapsed().ok());
            age.is_some_and(|age| age >= LEFTOVER_AGE_MIN)
        };
        if is_theirs && is_old() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file of this name is one that is being written, or was.
pub fn is_temporary(name: &OsStr) -> bool {
    replaced_by(name).is_some()
}

/// The name of the file that a temporary file of this name would have replaced; `None` if the name has another form.
fn replaced_by(name: &OsStr) -> Option<String> {
    let (replaced, random) = name.to_str()?.rsplit_once(INFIX)?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (random.len() == DIGITS && random.bytes().all(is_digit)).then(|| replaced.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("tenon-beside-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_name_that_is_taken_is_not_the_last() {
        let folder = folder("taken");
        let path = folder.join("2.json");
        let mut numbers = [7, 7, 7, 8].into_iter();
        let mut next = || numbers.next().unwrap();
        let (first, _) = create_named(&path, 0o600, &mut next).unwrap();
        assert_eq!(first, folder.join("2.json.new-0000000000000007"));
        let (second, _) = create_named(&path, 0o600, &mut next).unwrap();
        assert_eq!(second, folder.join("2.json.new-0000000000000008"));
        // Not endlessly.
        let mut attempts = 0;
        let error = create_named(&path, 0o600, &mut || {
            attempts += 1;
            7
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(attempts, NAMES_MAX);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn old_leftovers_go_and_nothing_else() {
        let folder = folder("leftovers");
        let old = SystemTime::now() - LEFTOVER_AGE_MIN - Duration::from_secs(60);
        let put = |name: &str, modified| {
            let file = File::create(folder.join(name)).unwrap();
            file.set_modified(modified).unwrap();
        };
        put("1.json.new-0123456789abcdef", old);
        put("2.json.new-0123456789abcdef", old);
        put("2.json.new-1123456789abcdef", SystemTime::now());
        put("2.json.new-mine", old);
        put("2.json", old);
        let left = || {
            let mut names: Vec<_> = fs::read_dir(&folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        let path = folder.join("2.json");
        let stay = ["2.json", "2.json.new-1123456789abcdef", "2.json.new-mine"];
        remove_leftovers(&path, Leftovers::OfFile);
        assert_eq!(
            left(),
            [&["1.json.new-0123456789abcdef"], &stay[..]].concat()
        );
        remove_leftovers(&path, Leftovers::OfFolder);
        assert_eq!(left(), stay);
        fs::remove_dir_all(folder).unwrap();
    }
}
