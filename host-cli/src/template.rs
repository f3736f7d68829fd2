//! The project that `new` writes. Its files are those of `templates/`, with the project's name instead of the template's.

use crate::exit::CommandError;
use std::{
    env, fmt,
    path::{Path, PathBuf},
};

/// The name in the files of the template.
const NAME: &str = "template-name";
/// The line of `Cargo.toml` that names the SDK begins with this.
const DEPENDENCY: &str = "tenon = ";
/// The checkout that this program was built from, unless it was built for others.
const SDK_OF_BUILD: Option<&str> = option_env!("TENON_SDK");
/// Longest name of a project (a channel's name is no longer).
const NAME_BYTES_MAX: usize = 64;

/// Names that cargo refuses for a package: keywords, and crates that every program links.
const RESERVED: [&str; 62] = [
    "_", "abstract", "alloc", "as", "async", "await", "become", "box", "break", "build", "const",
    "continue", "core", "crate", "deps", "do", "dyn", "else", "enum", "examples", "extern",
    "false", "final", "fn", "for", "gen", "if", "impl", "in", "incremental", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "proc_macro", "proc-macro", "pub",
    "ref", "return", "self", "static", "std", "struct", "super", "tenon", "test", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while",
];

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
    let is_allowed = |character: &char| character.is_ascii_alphanumeric() || "-_".contains(*character);
    if let Some(character) = name.chars().find(|character| !is_allowed(character)) {
        return Err(ProjectNameError::Character(character));
    }
    match RESERVED.contains(&name) {
        true => Err(ProjectNameError::Reserved),
        false => Ok(()),
    }
}

/// Where a project finds the SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// A folder on this machine.
    Folder(PathBuf),
    /// The registry.
    Version(&'static str),
}

impl Sdk {
    /// The folder that is named, otherwise that of the checkout that built this program, otherwise this program's own version.
    pub fn find(named: Option<&Path>) -> Result<Self, CommandError> {
        if let Some(folder) = named {
            if !is_sdk(folder) {
                return Err(CommandError::environment(format_args!(
                    "`{}` is not the SDK: it has no `Cargo.toml` of a package `tenon`",
                    folder.display()
                ))
                .hint("name the folder `sdk/rust` of a checkout of Tenon"));
            }
            let absolute = folder.canonicalize().map_err(CommandError::environment)?;
            return Ok(Self::Folder(absolute));
        }
        let of_build = SDK_OF_BUILD.map(Path::new).filter(|folder| is_sdk(folder));
        Ok(match of_build {
            Some(folder) => Self::Folder(folder.to_owned()),
            None => Self::Version(env!("CARGO_PKG_VERSION")),
        })
    }

    /// The value of the dependency in `Cargo.toml`.
    fn dependency(&self) -> String {
        match self {
            Self::Folder(folder) => {
                let path = folder.display().to_string();
                format!("{{ path = {} }}", toml_string(&path))
            }
            Self::Version(version) => toml_string(version),
        }
    }
}

impl fmt::Display for Sdk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(formatter, "`{}`", folder.display()),
            Self::Version(version) => write!(formatter, "version {version} of `tenon`"),
        }
    }
}

fn is_sdk(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "name = \"tenon\""))
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
