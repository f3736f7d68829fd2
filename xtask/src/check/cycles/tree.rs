//! The modules of a crate, with their declarations, imports and paths.

use super::references::{self, Import, Reference};
use anyhow::{Context, bail};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{Attribute, Item, Meta};

/// The index of a module in its tree.
pub type ModuleId = usize;

/// A crate.
pub struct Tree {
    pub name: String,
    /// The first one is the root.
    pub modules: Vec<Module>,
    /// Exported macros, which belong to the root wherever they are declared.
    pub exported_macros: BTreeMap<String, ModuleId>,
}

/// A module, in a file of its own or not.
pub struct Module {
    pub name: String,
    pub parent: Option<ModuleId>,
    pub children: BTreeMap<String, ModuleId>,
    /// Relative to the root of the workspace.
    pub file: PathBuf,
    /// Names of what it declares itself.
    pub items: BTreeSet<String>,
    pub imports: Vec<Import>,
    /// Paths in code, other than imports.
    pub references: Vec<Reference>,
}

impl Tree {
    pub const ROOT: ModuleId = 0;

    /// Reads a crate from the file of its root. Files are named relative to `workspace`.
    pub fn read(name: &str, file: &Path, workspace: &Path) -> anyhow::Result<Self> {
        let folder = file.parent().context("a file without a folder")?;
        let source = Source {
            file: file.to_owned(),
            children: folder.to_owned(),
        };
        let text = fs::read_to_string(file)
            .with_context(|| format!("failed to read `{}`", file.display()))?;
        Self::parse(name, &text, source, workspace)
    }

    /// Reads a crate whose root is this text.
    pub fn parse(name: &str, text: &str, source: Source, workspace: &Path) -> anyhow::Result<Self> {
        let mut tree = Self {
            name: name.to_owned(),
            modules: Vec::new(),
            exported_macros: BTreeMap::new(),
        };
        let root = tree.add("crate", None, source.relative_to(workspace));
        let mut pending = vec![Pending {
            module: root,
            items: items(text, &source.file)?,
            source,
        }];
        while let Some(next) = pending.pop() {
            pending.extend(tree.fill(next, workspace)?);
        }
        Ok(tree)
    }

    /// The names from the root to a module.
    pub fn path(&self, module: ModuleId) -> String {
        match self.modules[module].parent {
            Some(parent) => format!("{}::{}", self.path(parent), self.modules[module].name),
            None => self.modules[module].name.clone(),
        }
    }

    /// A module and its ancestors, from the root on.
    pub fn ancestors(&self, module: ModuleId) -> Vec<ModuleId> {
        let mut chain = vec![module];
        let mut at = module;
        while let Some(parent) = self.modules[at].parent {
            chain.push(parent);
            at = parent;
        }
        chain.reverse();
        chain
    }

    fn add(&mut self, name: &str, parent: Option<ModuleId>, file: PathBuf) -> ModuleId {
        self.modules.push(Module {
            name: name.to_owned(),
            parent,
            children: BTreeMap::new(),
            file,
            items: BTreeSet::new(),
            imports: Vec::new(),
            references: Vec::new(),
        });
        let id = self.modules.len() - 1;
        if let Some(parent) = parent {
            self.modules[parent].children.insert(name.to_owned(), id);
        }
        id
    }

    /// Adds the contents of a module and returns the modules below it.
    fn fill(&mut self, next: Pending, workspace: &Path) -> anyhow::Result<Vec<Pending>> {
        let Pending {
            module,
            items,
            source,
        } = next;
        let found = references::collect(items);
        for name in &found.exported_macros {
            self.exported_macros.insert(name.clone(), module);
        }
        let this = &mut self.modules[module];
        this.items = found.items;
        this.imports = found.imports;
        this.references = found.references;
        let mut below = Vec::new();
        for declared in found.modules {
            let name = declared.ident.to_string();
            let (source, items) = match declared.content {
                Some((_, items)) => (source.inline(&name), items),
                None => source.module(&name, &declared.attrs)?,
            };
            let module = self.add(&name, Some(module), source.relative_to(workspace));
            below.push(Pending {
                module,
                items,
                source,
            });
        }
        Ok(below)
    }
}

/// A module whose contents are not in the tree yet.
struct Pending {
    module: ModuleId,
    items: Vec<Item>,
    source: Source,
}

/// Where a module's text is.
pub struct Source {
    pub file: PathBuf,
    /// Where the files of its child modules are.
    pub children: PathBuf,
}

impl Source {
    fn relative_to(&self, workspace: &Path) -> PathBuf {
        self.file
            .strip_prefix(workspace)
            .unwrap_or(&self.file)
            .to_owned()
    }

    /// A child with its text in the same file.
    fn inline(&self, name: &str) -> Self {
        Self {
            file: self.file.clone(),
            children: self.children.join(name),
        }
    }

    /// A child with its text in a file of its own.
    fn module(&self, name: &str, attributes: &[Attribute]) -> anyhow::Result<(Self, Vec<Item>)> {
        let candidates = match path_attribute(attributes) {
            Some(path) => vec![self.file.with_file_name(path)],
            None => vec![
                self.children.join(format!("{name}.rs")),
                self.children.join(name).join("mod.rs"),
            ],
        };
        let Some(file) = candidates.iter().find(|file| file.is_file()) else {
            bail!(
                "`{}` declares the module `{name}`, which has no file",
                self.file.display()
            );
        };
        let items = items(&fs::read_to_string(file)?, file)?;
        let source = Self {
            file: file.clone(),
            children: self.children.join(name),
        };
        Ok((source, items))
    }
}

fn items(text: &str, file: &Path) -> anyhow::Result<Vec<Item>> {
    let parsed =
        syn::parse_file(text).with_context(|| format!("failed to parse `{}`", file.display()))?;
    Ok(parsed.items)
}

/// The file in `#[path = "file"]`.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
}
