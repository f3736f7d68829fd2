//! Invalid input causes one clear line, a hint if there is something to do, the right exit code, and no changes.

use crate::program::{Folder, GUEST, Server, cli, cli_with_input, command, image};
use std::fs;

#[test]
fn a_wrong_command_line_is_usage() {
    for arguments in [
        &[][..],
        &["juggle"],
        &["serve", "--colour"],
        &["event", "soap", "GET", "/"],
        &["replay"],
    ] {
        cli(arguments).expect_code(2);
    }
}

/// The commands that the help lists, but for `help` itself.
fn commands(help: &str) -> Vec<String> {
    let (_, list) = help.split_once("\nCommands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let lines = list.lines().filter(|line| !line.starts_with("    "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    let names: Vec<String> = names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 20, "{names:?}");
    names
}

#[test]
fn every_command_has_help_with_an_example() {
    let help = cli(&["--help"]).expect_code(0).stdout;
    assert!(help.contains("Exit codes:"), "{help}");
    for command in &commands(&help) {
        let help = cli(&[command, "--help"]).expect_code(0).stdout;
        assert!(
            help.contains(&format!("Examples:\n  host-cli {command}")),
            "{help}"
        );
    }
}

#[test]
fn help_fits_a_terminal_of_80_columns_and_breaks_no_word() {
    let command_at = |arguments: &[&str], columns: &str| {
        let mut command = command(arguments);
        command.env("COLUMNS", columns);
        command
    };
    let help = |arguments: &[&str], columns: &str| {
        let output = command_at(arguments, columns).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let all = help(&["--help"], "80");
    let all = commands(&all);
    let mut all: Vec<Vec<&str>> = all.iter().map(|command| vec![command.as_str()]).collect();
    all.extend([vec![], vec!["table", "create"], vec!["table", "check"]]);
    all.extend([vec!["channel", "show"], vec!["channel", "verify"]]);
    for command in &all {
        let command = command.as_slice();
        let arguments = [command, &["--help"]].concat();
        let narrow = help(&arguments, "80");
        // Errors about the command line also contain a usage line with what was typed and what is required.
        let wrong = [command, &["--nonesuch"]].concat();
        let wrong = command_at(&wrong, "80").output().unwrap();
        assert_eq!(wrong.status.code(), Some(2), "{command:?}");
        for text in [
            narrow.clone(),
            help(&[command, &["-h"]].concat(), "80"),
            String::from_utf8(wrong.stderr).unwrap(),
        ] {
            let long: Vec<&str> = text
                .lines()
                .filter(|line| line.chars().count() > 80)
                .collect();
            assert!(long.is_empty(), "{command:?}: {long:#?}");
        }
        assert_eq!(
            words(&narrow),
            words(&help(&arguments, "100")),
            "{command:?}"
        );
    }
    let serve = help(&["serve", "--help"], "80");
    for heading in ["\nOptions:\n", "\nFollowing a channel:\n", "\nRecording:\n"] {
        assert!(serve.contains(heading), "{serve}");
    }
}

#[test]
fn events_that_cannot_be_used_are_named_with_their_position() {
    let folder = Folder::new();
    let absent = folder.path("absent.json");
    cli(&["invoke", &absent])
        .expect_failure(3, "absent.json` does not exist")
        .expect_hint();
    cli(&["invoke", &folder.path("")]).expect_failure(3, "is a folder, not a file");
    cli(&["invoke", &folder.write("empty.json", "")]).expect_failure(3, "empty.json` is empty");
    let broken = folder.write("broken.json", "{\n  \"a\": nope\n}");
    cli(&["invoke", &broken])
        .expect_failure(3, "broken.json:2:9` is not JSON")
        .expect_hint();
    let event =
        r#"{"requestContext":{"http":{"method":"GET"}},"rawPath":"/health","body":"PLACE"}"#;
    cli_with_input(&["invoke", "-"], format!("\u{feff}{event}").as_bytes())
        .expect_failure(3, "byte order mark");
    let mut bytes = event.as_bytes().to_vec();
    let place = event.find("PLACE").unwrap();
    bytes[place] = 0xff;
    cli_with_input(&["invoke", "-"], &bytes).expect_failure(
        3,
        &format!("(stdin):1:{}` is not JSON: invalid UTF-8", place + 1),
    );
    // JSON that is recognisably an HTTP request: it is answered, although the text is not valid Unicode.
    let run = cli_with_input(
        &["invoke", "-", "--guest", image()],
        event.replace("PLACE", "\\ud800").as_bytes(),
    );
    let answer = run.expect_code(0).stdout;
    assert!(answer.contains("\"statusCode\":400"), "{answer}");
    assert!(
        answer.contains("event field `body` has an escape of half"),
        "{answer}"
    );
    cli_with_input(&["invoke", "-"], b"{").expect_failure(3, "(stdin):1:2` is not JSON");
    let lines = folder.write("lines.jsonl", "{}\n{\"a\":}\n");
    let run = cli(&["replay", &lines, "--guest", image()]).expect_code(3);
    assert!(
        run.stderr.contains("lines.jsonl:2:6` is not JSON"),
        "{run:#?}"
    );
}

/// A request may have any number of values in members that are not used; in anything else, only a limited number is examined.
#[test]
fn an_event_of_very_many_values_that_is_no_request_is_told_the_bound() {
    let folder = Folder::new();
    let event = |begin: &str| {
        let values = "1,".repeat(260_000);
        format!("{{{begin}\"a\":[{values}1]}}")
    };
    for begin in ["", "\"httpMethod\":\"GET\",\"path\":5,"] {
        let path = folder.write("large.json", event(begin));
        let words = "exceeds the limits for JSON: more than 250000 values";
        cli(&["invoke", &path, "--guest", image()])
            .expect_failure(3, words)
            .expect_hint();
        let run = cli(&["replay", &path, "--guest", image()]).expect_code(3);
        assert!(
            run.stderr.contains("large.json:1:") && run.stderr.contains(words),
            "{run:#?}"
        );
    }
    let deep = folder.write("deep.json", "[".repeat(200) + &"]".repeat(200));
    cli(&["invoke", &deep, "--guest", image()])
        .expect_failure(3, "exceeds the limits for JSON: more than 128 levels");
    let event = event(
        "\"version\":\"2.0\",\"rawPath\":\"/health\",\"requestContext\":{\"http\":{\"method\":\"GET\"}},",
    );
    let path = folder.write("request.json", event);
    cli(&["invoke", &path, "--guest", image()]).expect_code(0);
}

#[test]
fn what_is_no_http_event_is_refused_by_name() {
    let sqs = br#"{"Records":[{"eventSource":"aws:sqs","body":"x"}]}"#;
    let run = cli_with_input(&["invoke", "-", "--guest", image()], sqs);
    run.expect_failure(1, "a batch of SQS messages");
    let run = cli_with_input(&["invoke", "-", "--guest", image()], b"{}");
    run.expect_failure(1, "a warm-up call");
}

#[test]
fn stores_that_cannot_be_used_stay_as_they_are() {
    let folder = Folder::new();
    let event = folder.write(
        "event.json",
        cli(&["event", "http", "GET", "/items"]).stdout,
    );
    let invoke = |store: &str| cli(&["invoke", &event, "--store", store, "--guest", image()]);
    invoke("mongodb:x")
        .expect_failure(2, "unknown store `mongodb:x`")
        .expect_hint();
    invoke("redb:")
        .expect_failure(2, "has no file name")
        .expect_hint();
    invoke(&format!("redb:{}", folder.path("")))
        .expect_failure(3, "is a folder")
        .expect_hint();

    let garbage = vec![7; 4096];
    let path = folder.write("garbage.redb", &garbage);
    invoke(&format!("redb:{path}"))
        .expect_failure(3, "garbage.redb`")
        .expect_hint();
    assert_eq!(folder.read("garbage.redb"), garbage);

    let store = format!("redb:{}", folder.path("good.redb"));
    invoke(&store).expect_code(0);
    let mut cut = folder.read("good.redb");
    cut.truncate(cut.len() / 3);
    let path = folder.write("cut.redb", &cut);
    invoke(&format!("redb:{path}"))
        .expect_failure(3, "cut.redb`")
        .expect_hint();
    assert_eq!(folder.read("cut.redb"), cut);

    let server = Server::start(&["--store", &store]);
    invoke(&store).expect_failure(3, "in use").expect_hint();
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_port_in_use_is_said_in_one_line() {
    let server = Server::start(&["--store", "memory"]);
    let address = server.address.to_string();
    let serve = |address: &str| {
        cli(&[
            "serve",
            "--listen",
            address,
            "--store",
            "memory",
            "--guest",
            image(),
        ])
    };
    serve(&address)
        .expect_failure(3, "is in use by another program")
        .expect_hint();
    serve("192.0.2.1:80")
        .expect_failure(3, "does not belong to this machine")
        .expect_hint();
    serve("nonsense")
        .expect_failure(2, "`nonsense` is not an address")
        .expect_hint();
}

#[test]
fn guests_that_cannot_run_say_why() {
    let folder = Folder::new();
    let event = cli(&["event", "http", "GET", "/items"]).stdout;
    let run = |guest: &str, message: &str| {
        let invoked = cli_with_input(&["invoke", "-", "--guest", guest], event.as_bytes());
        invoked.expect_failure(3, message)
    };
    run(&folder.path("absent.wasm"), "does not exist").expect_hint();
    run(&folder.path(""), "is a folder");
    run(&folder.write("empty.wasm", ""), "is empty");
    run(
        &folder.write("text.wasm", "hello"),
        "not a WebAssembly component",
    )
    .expect_hint();
    run(
        &folder.write("core.wasm", b"\0asm\x01\0\0\0"),
        "a core WebAssembly module",
    )
    .expect_hint();
    // The smallest component: it exports nothing.
    run(
        &folder.write("other.wasm", b"\0asm\x0d\0\x01\0"),
        "does not export",
    )
    .expect_hint();

    let whole = fs::read(image()).unwrap();
    run(
        &folder.write("cut.cwasm", &whole[..whole.len() / 2]),
        "truncated",
    )
    .expect_hint();
    let mut flipped = whole.clone();
    flipped[5000] ^= 1;
    run(&folder.write("flipped.cwasm", flipped), "damaged").expect_hint();
    run(
        &folder.write(
            "other.cwasm",
            with_seal(&whole, "\"wasmtime\":\"48.", "\"wasmtime\":\"47."),
        ),
        "wasmtime 47",
    )
    .expect_hint();
    let arm = folder.path("arm.cwasm");
    cli(&["compile", GUEST, "-o", &arm, "--arch", "arm64"]).expect_code(0);
    run(&arm, "was made for aarch64").expect_hint();
}

/// The image with a text in its seal replaced by one of the same length.
fn with_seal(image: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut image = image.to_vec();
    let at = image
        .windows(from.len())
        .rposition(|window| window == from.as_bytes())
        .unwrap();
    image[at..at + to.len()].copy_from_slice(to.as_bytes());
    image
}

#[test]
fn a_failed_compilation_leaves_what_was_there() {
    let folder = Folder::new();
    let output = folder.write("out.cwasm", "precious");
    let bad = folder.write("bad.wasm", "\0asm nonsense");
    cli(&["compile", &bad, "-o", &output])
        .expect_failure(3, "bad.wasm`")
        .expect_hint();
    assert_eq!(folder.read("out.cwasm"), b"precious");
    cli(&["compile", GUEST, "-o", &folder.path("")]).expect_failure(3, "is a folder");
    cli(&["compile", GUEST, "-o", &folder.path("no/such/out")])
        .expect_failure(3, "failed to write");
}

#[test]
fn replays_without_anything_to_run_are_wrong() {
    let folder = Folder::new();
    cli(&["replay", &folder.path("absent")])
        .expect_failure(3, "does not exist")
        .expect_hint();
    cli(&["replay", &folder.path("")])
        .expect_failure(3, "contains neither cases, events nor tapes")
        .expect_hint();
    cli(&["replay", &folder.write("next.wasm", b"\0asm\x0d\0\x01\0")])
        .expect_failure(2, "next.wasm` is a guest")
        .expect_hint();
    let event = folder.write("event.jsonl", "{}\n");
    cli(&["replay", &event, "--jobs", "0"]).expect_failure(2, "`--jobs 0` is not within");
    cli(&["replay", &event, "--guest", "embedded", "--seed", "12"])
        .expect_failure(2, "64 hexadecimal digits")
        .expect_hint();
    cli(&["replay", &event, "--bless"])
        .expect_failure(2, "needs a case")
        .expect_hint();
}

#[test]
fn an_output_in_a_folder_that_does_not_exist_is_told_before_anything_runs() {
    let folder = Folder::new();
    let event = folder.write("event.json", "{}");
    let (file, absent) = (folder.path("nope/x"), folder.path("nope"));
    for arguments in [
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--store",
            "memory",
            "--guest",
            image(),
            "--record",
            &file,
        ][..],
        &["replay", &event, "--guest", image(), "--report", &file],
        &["compile", GUEST, "-o", &file],
        &["keygen", &file],
    ] {
        let run = cli(arguments)
            .expect_failure(3, "does not exist")
            .expect_hint();
        let told = format!("folder `{absent}` does not exist");
        assert!(run.stderr.contains(&told), "{run:#?}");
    }
    assert!(!fs::exists(&absent).unwrap());
}

#[test]
fn a_method_in_another_case_is_refused() {
    for (typed, meant) in [("get", "GET"), ("Post", "POST"), ("oPTIONS", "OPTIONS")] {
        let run = cli(&["event", "http", typed, "/items"])
            .expect_failure(2, &format!("`{typed}` is not `{meant}`"))
            .expect_hint();
        assert!(run.stderr.contains(&format!("write `{meant}`")), "{run:#?}");
    }
    // Other methods may have any case.
    let event = cli(&["event", "http", "purge", "/items"]).expect_code(0);
    assert!(event.stdout.contains("\"purge\""), "{event:#?}");
}
