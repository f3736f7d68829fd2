//! The socket through which `store` reaches a running server, and what a store holds when a server starts.

use crate::program::{Folder, Server, cli, cli_with_input, command, image};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

fn spec(folder: &Folder) -> String {
    format!("redb:{}", folder.path("store.redb"))
}

fn list(store: &str) -> String {
    cli(&["store", "list", "--store", store])
        .expect_code(0)
        .stdout
}

#[test]
fn the_socket_is_the_owners_and_goes_with_the_server() {
    let folder = Folder::short();
    let server = Server::start(&["--store", &spec(&folder)]);
    let path = folder.path("store.redb.sock");
    let found = fs::metadata(&path).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let (code, stderr) = server.stop();
    assert_eq!(code, 0, "{stderr}");
    assert!(!Path::new(&path).exists());
    assert_eq!(list(&spec(&folder)), "the store is empty\n");
}

#[test]
fn a_socket_that_was_left_behind_is_replaced() {
    let folder = Folder::short();
    let path = folder.path("store.redb.sock");
    drop(UnixListener::bind(&path).unwrap());
    // Without a server, the file is opened.
    cli(&["store", "put", "p", "s", "{}", "--store", &spec(&folder)]).expect_code(0);
    let server = Server::start(&["--store", &spec(&folder)]);
    assert_eq!(list(&spec(&folder)), "items  partition\n    1  p\n");
    drop(server); // killed: the socket stays
    assert!(Path::new(&path).exists());
    assert_eq!(list(&spec(&folder)), "items  partition\n    1  p\n");
    let server = Server::start(&["--store", &spec(&folder)]);
    assert_eq!(list(&spec(&folder)), "items  partition\n    1  p\n");
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_store_that_is_open_elsewhere_and_has_no_socket_is_in_use() {
    let folder = Folder::short();
    let server = Server::start(&["--store", &spec(&folder)]);
    fs::remove_file(folder.path("store.redb.sock")).unwrap();
    cli(&["store", "list", "--store", &spec(&folder)])
        .expect_failure(3, "in use")
        .expect_hint();
    drop(server);
}

#[test]
fn two_servers_of_one_project_do_not_take_each_others_place() {
    let project = Folder::short();
    project.write(
        "tenon.toml",
        "name = \"items\"\n[serve]\nstore = \"memory\"\n",
    );
    let run = |arguments: &[&str]| crate::program::cli_in(project.folder(), arguments);
    let first = Server::start_in(project.folder(), image(), &[]);
    run(&["store", "put", "p", "s", "{}"]).expect_code(0);
    let second = Server::start_in(project.folder(), image(), &[]);
    let found = run(&["store", "list"]).expect_code(0).stdout;
    assert_eq!(found, "items  partition\n    1  p\n");
    let (_, stderr) = second.stop();
    assert!(
        stderr.contains("warning: `host-cli store` does not reach this server: another server"),
        "{stderr}"
    );
    // The end of the second does not remove the socket of the first.
    run(&["store", "list"]).expect_code(0);
    assert_eq!(first.stop().0, 0);
    run(&["store", "list"]).expect_code(3);
}

#[test]
fn what_is_no_request_ends_its_connection_only() {
    let folder = Folder::short();
    let server = Server::start(&["--store", &spec(&folder)]);
    let path = folder.path("store.redb.sock");
    let frame = |json: &str| [&(json.len() as u32).to_be_bytes()[..], json.as_bytes()].concat();
    for bytes in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        u32::MAX.to_be_bytes().to_vec(),
        frame("{}"),
        frame("not JSON"),
        frame(r#"{"scan":{}}"#),
        frame(r#"{"get":{"key":{"partition":"p"}}}"#),
    ] {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream.write_all(&bytes).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
    // A connection that says nothing holds nobody up.
    let _silent = UnixStream::connect(&path).unwrap();
    assert_eq!(list(&spec(&folder)), "the store is empty\n");
    assert_eq!(server.stop().0, 0);
}

#[test]
fn an_interrupted_import_can_be_repeated() {
    let folder = Folder::short();
    let many: Vec<Value> = (0..3000)
        .map(|number| {
            json!({"partition": "p", "sort": format!("{number:05}"), "document": {}, "revision": "r"})
        })
        .collect();
    let text = json!(many).to_string();
    let file = folder.write("many.json", &text);
    // It waits for the rest of its input when it is killed.
    let mut child = command(&["store", "import", "-", "--store", &spec(&folder)])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&text.as_bytes()[..text.len() / 2]).unwrap();
    stdin.flush().unwrap();
    thread::sleep(Duration::from_millis(500));
    child.kill().unwrap();
    child.wait().unwrap();
    cli(&["store", "import", &file, "--store", &spec(&folder)]).expect_code(0);
    let exported = cli(&["store", "export", "--store", &spec(&folder)]).expect_code(0);
    assert_eq!(
        serde_json::from_str::<Value>(&exported.stdout).unwrap(),
        json!(many)
    );
}

#[test]
fn a_failed_export_leaves_the_file_as_it_was() {
    let folder = Folder::short();
    let file = folder.write("before.json", "precious");
    let missing = format!("redb:{}", folder.path("missing.redb"));
    cli(&["store", "export", &file, "--store", &missing]).expect_code(3);
    assert_eq!(folder.read("before.json"), b"precious");
    cli(&["store", "put", "p", "s", "{}", "--store", &spec(&folder)]).expect_code(0);
    cli(&[
        "store",
        "export",
        &folder.path("no/such/folder.json"),
        "--store",
        &spec(&folder),
    ])
    .expect_failure(3, "does not exist");
}

#[test]
fn a_server_starts_with_a_seed_and_with_an_empty_store() {
    let folder = Folder::short();
    let store = spec(&folder);
    let entry =
        |sort: &str| json!({"partition": "p", "sort": sort, "document": {}, "revision": "r"});
    let seed = folder.write("seed.json", json!([entry("a"), entry("b")]).to_string());
    cli(&["store", "put", "p", "a", r#"{"mine":1}"#, "--store", &store]).expect_code(0);

    let server = Server::start(&["--store", &store, "--seed", &seed]);
    assert_eq!(list(&store), "items  partition\n    2  p\n");
    // What is there stays.
    let got = cli(&["store", "get", "p", "a", "--store", &store]).expect_code(0);
    assert!(got.stdout.contains("mine"), "{got:#?}");
    let (_, stderr) = server.stop();
    assert!(stderr.contains("seed: 1 of 2 entries"), "{stderr}");

    let server = Server::start(&["--store", &store, "--fresh", "--seed", &seed]);
    let got = cli(&["store", "get", "p", "a", "--store", &store]).expect_code(0);
    assert_eq!(got.stdout, "{}\n");
    // A store that a server has open is not removed.
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--guest",
        image(),
        "--store",
        &store,
        "--fresh",
    ];
    cli(&arguments).expect_failure(3, "in use").expect_hint();
    assert_eq!(list(&store), "items  partition\n    2  p\n");
    drop(server);

    let server = Server::start(&["--store", &store, "--fresh"]);
    assert_eq!(list(&store), "the store is empty\n");
    drop(server);
}

/// The names in a folder.
fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.folder()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_start_that_fails_leaves_the_store_as_it_was() {
    let folder = Folder::short();
    let store = spec(&folder);
    cli(&["store", "put", "p", "a", r#"{"mine":1}"#, "--store", &store]).expect_code(0);
    let entry = json!([{"partition": "p", "sort": "b", "document": {}, "revision": "r"}]);
    let seed = folder.write("seed.json", entry.to_string());
    let broken = folder.write("broken.json", r#"[{"partition":"p"}]"#);
    let missing = folder.path("missing.json");
    let no_folder = folder.path("no/day.tape");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0";
    let before = names(&folder);
    for (command, listen, more, message) in [
        ("serve", free, &["--seed", &missing][..], "missing.json"),
        ("dev", free, &["--seed", &broken], "entry 1: missing field"),
        ("serve", &taken, &["--seed", &seed], "in use"),
        ("dev", &taken, &["--seed", &seed], "in use"),
        (
            "serve",
            free,
            &["--seed", &seed, "--jwt", "--jwks", &missing],
            "key set",
        ),
        (
            "dev",
            free,
            &["--seed", &seed, "--jwt", "--jwks", &missing],
            "key set",
        ),
        (
            "serve",
            free,
            &["--seed", &seed, "--record", &no_folder],
            "tape",
        ),
    ] {
        for fresh in [&["--fresh"][..], &[]] {
            let start = [
                command,
                "--guest",
                image(),
                "--store",
                &store,
                "--listen",
                listen,
            ];
            cli(&[&start, more, fresh].concat()).expect_failure(3, message);
            let got = cli(&["store", "get", "p", "a", "--store", &store]).expect_code(0);
            assert_eq!(got.stdout, "{\n  \"mine\": 1\n}\n", "{command} {more:?}");
            assert_eq!(list(&store), "items  partition\n    1  p\n");
            assert_eq!(names(&folder), before);
        }
    }
}

#[test]
fn a_seed_may_come_from_a_pipe_or_from_stdin() {
    let folder = Folder::short();
    let store = spec(&folder);
    let pipe = folder.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let entry = json!([{"partition": "p", "sort": "b", "document": {}, "revision": "r"}]);
    let writer = thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, entry.to_string()).unwrap()
    });
    let server = Server::start(&["--store", &store, "--seed", &pipe]);
    writer.join().unwrap();
    assert_eq!(list(&store), "items  partition\n    1  p\n");
    assert_eq!(server.stop().0, 0);
    let arguments = [
        "serve",
        "--guest",
        image(),
        "--listen",
        "127.0.0.1:0",
        "--store",
        &store,
    ];
    cli_with_input(&[&arguments[..], &["--seed", "-"]].concat(), b"[{}]")
        .expect_failure(3, "entries on stdin: entry 1: missing field")
        .expect_hint();
}

#[test]
fn a_start_that_is_not_possible_is_refused() {
    let folder = Folder::short();
    let serve = |more: &[&str]| {
        let start = ["serve", "--listen", "127.0.0.1:0", "--guest", image()];
        cli_with_input(&[&start, more].concat(), b"")
    };
    serve(&["--store", "dynamodb:items@http://127.0.0.1:1", "--fresh"])
        .expect_failure(2, "`--fresh` does not empty a DynamoDB table")
        .expect_hint();
    let foreign = folder.write("precious.redb", "precious");
    serve(&["--store", &format!("redb:{foreign}"), "--fresh"])
        .expect_failure(3, "is not a store of this host");
    assert_eq!(folder.read("precious.redb"), b"precious");
    let broken = folder.write("seed.json", r#"[{"partition":"p"}]"#);
    serve(&["--store", "memory", "--seed", &broken])
        .expect_failure(3, "entry 1: missing field `sort`")
        .expect_hint();
}
