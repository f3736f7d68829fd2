//! `serve`: which callers are answered, and what is logged about requests.

use crate::{
    program::{Folder, Server, cli, image},
    serve::{expect_problem, head_and_body},
};
use std::{fs, os::unix::fs::PermissionsExt, thread, time::Duration};

fn get(fields: &str) -> String {
    format!("GET /health HTTP/1.1\r\n{fields}Connection: close\r\n\r\n")
}

#[test]
fn no_page_of_the_web_can_use_the_server() {
    let server = Server::start(&["--store", "memory", "--quiet"]);
    let port = server.address.port();
    let own = [
        format!("Host: {}\r\n", server.address),
        format!("Host: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n"),
        format!("Host: shop.localhost:{port}\r\n"),
        format!("Host: [::1]:{port}\r\n"),
    ];
    for fields in own {
        let answer = server.talk(get(&fields));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{fields}{answer}");
    }
    for (fields, option) in [
        // A name that an attacker made resolve to this machine.
        (
            format!("Host: a.example:{port}\r\nOrigin: http://a.example:{port}\r\n"),
            "--allow-host a.example".to_owned(),
        ),
        (
            "Host: localhost\r\nOrigin: https://a.example\r\n".to_owned(),
            "--allow-origin https://a.example".to_owned(),
        ),
        (
            "Host: localhost\r\nOrigin: null\r\n".to_owned(),
            "--allow-origin null".to_owned(),
        ),
        (
            format!("Host: localhost:{port}\r\nOrigin: http://localhost:1\r\n"),
            "--allow-origin http://localhost:1".to_owned(),
        ),
    ] {
        let answer = server.talk(get(&fields));
        expect_problem(&answer, 403);
        assert!(answer.contains(&option), "{answer}");
    }
    let preflight = "OPTIONS /items HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: DELETE\r\nConnection: close\r\n\r\n";
    expect_problem(&server.talk(preflight), 403);
}

