//! Builds that start one another: a build writes a file that counts as a source, so another one begins, and so on.

use super::watch::{Change, Unnamed};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

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
    /// Files that are gone. Tools give temporary files another name each time, so all of them count as one.
    gone: Crowd,
    /// Files whose names are not known.
    unnamed: Crowd,
}

/// Files that cannot be told apart, so that all of them are one suspect.
#[derive(Default)]
struct Crowd {
    /// Builds in a row that were started by nothing else.
    builds: u32,
    /// Whether they have started a whole chain.
    are_written: bool,
}

impl Crowd {
    /// Decides about a change of such files and of nothing else.
    fn decide(&mut self, end: Decision) -> Decision {
        if self.are_written {
            return Decision::Nothing;
        }
        if self.builds < BUILDS_MAX {
            self.builds += 1;
            return Decision::Build;
        }
        self.are_written = true;
        end
    }
}

/// What to do about a change.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Build.
    Build,
    /// Nothing: this file is one that builds write.
    End(PathBuf),
    /// Nothing: this file and others, each with a name of its own, are written and removed by builds.
    EndOfGone(PathBuf),
    /// Nothing: builds write more files than are known by name.
    EndOfUnnamed,
    /// Nothing: that was said before.
    Nothing,
}

impl Chain {
    /// Decides about a change, with a function that says whether a file is gone. A file that also changes when no build runs is written by somebody
    /// else, and counts again.
    pub fn decide(&mut self, change: &Change, is_gone: impl Fn(&Path) -> bool) -> Decision {
        for path in &change.by_others {
            self.written.remove(path);
        }
        let is_by_others = !change.by_others.is_empty() || change.unnamed == Unnamed::ByOthers;
        let is_by_build = !change.by_build.is_empty() || change.unnamed == Unnamed::ByBuild;
        if is_by_others || change.project_file || !is_by_build {
            self.builds = 0;
            self.gone.builds = 0;
            self.unnamed.builds = 0;
            return Decision::Build;
        }
        let by_build = change.by_build.iter();
        let (gone, kept): (Vec<_>, Vec<_>) = by_build.partition(|path| is_gone(path));
        let unknown = kept
            .into_iter()
            .filter(|path| !self.written.contains(*path));
        let changed: BTreeSet<PathBuf> = unknown.cloned().collect();
        if changed.is_empty() {
            return self.decide_about_crowds(gone.first().copied(), change.unnamed);
        }
        self.gone.builds = 0;
        self.unnamed.builds = 0;
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
        // Those that are known by name are some of them.
        self.unnamed.are_written |= change.unnamed == Unnamed::ByBuild;
        Decision::End(first)
    }

