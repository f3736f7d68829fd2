//! No cycles between modules. Modules with the same parent depend on each other in one direction only, so that each can be read, tested and
//! moved without those that use it.
//!
//! An edge leads from one child of a module to another if anything within the first names anything within the second, also through a
//! re-export. A child may use its parent's own items, and unit tests may use anything.

mod graph;
mod references;
mod resolve;
mod tree;

#[cfg(test)]
mod tests;

pub use tree::Tree;

use super::targets::targets;
use crate::run::root;
use anyhow::bail;
use graph::Cycle;

/// Fails on every cycle in the targets of the workspace's packages.
pub fn check() -> anyhow::Result<()> {
    let mut complaints = Vec::new();
    for target in targets()? {
        let tree = Tree::read(&target.name, &target.file, root())?;
        complaints.extend(graph::cycles(&tree).iter().map(complaint));
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

/// Explains a cycle and how to remove it.
fn complaint(cycle: &Cycle) -> String {
    let mut text = format!("module cycle `{}`:\n", cycle.name());
    for edge in &cycle.edges {
        text += &format!(
            "  `{}` uses `{}`: {}:{} names `{}`\n",
            edge.from,
            edge.to,
            edge.file.display(),
            edge.line,
            edge.path
        );
    }
    text + "  move what both need into one of them, or into a module of its own that uses neither"
}
