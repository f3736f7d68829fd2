//! The time before the first guest: the address is known, and requests wait.

use super::{
    Dev,
    running::{PATIENCE, ask, project},
};
use crate::program::Folder;
use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    path::Path,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Longer than `dev` takes to see that a client has hung up.
const PAUSE: Duration = Duration::from_millis(700);

/// A project whose build waits for a file, but not for ever.
fn waiting_project() -> Folder {
    let folder = Folder::new();
    project(&folder, "sh build.sh");
    folder.write(
        "build.sh",
        "i=0\nwhile [ ! -e go ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done\ncp source.wasm guest.wasm\n",
    );
    folder
}

fn is_built(folder: &Folder) -> bool {
    Path::new(&folder.path("guest.wasm")).exists()
}

/// Asks for the items in a thread of its own.
fn list(address: SocketAddr) -> JoinHandle<String> {
    let request = "GET /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    thread::spawn(move || ask(address, request).unwrap())
}

/// Sends a request and does not wait for the answer.
fn send(address: SocketAddr, method: &str) -> TcpStream {
    let body = "{\"name\":\"lamp\"}";
    let request = format!(
        "{method} /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn the_address_is_shown_before_the_first_build_and_requests_wait_for_its_end() {
    let folder = waiting_project();
    let mut dev = Dev::start(&folder, &[]);
    dev.wait_for("building: ");
    let waiting = list(dev.address);
    thread::sleep(PAUSE);
    assert!(!is_built(&folder) && !waiting.is_finished());
    folder.write("go", "");
    let answer = waiting.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn a_request_whose_client_hangs_up_before_its_turn_does_not_run() {
    let folder = waiting_project();
    let mut dev = Dev::start(&folder, &[]);
    dev.wait_for("building: ");
    drop(send(dev.address, "POST"));
    let mut half_closed = send(dev.address, "PUT");
    half_closed.shutdown(Shutdown::Write).unwrap();
    let waiting = list(dev.address);
    thread::sleep(PAUSE);
    assert!(!is_built(&folder));
    folder.write("go", "");
    let answers = [waiting.join().unwrap(), list(dev.address).join().unwrap()];
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(!answer.contains("lamp"), "{answer}");
    }
    let mut answer = String::new();
    half_closed.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let (code, rest) = dev.quit();
    assert_eq!(code, 0);
    assert!(rest.contains("    - POST /items 503 "), "{rest}");
    let reason = "not run: the client closed its side of the connection";
    assert_eq!(rest.matches(reason).count(), 2, "{rest}");

    // A client that has closed its sending side is answered as usual if it does not have to wait.
    folder.write("build.sh", "cp source.wasm guest.wasm\n");
    let mut dev = Dev::start(&folder, &[]);
    dev.wait_for(" serves, built in ");
    list(dev.address).join().unwrap();
    let mut half_closed = send(dev.address, "POST");
    half_closed.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    half_closed.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn it_can_be_ended_during_the_first_build() {
    let folder = waiting_project();
    let mut dev = Dev::start(&folder, &[]);
    dev.wait_for("building: ");
    let waiting = list(dev.address);
    thread::sleep(PAUSE);
    let asked = Instant::now();
    let (code, last) = dev.quit();
    assert_eq!(code, 0, "{last}");
    assert!(asked.elapsed() < PATIENCE / 8);
    assert!(last.ends_with("stopped: 1 request served"), "{last}");
    assert!(!last.contains("error: "), "{last}");
    assert!(waiting.join().unwrap().starts_with("HTTP/1.1 503 "));
    assert!(!is_built(&folder));
}