#[test]
fn what_a_page_of_the_web_embeds_is_not_answered() {
    let server = Server::start(&[
        "--store",
        "memory",
        "--quiet",
        "--allow-origin",
        "https://a.example",
    ]);
    let ask = |fields: &str| server.talk(get(&format!("Host: localhost\r\n{fields}")));
    let image = "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";
    let frame = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n";
    for kind in [image, frame] {
        for site in ["cross-site", "same-site"] {
            let fields = format!("Sec-Fetch-Site: {site}\r\n{kind}");
            expect_problem(&ask(&fields), 403);
            let answer = ask(&format!("{fields}Referer: https://b.example/x\r\n"));
            expect_problem(&answer, 403);
            assert!(
                answer.contains("--allow-origin https://b.example"),
                "{answer}"
            );
            let answer = ask(&format!("{fields}Referer: https://a.example/x\r\n"));
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
        for site in ["same-origin", "none"] {
            let answer = ask(&format!("Sec-Fetch-Site: {site}\r\n{kind}"));
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
    }
    // A link that was followed.
    let link =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let answer = ask(link);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let form = format!(
        "POST /items HTTP/1.1\r\nHost: localhost\r\n{link}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    expect_problem(&server.talk(form), 403);
}

#[test]
fn names_and_origins_can_be_allowed() {
    let server = Server::start(&[
        "--store",
        "memory",
        "--quiet",
        "--allow-host",
        "api.test",
        "--allow-origin",
        "https://a.example",
    ]);
    let fields = "Host: API.test:3000\r\nOrigin: https://a.example\r\n";
    let answer = server.talk(get(fields));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    expect_problem(&server.talk(get("Host: b.test\r\n")), 403);
    for (option, value) in [
        ("--allow-host", "a b"),
        ("--allow-host", "a:80"),
        ("--allow-host", ""),
        ("--allow-origin", "a.example"),
        ("--allow-origin", "http://a.example/"),
        ("--allow-origin", "*"),
    ] {
        cli(&["serve", option, value])
            .expect_failure(2, option)
            .expect_hint();
    }
}

/// Scripts can read why a call failed, as they can read the guest's own responses.
#[test]
fn errors_of_the_host_can_be_read_by_scripts_and_carry_the_requests_id() {
    let server = Server::start(&["--store", "memory"]);
    let long = "x".repeat(50_000);
    let requests = [
        (400, "NONSENSE\r\n\r\n".to_owned()),
        (400, get("Host: a b\r\n")),
        (403, get("Host: a.example\r\n")),
        (
            413,
            "POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
                .to_owned(),
        ),
        (
            414,
            format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ),
        (431, get(&format!("Host: localhost\r\nx: {long}\r\n"))),
    ];
    let mut ids = Vec::new();
    for (status, request) in &requests {
        let answer = server.talk(request);
        expect_problem(&answer, *status);
        let (head, body) = head_and_body(&answer);
        assert!(head.contains("access-control-allow-origin: *"), "{answer}");
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        let id = problem["request_id"].as_str().unwrap().to_owned();
        assert!(head.contains(&format!("x-request-id: {id}")), "{answer}");
        ids.push(id);
    }
    let answer = server.talk(get("Host: localhost\r\n"));
    assert!(answer.contains("\r\nx-request-id: "), "{answer}");
    let (_, stderr) = server.stop();
    for (id, (status, _)) in ids.iter().zip(&requests) {
        let line = stderr.lines().find(|line| line.contains(id)).unwrap();
        assert!(line.contains(&format!(" status={status} ")), "{line}");
    }
}

#[test]
fn what_a_server_says_to_programs_is_json() {
    let folder = Folder::new();
    let recorded = Server::start(&["--store", "memory", "--record", &folder.path("day.tape")]);
    assert_eq!(recorded.stop().0, 0);
    let tape = folder.path("day.tape");
    fs::set_permissions(&tape, fs::Permissions::from_mode(0o644)).unwrap();
    let seed = folder.write("seed.json", "[]");
    let server = Server::start(&[
        "--store",
        "memory",
        "--seed",
        &seed,
        "--record",
        &tape,
        "--jwt",
        "--log-format",
        "json",
    ]);
    let (code, stderr) = server.stop();
    assert_eq!(code, 0, "{stderr}");
    for said in [
        "seed: 0 entries",
        "was readable by others",
        "not verified",
        "stopped",
    ] {
        assert!(stderr.contains(said), "{stderr}");
    }
    for line in stderr.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            object["time"].is_string() && object["message"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn lines_about_requests_have_all_that_is_known_as_text_and_as_json() {
    let talk = |arguments: &[&str]| {
        let server = Server::start(&[&["--store", "memory"], arguments].concat());
        server.talk(get("Host: localhost\r\n"));
        let list = "GET /items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        server.talk(list);
        server.talk(
            "GET /caf\u{9b}\u{202e} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        );
        server.stop().1
    };
    let text = talk(&[]);
    let line = text
        .lines()
        .find(|line| line.contains("path=/items"))
        .unwrap();
    for name in [
        "time=20",
        " method=GET",
        " status=200",
        " bytes=",
        " duration_ms=",
        " guest=",
        " storage_ms=",
        " storage_calls=1",
        " request_id=",
    ] {
        assert!(line.contains(name), "{name}: {line}");
    }
    assert!(!text.contains(['\u{9b}', '\u{202e}']), "{text:?}");
    assert!(text.ends_with("\nstopped: 3 requests served\n"), "{text}");
    let json = talk(&["--log-format", "json"]);
    assert!(!json.contains(['\u{9b}', '\u{202e}']), "{json:?}");
    let lines: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = lines.iter().find(|line| line["path"] == "/items").unwrap();
    assert_eq!(line["status"], 200);
    assert_eq!(line["storage_calls"], 1);
    assert!(
        line["storage_ms"].is_number() && line["bytes"].as_u64() > Some(0),
        "{line}"
    );
    assert_eq!(line["guest"].as_str().map(str::len), Some(12));
    let last = lines.last().unwrap();
    assert_eq!(last["message"], "stopped");
    assert_eq!(last["requests"], 3);
}

#[test]
fn a_guest_that_was_built_anew_is_told_to_be_not_the_one_that_serves() {
    let folder = Folder::new();
    let guest = folder.write("guest.cwasm", fs::read(image()).unwrap());
    let server = Server::start_with_guest(&guest, &["--store", "memory", "--quiet"]);
    thread::sleep(Duration::from_millis(1_500));
    folder.write("guest.cwasm", "another");
    thread::sleep(Duration::from_millis(3_000));
    let (code, stderr) = server.stop();
    assert_eq!(code, 0);
    assert_eq!(stderr.matches("has changed").count(), 1, "{stderr}");
}

#[test]
fn commands_to_try_are_the_guests_own() {
    let folder = Folder::new();
    let server = Server::start(&["--store", "memory", "--quiet"]);
    let commands: Vec<_> = server
        .greeting
        .iter()
        .filter_map(|line| line.trim().strip_prefix("curl -i http://"))
        .filter_map(|line| line.strip_prefix(&server.address.to_string()))
        .collect();
    assert_eq!(commands.len(), 3, "{:?}", server.greeting);
    assert_eq!((commands[0], commands[2]), ("/items", "/items/ID"));
    let create = commands[1];
    assert!(
        create.starts_with("/items -H 'content-type: application/json' -d '{")
            && create.contains(r#""name":"Field notebook""#),
        "{create}"
    );
    // Nothing of that was stored or recorded.
    let tape = folder.path("a.tape");
    let recorded = Server::start(&["--store", "memory", "--quiet", "--record", &tape]);
    let list = recorded.talk("GET /items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(head_and_body(&list).1.contains("\"items\":[]"), "{list}");
    recorded.stop();
    assert_eq!(
        folder
            .read("a.tape")
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        1
    );
}
