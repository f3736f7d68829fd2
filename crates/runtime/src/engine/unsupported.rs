//! Names what a component is built for if that is a WASI that this host does not run: the compiler would only say which instruction of the
//! component model it does not know.

use super::load_error::LoadError;
use wasmparser::{Parser, Payload};

/// The first release of WASI whose functions are asynchronous.
const ASYNC_TRACK: &str = "0.3.";

/// Refuses a component that imports or exports interfaces of WASI 0.3.
pub(super) fn check(component: &[u8]) -> Result<(), LoadError> {
    let names = names(component);
    if names.is_empty() {
        Ok(())
    } else {
        Err(LoadError::AsyncUnsupported(names))
    }
}

/// The names of such interfaces among the component's own imports and exports, not those of the components inside. What cannot be parsed is
/// left to the compiler.
fn names(component: &[u8]) -> Vec<String> {
    let mut depth = 0_u32;
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        match payload {
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::ComponentImportSection(section)) if depth == 0 => {
                let imports = section.into_iter().map_while(Result::ok);
                found.extend(imports.map(|import| import.name.name.to_owned()));
            }
            Ok(Payload::ComponentExportSection(section)) if depth == 0 => {
                let exports = section.into_iter().map_while(Result::ok);
                found.extend(exports.map(|export| export.name.name.to_owned()));
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    found.retain(|name| is_async(name));
    found
}

fn is_async(name: &str) -> bool {
    name.starts_with("wasi:")
        && name
            .split_once('@')
            .is_some_and(|(_, version)| version.starts_with(ASYNC_TRACK))
}
