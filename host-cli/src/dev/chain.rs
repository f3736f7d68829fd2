//! Builds that start one another: a build writes a file that counts as a source, so another one begins, and so on.

use super::watch::Change;
use std::{collections::BTreeSet, path::PathBuf};

/// Builds in a row that may be started by what was written while a build ran.
const BUILDS_MAX: u32 = 3;

/// Finds out whether builds start one another.
#[derive(Default)]
pub struct Chain {
    builds: u32,
    /// Files that have changed during each build of the chain.
    suspects: BTreeSet<PathBuf>,
    /// Files that have started a whole chain. While a build runs, their changes are no reason to build.
    written: BTreeSet<PathBuf>,
}

/// What to do about a change.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Build.
    Build,
    /// Nothing: this file is one that builds write.
    End(PathBuf),
    /// Nothing: that was said before.
    Nothing,
}

impl Chain {
    /// Decides about a change. A file that also changes when no build runs is written by somebody else, and counts again.
    pub fn decide(&mut self, change: &Change) -> Decision {
        for path in &change.by_others {
            self.written.remove(path);
        }
        let unknown = change
            .by_build
            .iter()
            .filter(|path| !self.written.contains(*path));
        let changed: BTreeSet<PathBuf> = unknown.cloned().collect();
        if !change.by_others.is_empty() || change.project_file || change.by_build.is_empty() {
            self.builds = 0;
            return Decision::Build;
        }
        if changed.is_empty() {
            return Decision::Nothing;
        }
        // Different files each time are somebody's saves, while builds happen to run. A new folder stands for what is written into it.
        let is_again = |path: &&PathBuf| self.suspects.iter().any(|known| path.starts_with(known));
        let again: BTreeSet<PathBuf> = match self.builds {
            0 => BTreeSet::new(),
            _ => changed.iter().filter(is_again).cloned().collect(),
        };
        let Some(first) = again.first().cloned() else {
            (self.builds, self.suspects) = (1, changed);
            return Decision::Build;
        };
        self.suspects = again;
        if self.builds < BUILDS_MAX {
            self.builds += 1;
            return Decision::Build;
        }
        self.builds = 0;
        self.written.append(&mut self.suspects);
        Decision::End(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_build(paths: &[&str]) -> Change {
        Change {
            sources: true,
            by_build: paths.iter().map(PathBuf::from).collect(),
            ..Change::default()
        }
    }

    fn by_others(paths: &[&str]) -> Change {
        Change {
            sources: true,
            by_others: paths.iter().map(PathBuf::from).collect(),
            ..Change::default()
        }
    }

    #[test]
    fn the_fourth_build_of_a_chain_does_not_begin() {
        let mut chain = Chain::default();
        for round in 0..2 {
            assert_eq!(chain.decide(&by_others(&["lib.rs"])), Decision::Build);
            if round == 0 {
                for _ in 0..BUILDS_MAX {
                    assert_eq!(chain.decide(&by_build(&["gen.rs"])), Decision::Build);
                }
                let end = Decision::End("gen.rs".into());
                assert_eq!(chain.decide(&by_build(&["gen.rs"])), end);
            }
            // From now on, the file is known.
            assert_eq!(chain.decide(&by_build(&["gen.rs"])), Decision::Nothing);
        }
        // Somebody saves one file after another while builds run.
        for file in ["a.rs", "b.rs", "c.rs", "d.rs", "e.rs", "f.rs"] {
            assert_eq!(chain.decide(&by_build(&[file])), Decision::Build, "{file}");
        }
        // A build makes a folder, and then writes into it.
        let mut other = Chain::default();
        for path in ["made", "made/stamp", "made/stamp"] {
            assert_eq!(other.decide(&by_build(&[path])), Decision::Build, "{path}");
        }
        let end = Decision::End("made/stamp".into());
        assert_eq!(other.decide(&by_build(&["made/stamp"])), end);
        // Somebody saves while a build runs.
        let both = by_build(&["gen.rs", "lib.rs"]);
        assert_eq!(chain.decide(&both), Decision::Build);
        assert_eq!(chain.decide(&by_others(&["gen.rs"])), Decision::Build);
        assert_eq!(chain.decide(&by_build(&["gen.rs"])), Decision::Build);
    }
}
