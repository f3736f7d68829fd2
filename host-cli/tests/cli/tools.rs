//! `event`, `invoke`, `inspect`, `compile`, `completions`.

use crate::program::{Folder, GUEST, Run, cli, cli_with_input, command, image};
use serde_json::Value;
use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, symlink},
        net::UnixListener,
    },
    process::Command,
    thread,
};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn an_event_of_every_kind_can_be_invoked() {
    for kind in ["rest", "http", "url", "alb"] {
        let arguments = [
            "event",
            kind,
            "GET",
            "/items?limit=2",
            "-H",
            "accept: application/json",
        ];
        let event = cli(&arguments).expect_code(0).stdout;
        assert_eq!(event.lines().count(), 1);
        let run = cli_with_input(&["invoke", "-", "--guest", image()], event.as_bytes());
        let response = json(&run.expect_code(0).stdout);
        assert_eq!(response["statusCode"], 200, "{kind}: {response}");
    }
}

#[test]
fn events_carry_what_was_asked_for() {
    let folder = Folder::new();
    let body = folder.write("lamp.json", r#"{"name":"lamp"}"#);
    let event = cli(&[
        "event",
        "http",
        "POST",
        "/items?a=1&a=2",
        "--header",
        "Content-Type: application/json",
        "--body",
        &format!("@{body}"),
        "--at",
        "2026-01-01T00:00:00Z",
        "--pretty",
    ])
    .expect_code(0)
    .stdout;
    assert!(event.lines().count() > 10);
    let event = json(&event);
    assert_eq!(event["rawQueryString"], "a=1&a=2");
    assert_eq!(event["headers"]["content-type"], "application/json");
    assert_eq!(event["body"], r#"{"name":"lamp"}"#);
    assert_eq!(event["requestContext"]["timeEpoch"], 1_767_225_600_000_u64);

    for wrong in [
        &["event", "http", "GET ME", "/"][..],
        &["event", "http", "GET", "items"],
        &["event", "http", "GET", "/two words"],
        &["event", "http", "GET", "/", "--header", "no colon"],
        &["event", "http", "GET", "/", "--at", "noon"],
    ] {
        cli(wrong).expect_failure(2, "is not");
    }
}

/// Existing objects under the names of outputs: anything but a plain file is written to or refused, and never removed.
#[test]
fn outputs_replace_plain_files_alone() {
    let folder = Folder::new();
    let event = folder.write("event.json", "{}");
    let target = folder.write("target", "precious");
    let link = folder.path("link");
    symlink(&target, &link).unwrap();
    let nowhere = folder.path("nowhere");
    symlink(folder.path("nothing"), &nowhere).unwrap();
    let socket = folder.path("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let compile = |output: &str| cli(&["compile", GUEST, "-o", output]);
    let report = |output: &str| cli(&["replay", &event, "--guest", image(), "--report", output]);
    let pull = |output: &str| {
        cli(&[
            "pull",
            "group",
            "--output",
            output,
            "--endpoint",
            "http://127.0.0.1:9",
        ])
    };
    let runs: [&dyn Fn(&str) -> Run; 3] = [&compile, &report, &pull];
    for run in runs {
        for (output, why) in [
            (&link, "it is a link, and links are not replaced"),
            (&nowhere, "it is a link, and links are not replaced"),
            (&socket, "it is neither a file, a pipe nor a terminal"),
            (&folder.path(""), "it is a folder, not a file"),
        ] {
            run(output).expect_failure(3, why).expect_hint();
        }
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

    let pipe = folder.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reader = thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    compile(&pipe).expect_code(0);
    assert_eq!(reader.join().unwrap(), fs::read(image()).unwrap());
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    compile("/dev/null").expect_code(0);
    let metadata = fs::symlink_metadata("/dev/null").unwrap();
    assert!(metadata.file_type().is_char_device());
    let page = report("/dev/stdout").stdout;
    assert!(page.contains("<!doctype html>"), "{page:.300}");
}

#[test]
fn an_output_is_no_file_that_the_command_reads() {
    let folder = Folder::new();
    let guest = folder.path("guest.wasm");
    fs::copy(GUEST, &guest).unwrap();
    let guest = guest.as_str();
    let hard = folder.path("hard.wasm");
    fs::hard_link(guest, &hard).unwrap();
    for output in [guest, &hard] {
        cli(&["compile", guest, "-o", output])
            .expect_failure(2, "which this command reads")
            .expect_hint();
    }
    let event = folder.write("one.json", "{}");
    folder.write("case/event.json", "{}");
    let expected = folder.write("case/response.json", "{}");
    let case = folder.path("case");
    let store = folder.write("store.redb", "");
    let spec = format!("redb:{store}");
    let key = folder.write("identity", "");
    let environment = folder.write("environment.json", "{}");
    let options = [
        "--guest",
        guest,
        "--baseline",
        &hard,
        "--store",
        &spec,
        "--env-file",
        &environment,
    ];
    for output in [
        event.as_str(),
        &expected,
        guest,
        &hard,
        &store,
        &key,
        &environment,
    ] {
        let paths = ["replay", &event, &case, "--report", output];
        cli(&[&paths[..], &options, &["--identity", &key]].concat())
            .expect_failure(2, "which this command reads");
    }
    assert_eq!(fs::read(guest).unwrap(), fs::read(GUEST).unwrap());
}

#[test]
fn time_and_seed_decide_what_comes_out() {
    let arguments = [
        "event",
        "http",
        "POST",
        "/items",
        "-H",
        "content-type: application/json",
    ];
    let event = cli(&[&arguments[..], &["--body", r#"{"name":"lamp"}"#]].concat()).stdout;
    let invoke = |seed: &str| {
        let arguments = [
            "invoke",
            "-",
            "--guest",
            image(),
            "--at",
            "1767225600000",
            "--seed",
            seed,
        ];
        cli_with_input(&arguments, event.as_bytes())
            .expect_code(0)
            .stdout
    };
    let (first, second) = ("0".repeat(64), "1".repeat(64));
    assert_eq!(json(&invoke(&first))["statusCode"], 201);
    assert_eq!(invoke(&first), invoke(&first));
    assert_ne!(invoke(&first), invoke(&second));
}

#[test]
fn the_embedded_guest_runs_and_imports_only_what_it_uses() {
    let event = cli(&["event", "http", "GET", "/health"]).stdout;
    let run =
        cli_with_input(&["invoke", "-", "--guest", "embedded"], event.as_bytes()).expect_code(0);
    assert_eq!(json(&run.stdout)["statusCode"], 200);

    let text = cli(&["inspect", GUEST]).expect_code(0).stdout;
    assert!(text.contains("this host can run it"), "{text}");
    let findings = json(
        &cli(&["inspect", image(), "--format", "json"])
            .expect_code(0)
            .stdout,
    );
    assert_eq!(findings["runs_here"], true);
    assert_eq!(findings["exports"][0], "tenon:handler/handler@0.1.0");
    for import in findings["imports"].as_array().unwrap() {
        let name = import["name"].as_str().unwrap();
        let allowed = ["tenon:handler/", "wasi:clocks/", "wasi:random/"];
        assert!(
            allowed.iter().any(|prefix| name.starts_with(prefix)),
            "{name}"
        );
    }
}

#[test]
fn what_cannot_run_is_inspected_all_the_same() {
    let folder = Folder::new();
    // The smallest component: no imports, no exports.
    let other = folder.write("other.wasm", b"\0asm\x0d\0\x01\0");
    let text = cli(&["inspect", &other]).expect_code(1).stdout;
    assert!(
        text.contains("this host cannot run it: the guest does not export"),
        "{text}"
    );
}

#[test]
fn whatever_is_inspected_is_a_finding_and_not_a_failure() {
    let folder = Folder::new();
    let image_bytes = fs::read(image()).unwrap();
    let other = if cfg!(target_arch = "x86_64") {
        "arm64"
    } else {
        "x86_64"
    };
    let output = folder.path("other.cwasm");
    cli(&["compile", GUEST, "-o", &output, "--arch", other]).expect_code(0);
    let of_other_processor = folder.read("other.cwasm");
    for (name, bytes, reason, hint) in [
        (
            "core.wasm",
            &b"\0asm\x01\0\0\0"[..],
            "a core WebAssembly module",
            "wasm32-wasip2",
        ),
        (
            "text.wasm",
            b"hello",
            "not a WebAssembly component",
            "wasm32-wasip2",
        ),
        (
            "image.wasm",
            &image_bytes,
            "a precompiled image, which is native code",
            "rename it to `.cwasm`",
        ),
        (
            "short.cwasm",
            &image_bytes[..image_bytes.len() / 2],
            "image is truncated",
            "copy the image again",
        ),
        (
            "other.cwasm",
            &of_other_processor,
            "image was made for ",
            "for this processor",
        ),
    ] {
        let path = folder.write(name, bytes);
        let run = cli(&["inspect", &path]).expect_code(1);
        assert!(run.stderr.is_empty(), "{name}: {}", run.stderr);
        assert!(run.stdout.contains(reason), "{name}: {}", run.stdout);
        assert!(run.stdout.contains(hint), "{name}: {}", run.stdout);
        let run = cli(&["inspect", &path, "--format", "json"]).expect_code(1);
        assert_eq!(json(&run.stdout)["runs_here"], false, "{name}");
    }
    cli(&["inspect", &folder.path("absent.wasm")]).expect_failure(3, "does not exist");
}

/// An image itself says which component it was compiled from, which cannot be checked.
#[test]
fn an_image_is_called_native_code_and_its_digest_a_claim() {
    let text = cli(&["inspect", image()]).expect_code(0).stdout;
    assert!(text.contains("native code; component sha256 "), "{text}");
    assert!(text.contains(" as claimed, not verified"), "{text}");
    let document = cli(&["inspect", image(), "--format", "json"]).stdout;
    assert_eq!(json(&document)["sha256_verified"], false);
    let text = cli(&["inspect", GUEST]).expect_code(0).stdout;
    assert!(!text.contains("not verified"), "{text}");
}

#[test]
fn native_code_under_another_name_is_never_run() {
    let folder = Folder::new();
    let disguised = folder.write("guest.wasm", fs::read(image()).unwrap());
    let event = folder.write(
        "event.json",
        cli(&["event", "http", "GET", "/health"]).stdout,
    );
    let key = folder.path("release.key");
    cli(&["keygen", &key]).expect_code(0);
    let releases = format!("file://{}", folder.path("releases"));
    let output = folder.path("out.cwasm");
    for arguments in [
        &["invoke", &event, "--guest", &disguised][..],
        &["serve", "--listen", "127.0.0.1:0", "--guest", &disguised],
        &["replay", &event, "--guest", &disguised],
        &["compile", &disguised, "-o", &output],
        &["publish", &disguised, "--to", &releases, "--key", &key],
    ] {
        cli(arguments).expect_failure(3, "image").expect_hint();
    }
    let named = folder.write("guest.cwasm", fs::read(image()).unwrap());
    cli(&["invoke", &event, "--guest", &named]).expect_code(0);
}

#[test]
fn an_image_is_the_same_every_time() {
    let folder = Folder::new();
    let path = folder.path("again.cwasm");
    cli(&["compile", GUEST, "-o", &path]).expect_code(0);
    assert!(folder.read("again.cwasm") == fs::read(image()).unwrap());
}

#[test]
fn the_embedded_guest_is_compiled_if_it_is_named() {
    let folder = Folder::new();
    cli(&["compile", "embedded", "-o", &folder.path("embedded.cwasm")]).expect_code(0);
    assert!(folder.read("embedded.cwasm") == fs::read(image()).unwrap());
}

/// Loaded from the cache the second time, and compiled again after damage.
#[test]
fn a_guest_is_compiled_once() {
    let folder = Folder::new();
    let event = cli(&["event", "http", "GET", "/health"])
        .expect_code(0)
        .stdout;
    let event = folder.write("event.json", event);
    let cache = folder.path("cache");
    let answer = || {
        let mut command = command(&["invoke", &event, "--guest", "embedded"]);
        let output = command.env("XDG_CACHE_HOME", &cache).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let response = json(str::from_utf8(&output.stdout).unwrap());
        assert_eq!(response["statusCode"], 200, "{response}");
    };
    let image = || {
        let mut images = fs::read_dir(format!("{cache}/tenon")).unwrap();
        let image = images.next().unwrap().unwrap();
        assert!(images.next().is_none());
        (image.path(), image.metadata().unwrap().ino())
    };
    answer();
    let (path, first) = image();
    answer();
    assert_eq!(image(), (path.clone(), first));
    fs::write(&path, "nonsense").unwrap();
    answer();
    assert!(fs::metadata(&path).unwrap().len() > 100_000);
}

#[test]
fn completions_are_scripts() {
    let script = cli(&["completions", "bash"]).expect_code(0).stdout;
    assert!(script.contains("host-cli") && script.contains("replay"));
}

#[test]
fn the_schema_of_the_project_file_is_printed_as_it_is_documented() {
    let run = cli(&["schema"]).expect_code(0);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tenon.schema.json");
    assert_eq!(run.stdout, fs::read_to_string(path).unwrap());
}
