//! Links the component with a memory that suits small requests, and embeds the OpenAPI document without blanks.

use std::{env, error::Error, fs, path::Path};

/// Linker arguments of the component. The stack lies below everything else, so that an overflow traps instead of overwriting data. A small
/// request fits into the initial memory without further allocation, which keeps an instance cheap.
const LINK_ARGS: [&str; 2] = ["-zstack-size=65536", "--initial-memory=196608"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/openapi.json");
    if env::var("CARGO_CFG_TARGET_ARCH")? == "wasm32" {
        for argument in LINK_ARGS {
            println!("cargo::rustc-link-arg-cdylib={argument}");
        }
        println!("cargo::rustc-link-lib=c"); // for memcmp only, which compiled code calls
    }
    let document = without_blanks(&fs::read_to_string("src/openapi.json")?);
    fs::write(
        Path::new(&env::var("OUT_DIR")?).join("openapi.json"),
        document,
    )?;
    Ok(())
}

/// The same JSON text without white space between its tokens.
fn without_blanks(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        compact.push(character);
    }
    compact
}
