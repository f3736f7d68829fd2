//! What a component imports and exports, and whether this host provides its imports.

use super::Engine;
use crate::{imports::is_granted, world::World};
use wasmtime::component::{Component, types::ComponentItem};

/// The imports and exports of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// In the component's order.
    pub imports: Vec<Import>,
    /// In the component's order.
    pub exports: Vec<String>,
    /// How a host calls it, if it can.
    pub world: Option<World>,
}

/// Something a component imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// `package/interface@version`, or the bare name of an import of the world itself.
    pub name: String,
    /// Whether this host provides it.
    pub granted: bool,
    /// The functions of it that the component uses.
    pub functions: Vec<String>,
}

impl Inspection {
    /// Reads the component's own description.
    pub(super) fn of(engine: &Engine, component: &Component) -> Self {
        let component_type = component.component_type();
        let exports = component_type.exports(engine.wasmtime());
        let exports: Vec<String> = exports.map(|(name, _)| name.to_owned()).collect();
        let world = World::of(exports.iter().map(String::as_str));
        let granted_in = world.unwrap_or(World::Handler);
        let imports = component_type
            .imports(engine.wasmtime())
            .map(|(name, item)| Import {
                name: name.to_owned(),
                granted: is_granted(granted_in, name),
                functions: functions(engine, &item.ty),
            })
            .collect();
        Self {
            imports,
            exports,
            world,
        }
    }
}

fn functions(engine: &Engine, item: &ComponentItem) -> Vec<String> {
    let ComponentItem::ComponentInstance(instance) = item else {
        return Vec::new();
    };
    instance
        .exports(engine.wasmtime())
        .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)))
        .map(|(name, _)| name.to_owned())
        .collect()
}