    /// Decides about files that are gone and files without names, if nothing else has changed.
    fn decide_about_crowds(&mut self, gone: Option<&PathBuf>, unnamed: Unnamed) -> Decision {
        let about_gone = match gone {
            Some(first) => self.gone.decide(Decision::EndOfGone(first.clone())),
            None => Decision::Nothing,
        };
        match (about_gone, unnamed) {
            (Decision::Nothing, Unnamed::ByBuild | Unnamed::ByOthers) => {
                self.unnamed.decide(Decision::EndOfUnnamed)
            }
            (decision, _) => decision,
        }
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

    fn decide(chain: &mut Chain, change: &Change) -> Decision {
        chain.decide(change, |path| path.starts_with("gone"))
    }

    #[test]
    fn files_that_are_gone_are_one_suspect_whatever_their_names_are() {
        let mut chain = Chain::default();
        let mut next = 0;
        let mut gone = || {
            next += 1;
            format!("gone/{next}")
        };
        for _ in 0..2 {
            assert_eq!(decide(&mut chain, &by_others(&["lib.rs"])), Decision::Build);
            for _ in 0..2 {
                assert_eq!(decide(&mut chain, &by_build(&[&gone()])), Decision::Build);
            }
        }
        // Somebody saves a file, which an editor does by way of another one.
        let saved = by_build(&[&gone(), "a.rs"]);
        assert_eq!(decide(&mut chain, &saved), Decision::Build);
        for _ in 0..BUILDS_MAX {
            assert_eq!(decide(&mut chain, &by_build(&[&gone()])), Decision::Build);
        }
        let last = gone();
        let end = Decision::EndOfGone(last.clone().into());
        assert_eq!(decide(&mut chain, &by_build(&[&last])), end);
        assert_eq!(decide(&mut chain, &by_others(&["lib.rs"])), Decision::Build);
        assert_eq!(decide(&mut chain, &by_build(&[&gone()])), Decision::Nothing);
        let saved = by_build(&[&gone(), "b.rs"]);
        assert_eq!(decide(&mut chain, &saved), Decision::Build);
    }

    #[test]
    fn the_fourth_build_of_a_chain_does_not_begin() {
        let mut chain = Chain::default();
        for round in 0..2 {
            assert_eq!(decide(&mut chain, &by_others(&["lib.rs"])), Decision::Build);
            if round == 0 {
                for _ in 0..BUILDS_MAX {
                    assert_eq!(decide(&mut chain, &by_build(&["gen.rs"])), Decision::Build);
                }
                let end = Decision::End("gen.rs".into());
                assert_eq!(decide(&mut chain, &by_build(&["gen.rs"])), end);
            }
            // From now on, the file is known.
            assert_eq!(
                decide(&mut chain, &by_build(&["gen.rs"])),
                Decision::Nothing
            );
        }
        // Somebody saves one file after another while builds run.
        for file in ["a.rs", "b.rs", "c.rs", "d.rs", "e.rs", "f.rs"] {
            assert_eq!(
                decide(&mut chain, &by_build(&[file])),
                Decision::Build,
                "{file}"
            );
        }
        // A build makes a folder, and then writes into it.
        let mut other = Chain::default();
        for path in ["made", "made/stamp", "made/stamp"] {
            assert_eq!(
                decide(&mut other, &by_build(&[path])),
                Decision::Build,
                "{path}"
            );
        }
        let end = Decision::End("made/stamp".into());
        assert_eq!(decide(&mut other, &by_build(&["made/stamp"])), end);
        // Somebody saves while a build runs.
        let both = by_build(&["gen.rs", "lib.rs"]);
        assert_eq!(decide(&mut chain, &both), Decision::Build);
        assert_eq!(decide(&mut chain, &by_others(&["gen.rs"])), Decision::Build);
        assert_eq!(decide(&mut chain, &by_build(&["gen.rs"])), Decision::Build);
    }

    #[test]
    fn files_without_a_name_are_one_suspect() {
        let unnamed = |named: &[&str]| Change {
            unnamed: Unnamed::ByBuild,
            ..by_build(named)
        };
        let mut chain = Chain::default();
        // What the first build has written counts by its names as well.
        assert_eq!(decide(&mut chain, &unnamed(&["a"])), Decision::Build);
        for _ in 0..BUILDS_MAX {
            assert_eq!(decide(&mut chain, &unnamed(&[])), Decision::Build);
        }
        assert_eq!(decide(&mut chain, &unnamed(&[])), Decision::EndOfUnnamed);
        assert_eq!(decide(&mut chain, &unnamed(&[])), Decision::Nothing);
        let others = Change {
            sources: true,
            unnamed: Unnamed::ByOthers,
            ..Change::default()
        };
        assert_eq!(decide(&mut chain, &others), Decision::Build);
        assert_eq!(decide(&mut chain, &unnamed(&[])), Decision::Nothing);
        // The files that are known by name end the chain for those that are not.
        let mut other = Chain::default();
        for _ in 0..=BUILDS_MAX {
            assert_eq!(decide(&mut other, &others), Decision::Build);
        }
        for _ in 0..BUILDS_MAX {
            assert_eq!(decide(&mut other, &unnamed(&["a"])), Decision::Build);
        }
        let end = Decision::End("a".into());
        assert_eq!(decide(&mut other, &unnamed(&["a"])), end);
        assert_eq!(decide(&mut other, &unnamed(&["a"])), Decision::Nothing);
    }
}
