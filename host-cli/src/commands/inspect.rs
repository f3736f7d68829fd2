//! `inspect`: shows what a guest imports and exports, and whether this host can run it.

use crate::{
    args::{InspectArgs, InspectFormat},
    contract_files,
    exit::{CommandError, Outcome},
    guest::{self, GuestSource},
    output,
    project::Project,
};
use contract::{digest::Digest, text::printable};
use runtime::{
    Runtime, RuntimeOptions, World,
    engine::{Candidate, Inspection, LoadError, is_image},
    is_outgoing, is_secrets,
};
use serde_json::{Value, json};
use std::fmt::Write;

/// What is known about a file.
struct Findings {
    name: String,
    bytes: usize,
    kind: Kind,
    /// `None` if the file cannot be read as a guest.
    inspection: Option<Inspection>,
    /// Why this host cannot run it.
    obstacle: Option<LoadError>,
    /// What the project gives the guest.
    given: Given,
}

/// What tenon.toml gives a guest that is not named otherwise.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    outgoing: bool,
    secrets: bool,
}

impl Given {
    fn of(project: &Project) -> Self {
        Self {
            outgoing: !project.file.outgoing.0.is_empty(),
            secrets: !project.file.secrets.0.is_empty(),
        }
    }
}

/// The kind of a file.
enum Kind {
    /// The digest of the bytes that were read.
    Component(Digest),
    /// A file that cannot be read as a guest, with the digest of the file.
    Unreadable(Digest),
    /// Native code, with the digest of the component that it claims to be compiled from. An image contains nothing that could prove this
    /// claim.
    NativeCode(Option<Digest>),
}

