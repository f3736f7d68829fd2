//! What a component imports and exports, and whether this host provides its imports.

use super::Engine;
use crate::imports::is_granted;
use wasmtime::component::{Component, types::ComponentItem};

/// The imports and exports of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// In the component's order.
    pub imports: Vec<Import>,
    /// In the component's order.
    pub exports: Vec<String>,
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
        let imports = component_type
            .imports(engine.wasmtime())
            .map(|(name, item)| Import {
                name: name.to_owned(),
                granted: is_granted(name),
                functions: functions(engine, &item.ty),
            })
            .collect();
        let exports = component_type
            .exports(engine.wasmtime())
            .map(|(name, _)| name.to_owned())
            .collect();
        Self { imports, exports }
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
