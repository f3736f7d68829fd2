//! The graph of uses among the children of a module, and its cycles.

use super::{
    references::Reference,
    tree::{ModuleId, Tree},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Modules with one parent that use each other.
pub struct Cycle {
    crate_name: String,
    /// The path of the parent.
    parent: String,
    pub edges: Vec<Edge>,
}

/// One module uses another one.
#[derive(Clone)]
pub struct Edge {
    pub from: String,
    pub to: String,
    /// An example: the place, and what it names there.
    pub file: PathBuf,
    pub line: usize,
    pub path: String,
}

impl Cycle {
    /// The crate, the parent and the modules.
    pub fn name(&self) -> String {
        format!("{} {}: {}", self.crate_name, self.parent, self.modules())
    }

    /// The names of the modules, sorted.
    fn modules(&self) -> String {
        let names: BTreeSet<&str> = self.edges.iter().map(|edge| edge.from.as_str()).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }
}

/// Edges between children of one module, with an example of each.
type Edges = BTreeMap<(ModuleId, ModuleId), Edge>;

/// All cycles of a crate; those that touch each other count as one.
pub fn cycles(tree: &Tree) -> Vec<Cycle> {
    let mut cycles = Vec::new();
    for (parent, edges) in edges(tree) {
        let mut seen = BTreeSet::new();
        for &(start, _) in edges.keys() {
            if !seen.insert(start) {
                continue;
            }
            let forward = reachable(&edges, start);
            let members: BTreeSet<ModuleId> = forward
                .into_iter()
                .filter(|&other| reachable(&edges, other).contains(&start))
                .collect();
            if members.is_empty() {
                continue;
            }
            seen.extend(&members);
            cycles.push(Cycle {
                crate_name: tree.name.clone(),
                parent: tree.path(parent),
                edges: edges
                    .iter()
                    .filter(|((from, to), _)| members.contains(from) && members.contains(to))
                    .map(|(_, edge)| edge.clone())
                    .collect(),
            });
        }
    }
    cycles
}

/// The modules reachable from a module by at least one edge.
fn reachable(edges: &Edges, start: ModuleId) -> BTreeSet<ModuleId> {
    let mut found = BTreeSet::new();
    let mut pending = vec![start];
    while let Some(at) = pending.pop() {
        for &(_, to) in edges.keys().filter(|(from, _)| *from == at) {
            if found.insert(to) {
                pending.push(to);
            }
        }
    }
    found
}

/// The edges below each module.
fn edges(tree: &Tree) -> BTreeMap<ModuleId, Edges> {
    let mut all: BTreeMap<ModuleId, Edges> = BTreeMap::new();
    for (id, module) in tree.modules.iter().enumerate() {
        let imports = module
            .imports
            .iter()
            .map(|import| (tree.imported(id, import), &import.reference));
        let references = module
            .references
            .iter()
            .map(|reference| (tree.referenced(id, &reference.segments), reference));
        for (named, reference) in imports.chain(references) {
            for other in named {
                if let Some((parent, from, to)) = siblings(tree, id, other) {
                    let edges = all.entry(parent).or_default();
                    edges
                        .entry((from, to))
                        .or_insert_with(|| edge(tree, id, (from, to), reference));
                }
            }
        }
    }
    all
}

/// The nearest common ancestor of two modules, and its children that contain them. `None` if one of them contains the other.
fn siblings(tree: &Tree, from: ModuleId, to: ModuleId) -> Option<(ModuleId, ModuleId, ModuleId)> {
    let (from, to) = (tree.ancestors(from), tree.ancestors(to));
    let at = from.iter().zip(&to).position(|(from, to)| from != to)?;
    Some((from[at - 1], from[at], to[at]))
}

fn edge(
    tree: &Tree,
    module: ModuleId,
    (from, to): (ModuleId, ModuleId),
    reference: &Reference,
) -> Edge {
    Edge {
        from: tree.modules[from].name.clone(),
        to: tree.modules[to].name.clone(),
        file: tree.modules[module].file.clone(),
        line: reference.line,
        path: reference.segments.join("::"),
    }
}
