//! The project that `new` writes. Its files are those of `templates/`, with the project's name instead of the template's.

use crate::{exit::CommandError, project::SCHEMA};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A request that the new API answers.
pub const EXAMPLE: &str = "localhost:3000/notes";
/// The checkout that this program was built from, unless it was built for others.
const SDK_OF_BUILD: Option<&str> = option_env!("TENON_SDK");
/// Where `tenon.toml` says that its schema is.
const SCHEMA_FILE: &str = "tenon.schema.json";
/// Longest name of a project (a channel's name is no longer).
const NAME_BYTES_MAX: usize = 64;

/// Names that cargo refuses for a package: keywords, and crates that every program links.
const RESERVED: &[&str] = &[
    "_",
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "tenon",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
];

/// The files of a project, by their paths in it.
macro_rules! files {
    ($($path:literal from $source:literal,)+) => {
        const FILES: &[(&str, &str)] = &[
            $(($path, include_str!(concat!("../templates/rust/", $source))),)+
        ];
        #[cfg(test)]
        const SOURCES: &[&str] = &[$($source,)+];
    };
}

// Files whose names begin with a dot have none in the template, where they would have an effect.
files! {
    ".github/workflows/ci.yml" from "github/workflows/ci.yml",
    ".gitignore" from "gitignore",
    "Cargo.toml" from "Cargo.toml",
    "README.md" from "README.md",
    "cases/create/after.json" from "cases/create/after.json",
    "cases/create/event.json" from "cases/create/event.json",
    "cases/create/response.json" from "cases/create/response.json",
    "cases/list/before.json" from "cases/list/before.json",
    "cases/list/event.json" from "cases/list/event.json",
    "cases/list/response.json" from "cases/list/response.json",
    "cases/read/before.json" from "cases/read/before.json",
    "cases/read/event.json" from "cases/read/event.json",
    "cases/read/response.json" from "cases/read/response.json",
    "cases/refuse/after.json" from "cases/refuse/after.json",
    "cases/refuse/event.json" from "cases/refuse/event.json",
    "cases/refuse/response.json" from "cases/refuse/response.json",
    "rust-toolchain.toml" from "rust-toolchain.toml",
    "src/lib.rs" from "src/lib.rs",
    "src/tests.rs" from "src/tests.rs",
    "tenon.toml" from "tenon.toml",
}

/// The files of a project with this name, by their paths in it.
pub fn files(name: &str, sdk: &Sdk) -> impl Iterator<Item = (&'static str, String)> {
    // The names that cargo and channels make of it.
    let (component, channel) = (
        name.replace('-', "_"),
        name.replace('_', "-").to_ascii_lowercase(),
    );
    let dependency = format!("tenon = {}", sdk.dependency());
    let name = name.to_owned();
    FILES
        .iter()
        .map(move |(path, text)| {
            let text = text
                .replace("{{name}}", &name)
                .replace("{{crate}}", &component)
                .replace("{{channel}}", &channel)
                .replace("{{sdk}}", &dependency);
            (*path, text)
        })
        .chain([(SCHEMA_FILE, SCHEMA.to_owned())])
}

/// Why a name cannot be that of a project.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProjectNameError {
    #[error("the folder has no name")]
    Missing,
    #[error("a name has at most {NAME_BYTES_MAX} characters")]
    TooLong,
    #[error("the name does not begin with a letter")]
    Begin,
    #[error("the name contains `{0}`")]
    Character(char),
    #[error("the name is reserved: it is a keyword, or a crate that every program has")]
    Reserved,
}

/// Checks a name by the rules that cargo has for packages.
pub fn check_name(name: &str) -> Result<(), ProjectNameError> {
    let first = name.chars().next().ok_or(ProjectNameError::Missing)?;
    if name.len() > NAME_BYTES_MAX {
        return Err(ProjectNameError::TooLong);
    }
    if !first.is_ascii_alphabetic() {
        return Err(ProjectNameError::Begin);
    }
    let is_allowed =
        |character: &char| character.is_ascii_alphanumeric() || "-_".contains(*character);
    if let Some(character) = name.chars().find(|character| !is_allowed(character)) {
        return Err(ProjectNameError::Character(character));
    }
    match RESERVED.contains(&name) {
        true => Err(ProjectNameError::Reserved),
        false => Ok(()),
    }
}

