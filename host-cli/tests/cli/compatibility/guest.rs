//! The component of the first version runs on today's host. One for interfaces that this host does not have is refused by name.

use super::kept::{self, Project, ask};

/// On a port of its own, as tests run at the same time.
const SERVE: [&str; 5] = ["serve", "--listen", "127.0.0.1:0", "--store", "memory"];

/// The cases say what it answers, with every function of the interfaces and every kind of event.
#[test]
fn the_component_answers_its_cases() {
    let project = Project::new();
    project.printed(&["test"]);
    project.printed(&["replay", "cases", "--guest", "first.wasm"]);
}

#[test]
fn the_component_is_served() {
    let project = Project::new();
    let server = project.serve(&["--store", "memory"]);
    let answer = ask(&server, "POST", "/request?a=1", "body");
    assert_eq!(answer["method"], "POST");
    assert_eq!(answer["query"], "a=1");
    assert_eq!(answer["body"], "body");
    assert_eq!(answer["greeting"], "hello");
    let answer = ask(&server, "GET", "/stored", "");
    let transact = r#"done, 2 puts; second failed on {"n":3}; invalid"#;
    assert_eq!(answer["transact"], transact);
}

/// Additions to the interfaces come as 0.1.1 and so on. A component that uses none of them runs.
#[test]
fn a_later_version_of_the_same_track_runs() {
    let project = Project::new();
    let component = kept::component_with("@0.1.0", "@0.1.9");
    project.write("first.wasm", component);
    project.printed(&["test"]);
}

#[test]
fn another_track_is_refused_by_name() {
    let project = Project::new();
    project.write("first.wasm", kept::component_with("@0.1.0", "@0.2.0"));
    let parts = [
        "the guest imports what this host does not provide",
        "tenon:handler/storage@0.2.0",
    ];
    project.refused(&SERVE, 3, &parts);
}

#[test]
fn a_function_or_an_interface_that_this_host_does_not_have_is_refused_by_name() {
    let project = Project::new();
    project.write(
        "first.wasm",
        kept::component_with("query-index", "query-other"),
    );
    let parts = ["the guest was built against another version of the interfaces"];
    project.refused(&SERVE, 3, &parts);
    let component = kept::component_with("tenon:handler/log@", "tenon:handler/fog@");
    project.write("first.wasm", component);
    let parts = ["the guest imports what this host does not provide: tenon:handler/fog@0.1.0"];
    project.refused(&SERVE, 3, &parts);
}

/// No image is kept: machine code of another release is not run.
#[test]
fn an_image_of_another_format_or_release_is_refused_by_number() {
    let project = Project::new();
    project.printed(&["compile", "-o", "first.cwasm"]);
    project.printed(&["inspect", "first.cwasm"]);
    let image = std::fs::read(project.file("first.cwasm")).unwrap();
    for (name, from, to, message) in [
        (
            "format",
            r#""format":2"#,
            r#""format":9"#,
            "image has format 9, this host reads format 2",
        ),
        (
            "release",
            r#""wasmtime":"48.0""#,
            r#""wasmtime":"99.0""#,
            "image was made with wasmtime 99.0, this host runs wasmtime 48.0",
        ),
    ] {
        let at = image
            .windows(from.len())
            .rposition(|window| window == from.as_bytes())
            .unwrap();
        let mut other = image.clone();
        other[at..at + to.len()].copy_from_slice(to.as_bytes());
        let file = format!("{name}.cwasm");
        project.write(&file, other);
        project.refused(&[&SERVE[..], &["--guest", &file]].concat(), 3, &[message]);
    }
}
