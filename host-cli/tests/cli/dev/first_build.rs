//! The time before the first guest: the address is known, and requests wait.

use super::{
    Dev,
    running::{PATIENCE, ask, project},
};
use crate::program::Folder;
use std::{
    net::SocketAddr,
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
