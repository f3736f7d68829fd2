//! What is wrong in a project, before `dev` starts and while it runs: one line with a hint each time, and `dev` goes on.

use super::{
    in_folder,
    running::{Dev, project},
};
use crate::program::{Folder, GUEST, cli};
use std::{fs, net::TcpListener, path::Path};

/// A component that imports an empty instance `x:y/z` and has nothing else.
const IMPORTS_UNKNOWN: &[u8] = b"\0asm\x0d\0\x01\0\x07\x03\x01\x42\0\x0a\x0a\x01\0\x05x:y/z\x05\0";

#[test]
fn whatever_goes_wrong_is_one_message_and_the_guest_goes_on() {
    let folder = Folder::new();
    project(&folder, "sh build.sh");
    let good = "cp source.wasm guest.wasm\n";
    folder.write("build.sh", "exit 3\n");
    let mut dev = Dev::start(&folder, &[]);
    dev.wait_for("no guest serves yet");
    assert!(dev.get("/items").starts_with("HTTP/1.1 503 "));

    folder.write("build.sh", good);
    dev.wait_for(" serves, built in ");
    let serves = |dev: &Dev| {
        let answer = dev.get("/items");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    };
    serves(&dev);

    folder.write(
        "build.sh",
        "echo 'error[E0308]: mismatched types' >&2\nexit 1\n",
    );
    let failed = dev.wait_for("goes on serving");
    for text in ["error[E0308]", "`sh build.sh` ended with exit status: 1"] {
        assert!(failed.contains(text), "{failed}");
    }
    serves(&dev);

    folder.write("build.sh", good);
    dev.wait_for("is unchanged");
    for (guest, message) in [
        (&b"text"[..], "error: guest `guest.wasm`: "),
        (b"", "error: guest `guest.wasm` is empty"),
        (
            IMPORTS_UNKNOWN,
            "error: guest `guest.wasm`: the guest imports what this host does not provide: x:y/z",
        ),
    ] {
        folder.write("source.wasm", guest);
        let failed = dev.wait_for("goes on serving");
        assert!(failed.contains(message), "{failed}");
        serves(&dev);
    }

    let file = folder.read("tenon.toml");
    for (text, message) in [
        ("nane = \"x\"\n", "tenon.toml:1:1: unknown member `nane`"),
        ("name = \n", "tenon.toml:1:"),
        (
            "name = \"x\"\n",
            "`tenon.toml` does not say where the guest is",
        ),
        ("", "project file `tenon.toml` is empty"),
    ] {
        folder.write("tenon.toml", text);
        let failed = dev.wait_for("goes on serving");
        assert!(failed.contains(message), "{failed}");
        serves(&dev);
    }
    fs::remove_file(folder.path("tenon.toml")).unwrap();
    let failed = dev.wait_for("goes on serving");
    assert!(failed.contains("`tenon.toml` does not exist"), "{failed}");
    serves(&dev);

    // Another port is for the next start; the rest counts at once.
    folder.write("source.wasm", fs::read(GUEST).unwrap());
    dev.wait_for("is unchanged");
    let file = String::from_utf8(file).unwrap().replace(":0\"", ":1\"");
    folder.write("tenon.toml", file);
    dev.wait_for("started again");
    dev.wait_for("is unchanged");
    serves(&dev);
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn without_a_guest_or_a_free_port_it_does_not_start() {
    let folder = Folder::new();
    cli(&["dev"])
        .expect_failure(2, "no guest is named")
        .expect_hint();
    cli(&["test"])
        .expect_failure(2, "there are no cases to run")
        .expect_hint();
    project(&folder, "cp source.wasm guest.wasm");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = in_folder(&folder, &["dev", "--listen", &address]).expect_hint();
    assert_eq!(run.expect_failure(3, "is in use").stdout, "");
    assert!(!Path::new(&folder.path("guest.wasm")).exists());
    in_folder(&folder, &["test"])
        .expect_failure(3, "contains no case")
        .expect_hint();
}

#[test]
fn what_is_wrong_with_the_project_is_said_before_anything_is_built() {
    let folder = Folder::new();
    // It would be built, and the build would be seen.
    project(&folder, "no-such-program-of-tenon");
    let whole = String::from_utf8(folder.read("tenon.toml")).unwrap();
    for (text, code, message) in [
        (
            "[guest]\nbuidl = 1\n",
            3,
            "tenon.toml:2:1: unknown member `buidl` in `[guest]`",
        ),
        ("[guest\n", 3, "tenon.toml:1:"),
        (
            "name = \"api\"\n",
            2,
            "`tenon.toml` does not say where the guest is",
        ),
    ] {
        folder.write("tenon.toml", text);
        let run = in_folder(&folder, &["dev"]).expect_hint();
        run.expect_failure(code, message);
    }
    folder.write("tenon.toml", whole);
    folder.write("claims.json", "\"ann\"");
    for (arguments, code, message) in [
        (
            &["--claims", "[1]"][..],
            2,
            "claims are an array, not an object",
        ),
        (
            &["--claims", "7"],
            3,
            "claims `7` are neither a JSON object nor a file",
        ),
        (
            &["--claims", "claims.json"],
            3,
            "claims are a string, not an object",
        ),
        (
            &["--jwt", "--jwks", "keys.json"],
            3,
            "key set `keys.json` does not exist",
        ),
        (&["--seed", "seed.json"], 3, "seed.json"),
        (&["--env-file", "local.env"], 3, "local.env"),
        (
            &["--store", "redb:tenon.toml"],
            3,
            "`tenon.toml` is not a store of this host",
        ),
        (
            &["--store", "redb:no/such/folder/x.redb"],
            3,
            "no/such/folder/x.redb",
        ),
        (
            &["--listen", "nowhere"],
            2,
            "`nowhere` is not an address to listen on",
        ),
    ] {
        let run = in_folder(&folder, &[&["dev"], arguments].concat()).expect_hint();
        run.expect_failure(code, message);
    }
}

#[test]
fn a_store_of_another_layout_is_not_touched_unless_fresh_is_given() {
    let folder = Folder::short();
    project(&folder, "cp source.wasm guest.wasm");
    let file = String::from_utf8(folder.read("tenon.toml")).unwrap();
    folder.write("tenon.toml", file.replace("memory", "redb:store.redb"));
    in_folder(&folder, &["store", "put", "p", "s", "{}"]).expect_code(0);
    let store = with_layout(folder.read("store.redb"), 7);
    folder.write("store.redb", &store);
    let run = in_folder(&folder, &["dev"]).expect_hint();
    run.expect_failure(
        3,
        "the store `store.redb` has layout 7, this host reads layout",
    );
    assert!(folder.read("store.redb") == store);
    let dev = Dev::start(&folder, &["--fresh"]);
    assert!(dev.get("/items").starts_with("HTTP/1.1 200 "));
    assert_eq!(dev.quit().0, 0);
}

/// A store with another number in its metadata: the key `layout`, behind it the 32 bytes of another entry's value, and the number.
fn with_layout(store: Vec<u8>, layout: u32) -> Vec<u8> {
    const KEY: &[u8] = b"layout";
    const VALUE_AT: usize = KEY.len() + 32;
    let mut store = store;
    let places: Vec<usize> = (0..store.len() - VALUE_AT - 4)
        .filter(|place| store[*place..].starts_with(KEY))
        .map(|place| place + VALUE_AT)
        .collect();
    assert!(!places.is_empty());
    for place in places {
        store[place..place + 4].copy_from_slice(&layout.to_be_bytes());
    }
    store
}
