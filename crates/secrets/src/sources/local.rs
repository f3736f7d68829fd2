//! Secrets of this machine: variables of the host's environment, and files.

use super::error::{FetchError, FetchErrorClass};
use crate::{declaration::SecretDeclaration, source::Source, value::SecretValue};
use contract::limits::SECRET_VALUE_BYTES_MAX;
use files::{FileError, NamedBy};
use std::{
    ffi::OsString,
    fmt, fs,
    io::{self, Read},
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
    path::Path,
    sync::Arc,
};
use zeroize::Zeroizing;

/// Permissions of users other than a file's owner and group.
const MODE_OF_OTHERS: u32 = 0o007;

type Lookup = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// Reads variables and files.
#[derive(Clone)]
pub struct LocalSources {
    variable: Lookup,
}

impl LocalSources {
    /// `variable` reads a variable of the host's environment: `std::env::var_os`.
    pub fn new(variable: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        Self {
            variable: Arc::new(variable),
        }
    }

    /// Reads the value of a secret whose source is a variable or a file.
    pub fn value(&self, declared: &SecretDeclaration) -> Result<SecretValue, FetchError> {
        let source = &declared.from;
        self.fetch(source)?
            .decoded(declared.encoding)
            .map_err(|error| FetchError::from(error).about(source))
    }

    /// Reads one source, which is a variable or a file.
    pub fn fetch(&self, source: &Source) -> Result<SecretValue, FetchError> {
        self.bytes(source)
            .and_then(|bytes| Ok(SecretValue::new(bytes)?))
            .map_err(|error| error.about(source))
    }

    fn bytes(&self, source: &Source) -> Result<Vec<u8>, FetchError> {
        match source {
            Source::Environment(name) => {
                (self.variable)(name)
                    .map(OsString::into_vec)
                    .ok_or_else(|| {
                        FetchError::new(FetchErrorClass::Missing, "the variable is not set")
                    })
            }
            Source::File(path) => read(path),
            Source::Parameter(_) | Source::SecretsManager { .. } => Err(FetchError::new(
                FetchErrorClass::Unsupported,
                "it is not on this machine",
            )),
        }
    }
}

/// The contents of a file without the line break at its end, which editors add. Whatever others can read is no secret.
fn read(path: &Path) -> Result<Vec<u8>, FetchError> {
    let file = files::open(path, NamedBy::Setting).map_err(classify)?;
    let failed = |error: io::Error| classify(error.into());
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & MODE_OF_OTHERS != 0 {
        let words = format!(
            "every user of this machine may use the file: run `chmod o-rwx {}`",
            path.display()
        );
        return Err(FetchError::new(FetchErrorClass::Unusable, words));
    }
    // One piece, so that no growing buffer leaves copies behind. A line break may follow the longest value.
    let bytes_max = SECRET_VALUE_BYTES_MAX + 3;
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max));
    let mut bounded = fs::File::take(file, bytes_max as u64);
    bounded.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    Ok(std::mem::take(&mut *bytes))
}

fn classify(error: FileError) -> FetchError {
    let class = match &error {
        error if error.is_missing() => FetchErrorClass::Missing,
        FileError::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            FetchErrorClass::Denied
        }
        FileError::Io(_) => FetchErrorClass::Unreachable,
        FileError::Folder | FileError::Link | FileError::Special | FileError::TooLarge { .. } => {
            FetchErrorClass::Unusable
        }
    };
    FetchError::new(class, error.to_string())
}

impl fmt::Debug for LocalSources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LocalSources")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("tenon-secrets-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn file(&self, name: &str, contents: &[u8], mode: u32) -> Source {
            let path = self.0.join(name);
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Source::File(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn sources() -> LocalSources {
        LocalSources::new(|name| match name {
            "KEY" => Some("planted\n".into()),
            "EMPTY" => Some("".into()),
            "LONG" => Some("x".repeat(SECRET_VALUE_BYTES_MAX + 1).into()),
            _ => None,
        })
    }

    #[test]
    fn a_variable_is_taken_as_it_is() {
        let fetch = |text: &str| sources().fetch(&text.parse().unwrap());
        assert_eq!(fetch("env:KEY").unwrap().expose(), b"planted\n");
        // Which may be the value, written there by mistake.
        let error = fetch("env:OTHER").unwrap_err();
        assert_eq!(error.class, FetchErrorClass::Missing);
        assert!(!error.to_string().contains("OTHER"), "{error}");
        for (text, class) in [
            ("env:EMPTY", FetchErrorClass::Unusable),
            ("env:LONG", FetchErrorClass::Unusable),
            ("ssm:/a", FetchErrorClass::Unsupported),
        ] {
            let error = fetch(text).unwrap_err();
            assert_eq!(error.class, class, "{text}");
            assert!(error.detail.contains(text), "{error}");
        }
    }

    #[test]
    fn a_file_loses_one_line_break() {
        let scratch = Scratch::new("file");
        for (contents, value) in [
            (&b"planted"[..], &b"planted"[..]),
            (b"planted\n", b"planted"),
            (b"planted\r\n", b"planted"),
            (b"planted\n\n", b"planted\n"),
            (b"pla\nnted", b"pla\nnted"),
            (b"\xff\x00\n", b"\xff\x00"),
        ] {
            let source = scratch.file("key", contents, 0o600);
            assert_eq!(sources().fetch(&source).unwrap().expose(), value);
        }
        let longest = "x".repeat(SECRET_VALUE_BYTES_MAX) + "\r\n";
        let source = scratch.file("key", longest.as_bytes(), 0o640);
        assert_eq!(
            sources().fetch(&source).unwrap().expose().len(),
            SECRET_VALUE_BYTES_MAX
        );
        for longer in [SECRET_VALUE_BYTES_MAX + 1, 2 * SECRET_VALUE_BYTES_MAX] {
            let source = scratch.file("key", &vec![b'x'; longer], 0o600);
            let error = sources().fetch(&source).unwrap_err();
            assert!(error.detail.contains("more than 65536 bytes"), "{error}");
        }
        let empty = scratch.file("key", b"\n", 0o600);
        let error = sources().fetch(&empty).unwrap_err();
        assert_eq!(error.class, FetchErrorClass::Unusable);
    }

    #[test]
    fn a_file_of_all_users_is_refused_and_the_message_says_what_to_do() {
        let scratch = Scratch::new("mode");
        for mode in [0o604, 0o602, 0o644, 0o777] {
            let source = scratch.file("key", b"planted", mode);
            let error = sources().fetch(&source).unwrap_err();
            assert_eq!(error.class, FetchErrorClass::Unusable);
            assert!(error.detail.contains("run `chmod o-rwx /"), "{error}");
            assert!(!format!("{error:?} {error}").contains("planted"));
        }
        let missing = Source::File(scratch.0.join("missing"));
        let error = sources().fetch(&missing).unwrap_err();
        assert_eq!(error.class, FetchErrorClass::Missing);
        assert_eq!(
            error.detail,
            "the file that its `from` names does not exist"
        );
        let folder = Source::File(scratch.0.clone());
        let error = sources().fetch(&folder).unwrap_err();
        assert_eq!(error.class, FetchErrorClass::Unusable);
    }
}
