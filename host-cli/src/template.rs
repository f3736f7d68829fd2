//! The project that `new` writes. Its files are those of `templates/`, with the project's name instead of the template's.

mod files;
mod sdk;

pub use sdk::Sdk;

use crate::project::SCHEMA;

/// A request that the new API answers.
pub const EXAMPLE: &str = "localhost:3000/notes";
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

/// The files of a project with this name in the SDK's language, by their paths in it.
pub fn files(name: &str, sdk: &Sdk) -> impl Iterator<Item = (&'static str, String)> {
    // The names that cargo and channels make of it.
    let (component, channel) = (
        name.replace('-', "_"),
        name.replace('_', "-").to_ascii_lowercase(),
    );
    let (dependency, patches) = (sdk.dependency(), sdk.patches());
    let name = name.to_owned();
    files::of(sdk.language())
        .map(move |(path, text)| {
            let text = text
                .replace("{{name}}", &name)
                .replace("{{crate}}", &component)
                .replace("{{channel}}", &channel)
                .replace("{{sdk}}", &dependency)
                .replace("{{patches}}", &patches)
                .replace("{{version}}", sdk::VERSION);
            (path, text)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::LanguageName;

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
    fn nothing_of_the_template_stays_open() {
        for language in [
            LanguageName::Rust,
            LanguageName::Typescript,
            LanguageName::Python,
        ] {
            let sdk = Sdk::at(language, "/sdk");
            for (path, text) in files("my-Api_2", &sdk) {
                let rest = text.replace("${{", "");
                assert!(!rest.contains("{{"), "{path}");
                match path {
                    "Cargo.toml" => {
                        assert!(text.contains("\nname = \"my-Api_2\"\n"), "{text}");
                        assert!(
                            text.contains(
                                "\ntenon = { package = \"tenon-sdk\", path = \"/sdk\" }\n"
                            ),
                            "{text}"
                        );
                    }
                    "package.json" => {
                        assert!(text.contains("\n  \"name\": \"my-api-2\",\n"), "{text}");
                        assert!(text.contains("\"@tenon/sdk\": \"file:/sdk\"\n"), "{text}");
                    }
                    "requirements.txt" => {
                        assert!(text.contains("\ntenon-sdk[test] @ file:///sdk\n"), "{text}");
                    }
                    "tenon.toml" => {
                        if language == LanguageName::Rust {
                            assert!(text.contains("/my_Api_2.wasm\""), "{text}");
                        }
                        assert!(text.contains("channel = \"my-api-2\""), "{text}");
                        let schema = format!("#:schema {SCHEMA_FILE}\n");
                        assert!(text.starts_with(&schema), "{text}");
                    }
                    _ => {}
                }
            }
        }
    }
}
