//! Where a project finds the SDK.

use crate::{args::LanguageName, exit::CommandError};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

/// The SDK for Rust of the checkout that this program was built from, unless it was built for others.
const SDK_OF_BUILD: Option<&str> = option_env!("TENON_SDK");

/// The release of this program, and of the SDKs that fit it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the SDK for Rust depends on. Where its package was unpacked, these are beside it.
const CRATES: [&str; 5] = ["contract", "http-client", "json", "outgoing", "storage"];

/// Whether the SDKs of this version are in their registries. Until then their names there may become somebody else's.
pub const IS_PUBLISHED: bool = false;

/// The SDK of a language, and where a project finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdk {
    language: LanguageName,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// The registry of the language has it by name and version.
    Registry,
    /// A folder, or a package file, on this machine.
    Local(PathBuf),
}

impl Sdk {
    /// The folder or package that is named, otherwise that of the checkout that built this program, otherwise this program's version.
    pub fn find(language: LanguageName, named: Option<&Path>) -> Result<Self, CommandError> {
        Self::choose(language, named, SDK_OF_BUILD.map(Path::new))
    }

    fn choose(
        language: LanguageName,
        named: Option<&Path>,
        of_build: Option<&Path>,
    ) -> Result<Self, CommandError> {
        let place = match (named, of_build) {
            (Some(path), _) => local(language, path)?,
            // The SDKs of a checkout are beside each other.
            (None, Some(folder)) => {
                let folder = folder.with_file_name(folder_name(language));
                if !is_sdk(language, &folder) {
                    return Err(CommandError::environment(format_args!(
                        "the SDK is not found: `{}`, from which this program was built, is gone",
                        folder.display()
                    ))
                    .hint("name the SDK's folder with `--sdk PATH`"));
                }
                Place::Local(folder)
            }
            (None, None) => Place::Registry,
        };
        Self { language, place }.check_built()
    }

    /// Fails if a project could not use it, because it was not built.
    fn check_built(self) -> Result<Self, CommandError> {
        let Place::Local(path) = &self.place else {
            return Ok(self);
        };
        // What is built last, and how.
        let (file, hint) = match self.language {
            LanguageName::Rust => return Ok(self),
            LanguageName::Typescript => (
                "dist/rules.wasm",
                "run `npm ci && npm run build` in its folder; it takes Node, npm and cargo",
            ),
            LanguageName::Python => (
                "src/tenon/testing/rules.wasm",
                "run `python3 prepare.py` in its folder; it takes Python and cargo",
            ),
        };
        // A package file contains what was built.
        if path.is_file() || path.join(file).is_file() {
            return Ok(self);
        }
        let what = format!("the SDK in {self} is not built");
        Err(CommandError::environment(what).hint(hint))
    }

    #[cfg(test)]
    pub fn at(language: LanguageName, path: &str) -> Self {
        let place = Place::Local(PathBuf::from(path));
        Self { language, place }
    }

    /// Whether it is to come from a registry that does not have it yet.
    pub fn is_missing(&self) -> bool {
        self.place == Place::Registry && !IS_PUBLISHED
    }

    /// Its language.
    pub fn language(&self) -> LanguageName {
        self.language
    }

    /// The dependency, as the language's manifest has it.
    pub fn dependency(&self) -> String {
        let package = package(self.language);
        let path = match &self.place {
            Place::Local(path) => Some(path.display().to_string()),
            Place::Registry => None,
        };
        match (self.language, path) {
            (LanguageName::Rust, Some(path)) => {
                let path = toml_string(&path);
                format!("tenon = {{ package = \"{package}\", path = {path} }}")
            }
            (LanguageName::Rust, None) => {
                format!("tenon = {{ package = \"{package}\", version = \"={VERSION}\" }}")
            }
            (LanguageName::Typescript, Some(path)) => json_string(&format!("file:{path}")),
            (LanguageName::Typescript, None) => json_string(VERSION),
            (LanguageName::Python, Some(path)) => format!("{package}[test] @ {}", file_url(&path)),
            (LanguageName::Python, None) => format!("{package}[test]=={VERSION}"),
        }
    }

