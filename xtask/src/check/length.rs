//! No file is so long that one has to search in it. Unit tests in files of their own are left out.

use super::{cycles::Tree, targets::targets};
use crate::run::root;
use anyhow::bail;
use std::{collections::BTreeSet, fs};

/// Lines of a file.
const LINES_MAX: usize = 450;

/// Fails on longer files.
pub fn check() -> anyhow::Result<()> {
    let mut files = BTreeSet::new();
    for target in targets()? {
        if !target.is_for_tests {
            let tree = Tree::read(&target.name, &target.file, root())?;
            files.extend(tree.modules.into_iter().map(|module| module.file));
        }
    }
    let mut complaints = Vec::new();
    for file in files {
        let lines = fs::read_to_string(root().join(&file))?.lines().count();
        if lines > LINES_MAX {
            complaints.push(format!(
                "`{}` has {lines} lines, at most {LINES_MAX} are allowed: split it by what its parts do",
                file.display()
            ));
        }
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_file_is_too_long() {
        super::check().unwrap();
    }
}
