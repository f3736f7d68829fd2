//! A guest that breaks one limit or rule per request, selected by the path; `/` behaves correctly.

mod greed;

// Everything that a host offers, including WASI: what std does not call is called here.
wit_bindgen::generate!({
    path: ["../../../wit", "../../../crates/runtime/wit"],
    world: "tenon:host/platform",
    generate_all,
});

use exports::tenon::handler::handler::{Guest, Request, Response};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    hint::black_box,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tenon::handler::{
    http::Field,
    log::{self, Attribute, Level},
    storage::{self, Consistency, Key},
};

struct Hostile;

impl Guest for Hostile {
    fn handle(request: Request) -> Response {
        match request.path.as_str() {
            "/" => text("well behaved"),
            "/version" => text(black_box(VERSION)),
            "/environment" => text(&std::env::var("TEAM").unwrap_or_default()),
            "/trap" => panic!("on purpose"),
            "/loop" => endless_loop(),
            "/work" => text(&format!("worked {} rounds", work())),
            "/memory" => memory_bomb(),
            "/stack" => text(&recursion(1).to_string()),
            "/response-bytes" => Response {
                status: 200,
                headers: Vec::new(),
                body: vec![b'x'; 7 << 20],
            },
            "/header" => header(&request.query),
            "/status" => Response {
                status: request.query.parse().unwrap(),
                headers: Vec::new(),
                body: Vec::new(),
            },
            "/calls" => endless_calls(),
            "/storage-calls" => endless_storage_calls(),
            "/logs" => log_flood(),
            "/random" => text(&RandomState::new().hash_one("a").to_string()),
            "/clock" => text(&clock()),
            "/state" => text(&state().to_string()),
            path => greedy(path, &request.query).unwrap_or(Response {
                status: 404,
                headers: Vec::new(),
                body: Vec::new(),
            }),
        }
    }
}

/// Tests replace these digits by another number, which makes another component.
static VERSION: &str = "this is version 0000000000000000 of a guest that tests release";

/// `/greed/WAY?SIZE`
fn greedy(path: &str, query: &str) -> Option<Response> {
    greed::answer(path.strip_prefix("/greed/")?, query.parse().ok()?)
}

fn text(text: &str) -> Response {
    let content_type = Field {
        name: "content-type".into(),
        value: "text/plain".into(),
    };
    Response {
        status: 200,
        headers: vec![content_type],
        body: text.as_bytes().to_vec(),
    }
}

/// As many rounds as the digits of the version say: tests make slow guests, and endless ones.
fn work() -> u64 {
    let digits = black_box(VERSION).split(' ').nth(3).unwrap_or_default();
    let rounds = digits.parse().unwrap();
    let mut count = 0_u64;
    while count < rounds {
        count = black_box(count + 1);
    }
    count
}

fn endless_loop() -> ! {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Asks for more until it is refused, and then continues as if nothing had happened.
fn memory_bomb() -> ! {
    let mut blocks = Vec::new();
    loop {
        blocks.push(black_box(vec![1_u8; 1 << 20]));
    }
}

fn recursion(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if depth == u64::MAX {
        0
    } else {
        recursion(depth + 1) + frame[(depth % 64) as usize]
    }
}

/// The query is the field, `name=value`, with `%0A` for a line break.
fn header(query: &str) -> Response {
    let (name, value) = query.split_once('=').unwrap();
    let field = |text: &str| {
        text.replace("%0A", "\n")
            .replace("%00", "\0")
            .replace("%20", " ")
    };
    let mut response = text("with a field");
    response.headers.push(Field {
        name: field(name),
        value: field(value),
    });
    response
}

fn endless_calls() -> ! {
    loop {
        log::write(Level::Debug, "again", &[]);
    }
}

fn endless_storage_calls() -> ! {
    let key = Key {
        partition: "p".into(),
        sort: "s".into(),
    };
    loop {
        let _ = storage::get(&key, Consistency::Eventual);
    }
}

/// More lines than are kept, the first of them longer than the limit.
fn log_flood() -> Response {
    let value = "x".repeat(1 << 20);
    log::write(
        Level::Error,
        &value,
        &[Attribute {
            key: "again".into(),
            value: value.clone(),
        }],
    );
    for line in 0..2_000 {
        log::write(Level::Error, &format!("line {line}"), &[]);
    }
    text("flooded")
}

fn clock() -> String {
    let first = (SystemTime::now(), Instant::now());
    let mut map = HashMap::new();
    for number in 0..10_000 {
        map.insert(number, number);
    }
    let wall = SystemTime::now();
    let received_at_ms = first.0.duration_since(UNIX_EPOCH).unwrap().as_millis();
    // Neither clock may reveal how fast this machine is.
    format!(
        "{received_at_ms} {} {}",
        wall.duration_since(first.0).unwrap().as_nanos(),
        first.1.elapsed().as_nanos()
    )
}

/// Counts requests in memory, where nothing may survive.
fn state() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    REQUESTS.fetch_add(1, Ordering::Relaxed) + 1
}

export!(Hostile);
