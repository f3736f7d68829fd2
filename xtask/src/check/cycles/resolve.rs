//! Resolves which modules of its crate a path names.

use super::{
    references::Import,
    tree::{Module, ModuleId, Tree},
};
use std::collections::BTreeSet;

/// What a name refers to, if it belongs to this crate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    Module(ModuleId),
    /// Declared in that module.
    Item(ModuleId),
}

/// Names that are being looked up, because imports may be cyclic.
type Pending = BTreeSet<(ModuleId, String)>;

impl Tree {
    /// The modules that an import names: those on its path, and the one that declares its target.
    pub fn imported(&self, module: ModuleId, import: &Import) -> BTreeSet<ModuleId> {
        self.named(module, &import.reference.segments, true)
    }

    /// The same for a path in code, which never leads to a module itself.
    pub fn referenced(&self, module: ModuleId, segments: &[String]) -> BTreeSet<ModuleId> {
        self.named(module, segments, false)
    }

    fn named(
        &self,
        module: ModuleId,
        segments: &[String],
        may_end_at_module: bool,
    ) -> BTreeSet<ModuleId> {
        let mut modules = BTreeSet::new();
        for end in 1..=segments.len() {
            let is_whole = end == segments.len();
            for meaning in self.resolve(module, &segments[..end], &mut Pending::new()) {
                match meaning {
                    Meaning::Item(at) => _ = modules.insert(at),
                    Meaning::Module(at) if !is_whole || may_end_at_module => {
                        modules.insert(at);
                    }
                    Meaning::Module(_) => (),
                }
            }
        }
        modules
    }

    /// What a path refers to; `None` if it leads out of the crate.
    fn resolve(
        &self,
        module: ModuleId,
        segments: &[String],
        pending: &mut Pending,
    ) -> Vec<Meaning> {
        let Some((first, mut rest)) = segments.split_first() else {
            return Vec::new();
        };
        let parent = |at: ModuleId| self.modules[at].parent.unwrap_or(at);
        let mut at = match first.as_str() {
            "crate" => vec![Meaning::Module(Self::ROOT)],
            "self" => vec![Meaning::Module(module)],
            "super" => vec![Meaning::Module(parent(module))],
            "Self" => Vec::new(),
            name => self
                .look_up(module, name, module, pending)
                .or_else(|| self.look_up_local(module, name, pending))
                .unwrap_or_default(),
        };
        while let Some((next, after)) = rest.split_first() {
            rest = after;
            let step = |meaning: Meaning| match meaning {
                Meaning::Item(_) => vec![meaning], // a variant or an associated item
                Meaning::Module(at) if next == "super" => vec![Meaning::Module(parent(at))],
                // A name without a declaration comes from a macro.
                Meaning::Module(at) => self
                    .look_up(at, next, module, pending)
                    .unwrap_or_else(|| vec![Meaning::Item(at)]),
            };
            at = at.into_iter().flat_map(step).collect();
        }
        at
    }

    /// What a name in a module refers to for code in `user`: `None` if the module does not have it.
    fn look_up(
        &self,
        module: ModuleId,
        name: &str,
        user: ModuleId,
        pending: &mut Pending,
    ) -> Option<Vec<Meaning>> {
        if !pending.insert((module, name.to_owned())) {
            return None;
        }
        let this = &self.modules[module];
        let mut meanings = Vec::new();
        let mut is_found = false;
        if let Some(child) = this.children.get(name) {
            is_found = true;
            meanings.push(Meaning::Module(*child));
        }
        if this.items.contains(name) {
            is_found = true;
            meanings.push(Meaning::Item(module));
        }
        if module == Self::ROOT
            && let Some(declared) = self.exported_macros.get(name)
        {
            is_found = true;
            meanings.push(Meaning::Item(*declared));
        }
        for import in imports(this, false) {
            if import.name.as_deref() == Some(name) {
                is_found = true;
                meanings.extend(self.resolve(module, &import.reference.segments, pending));
            }
        }
        if !is_found {
            // Declarations take precedence over glob imports.
            let found = self.look_up_in_globs(module, name, user, pending);
            is_found = found.is_some();
            meanings.extend(found.unwrap_or_default());
        }
        pending.remove(&(module, name.to_owned()));
        is_found.then_some(meanings)
    }

    fn look_up_in_globs(
        &self,
        module: ModuleId,
        name: &str,
        user: ModuleId,
        pending: &mut Pending,
    ) -> Option<Vec<Meaning>> {
        let is_visible = self.ancestors(user).contains(&module);
        imports(&self.modules[module], false)
            .filter(|import| import.name.is_none() && (is_visible || !import.is_private))
            .find_map(|import| {
                let sources = self.resolve(module, &import.reference.segments, pending);
                sources.into_iter().find_map(|source| match source {
                    Meaning::Module(at) => self.look_up(at, name, user, pending),
                    Meaning::Item(_) => None, // variants of an enum
                })
            })
    }

    /// What a name refers to that a function imports for itself.
    fn look_up_local(
        &self,
        module: ModuleId,
        name: &str,
        pending: &mut Pending,
    ) -> Option<Vec<Meaning>> {
        let key = (module, format!("{name} in a function"));
        if !pending.insert(key.clone()) {
            return None;
        }
        let found = imports(&self.modules[module], true)
            .find(|import| import.name.as_deref() == Some(name))
            .map(|import| self.resolve(module, &import.reference.segments, pending));
        pending.remove(&key);
        found
    }
}

fn imports(module: &Module, is_local: bool) -> impl Iterator<Item = &Import> {
    module
        .imports
        .iter()
        .filter(move |import| import.is_local == is_local)
}
