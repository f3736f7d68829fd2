//! The example `embed`, as its own documentation runs it.

use crate::support::guests::REFERENCE;
use serde_json::Value;
use std::{env, fs, process::Command};

#[test]
fn a_program_of_ones_own_runs_a_guest() {
    let tests = env::current_exe().unwrap();
    // target/<profile>/deps/<tests>
    let example = tests.ancestors().nth(2).unwrap().join("examples/embed");
    assert!(
        example.is_file(),
        "`{}` is missing: run the tests by `cargo xtask test`, or build it by `cargo build --example embed` in the same profile",
        example.display()
    );
    let folder = env::temp_dir().join(format!("tenon-embed-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let component = folder.join("guest.wasm");
    fs::write(&component, REFERENCE).unwrap();
    let run = |target: &str| -> Value {
        let output = Command::new(&example)
            .arg(&component)
            .arg(target)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(run("/items")["statusCode"], 200);
    assert_eq!(run("/nothing")["statusCode"], 404);
    fs::remove_dir_all(&folder).unwrap();
}