/// Where a project finds the SDK: a folder on this machine. It is not published in a registry, where the package of its name may be somebody
/// else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdk(PathBuf);

impl Sdk {
    /// The folder that is named, otherwise that of the checkout that built this program.
    pub fn find(named: Option<&Path>) -> Result<Self, CommandError> {
        Self::choose(named, SDK_OF_BUILD.map(Path::new))
    }

    fn choose(named: Option<&Path>, of_build: Option<&Path>) -> Result<Self, CommandError> {
        if let Some(folder) = named {
            if !is_sdk(folder) {
                return Err(CommandError::environment(format_args!(
                    "`{}` is not the SDK: it has no `Cargo.toml` of a package `tenon`",
                    folder.display()
                ))
                .hint("name the folder `sdk/rust` of a checkout of Tenon"));
            }
            let absolute = folder.canonicalize().map_err(CommandError::environment)?;
            return Ok(Self(absolute));
        }
        match of_build.filter(|folder| is_sdk(folder)) {
            Some(folder) => Ok(Self(folder.to_owned())),
            None => Err(CommandError::environment(
                "the SDK is not found: this program does not know a checkout of Tenon",
            )
            .hint("name its folder `sdk/rust` with `--sdk DIR`")),
        }
    }

    /// The value of the dependency in `Cargo.toml`.
    fn dependency(&self) -> String {
        let path = self.0.display().to_string();
        format!("{{ path = {} }}", toml_string(&path))
    }
}

impl fmt::Display for Sdk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.0.display())
    }
}

fn is_sdk(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|manifest| {
        manifest
            .lines()
            .any(|line| line.trim() == "name = \"tenon\"")
    })
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
    use std::{collections::BTreeSet, fs};

    #[test]
    fn names_are_those_that_cargo_accepts() {
        for name in ["bookings", "my-api", "a", "A_1", "tenons"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for (name, error) in [
            ("", ProjectNameError::Missing),
            ("1st", ProjectNameError::Begin),
            ("-x", ProjectNameError::Begin),
            ("a b", ProjectNameError::Character(' ')),
            ("a.b", ProjectNameError::Character('.')),
            ("caf\u{e9}", ProjectNameError::Character('\u{e9}')),
            ("async", ProjectNameError::Reserved),
            ("test", ProjectNameError::Reserved),
            ("tenon", ProjectNameError::Reserved),
        ] {
            assert_eq!(check_name(name), Err(error), "{name}");
        }
        assert_eq!(check_name(&"a".repeat(65)), Err(ProjectNameError::TooLong));
    }

    #[test]
    fn without_a_checkout_no_dependency_is_written() {
        let sdk = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk/rust"));
        assert_eq!(Sdk::choose(None, Some(sdk)).unwrap(), Sdk(sdk.to_owned()));
        for of_build in [None, Some(Path::new("/moved/sdk/rust"))] {
            let failure = Sdk::choose(None, of_build).unwrap_err();
            let text = failure.render(false).unwrap();
            assert!(text.contains("`--sdk DIR`"), "{text}");
        }
    }

    #[test]
    fn every_file_of_the_template_is_written_and_nothing_stays_open() {
        fn walk(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, found);
                } else {
                    let path = path.strip_prefix(root).unwrap();
                    found.insert(path.to_str().unwrap().to_owned());
                }
            }
        }
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/rust"));
        let mut found = BTreeSet::new();
        walk(root, root, &mut found);
        let sources: BTreeSet<String> = SOURCES.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(found, sources);

        let sdk = Sdk(PathBuf::from("/a \"b\"/sdk"));
        for (path, text) in files("my-Api_2", &sdk) {
            let rest = text.replace("${{", "");
            assert!(!rest.contains("{{"), "{path}");
            match path {
                "Cargo.toml" => {
                    assert!(text.contains("\nname = \"my-Api_2\"\n"), "{text}");
                    assert!(
                        text.contains(r#"tenon = { path = "/a \"b\"/sdk" }"#),
                        "{text}"
                    );
                }
                "tenon.toml" => {
                    assert!(text.contains("/my_Api_2.wasm\""), "{text}");
                    assert!(text.contains("channel = \"my-api-2\""), "{text}");
                    let schema = format!("#:schema {SCHEMA_FILE}\n");
                    assert!(text.starts_with(&schema), "{text}");
                }
                _ => {}
            }
        }
    }
}
