//! The files of the templates.

use crate::args::LanguageName;

/// Files by their paths in a project. Those whose names begin with a dot have none in the template, where they would have an effect.
macro_rules! files {
    ($(#[$doc:meta])* $name:ident in $folder:literal: $($path:literal from $source:literal,)+) => {
        $(#[$doc])*
        const $name: &[(&str, &str)] = &[
            $(($path, include_str!(concat!("../../templates/", $folder, "/", $source))),)+
        ];
        #[cfg(test)]
        impl Sources {
            pub const $name: (&str, &[&str]) = ($folder, &[$($source,)+]);
        }
    };
}

/// The files of the templates by their folders.
#[cfg(test)]
pub struct Sources;

files! {
    /// The cases of all languages: what a template answers does not depend on its language.
    CASES in "cases":
    "cases/create/after.json" from "create/after.json",
    "cases/create/event.json" from "create/event.json",
    "cases/create/response.json" from "create/response.json",
    "cases/list/before.json" from "list/before.json",
    "cases/list/event.json" from "list/event.json",
    "cases/list/response.json" from "list/response.json",
    "cases/read/before.json" from "read/before.json",
    "cases/read/event.json" from "read/event.json",
    "cases/read/response.json" from "read/response.json",
    "cases/refuse/after.json" from "refuse/after.json",
    "cases/refuse/event.json" from "refuse/event.json",
    "cases/refuse/response.json" from "refuse/response.json",
}

files! {
    RUST in "rust":
    ".github/workflows/ci.yml" from "github/workflows/ci.yml",
    ".gitignore" from "gitignore",
    "Cargo.toml" from "Cargo.toml",
    "README.md" from "README.md",
    "rust-toolchain.toml" from "rust-toolchain.toml",
    "src/lib.rs" from "src/lib.rs",
    "src/tests.rs" from "src/tests.rs",
    "tenon.toml" from "tenon.toml",
}

files! {
    TYPESCRIPT in "typescript":
    ".github/workflows/ci.yml" from "github/workflows/ci.yml",
    ".gitignore" from "gitignore",
    ".npmrc" from "npmrc",
    "README.md" from "README.md",
    "package.json" from "package.json",
    "src/index.ts" from "src/index.ts",
    "tenon.toml" from "tenon.toml",
    "test/notes.test.ts" from "test/notes.test.ts",
    "test/tsconfig.json" from "test/tsconfig.json",
    "tsconfig.json" from "tsconfig.json",
}

files! {
    PYTHON in "python":
    ".github/workflows/ci.yml" from "github/workflows/ci.yml",
    ".gitignore" from "gitignore",
    "README.md" from "README.md",
    "app.py" from "app.py",
    "pyproject.toml" from "pyproject.toml",
    "requirements.txt" from "requirements.txt",
    "tenon.toml" from "tenon.toml",
    "tests/__init__.py" from "tests/__init__.py",
    "tests/test_notes.py" from "tests/test_notes.py",
}

/// The files of a language, with what stands for the project's name and SDK.
pub fn of(language: LanguageName) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = match language {
        LanguageName::Rust => RUST,
        LanguageName::Typescript => TYPESCRIPT,
        LanguageName::Python => PYTHON,
    };
    own.iter().chain(CASES).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

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

    #[test]
    fn every_file_of_the_templates_is_written() {
        let templates = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"));
        for (folder, sources) in [
            Sources::CASES,
            Sources::RUST,
            Sources::TYPESCRIPT,
            Sources::PYTHON,
        ] {
            let root = templates.join(folder);
            let mut found = BTreeSet::new();
            walk(&root, &root, &mut found);
            let sources: BTreeSet<String> = sources.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(found, sources, "{folder}");
        }
    }
}
