//! What a component asks for and offers, and whether this host grants it.

use super::Engine;
use crate::wasi;
use wasmtime::component::{Component, types::ComponentItem};

/// What this host grants of our own interfaces, beside [`wasi::INTERFACES`].
const INTERFACES: [&str; 3] = [
    "tenon:handler/http",
    "tenon:handler/log",
    "tenon:handler/storage",
];
/// Up to which version. A later patch version of the same track imports the same functions, or is refused when it is linked.
const TRACK: &str = "0.1.";
/// The same of WASI.
const WASI_TRACK: &str = "0.2.";

/// What a component asks for and offers.
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
    /// `package/interface@version`, or the bare name of what stands in the world itself.
    pub name: String,
    /// Whether this host grants it.
    pub granted: bool,
    /// Functions of it that the component uses.
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

fn is_granted(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else {
        return false;
    };
    INTERFACES.contains(&interface) && version.starts_with(TRACK)
        || wasi::INTERFACES.contains(&interface) && version.starts_with(WASI_TRACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_by_interface_and_version_track() {
        assert!(is_granted("wasi:io/streams@0.2.0"));
        assert!(is_granted("wasi:io/streams@0.2.12"));
        assert!(!is_granted("wasi:io/streams@0.20.0"));
        assert!(!is_granted("wasi:io/streams@0.3.0"));
        assert!(!is_granted("wasi:sockets/tcp@0.2.0"));
        assert!(!is_granted("wasi:filesystem/types@0.2.0"));
        assert!(!is_granted("anything"));
    }
}
