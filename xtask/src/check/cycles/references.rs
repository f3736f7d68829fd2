//! What one module contains: its items, its imports, and the paths in its code.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::{
    Attribute, ImplItemFn, Item, ItemFn, ItemMod, ItemUse, Macro, Meta, PatIdent, Path,
    TraitItemFn, UseTree, Visibility,
    visit::{self, Visit},
};

/// One name of a `use` declaration.
pub struct Import {
    /// None for `*`.
    pub name: Option<String>,
    pub reference: Reference,
    pub is_private: bool,
    /// Whether it is inside a function's body.
    pub is_local: bool,
}

/// A path as written.
pub struct Reference {
    pub segments: Vec<String>,
    pub line: usize,
}

/// What was found in a module.
#[derive(Default)]
pub struct Found {
    pub items: BTreeSet<String>,
    pub imports: Vec<Import>,
    pub references: Vec<Reference>,
    /// Declarations of child modules.
    pub modules: Vec<ItemMod>,
    /// Names of macros with `#[macro_export]`.
    pub exported_macros: Vec<String>,
}

/// Everything in these items except what exists for unit tests only.
pub fn collect(items: Vec<Item>) -> Found {
    let mut collector = Collector::default();
    for item in items {
        if is_for_tests(attributes(&item)) {
            continue;
        }
        match item {
            Item::Mod(module) => collector.found.modules.push(module),
            item => {
                collector.declare(&item);
                collector.visit_item(&item);
            }
        }
    }
    collector.found
}

#[derive(Default)]
struct Collector {
    found: Found,
    /// Nesting depth of functions at the visitor's position.
    depth: usize,
    /// Names of variables in the functions at the visitor's position.
    variables: Vec<BTreeSet<String>>,
}

impl Collector {
    /// Records the name of an item of the module.
    fn declare(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Macro(item) => match &item.ident {
                Some(name) => {
                    let is_exported =
                        |attribute: &Attribute| attribute.path().is_ident("macro_export");
                    if item.attrs.iter().any(is_exported) {
                        self.found.exported_macros.push(name.to_string());
                    }
                    name
                }
                None => return,
            },
            _ => return,
        };
        self.found.items.insert(name.to_string());
    }

    fn is_variable(&self, name: &str) -> bool {
        self.variables.iter().any(|names| names.contains(name))
    }

    fn reference(&mut self, segments: Vec<String>, line: usize) {
        let is_variable = matches!(segments.as_slice(), [name] if self.is_variable(name));
        if !is_variable {
            self.found.references.push(Reference { segments, line });
        }
    }

    /// Visits a function, whose patterns have been visited by `names`.
    fn within(&mut self, names: Variables, visit: impl FnOnce(&mut Self)) {
        self.variables.push(names.0);
        self.depth += 1;
        visit(self);
        self.depth -= 1;
        self.variables.pop();
    }

    /// Paths in the arguments of a macro, as far as they can be recognised without expanding it.
    fn tokens(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Group(group) => {
                    self.tokens(group.stream());
                    at += 1;
                }
                TokenTree::Ident(_) => at = self.token_path(&tokens, at),
                _ => at += 1,
            }
        }
    }

    /// A path that begins at `start`, and where it ends.
    fn token_path(&mut self, tokens: &[TokenTree], start: usize) -> usize {
        let mut segments = Vec::new();
        let mut at = start;
        while let Some(TokenTree::Ident(name)) = tokens.get(at) {
            segments.push(name.to_string());
            at += 1;
            if !is_separator(tokens, at) {
                break;
            }
            at += 2;
        }
        let before = start.checked_sub(1).and_then(|index| tokens.get(index));
        let is_path = match before {
            // A field or method, a lifetime, a crate's name, or a macro's variable other than `$crate`.
            Some(TokenTree::Punct(mark)) => match mark.as_char() {
                '.' | '\'' => false,
                ':' => !is_separator(tokens, start.saturating_sub(2)),
                '$' => segments[0] == "crate",
                _ => true,
            },
            _ => true,
        };
        // A single lower-case name may be anything, unless it is called.
        let is_called = match tokens.get(at) {
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
            Some(TokenTree::Punct(mark)) => mark.as_char() == '!',
            _ => false,
        };
        let is_named = segments.len() > 1
            || is_called
            || segments[0].starts_with(|first: char| first.is_ascii_uppercase());
        if is_path && is_named {
            self.reference(segments, tokens[start].span().start().line);
        }
        at.max(start + 1)
    }

    /// The names of a `use` declaration below `prefix`.
    fn import(&mut self, tree: &UseTree, prefix: &[String], item: &ItemUse) {
        let (name, ident, line) = match tree {
            UseTree::Path(path) => {
                let mut longer = prefix.to_vec();
                longer.push(path.ident.to_string());
                return self.import(&path.tree, &longer, item);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix, item);
                }
                return;
            }
            UseTree::Name(name) => (Some(&name.ident), Some(&name.ident), name.ident.span()),
            UseTree::Rename(name) => (Some(&name.rename), Some(&name.ident), name.ident.span()),
            UseTree::Glob(glob) => (None, None, glob.star_token.spans[0]),
        };
        let mut segments = prefix.to_vec();
        let mut name = name.map(ToString::to_string);
        let is_self = ident.is_some_and(|ident| ident == "self");
        if is_self && name.as_deref() == Some("self") {
            name = segments.last().cloned();
        }
        segments.extend(ident.filter(|_| !is_self).map(ToString::to_string));
        self.found.imports.push(Import {
            name,
            reference: Reference {
                segments,
                line: line.start().line,
            },
            is_private: matches!(item.vis, Visibility::Inherited),
            is_local: self.depth > 0,
        });
    }
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
    is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1))
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        let names = Variables::of(|names| names.visit_item_fn(function));
        self.within(names, |this| visit::visit_item_fn(this, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if is_for_tests(&function.attrs) {
            return;
        }
        let names = Variables::of(|names| names.visit_impl_item_fn(function));
        self.within(names, |this| visit::visit_impl_item_fn(this, function));
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        let names = Variables::of(|names| names.visit_trait_item_fn(function));
        self.within(names, |this| visit::visit_trait_item_fn(this, function));
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[], item);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none()
            && let Some(first) = path.segments.first()
        {
            let segments = path.segments.iter();
            let names = segments.map(|segment| segment.ident.to_string()).collect();
            self.reference(names, first.ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        self.visit_path(&invocation.path);
        self.tokens(invocation.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// Names of variables that patterns bind.
#[derive(Default)]
struct Variables(BTreeSet<String>);

impl Variables {
    fn of(visit: impl FnOnce(&mut Self)) -> Self {
        let mut names = Self::default();
        visit(&mut names);
        names
    }
}

impl<'ast> Visit<'ast> for Variables {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = pattern.ident.to_string();
        // Names in upper case are constants and variants.
        if !name.starts_with(|first: char| first.is_ascii_uppercase()) {
            self.0.insert(name);
        }
        visit::visit_pat_ident(self, pattern);
    }
}

/// Whether something is compiled for unit tests only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition.replace(' ', "").starts_with("all(test,")
        }
        _ => false,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