/// Reads the guest as far as possible, and tries to link it. Invalid content is a finding, not a failure.
pub fn run(arguments: &InspectArgs, project: Option<&Project>) -> Result<Outcome, CommandError> {
    let source = GuestSource::resolve(arguments.guest.as_deref(), project)?;
    let (name, bytes) = source.read()?;
    let engine = guest::engine(1)?;
    let candidate = source.candidate(&engine, &bytes);
    let claimed = candidate.as_ref().ok().map(Candidate::digest);
    let kind = match claimed {
        _ if is_image(&bytes) => Kind::NativeCode(claimed),
        Some(digest) => Kind::Component(digest),
        None => Kind::Unreadable(Digest::of(&bytes)),
    };
    let inspection = candidate.as_ref().ok().map(Candidate::inspection).cloned();
    let linked = candidate.and_then(Candidate::accept).and_then(|guest| {
        // What it may call is decided where it runs.
        let options = RuntimeOptions::without_check_of_grants();
        Runtime::new(&engine, &guest, options)
    });
    let findings = Findings {
        name,
        bytes: bytes.len(),
        kind,
        inspection,
        obstacle: linked.err(),
        given: project
            .filter(|_| arguments.guest.is_none())
            .map(Given::of)
            .unwrap_or_default(),
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

/// The version of the contract that a guest was built against: that of the interface that it exports, otherwise of those that it imports.
fn contract_version(inspection: &Inspection) -> Option<&str> {
    let imports = inspection.imports.iter().map(|import| &import.name);
    let mut names = inspection.exports.iter().chain(imports);
    names.find_map(|name| contract_files::version_of(name))
}

fn text(findings: &Findings) -> String {
    let Findings {
        name,
        bytes,
        kind,
        inspection,
        obstacle,
        given,
    } = findings;
    let what = match kind {
        Kind::Component(digest) => format!("component sha256 {digest}"),
        Kind::Unreadable(digest) => format!("sha256 {digest}"),
        Kind::NativeCode(Some(digest)) => {
            format!("native code; component sha256 {digest} as claimed, not verified")
        }
        Kind::NativeCode(None) => "native code".to_owned(),
    };
    let mut text = format!("{}\n  {bytes} bytes, {what}\n", printable(name));
    if let Some(inspection) = inspection {
        write_world(&mut text, inspection);
        write_interfaces(&mut text, inspection, *given);
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

/// How a host calls the guest, and against which version it was built.
fn write_world(text: &mut String, inspection: &Inspection) {
    let version = contract_version(inspection);
    if inspection.world == Some(World::WasiHttp) {
        let handler = World::WasiHttp.handler();
        let _ = writeln!(text, "  a component of `{handler}`, called through it");
    }
    if version.is_some() || inspection.world != Some(World::WasiHttp) {
        let built = version.map_or_else(
            || "not built against".to_owned(),
            |version| format!("built against version {version} of"),
        );
        let (package, own) = (contract_files::PACKAGE, contract_files::version());
        let _ = writeln!(text, "  {built} {package}; this host provides {own}");
    }
    let is_http = |export: &String| export.starts_with("wasi:http/incoming-handler@");
    if inspection.world == Some(World::Handler) && inspection.exports.iter().any(is_http) {
        let handler = World::Handler.handler();
        let _ = writeln!(text, "  exports `wasi:http`, too; a host calls `{handler}`");
    }
}

fn write_interfaces(text: &mut String, inspection: &Inspection, given: Given) {
    text.push_str("imports\n");
    for import in &inspection.imports {
        let mark = match (import.granted, needed(&import.name, given)) {
            (false, _) => "REFUSED",
            (true, None) => "granted",
            (true, Some(needed)) => needed,
        };
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
}

/// What an interface of this host needs where the guest runs, and the project does not give it.
fn needed(import: &str, given: Given) -> Option<&'static str> {
    if is_outgoing(import) && !given.outgoing {
        Some("needs a grant")
    } else if is_secrets(import) && !given.secrets {
        Some("needs a declared secret")
    } else {
        None
    }
}

fn document(findings: &Findings) -> Value {
    let Findings {
        name,
        bytes,
        kind,
        inspection,
        obstacle,
        given,
    } = findings;
    let (kind, digest, is_verified) = match kind {
        Kind::Component(digest) => ("component", Some(digest), true),
        Kind::Unreadable(digest) => ("unreadable", Some(digest), true),
        Kind::NativeCode(digest) => ("native-code", digest.as_ref(), false),
    };
    let mut document = json!({
        "guest": name,
        "bytes": bytes,
        "kind": kind,
        "sha256": digest.map(Digest::to_string),
        "sha256_verified": is_verified,
        "runs_here": obstacle.is_none(),
    });
    if let Some(inspection) = inspection {
        let imports = inspection.imports.iter().map(|import| {
            let needed = needed(&import.name, *given).filter(|_| import.granted);
            json!({"name": import.name, "granted": import.granted, "needs": needed, "functions": import.functions})
        });
        document["imports"] = imports.collect();
        document["exports"] = json!(inspection.exports);
        document["handler"] = inspection.world.map(World::handler).into();
        document["contract"] = json!({
            "package": contract_files::PACKAGE,
            "built_against": contract_version(inspection),
            "provided": contract_files::version(),
        });
    }
    if let Some(error) = obstacle {
        document["reason"] = error.to_string().into();
        document["hint"] = error.hint().into();
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::engine::Import;

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
            kind: Kind::Component(Digest::of(b"")),
            inspection: Some(Inspection {
                imports: vec![
                    import("tenon:handler/log@0.1.0", true, &["write"]),
                    import("tenon:handler/outgoing@0.1.0", true, &["send"]),
                    import("wasi:sockets/tcp@0.2.0", false, &[]),
                ],
                exports: Vec::new(),
                world: None,
            }),
            obstacle: Some(LoadError::NotGranted(vec![
                "wasi:sockets/tcp@0.2.0".to_owned(),
            ])),
            given: Given::default(),
        }
    }

    #[test]
    fn what_the_project_grants_is_not_missing() {
        let with = |given| {
            let findings = Findings {
                given,
                ..findings()
            };
            (
                text(&findings).contains("  granted  tenon:handler/outgoing@"),
                document(&findings)["imports"][1]["needs"].clone(),
            )
        };
        let secrets = true;
        let needs = Value::from("needs a grant");
        assert_eq!(
            with(Given {
                outgoing: false,
                secrets
            }),
            (false, needs)
        );
        assert_eq!(
            with(Given {
                outgoing: true,
                secrets
            }),
            (true, Value::Null)
        );
    }

    #[test]
    fn the_text_says_what_is_refused_and_why() {
        insta::assert_snapshot!(text(&findings()), @r"
        bad.wasm
          1234 bytes, component sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
          built against version 0.1.0 of tenon:handler; this host provides 0.1.0
        imports
          granted  tenon:handler/log@0.1.0
                   write
          needs a grant  tenon:handler/outgoing@0.1.0
                   send
          REFUSED  wasi:sockets/tcp@0.2.0
        exports
          nothing
        this host cannot run it: the guest imports what this host does not provide: wasi:sockets/tcp@0.2.0
          hint: guests get storage, other services that are granted, secrets that are declared, log, random, clocks, environment and output, but no files and no sockets
        ");
    }

    #[test]
    fn the_text_says_through_which_interface_a_guest_is_called() {
        let text = |exports: &[&str], world| {
            let inspection = Inspection {
                imports: Vec::new(),
                exports: exports.iter().map(|export| (*export).to_owned()).collect(),
                world: Some(world),
            };
            let mut text = String::new();
            write_world(&mut text, &inspection);
            text
        };
        let (own, http) = (
            "tenon:handler/handler@0.1.0",
            "wasi:http/incoming-handler@0.2.4",
        );
        assert_eq!(
            text(&[http], World::WasiHttp),
            "  a component of `wasi:http/incoming-handler@0.2`, called through it\n"
        );
        assert_eq!(
            text(&[http, own], World::Handler),
            "  built against version 0.1.0 of tenon:handler; this host provides 0.1.0\n  exports `wasi:http`, too; a host calls `tenon:handler/handler@0.1.0`\n"
        );
    }

    #[test]
    fn an_images_digest_is_its_own_claim() {
        let findings = Findings {
            kind: Kind::NativeCode(Some(Digest::of(b""))),
            inspection: None,
            obstacle: None,
            ..findings()
        };
        insta::assert_snapshot!(text(&findings), @r"
        bad.wasm
          1234 bytes, native code; component sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 as claimed, not verified
        this host can run it
        ");
        let document = document(&findings);
        assert_eq!(document["kind"], "native-code");
        assert_eq!(document["sha256_verified"], false);
    }

    #[test]
    fn the_document_says_the_same() {
        let document = document(&findings());
        assert_eq!(document["imports"][2]["granted"], false);
        assert_eq!(document["runs_here"], false);
        assert_eq!(document["contract"]["built_against"], "0.1.0");
        assert!(
            document["reason"]
                .as_str()
                .unwrap()
                .contains("wasi:sockets/tcp@0.2.0")
        );
    }
}
