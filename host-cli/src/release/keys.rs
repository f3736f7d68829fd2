//! Key files: read only where nobody else can.

use crate::exit::Failure;
use files::{self, FileError, NamedBy};
use release::{PublicKey, PublicKeys, SecretKey};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// A key file is one line.
const KEY_FILE_BYTES_MAX: u64 = 1024;

/// Permissions of others on a secret key.
const OTHERS: u32 = 0o077;

/// Writes a new secret key and, beside it, its public key. Neither file is replaced.
pub fn create(path: &Path, key: &SecretKey) -> Result<PathBuf, Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    let beside = PathBuf::from(beside);
    write_new(path, 0o600, &key.to_file_text())?;
    if let Err(failure) = write_new(&beside, 0o644, &format!("{}\n", key.public())) {
        // Half a pair is of no use to anybody.
        let _ = fs::remove_file(path);
        return Err(failure);
    }
    Ok(beside)
}

/// Reads a secret key from a file that belongs to its user alone.
pub fn secret(path: &Path) -> Result<SecretKey, Failure> {
    if path.to_string_lossy().starts_with("tenon-secret") {
        return Err(Failure::usage("`--key` takes the name of a file, not a key")
            .hint("everybody on this machine can read command lines: make a new key with `host-cli keygen`"));
    }
    let shown = path.display();
    let (file, text) = plain_file(path, "key file", KEY_FILE_BYTES_MAX)?;
    // Before its permissions, which are as they should be for a public key.
    if text.trim().parse::<PublicKey>().is_ok() {
        return Err(Failure::environment(format_args!(
            "key file `{shown}` holds a public key, and signing takes the secret one"
        ))
        .hint("`host-cli keygen` wrote the secret key into the file whose name has no `.pub`"));
    }
    check_private(&file, path, "key file")?;
    text.parse()
        .map_err(|error| Failure::environment(format_args!("key file `{shown}`: {error}")))
}

/// The text of a file that belongs to its user alone.
pub fn private_text(path: &Path, what: &str, bytes_max: u64) -> Result<String, Failure> {
    let (file, text) = plain_file(path, what, bytes_max)?;
    check_private(&file, path, what)?;
    Ok(text)
}

fn plain_file(path: &Path, what: &str, bytes_max: u64) -> Result<(File, String), Failure> {
    let failed = |error: &io::Error| crate::input::cannot_read(path, what, error);
    let file = files::open(path, NamedBy::Folder).map_err(|error| match error {
        FileError::Io(error) => failed(&error),
        FileError::Folder | FileError::Link | FileError::Special | FileError::TooLarge { .. } => {
            let shown = path.display();
            Failure::environment(format_args!("{what} `{shown}` is not a plain file"))
                .hint("a secret is read from a file of its own, not through a link or a pipe")
        }
    })?;
    let mut text = String::new();
    (&file)
        .take(bytes_max)
        .read_to_string(&mut text)
        .map_err(|error| failed(&error))?;
    Ok((file, text))
}

/// Of the file that was opened, whatever is under its name by now.
fn check_private(file: &File, path: &Path, what: &str) -> Result<(), Failure> {
    let shown = path.display();
    let metadata = file
        .metadata()
        .map_err(|error| crate::input::cannot_read(path, what, &error))?;
    if metadata.mode() & OTHERS == 0 {
        return Ok(());
    }
    let mode = metadata.mode() & 0o777;
    Err(Failure::environment(format_args!(
        "{what} `{shown}` can be read by others: its permissions are {mode:o}"
    ))
    .hint(format_args!(
        "take them away with `chmod 600 {shown}`, and consider a new key"
    )))
}

/// The public keys that are named, as text or by their files.
pub fn public(named: &[String]) -> Result<PublicKeys, Failure> {
    let keys = named
        .iter()
        .flat_map(|keys| keys.split(','))
        .map(one)
        .collect::<Result<Vec<_>, _>>()?;
    PublicKeys::new(keys).map_err(|error| Failure::usage(format_args!("`--public-key`: {error}")))
}

/// What `key` signs, and what a second key does.
pub fn with(key: &SecretKey, other: Option<&str>) -> Result<PublicKeys, Failure> {
    let Some(other) = other else {
        return Ok(PublicKeys::of(key));
    };
    PublicKeys::new(vec![key.public(), one(other)?])
        .map_err(|error| Failure::usage(format_args!("`--public-key`: {error}")))
}

fn one(named: &str) -> Result<PublicKey, Failure> {
    let not_a_key = |error| {
        Failure::usage(format_args!("`--public-key`: {error}"))
            .hint("give the text that `host-cli keygen` printed, or the file that ends with `.pub`")
    };
    if named.starts_with("ed25519:") || !Path::new(named).exists() {
        return named.parse().map_err(not_a_key);
    }
    let bytes = crate::input::read_file(Path::new(named), "key file", KEY_FILE_BYTES_MAX)?;
    String::from_utf8_lossy(&bytes).parse().map_err(not_a_key)
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let shown = path.display();
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::environment(format_args!(
            "`{shown}` exists already, and is left as it is"
        ))
        .hint("a key that is in use must not be lost: name another file"),
        io::ErrorKind::NotFound => Failure::environment(format_args!(
            "failed to write `{shown}`: there is no folder for it"
        ))
        .hint(crate::replacement::NO_FOLDER_HINT),
        _ => Failure::environment(format_args!("failed to write `{shown}`: {error}")),
    })
}
