//! std's use of WASI, which a host must support.

use crate::{Request, report::Report};
use std::{
    collections::HashMap,
    env,
    io::{self, Read, Write},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Uses each part of std that calls WASI; nothing may fail or reveal anything about the machine.
pub fn all(report: &mut Report, request: &Request) {
    println!("a line on stdout");
    eprintln!("a line on stderr");
    io::stdout().flush().unwrap();
    report.add("print", "done");

    let mut input = String::new();
    let read = io::stdin().read_to_string(&mut input);
    report.add("stdin", format!("{} bytes", read.unwrap()));

    report.add(
        "env",
        format!(
            "{} variables, {} arguments",
            env::vars().count(),
            env::args().count()
        ),
    );

    let words: HashMap<_, _> = request.path.split('/').enumerate().collect();
    report.add("hash map", format!("{} entries", words.len()));

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let is_received_at = now.as_millis() == u128::from(request.context.received_at_ms);
    report.add(
        "wall clock",
        if is_received_at {
            "stands at the request's time"
        } else {
            "is something else"
        },
    );

    let start = Instant::now();
    let is_monotonic = Instant::now() >= start;
    report.add(
        "monotonic clock",
        if is_monotonic {
            "does not run backwards"
        } else {
            "runs backwards"
        },
    );

    std::thread::sleep(Duration::from_millis(1));
    report.add("sleep", "returned");
}
