use super::{
    complaint, graph,
    tree::{Source, Tree},
};
use std::{env, fs, path::Path};

fn tree(text: &str) -> Tree {
    let source = Source {
        file: "/workspace/src/lib.rs".into(),
        children: "/workspace/src".into(),
    };
    Tree::parse("sample", text, source, Path::new("/workspace")).unwrap()
}

/// Names of the cycles in a crate with this source text.
fn cycles(text: &str) -> Vec<String> {
    let cycles = graph::cycles(&tree(text));
    cycles.iter().map(graph::Cycle::name).collect()
}

#[test]
fn one_direction_is_no_cycle() {
    let text = "
        mod low { pub struct Low; }
        mod high { use super::low::Low; pub fn make() -> Low { Low } }
        pub use high::make;
        fn own() { low::Low; }
        mod top { fn run() { super::own(); crate::high::make(); } }
    ";
    assert_eq!(cycles(text), [""; 0]);
}

#[test]
fn a_cycle_through_a_grouped_use_is_found() {
    let text = "
        mod a { use super::{b::{self, Thing}, c}; }
        mod b { pub struct Thing; use crate::{a as other}; }
        mod c {}
    ";
    assert_eq!(cycles(text), ["sample crate: a, b"]);
}

#[test]
fn a_cycle_through_a_reexport_is_found() {
    let text = "
        mod a { use super::Thing; pub struct Other; }
        mod b { pub struct Thing; fn f(_: super::a::Other) {} }
        pub use b::Thing;
    ";
    assert_eq!(cycles(text), ["sample crate: a, b"]);
}

#[test]
fn a_cycle_through_a_glob_is_found() {
    let text = "
        mod a { use super::*; pub struct Other; fn f() -> Thing { todo() } }
        mod b { pub struct Thing(crate::a::Other); }
        use b::*;
    ";
    assert_eq!(cycles(text), ["sample crate: a, b"]);
}

#[test]
fn a_cycle_through_inline_paths_is_found() {
    let text = "
        mod outer {
            mod a { fn f() { super::b::g(); } pub mod deep { pub struct Deep; } }
            mod b { pub fn g() -> Option<crate::outer::a::deep::Deep> { None } }
        }
    ";
    assert_eq!(cycles(text), ["sample crate::outer: a, b"]);
}

#[test]
fn a_cycle_through_the_arguments_of_a_macro_is_found() {
    let text = "
        mod a { pub const ONE: u8 = 1; fn f() { println!(\"{}\", super::b::two(1)); } }
        mod b { pub fn two() -> Vec<u8> { vec![crate::a::ONE; 2] } }
    ";
    assert_eq!(cycles(text), ["sample crate: a, b"]);
}

#[test]
fn a_cycle_of_three_is_one() {
    let text = "
        mod a { use super::b::B; pub struct A; }
        mod b { use super::c::C; pub struct B; }
        mod c { fn f() { use super::a; a::A; } pub struct C; }
    ";
    assert_eq!(cycles(text), ["sample crate: a, b, c"]);
}

#[test]
fn the_parent_may_be_used_and_use() {
    let text = "
        pub struct Own;
        mod a { use super::Own; pub fn f(_: Own) {} mod deep { use super::super::Own; } }
        mod b { fn g() { crate::f(crate::Own) } }
        use a::f;
    ";
    assert_eq!(cycles(text), [""; 0]);
}

#[test]
fn unit_tests_may_use_everything() {
    let text = "
        mod a { use super::b::B; pub struct A; }
        mod b { pub struct B; #[cfg(test)] use super::a::A; #[cfg(test)] mod tests { use crate::a::A; } }
    ";
    assert_eq!(cycles(text), [""; 0]);
}

#[test]
fn what_other_crates_and_variables_are_called_does_not_matter() {
    let text = "
        mod time { pub fn now() { ::time::now(); } }
        mod json { use serde::time; use super::*; fn f(now: u8) -> u8 { now } }
        mod other { use crate::time::now; }
        use time::now;
        mod last { use super::json; fn f(x: &str) { x.time.now(); format!(\"{now}\"); } }
    ";
    assert_eq!(cycles(text), [""; 0]);
}

#[test]
fn a_complaint_names_each_edge_with_its_place() {
    let cycles = graph::cycles(&tree(
        "mod a {\n  use super::b::B; pub struct A; }\nmod b {\n\n pub struct B(super::a::A); }",
    ));
    assert_eq!(
        complaint(&cycles[0]),
        "module cycle `sample crate: a, b`:\n\
         \x20 `a` uses `b`: src/lib.rs:2 names `super::b::B`\n\
         \x20 `b` uses `a`: src/lib.rs:5 names `super::a::A`\n\
         \x20 move what both need into one of them, or into a module of its own that uses neither"
    );
}

#[test]
fn modules_are_read_from_their_files() {
    let folder = env::temp_dir().join(format!("tenon-xtask-cycles-{}", std::process::id()));
    fs::create_dir_all(folder.join("outer/a")).unwrap();
    for (file, text) in [
        ("lib.rs", "mod outer;"),
        ("outer.rs", "mod a; mod b;"),
        ("outer/a.rs", "mod deep;"),
        (
            "outer/a/deep.rs",
            "use crate::outer::b::B; pub struct Deep;",
        ),
        ("outer/b.rs", "pub struct B(super::a::deep::Deep);"),
    ] {
        fs::write(folder.join(file), text).unwrap();
    }
    let tree = Tree::read("sample", &folder.join("lib.rs"), &folder);
    fs::remove_dir_all(&folder).unwrap();
    let cycles = graph::cycles(&tree.unwrap());
    assert_eq!(cycles.len(), 1);
    assert_eq!(cycles[0].name(), "sample crate::outer: a, b");
    assert_eq!(cycles[0].edges[0].file, Path::new("outer/a/deep.rs"));
}

#[test]
fn this_workspace_has_none() {
    super::check().unwrap();
}