    /// What `Cargo.toml` needs beside the dependency: where the packages are that the SDK's depends on, if it was unpacked beside them.
    pub fn patches(&self) -> String {
        let (LanguageName::Rust, Place::Local(sdk)) = (self.language, &self.place) else {
            return String::new();
        };
        let lines: Vec<String> = CRATES
            .iter()
            .filter_map(|name| {
                let folder = sdk.with_file_name(format!("tenon-{name}-{VERSION}"));
                let path = toml_string(&folder.display().to_string());
                let is_there = folder.join("Cargo.toml").is_file();
                is_there.then(|| format!("tenon-{name} = {{ path = {path} }}\n"))
            })
            .collect();
        match lines.is_empty() {
            true => String::new(),
            false => format!("\n[patch.crates-io]\n{}", lines.concat()),
        }
    }
}

impl fmt::Display for Sdk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Local(path) => write!(formatter, "`{}`", path.display()),
            Place::Registry => {
                let (package, registry) = (package(self.language), registry(self.language));
                write!(formatter, "`{package}` {VERSION} of {registry}")
            }
        }
    }
}

/// The place that a person named.
fn local(language: LanguageName, path: &Path) -> Result<Place, CommandError> {
    let package = package(language);
    let refuse = |reason: &str| {
        let folder = folder_name(language);
        let hint = match package_suffix(language) {
            Some(suffix) => format!(
                "name the folder `sdk/{folder}` of a checkout of Tenon, or a package `*{suffix}`"
            ),
            None => format!(
                "name the folder `sdk/{folder}` of a checkout of Tenon, or an unpacked package"
            ),
        };
        Err(CommandError::environment(format_args!(
            "`{}` is not the SDK: {reason}",
            path.display()
        ))
        .hint(hint))
    };
    if path.is_file() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_package = package_suffix(language).is_some_and(|suffix| name.ends_with(suffix));
        if !is_package {
            return refuse("it is another kind of file");
        }
    } else if !is_sdk(language, path) {
        let file = manifest(language);
        return refuse(&format!("it has no `{file}` of a package `{package}`"));
    }
    let path = path.canonicalize().map_err(CommandError::environment)?;
    Ok(Place::Local(path))
}

/// The name of the SDK's package.
fn package(language: LanguageName) -> &'static str {
    match language {
        LanguageName::Rust | LanguageName::Python => "tenon-sdk",
        LanguageName::Typescript => "@tenon/sdk",
    }
}

fn registry(language: LanguageName) -> &'static str {
    match language {
        LanguageName::Rust => "crates.io",
        LanguageName::Typescript => "npm",
        LanguageName::Python => "PyPI",
    }
}

/// How the name of a package file ends that the language's installer takes as it is.
fn package_suffix(language: LanguageName) -> Option<&'static str> {
    match language {
        LanguageName::Rust => None,
        LanguageName::Typescript => Some(".tgz"),
        LanguageName::Python => Some(".whl"),
    }
}

/// The folder of an SDK in `sdk`.
fn folder_name(language: LanguageName) -> &'static str {
    match language {
        LanguageName::Rust => "rust",
        LanguageName::Typescript => "javascript",
        LanguageName::Python => "python",
    }
}

/// The file that says which package a folder is.
fn manifest(language: LanguageName) -> &'static str {
    match language {
        LanguageName::Rust => "Cargo.toml",
        LanguageName::Typescript => "package.json",
        LanguageName::Python => "pyproject.toml",
    }
}

