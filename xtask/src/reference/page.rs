//! A WIT package as Markdown: interfaces in the order of their names, then types and functions in the order of the source.

use std::fmt::Write;
use wit_parser::{
    Docs, Function, Handle, Interface, PackageId, Resolve, Type, TypeDef, TypeDefKind, TypeId,
    TypeOwner, World, WorldItem, WorldKey,
};

/// The whole page.
pub fn of(resolve: &Resolve, package: PackageId) -> String {
    let package = &resolve.packages[package];
    let mut page = Page {
        resolve,
        text: format!(
            "<!-- Written by `cargo xtask reference` from wit/. -->\n\n# The contract: `{}`\n\n\
             What a guest exports and may import. `host-cli wit` writes the package itself.\n",
            package.name
        ),
    };
    for world in package.worlds.values() {
        page.world(&resolve.worlds[*world]);
    }
    for interface in package.interfaces.values() {
        page.interface(&resolve.interfaces[*interface]);
    }
    page.text
}

struct Page<'a> {
    resolve: &'a Resolve,
    text: String,
}

impl Page<'_> {
    fn world(&mut self, world: &World) {
        self.line(&format!("\n## World `{}`\n", world.name));
        self.docs(&world.docs);
        self.line("| | interface |\n|---|---|");
        for (direction, items) in [("exports", &world.exports), ("imports", &world.imports)] {
            for (key, item) in items {
                let name = match (key, item) {
                    (WorldKey::Interface(id), WorldItem::Interface { .. }) => {
                        self.resolve.interfaces[*id].name.as_deref()
                    }
                    (WorldKey::Interface(_) | WorldKey::Name(_), _) => None,
                };
                // An interface without functions is there for its types only.
                if let Some(name) = name {
                    self.line(&format!("| {direction} | [`{name}`](#interface-{name}) |"));
                }
            }
        }
    }

    fn interface(&mut self, interface: &Interface) {
        let name = interface.name.as_deref().unwrap_or_default();
        self.line(&format!("\n## Interface `{name}`\n"));
        self.docs(&interface.docs);
        for function in interface.functions.values() {
            self.function(name, function);
        }
        for (type_name, id) in &interface.types {
            let definition = &self.resolve.types[*id];
            // `use` makes another name for a type of another interface.
            if !self.is_used_from_elsewhere(definition) {
                self.definition(name, type_name, definition);
            }
        }
    }

    fn is_used_from_elsewhere(&self, definition: &TypeDef) -> bool {
        let TypeDefKind::Type(Type::Id(id)) = definition.kind else {
            return false;
        };
        self.resolve.types[id].owner != definition.owner
    }

    fn function(&mut self, interface: &str, function: &Function) {
        self.line(&format!("### `{interface}.{}`\n", function.name));
        let parameters: Vec<String> = function
            .params
            .iter()
            .map(|parameter| format!("{}: {}", parameter.name, self.type_text(&parameter.ty)))
            .collect();
        let result = function.result.as_ref().map_or_else(String::new, |result| {
            format!(" -> {}", self.type_text(result))
        });
        let one_line = format!("func({}){result}", parameters.join(", "));
        self.line(&format!("```wit\n{one_line}\n```\n"));
        self.docs(&function.docs);
    }

    fn definition(&mut self, interface: &str, name: &str, definition: &TypeDef) {
        let kind = match &definition.kind {
            TypeDefKind::Type(alias) => format!("type, {}", self.type_text(alias)),
            kind => kind.as_str().to_owned(),
        };
        self.line(&format!("### `{interface}.{name}`: {kind}\n"));
        self.docs(&definition.docs);
        let rows: Vec<(String, Option<String>, &Docs)> = match &definition.kind {
            TypeDefKind::Record(record) => record
                .fields
                .iter()
                .map(|field| {
                    (
                        field.name.clone(),
                        Some(self.type_text(&field.ty)),
                        &field.docs,
                    )
                })
                .collect(),
            TypeDefKind::Variant(variant) => variant
                .cases
                .iter()
                .map(|case| {
                    let payload = case.ty.as_ref().map(|payload| self.type_text(payload));
                    (case.name.clone(), payload, &case.docs)
                })
                .collect(),
            TypeDefKind::Enum(cases) => cases
                .cases
                .iter()
                .map(|case| (case.name.clone(), None, &case.docs))
                .collect(),
            _ => Vec::new(),
        };
        self.rows(&rows);
    }

    fn rows(&mut self, rows: &[(String, Option<String>, &Docs)]) {
        if rows.is_empty() {
            return;
        }
        self.line("| name | type | meaning |\n|---|---|---|");
        for (name, payload, docs) in rows {
            let payload = payload
                .as_ref()
                .map_or_else(String::new, |payload| format!("`{payload}`"));
            let meaning = docs.contents.as_deref().unwrap_or_default();
            let meaning = meaning.split_whitespace().collect::<Vec<_>>().join(" ");
            // A bar would end the cell.
            let meaning = meaning.replace('|', "\\|");
            self.line(&format!("| `{name}` | {payload} | {meaning} |"));
        }
        self.line("");
    }

    /// A type as WIT spells it.
    fn type_text(&self, of: &Type) -> String {
        match of {
            Type::Bool => "bool".to_owned(),
            Type::U8 => "u8".to_owned(),
            Type::U16 => "u16".to_owned(),
            Type::U32 => "u32".to_owned(),
            Type::U64 => "u64".to_owned(),
            Type::S8 => "s8".to_owned(),
            Type::S16 => "s16".to_owned(),
            Type::S32 => "s32".to_owned(),
            Type::S64 => "s64".to_owned(),
            Type::F32 => "f32".to_owned(),
            Type::F64 => "f64".to_owned(),
            Type::Char => "char".to_owned(),
            Type::String => "string".to_owned(),
            Type::ErrorContext => "error-context".to_owned(),
            Type::Id(id) => self.defined_type_text(*id),
        }
    }

    fn defined_type_text(&self, id: TypeId) -> String {
        let definition = &self.resolve.types[id];
        if let (Some(name), TypeOwner::Interface(_) | TypeOwner::World(_)) =
            (&definition.name, definition.owner)
        {
            return name.clone();
        }
        let optional = |of: &Option<Type>| match of {
            Some(of) => self.type_text(of),
            None => "_".to_owned(),
        };
        match &definition.kind {
            TypeDefKind::Option(of) => format!("option<{}>", self.type_text(of)),
            TypeDefKind::List(of) => format!("list<{}>", self.type_text(of)),
            TypeDefKind::FixedLengthList(of, length) => {
                format!("list<{}, {length}>", self.type_text(of))
            }
            TypeDefKind::Map(key, value) => {
                format!("map<{}, {}>", self.type_text(key), self.type_text(value))
            }
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<String> = tuple.types.iter().map(|of| self.type_text(of)).collect();
                format!("tuple<{}>", types.join(", "))
            }
            TypeDefKind::Result(result) => match (&result.ok, &result.err) {
                (None, None) => "result".to_owned(),
                (Some(ok), None) => format!("result<{}>", self.type_text(ok)),
                (ok, err) => format!("result<{}, {}>", optional(ok), optional(err)),
            },
            TypeDefKind::Handle(Handle::Own(of)) => self.defined_type_text(*of),
            TypeDefKind::Handle(Handle::Borrow(of)) => {
                format!("borrow<{}>", self.defined_type_text(*of))
            }
            TypeDefKind::Future(of) => format!("future<{}>", optional(of)),
            TypeDefKind::Stream(of) => format!("stream<{}>", optional(of)),
            TypeDefKind::Type(of) => self.type_text(of),
            // These always have a name.
            kind @ (TypeDefKind::Record(_)
            | TypeDefKind::Resource
            | TypeDefKind::Flags(_)
            | TypeDefKind::Variant(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Unknown) => kind.as_str().to_owned(),
        }
    }

    fn docs(&mut self, docs: &Docs) {
        if let Some(contents) = &docs.contents {
            self.line(&format!("{}\n", contents.trim()));
        }
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("a string accepts everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_written_with_its_comments_and_its_types_as_wit_spells_them() {
        let mut resolve = Resolve::default();
        let package = resolve
            .push_str(
                "a.wit",
                "package a:b@1.0.0;
                 /// Rooms.
                 interface rooms {
                   /// A room.
                   record room {
                     /// Its name | number.
                     name: option<string>,
                   }
                   /// Finds one.
                   find: func(names: list<tuple<string, u8>>) -> result<room, string>;
                   remove: func() -> result<_, string>;
                 }",
            )
            .unwrap();
        let page = of(&resolve, package);
        for part in [
            "# The contract: `a:b@1.0.0`",
            "## Interface `rooms`\n\nRooms.",
            "func(names: list<tuple<string, u8>>) -> result<room, string>",
            "func() -> result<_, string>",
            "Finds one.",
            "### `rooms.room`: record\n\nA room.",
            "| `name` | `option<string>` | Its name \\| number. |",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
