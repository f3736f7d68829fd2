//! Where a project finds the SDK.

use crate::{args::LanguageName, exit::CommandError};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

/// The SDK for Rust of the checkout that this program was built from, unless it was built for others.
const SDK_OF_BUILD: Option<&str> = option_env!("TENON_SDK");

/// Where a project finds the SDK of its language: a folder on this machine. It is not published in a registry, where the package of its name
/// may be somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdk {
    language: LanguageName,
    folder: PathBuf,
}

impl Sdk {
    /// The folder that is named, otherwise that of the checkout that built this program.
    pub fn find(language: LanguageName, named: Option<&Path>) -> Result<Self, CommandError> {
        Self::choose(language, named, SDK_OF_BUILD.map(Path::new))
    }

    fn choose(
        language: LanguageName,
        named: Option<&Path>,
        of_build: Option<&Path>,
    ) -> Result<Self, CommandError> {
        let folder_name = folder_name(language);
        if let Some(folder) = named {
            if !is_sdk(language, folder) {
                let (file, package) = manifest(language);
                return Err(CommandError::environment(format_args!(
                    "`{}` is not the SDK: it has no `{file}` of a package `{package}`",
                    folder.display()
                ))
                .hint(format!(
                    "name the folder `sdk/{folder_name}` of a checkout of Tenon"
                )));
            }
            let folder = folder.canonicalize().map_err(CommandError::environment)?;
            return Self { language, folder }.check_built();
        }
        // The SDKs of a checkout are beside each other.
        let of_build = of_build.map(|folder| folder.with_file_name(folder_name));
        match of_build.filter(|folder| is_sdk(language, folder)) {
            Some(folder) => Self { language, folder }.check_built(),
            None => Err(CommandError::environment(
                "the SDK is not found: this program does not know a checkout of Tenon",
            )
            .hint(format!(
                "name its folder `sdk/{folder_name}` with `--sdk DIR`"
            ))),
        }
    }

    /// Fails if a project could not use it, because it was not built.
    fn check_built(self) -> Result<Self, CommandError> {
        let is_built = match self.language {
            LanguageName::Rust => true,
            LanguageName::Typescript => self.folder.join("dist/rules.wasm").is_file(), // what is built last
        };
        if is_built {
            return Ok(self);
        }
        Err(
            CommandError::environment(format_args!("the SDK in {self} is not built"))
                .hint("run `npm ci && npm run build` in its folder; it takes Node, npm and cargo"),
        )
    }

    #[cfg(test)]
    pub fn at(language: LanguageName, folder: &str) -> Self {
        let folder = PathBuf::from(folder);
        Self { language, folder }
    }

    /// Its language.
    pub fn language(&self) -> LanguageName {
        self.language
    }

    /// The dependency, as the language's manifest has it.
    pub fn dependency(&self) -> String {
        let path = self.folder.display().to_string();
        match self.language {
            LanguageName::Rust => format!("tenon = {{ path = {} }}", toml_string(&path)),
            LanguageName::Typescript => serde_json::Value::from(format!("file:{path}")).to_string(),
        }
    }
}

impl fmt::Display for Sdk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.folder.display())
    }
}

/// The folder of an SDK in `sdk`.
fn folder_name(language: LanguageName) -> &'static str {
    match language {
        LanguageName::Rust => "rust",
        LanguageName::Typescript => "javascript",
    }
}

/// The file that says which package a folder is, and the package's name.
fn manifest(language: LanguageName) -> (&'static str, &'static str) {
    match language {
        LanguageName::Rust => ("Cargo.toml", "tenon"),
        LanguageName::Typescript => ("package.json", "@tenon/sdk"),
    }
}

fn is_sdk(language: LanguageName, folder: &Path) -> bool {
    let (file, package) = manifest(language);
    let line = match language {
        LanguageName::Rust => format!("name = \"{package}\""),
        LanguageName::Typescript => format!("\"name\": \"{package}\","),
    };
    fs::read_to_string(folder.join(file))
        .is_ok_and(|manifest| manifest.lines().any(|other| other.trim() == line))
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
    fn without_a_checkout_no_dependency_is_written() {
        let rust = Path::new(RUST);
        let sdk = Sdk::choose(LanguageName::Rust, None, Some(rust)).unwrap();
        assert_eq!(sdk.folder, rust);
        for language in [LanguageName::Rust, LanguageName::Typescript] {
            for of_build in [None, Some(Path::new("/moved/sdk/rust"))] {
                let failure = Sdk::choose(language, None, of_build).unwrap_err();
                let text = failure.render(false).unwrap();
                assert!(text.contains("`--sdk DIR`"), "{text}");
            }
        }
    }

    #[test]
    fn the_sdk_of_another_language_is_refused() {
        let failure =
            Sdk::choose(LanguageName::Typescript, Some(Path::new(RUST)), None).unwrap_err();
        let text = failure.render(false).unwrap();
        assert!(
            text.contains("no `package.json` of a package `@tenon/sdk`"),
            "{text}"
        );
    }

    #[test]
    fn a_path_is_written_as_the_manifest_takes_it() {
        let sdk = |language| Sdk::at(language, "/a \"b\"/sdk");
        assert_eq!(
            sdk(LanguageName::Rust).dependency(),
            r#"tenon = { path = "/a \"b\"/sdk" }"#
        );
        assert_eq!(
            sdk(LanguageName::Typescript).dependency(),
            r#""file:/a \"b\"/sdk""#
        );
    }
}
