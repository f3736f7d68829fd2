//! `tenon.toml` as the commands use it, and `wit`.

use crate::program::{Folder, GUEST, Server, cli, cli_in, command, image};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
};

/// A project with the reference guest, and a folder in it.
fn project(folder: &Folder, more: &str) -> (PathBuf, PathBuf) {
    fs::create_dir_all(folder.path("api/src/deep")).unwrap();
    fs::copy(GUEST, folder.path("api/guest.wasm")).unwrap();
    folder.write(
        "api/tenon.toml",
        format!("name = \"api\"\n[guest]\ncomponent = \"guest.wasm\"\n{more}"),
    );
    (
        folder.path("api").into(),
        folder.path("api/src/deep").into(),
    )
}

const GET_ITEMS: &str = "GET /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[test]
fn serve_takes_what_no_option_says_from_the_nearest_file_above() {
    let folder = Folder::new();
    let (root, deep) = project(
        &folder,
        "[serve]\nlisten = \"127.0.0.1:0\"\nstore = \"redb:.tenon/store.redb\"\nevent = \"url\"\n\
         [serve.limits]\nrequest_body_bytes_max = 10\n[environment]\nGREETING = \"hello\"\n",
    );
    let post = |length: usize| {
        format!(
            "POST /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{}",
            "1".repeat(length)
        )
    };
    let server = Server::spawn(command(&["serve"]).current_dir(&deep));
    let said = &server.greeting[1];
    assert_eq!(
        said,
        &format!(
            "project: {}/tenon.toml sets the guest, address, store, event kind, request_body_bytes_max, variable GREETING",
            root.display()
        )
    );
    assert!(server.talk(GET_ITEMS).starts_with("HTTP/1.1 200 "));
    assert!(server.talk(post(11)).starts_with("HTTP/1.1 413 "));
    assert!(!server.talk(post(10)).starts_with("HTTP/1.1 413 "));
    assert_eq!(server.stop().0, 0);
    assert!(root.join(".tenon/store.redb").is_file());

    let options = [
        "serve",
        "--store",
        "memory",
        "--request-body-bytes-max",
        "100",
    ];
    let server = Server::spawn(command(&options).current_dir(&root));
    let said = "project: tenon.toml sets the guest, address, event kind, variable GREETING";
    assert_eq!(server.greeting[1], said);
    assert!(!server.talk(post(11)).starts_with("HTTP/1.1 413 "));
    assert_eq!(server.stop().0, 0);

    let options = ["serve", "--store", "memory", "--env", "GREETING=good day"];
    let server = Server::spawn(command(&options).current_dir(&root));
    let said = "project: tenon.toml sets the guest, address, event kind, request_body_bytes_max";
    assert_eq!(server.greeting[1], said);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn every_command_finds_the_guest_and_the_kind_of_the_project() {
    let folder = Folder::new();
    let (root, deep) = project(&folder, "[serve]\nevent = \"alb\"\n");
    let event = cli_in(&deep, &["event", "GET", "/items"])
        .expect_code(0)
        .stdout;
    let composed: Value = serde_json::from_str(&event).unwrap();
    assert!(composed["requestContext"]["elb"].is_object(), "{event}");
    folder.write("api/cases/list/event.json", &event);
    let event = folder.write("api/event.json", event);
    cli_in(&deep, &["invoke", &event]).expect_code(0);
    cli_in(&deep, &["inspect"]).expect_code(0);
    let cases = root.join("cases");
    let cases = cases.to_str().unwrap();
    cli_in(&deep, &["replay", cases, "--bless"]).expect_code(0);
    cli_in(&root, &["replay", "cases"]).expect_code(0);
    // Outside of the project nothing says which guest is meant.
    cli(&["replay", cases]).expect_failure(2, "cannot tell which guest");
    let event = cli(&["event", "GET", "/items"]).expect_code(0).stdout;
    let composed: Value = serde_json::from_str(&event).unwrap();
    assert_eq!(composed["resource"], "/{proxy+}", "{event}");
}

#[test]
fn releases_go_where_the_project_says() {
    let folder = Folder::new();
    let (root, deep) = project(
        &folder,
        "[release]\nartifacts = \"file://releases\"\nkey = \"release.key\"\npublic_keys = [\"release.key.pub\"]\n",
    );
    cli_in(&root, &["keygen", "release.key"]).expect_code(0);
    let digest = cli_in(&deep, &["publish"]).expect_code(0).stdout;
    let listed = cli_in(&deep, &["published"]).expect_code(0).stdout;
    assert!(listed.contains(digest.trim()), "{listed}");
    cli_in(&deep, &["promote", digest.trim()]).expect_code(0);
    let shown = cli_in(&deep, &["channel", "show"]).expect_code(0).stdout;
    assert!(
        shown.contains("\"api\"") && shown.contains(digest.trim()),
        "{shown}"
    );
    cli_in(&root, &["channel", "verify"]).expect_code(0);
    cli_in(&root, &["releases"]).expect_code(0);
    cli(&["releases", "api"])
        .expect_failure(2, "`--artifacts` is missing")
        .expect_hint();
}

#[test]
fn a_broken_file_is_one_line_with_its_place() {
    let folder = Folder::new();
    let (root, deep) = project(&folder, "[serve]\nstroe = \"memory\"\n");
    let place = format!(
        "{}/tenon.toml:5:1: unknown member `stroe` in `[serve]`",
        root.display()
    );
    let run = cli_in(&deep, &["serve"])
        .expect_failure(3, &place)
        .expect_hint();
    assert!(run.stderr.contains("did you mean `store`?"), "{run:#?}");
    cli_in(&root, &["inspect", GUEST]).expect_failure(3, "tenon.toml:5:1: ");
    folder.write(
        "api/tenon.toml",
        "[guest]\nbuild = \"make guest\"\ncomponent = \"out/guest.wasm\"\n",
    );
    let run = cli_in(&root, &["serve"])
        .expect_failure(3, "guest `out/guest.wasm` does not exist")
        .expect_hint();
    assert!(run.stderr.contains("`make guest`"), "{run:#?}");
    folder.write("api/tenon.toml", "name = \"api\"\n");
    cli_in(&root, &["serve"])
        .expect_failure(2, "`tenon.toml` does not say where the guest is")
        .expect_hint();
}

#[test]
fn the_contract_is_written_once_and_replaced_only_on_demand() {
    let folder = Folder::new();
    let wit = folder.path("wit");
    let version = cli(&["wit", &wit]).expect_code(0).stdout;
    assert_eq!(version, "tenon:handler@0.1.0\n");
    let text = folder.read("wit/storage.wit");
    assert!(text == fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/storage.wit")).unwrap());
    let again = cli(&["wit", &wit]).expect_code(0);
    assert_eq!((again.stdout, again.stderr), (version, String::new()));
    folder.write("wit/storage.wit", "package mine:own;");
    cli(&["wit", &wit])
        .expect_failure(1, "differs from this program's version")
        .expect_hint();
    assert_eq!(folder.read("wit/storage.wit"), b"package mine:own;");
    cli(&["wit", &wit, "--replace"]).expect_code(0);
    assert!(folder.read("wit/storage.wit") == text);
    let inspected = cli(&["inspect", GUEST]).expect_code(0).stdout;
    let said = "built against version 0.1.0 of tenon:handler; this host provides 0.1.0";
    assert!(inspected.contains(said), "{inspected}");
}

#[test]
fn a_project_that_others_can_change_is_used_only_if_it_is_named() {
    let folder = Folder::new();
    let release =
        "[release]\nartifacts = \"file://releases\"\npublic_keys = [\"release.key.pub\"]\n";
    let (root, deep) = project(&folder, &format!("build = \"./build.sh\"\n{release}"));
    folder.write("api/build.sh", "");
    cli_in(&root, &["keygen", "release.key"]).expect_code(0);
    let set_mode = |name: &str, mode: u32| {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, mode, what) in [
        ("tenon.toml", 0o644, "project file"),
        ("", 0o755, "folder of the project file"),
        ("guest.wasm", 0o644, "guest"),
        ("build.sh", 0o755, "build program"),
    ] {
        set_mode(name, mode);
        set_mode(name, mode | 0o002);
        let run = cli_in(&deep, &["inspect"]).expect_hint();
        let run = run.expect_failure(3, "can be written by every user, who could run code as you");
        assert!(run.stderr.contains(&format!("error: {what} `")), "{run:#?}");
        assert!(run.stderr.contains("`--project DIR`"), "{run:#?}");
        let shown = root.to_str().unwrap();
        cli(&["inspect", "--project", shown]).expect_code(0);
        set_mode(name, mode);
        cli_in(&deep, &["inspect"]).expect_code(0);
    }
    set_mode("release.key.pub", 0o646);
    cli_in(&deep, &["releases"]).expect_failure(3, "public key `");
    // Only root can give files away, and only a user other than root does not own what root has.
    if chown(root.join("tenon.toml"), Some(60_001), None).is_ok() {
        cli_in(&deep, &["inspect"])
            .expect_failure(3, "belongs to another user (id 60001)")
            .expect_hint();
        let mut sudo = command(&["inspect"]);
        let status = sudo.current_dir(&deep).env("SUDO_UID", "60001").status();
        assert!(status.unwrap().success());
    }
    cli(&["inspect", "--project", "no/such/folder"])
        .expect_failure(3, "project file `no/such/folder/tenon.toml` does not exist")
        .expect_hint();
}

#[test]
fn native_code_of_a_project_is_run_only_if_the_user_names_it() {
    let folder = Folder::new();
    let (root, _) = project(&folder, "");
    fs::copy(image(), root.join("guest.cwasm")).unwrap();
    let event = cli_in(&root, &["event", "GET", "/health"])
        .expect_code(0)
        .stdout;
    folder.write("api/event.json", event);
    folder.write("api/tenon.toml", "[guest]\ncomponent = \"guest.cwasm\"\n");
    for command in ["invoke", "replay"] {
        cli_in(&root, &[command, "event.json"])
            .expect_failure(3, "native code; the guest of a project is a component")
            .expect_hint();
    }
    cli_in(&root, &["invoke", "event.json", "--guest", "guest.cwasm"]).expect_code(0);
}
