//! Key files, which are read only if nobody else can read them.

use crate::{exit::CommandError, project::Project, replacement};
use files::{self, FileError, NamedBy};
use release::{PublicKey, PublicKeys, SecretKey};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// A key file contains one line.
const KEY_FILE_BYTES_MAX: u64 = 1024;

/// The permission bits of other users.
const OTHERS: u32 = 0o077;

/// Writes a new secret key and, beside it, its public key. Existing files are not replaced.
pub fn create(path: &Path, key: &SecretKey) -> Result<PathBuf, CommandError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    let beside = PathBuf::from(beside);
    write_new(path, 0o600, &key.to_file_text())?;
    if let Err(failure) = write_new(&beside, 0o644, &format!("{}\n", key.public())) {
        // One half of a pair is useless.
        let _ = fs::remove_file(path);
        return Err(failure);
    }
    Ok(beside)
}

/// The secret key that signs: of the file that was typed, otherwise of the project's.
pub fn signing(typed: Option<&Path>, project: Option<&Project>) -> Result<SecretKey, CommandError> {
    let of_project = project.and_then(Project::key);
    let path = typed.or(of_project.as_deref()).ok_or_else(|| {
        CommandError::usage("`--key` is missing: the file of the secret key that signs").hint(
            "write `--key KEYFILE`, or `key` in section `[release]` of tenon.toml; `host-cli keygen` makes a key",
        )
    })?;
    secret(path)
}

/// The trusted public keys: those that were typed, otherwise the project's.
pub fn trusted(typed: &[String], project: Option<&Project>) -> Result<PublicKeys, CommandError> {
    if !typed.is_empty() {
        return public(typed);
    }
    let of_project = project.map(Project::public_keys).transpose()?;
    let of_project = of_project.unwrap_or_default();
    if of_project.is_empty() {
        return Err(CommandError::usage(
            "`--public-key` is missing: the key that releases are signed with",
        )
        .hint("write `--public-key KEY`, or `public_keys` in section `[release]` of tenon.toml"));
    }
    public(&of_project)
}

/// Reads a secret key from a file that only its user can read.
pub fn secret(path: &Path) -> Result<SecretKey, CommandError> {
    if path.to_string_lossy().starts_with("tenon-secret") {
        return Err(CommandError::usage("`--key` needs the name of a file, not the key itself")
            .hint("other users of this machine can read command lines: create a new key with `host-cli keygen`"));
    }
    let shown = path.display();
    let file = match files::open(path, NamedBy::Folder) {
        Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CommandError::environment(format_args!(
                "key file `{shown}` does not exist"
            ))
            .hint(format_args!(
                "check the path, or make a key with `host-cli keygen {shown}`"
            )));
        }
        opened => opened.map_err(|error| cannot_open(path, "key file", error))?,
    };
    let text = text_of(&file, path, "key file", KEY_FILE_BYTES_MAX)?;
    // This check comes before that of the permissions, which are correct for a public key.
    if text.trim().parse::<PublicKey>().is_ok() {
        return Err(CommandError::environment(format_args!(
            "key file `{shown}` contains a public key, but signing needs the secret key"
        ))
        .hint("`host-cli keygen` wrote the secret key to the file without `.pub` in its name"));
    }
    check_private(&file, path, "key file")?;
    text.parse()
        .map_err(|error| CommandError::environment(format_args!("key file `{shown}`: {error}")))
}

/// The text of a file that only its user can read.
pub fn private_text(path: &Path, what: &str, bytes_max: u64) -> Result<String, CommandError> {
    let opened = files::open(path, NamedBy::Folder);
    let file = opened.map_err(|error| cannot_open(path, what, error))?;
    let text = text_of(&file, path, what, bytes_max)?;
    check_private(&file, path, what)?;
    Ok(text)
}

fn cannot_open(path: &Path, what: &str, error: FileError) -> CommandError {
    match error {
        FileError::Io(error) => crate::input::cannot_read(path, what, &error),
        FileError::Folder | FileError::Link | FileError::Special | FileError::TooLarge { .. } => {
            let shown = path.display();
            CommandError::environment(format_args!("{what} `{shown}` is not a plain file"))
                .hint("secrets are read only from plain files, not through a link or a pipe")
        }
    }
}

fn text_of(file: &File, path: &Path, what: &str, bytes_max: u64) -> Result<String, CommandError> {
    let mut text = String::new();
    let mut file = file.take(bytes_max);
    file.read_to_string(&mut text)
        .map_err(|error| crate::input::cannot_read(path, what, &error))?;
    Ok(text)
}

/// Checks the file that was opened, not what its name refers to by now.
fn check_private(file: &File, path: &Path, what: &str) -> Result<(), CommandError> {
    let shown = path.display();
    let metadata = file
        .metadata()
        .map_err(|error| crate::input::cannot_read(path, what, &error))?;
    if metadata.mode() & OTHERS == 0 {
        return Ok(());
    }
    let mode = metadata.mode() & 0o777;
    Err(CommandError::environment(format_args!(
        "{what} `{shown}` is readable by others: its permissions are {mode:o}"
    ))
    .hint(format_args!(
        "make it private with `chmod 600 {shown}`, and consider a new key"
    )))
}

/// The public keys given as text or as files.
fn public(named: &[String]) -> Result<PublicKeys, CommandError> {
    let keys = named
        .iter()
        .flat_map(|keys| keys.split(','))
        .map(one)
        .collect::<Result<Vec<_>, _>>()?;
    PublicKeys::new(keys)
        .map_err(|error| CommandError::usage(format_args!("`--public-key`: {error}")))
}

/// The public key of `key`, and optionally a second trusted key.
pub fn with(key: &SecretKey, other: Option<&str>) -> Result<PublicKeys, CommandError> {
    let Some(other) = other else {
        return Ok(PublicKeys::of(key));
    };
    PublicKeys::new(vec![key.public(), one(other)?])
        .map_err(|error| CommandError::usage(format_args!("`--public-key`: {error}")))
}

fn one(named: &str) -> Result<PublicKey, CommandError> {
    let not_a_key = |error| {
        CommandError::usage(format_args!("`--public-key`: {error}"))
            .hint("give the text that `host-cli keygen` printed, or the file that ends with `.pub`")
    };
    if PublicKey::is_key_text(named) || !Path::new(named).exists() {
        return named.parse().map_err(not_a_key);
    }
    let bytes = crate::input::read_file(Path::new(named), "key file", KEY_FILE_BYTES_MAX)?;
    String::from_utf8_lossy(&bytes).parse().map_err(not_a_key)
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), CommandError> {
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
        io::ErrorKind::AlreadyExists => {
            CommandError::environment(format_args!("`{shown}` already exists and was not changed"))
                .hint("name another file, so that a key in use is not lost")
        }
        kind => match replacement::missing_folder(path) {
            Some(folder) if kind == io::ErrorKind::NotFound => {
                CommandError::environment(format_args!(
                    "failed to write `{shown}`: folder `{}` does not exist",
                    folder.display()
                ))
                .hint(replacement::NO_FOLDER_HINT)
            }
            _ => CommandError::environment(format_args!("failed to write `{shown}`: {error}")),
        },
    })
}
