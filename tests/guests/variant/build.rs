//! Creates one file from the sources of the SDK and the reference guest, with the planted change between the two, and between the SDK and the
//! host. The build fails if a place for the change no longer exists in a source.

use std::{env, error::Error, fs, path::Path};

const GUEST: &str = "../../../guest";
const SDK: &str = "../../../sdk/rust";

/// What is changed, with its place, in the SDK.
const CHANGES: [(&str, &str); 3] = [
    // The planted change answers, and calls the original code.
    (
        "let response = app().answer(request.into(), &Host);",
        "let response = crate::planted::answer(&app(), request.into(), &Host);",
    ),
    // It sees what is read, and changes what is written.
    (
        "let item = storage::get(",
        "let item = crate::planted::get(",
    ),
    (
        "let outcome = storage::put(",
        "let outcome = crate::planted::put(",
    ),
];

/// In place of the SDK's generated bindings: those of its world and the environment, which selects the change.
const BINDINGS: &str = r#"
wit_bindgen::generate!({
    path: ["../../../wit", "../../../sdk/rust/random", "wit"],
    inline: "
        package tenon:sdk;

        world api {
            include tenon:handler/service-outgoing@0.1.0;
            include tenon:handler/service-secrets@0.1.0;
            import wasi:random/random@0.2.6;
            import wasi:cli/environment@0.2.6;
        }
    ",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "tenon::component::bindings",
});
"#;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={GUEST}");
    println!("cargo::rerun-if-changed={SDK}");
    println!("cargo::rerun-if-changed=build.rs");
    for argument in ["-zstack-size=65536", "--initial-memory=196608"] {
        println!("cargo::rustc-link-arg-cdylib={argument}");
    }
    println!("cargo::rustc-link-lib=c");
    let out = env::var("OUT_DIR")?;
    fs::copy(
        Path::new(GUEST).join("src/openapi.json"),
        Path::new(&out).join("openapi.json"),
    )?;
    // The SDK is the root, so that its paths are what they were; the guest is a module, which finds it by its name.
    let mut source = crate_of(SDK)?;
    for (from, to) in CHANGES {
        if source.matches(from).count() != 1 {
            return Err(format!("the SDK's sources do not have this once: {from}").into());
        }
        source = source.replacen(from, to, 1);
    }
    let guest = crate_of(GUEST)?
        .replace("crate::", "crate::guest::")
        .replace("tenon::main!", "main!"); // a macro of the same crate has no path
    source.push_str(&format!("mod guest {{\n{guest}}}\n"));
    fs::write(Path::new(&out).join("guest.rs"), source)?;
    Ok(())
}

/// The sources of a crate as one text, without what only a crate's first file can have.
fn crate_of(folder: &str) -> Result<String, Box<dyn Error>> {
    let folder = Path::new(folder).join("src");
    let root = fs::read_to_string(folder.join("lib.rs"))?;
    let mut lines = Vec::new();
    let mut is_attribute = false;
    for line in root.lines() {
        is_attribute |= line.starts_with("#![");
        let is_kept =
            !is_attribute && !line.starts_with("//!") && !line.starts_with("extern crate alloc");
        if is_kept {
            lines.push(line);
        }
        is_attribute &= !line.ends_with(")]") && !line.ends_with("std]");
    }
    inlined(&lines.join("\n"), &folder)
}

/// The text with the modules that it declares in it.
fn inlined(text: &str, folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut out = String::new();
    for line in text.lines() {
        let declared = line
            .strip_prefix("pub ")
            .unwrap_or(line)
            .strip_prefix("mod ");
        match declared.and_then(|name| name.strip_suffix(';')) {
            Some("bindings") => out.push_str(&format!("pub mod bindings {{{BINDINGS}}}\n")),
            Some(name) => {
                let module = fs::read_to_string(folder.join(format!("{name}.rs")))?;
                out.push_str(&format!(
                    "pub mod {name} {{\n{}}}\n",
                    inlined(&module, &folder.join(name))?
                ));
            }
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    Ok(out)
}
