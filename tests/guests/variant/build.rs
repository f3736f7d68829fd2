//! Creates one file from the reference guest's sources, with the planted change between the component and its logic. The build fails if the
//! place for the change no longer exists in a source.

use std::{env, error::Error, fs, path::Path};

const GUEST: &str = "../../../guest";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={GUEST}");
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
    let root = fs::read_to_string(Path::new(GUEST).join("src/lib.rs"))?;
    let inner = |line: &&str| {
        line.starts_with("//!") || line.starts_with("#![") || line.starts_with("extern crate")
    };
    let root: Vec<&str> = root.lines().filter(|line| !inner(line)).collect();
    let mut source = inlined(&root.join("\n"), &Path::new(GUEST).join("src"))?;
    for (from, to) in [
        // The planted change answers, and calls the original code.
        (
            "pub fn handle(request: &Request, host: &dyn Host) -> Response {",
            "pub fn unchanged(request: &Request, host: &dyn Host) -> Response {",
        ),
        (
            "crate::handle(&request.into(), &Imports)",
            "crate::planted::handle(&request.into(), &Imports)",
        ),
        // The environment selects the change.
        (
            r#"path: ["../wit", "wit"],"#,
            r#"path: ["../../../wit", "../../../guest/wit", "wit"],"#,
        ),
        (
            "import wasi:random/random@0.2.6;",
            "import wasi:random/random@0.2.6; import wasi:cli/environment@0.2.6;",
        ),
        ("mod bindings {", "pub mod bindings {"),
    ] {
        if source.matches(from).count() != 1 {
            return Err(format!("the guest's sources do not have this once: {from}").into());
        }
        source = source.replacen(from, to, 1);
    }
    fs::write(Path::new(&out).join("guest.rs"), source)?;
    Ok(())
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
