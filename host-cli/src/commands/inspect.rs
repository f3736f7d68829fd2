//! `inspect`: what a guest imports and exports, and whether this host runs it.

use crate::{
    args::{InspectArgs, InspectFormat},
    exit::{Failure, Outcome},
    guest, input, output,
};
use host_core::{
    engine::{Inspection, LoadError},
    runtime::{Runtime, RuntimeOptions},
};
use serde_json::{Value, json};
use std::fmt::Write;

/// What there is to say about a guest.
struct Findings {
    name: String,
    bytes: usize,
    digest: String,
    inspection: Inspection,
    /// Why this host cannot run it.
    obstacle: Option<LoadError>,
}

/// Reads the guest as far as it can be read, and tries to link it.
pub fn run(arguments: &InspectArgs) -> Result<Outcome, Failure> {
    let name = arguments.guest.display().to_string();
    let bytes = input::read_file(&arguments.guest, "guest", guest::GUEST_BYTES_MAX)?;
    let engine = guest::engine(1)?;
    let (unchecked, inspection) = engine
        .inspect(&bytes)
        .map_err(|error| guest::cannot_load(&name, &error))?;
    let linked = engine
        .load(&bytes)
        .and_then(|guest| Runtime::new(&engine, &guest, RuntimeOptions::default()));
    let findings = Findings {
        name,
        bytes: bytes.len(),
        digest: unchecked.digest().to_string(),
        inspection,
        obstacle: linked.err(),
    };
    output::text(&match arguments.format {
        InspectFormat::Text => text(&findings),
        InspectFormat::Json => format!("{:#}\n", document(&findings)),
    })?;
    Ok(if findings.obstacle.is_none() {
        Outcome::Same
    } else {
        Outcome::Differs
    })
}

fn text(findings: &Findings) -> String {
    let Findings {
        name,
        bytes,
        digest,
        inspection,
        obstacle,
    } = findings;
    let mut text = format!("{name}\n  {bytes} bytes, component sha256 {digest}\nimports\n");
    for import in &inspection.imports {
        let mark = if import.granted { "granted" } else { "REFUSED" };
        let _ = writeln!(text, "  {mark}  {}", import.name);
        if !import.functions.is_empty() {
            let _ = writeln!(text, "           {}", import.functions.join(", "));
        }
    }
    if inspection.imports.is_empty() {
        text.push_str("  nothing\n");
    }
    text.push_str("exports\n");
    for export in &inspection.exports {
        let _ = writeln!(text, "  {export}");
    }
    if inspection.exports.is_empty() {
        text.push_str("  nothing\n");
    }
    match obstacle {
        None => text.push_str("this host can run it\n"),
        Some(error) => {
            let _ = writeln!(
                text,
                "this host cannot run it: {error}\n  hint: {}",
                error.hint()
            );
        }
    }
    text
}

fn document(findings: &Findings) -> Value {
    let Findings {
        name,
        bytes,
        digest,
        inspection,
        obstacle,
    } = findings;
    let imports: Vec<Value> = inspection
        .imports
        .iter()
        .map(|import| json!({"name": import.name, "granted": import.granted, "functions": import.functions}))
        .collect();
    let mut document = json!({
        "guest": name,
        "bytes": bytes,
        "sha256": digest,
        "imports": imports,
        "exports": inspection.exports,
        "runs_here": obstacle.is_none(),
    });
    if let Some(error) = obstacle {
        document["reason"] = error.to_string().into();
        document["hint"] = error.hint().into();
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use host_core::engine::Import;

    fn findings() -> Findings {
        let import = |name: &str, granted, functions: &[&str]| Import {
            name: name.to_owned(),
            granted,
            functions: functions
                .iter()
                .map(|function| (*function).to_owned())
                .collect(),
        };
        Findings {
            name: "bad.wasm".to_owned(),
            bytes: 1234,
            digest: "ab12".to_owned(),
            inspection: Inspection {
                imports: vec![
                    import("tenon:handler/log@0.1.0", true, &["write"]),
                    import("wasi:sockets/tcp@0.2.0", false, &[]),
                ],
                exports: Vec::new(),
            },
            obstacle: Some(LoadError::NotGranted(vec![
                "wasi:sockets/tcp@0.2.0".to_owned(),
            ])),
        }
    }

    #[test]
    fn the_text_says_what_is_refused_and_why() {
        insta::assert_snapshot!(text(&findings()), @r"
        bad.wasm
          1234 bytes, component sha256 ab12
        imports
          granted  tenon:handler/log@0.1.0
                   write
          REFUSED  wasi:sockets/tcp@0.2.0
        exports
          nothing
        this host cannot run it: the guest imports what this host does not grant: wasi:sockets/tcp@0.2.0
          hint: guests get storage, log, random, clocks, environment and output, but no files, sockets or outgoing HTTP
        ");
    }

    #[test]
    fn the_document_says_the_same() {
        let document = document(&findings());
        assert_eq!(document["imports"][1]["granted"], false);
        assert_eq!(document["runs_here"], false);
        assert!(
            document["reason"]
                .as_str()
                .unwrap()
                .contains("wasi:sockets/tcp@0.2.0")
        );
    }
}