fn is_sdk(language: LanguageName, folder: &Path) -> bool {
    let package = package(language);
    let line = match language {
        LanguageName::Rust | LanguageName::Python => format!("name = \"{package}\""),
        LanguageName::Typescript => format!("\"name\": \"{package}\","),
    };
    fs::read_to_string(folder.join(manifest(language)))
        .is_ok_and(|manifest| manifest.lines().any(|other| other.trim() == line))
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The URL of a file, as requirements of pip have it: a blank would end it.
fn file_url(path: &str) -> String {
    let mut url = String::from("file://");
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            byte => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// A basic string of TOML.
fn toml_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            other if other.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(other))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/rust");

    #[test]
    fn the_sdk_of_the_checkout_goes_before_the_registry() {
        let rust = Path::new(RUST);
        let sdk = Sdk::choose(LanguageName::Rust, None, Some(rust)).unwrap();
        assert_eq!(sdk.place, Place::Local(rust.to_owned()));
        assert!(!sdk.is_missing());
        for (language, expected) in [
            (
                LanguageName::Rust,
                format!("tenon = {{ package = \"tenon-sdk\", version = \"={VERSION}\" }}"),
            ),
            (LanguageName::Typescript, format!("\"{VERSION}\"")),
            (LanguageName::Python, format!("tenon-sdk[test]=={VERSION}")),
        ] {
            let sdk = Sdk::choose(language, None, None).unwrap();
            assert_eq!(sdk.dependency(), expected);
            assert_eq!(sdk.patches(), "");
            // What a name leads to that nobody has registered yet is not for sure.
            assert_eq!(sdk.is_missing(), !IS_PUBLISHED);
        }
        let moved = Path::new("/moved/sdk/rust");
        let failure = Sdk::choose(LanguageName::Rust, None, Some(moved)).unwrap_err();
        let text = failure.render(false).unwrap();
        assert!(text.contains("`--sdk PATH`"), "{text}");
    }

    #[test]
    fn the_sdk_of_another_language_is_refused() {
        let refusal = |language, path: &str| {
            let failure = Sdk::choose(language, Some(Path::new(path)), None).unwrap_err();
            failure.render(false).unwrap()
        };
        let text = refusal(LanguageName::Typescript, RUST);
        assert!(
            text.contains("no `package.json` of a package `@tenon/sdk`"),
            "{text}"
        );
        let file = format!("{RUST}/Cargo.toml");
        for language in [
            LanguageName::Rust,
            LanguageName::Typescript,
            LanguageName::Python,
        ] {
            let text = refusal(language, &file);
            assert!(text.contains("it is another kind of file"), "{text}");
        }
    }

    #[test]
    fn an_unpacked_package_finds_the_packages_beside_it() {
        let folder = std::env::temp_dir().join(format!("tenon-sdk-{}", std::process::id()));
        for name in ["sdk", "contract", "storage"] {
            let folder = folder.join(format!("tenon-{name}-{VERSION}"));
            fs::create_dir_all(&folder).unwrap();
            let manifest = format!("[package]\nname = \"tenon-{name}\"\n");
            fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        }
        let sdk = folder.join(format!("tenon-sdk-{VERSION}"));
        let sdk = Sdk::choose(LanguageName::Rust, Some(&sdk), None).unwrap();
        let patches = sdk.patches();
        let real = folder.canonicalize().unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let path = |name| real.join(format!("tenon-{name}-{VERSION}"));
        let expected = format!(
            "\n[patch.crates-io]\ntenon-contract = {{ path = {:?} }}\ntenon-storage = {{ path = {:?} }}\n",
            path("contract"),
            path("storage")
        );
        assert_eq!(patches, expected);
    }

    #[test]
    fn a_path_is_written_as_the_manifest_takes_it() {
        let sdk = |language| Sdk::at(language, "/a \"b\"/sdk");
        assert_eq!(
            sdk(LanguageName::Rust).dependency(),
            r#"tenon = { package = "tenon-sdk", path = "/a \"b\"/sdk" }"#
        );
        assert_eq!(
            sdk(LanguageName::Typescript).dependency(),
            r#""file:/a \"b\"/sdk""#
        );
        assert_eq!(
            sdk(LanguageName::Python).dependency(),
            "tenon-sdk[test] @ file:///a%20%22b%22/sdk"
        );
    }
}
