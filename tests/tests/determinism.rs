//! A request's outcome follows from component, event, time, seed and results of effects, and from nothing else: not from the process, its
//! environment, or how its instances get their memory.

use crate::{
    outgoing::script::{Script, text},
    pairs,
    support::{
        fresh_folder,
        guests::{FETCHER, KEYVALUE, PLAIN, PROXY, REFERENCE},
        in_process::NOW_MS,
        recording::{event, http_event},
    },
};
use contract::seed::Seed;
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use serde_json::Value;
use service::{Deployment, Recorder, Service};
use std::{
    env, fs, iter,
    path::{self, Path},
    process::Command,
    sync::Arc,
};
use storage::MemoryStorage;
use tape::{RecordOptions, Redaction, TapePolicy};

const SEEDS: u8 = 8;

/// Names the file for the lines of a run in another process.
const FILE: &str = "TENON_TEST_LINES";

/// A component and what it is asked, in this order, on one store.
struct Program {
    name: String,
    component: Vec<u8>,
    events: Vec<Vec<u8>>,
}

fn program(name: &str, component: &[u8], requests: &[(&str, &str, &str)]) -> Program {
    let fields = [("content-type", "application/json")];
    let event = |(method, target, body): &(&str, &str, &str)| {
        http_event(method, target, &fields, body.as_bytes())
    };
    Program {
        name: name.to_owned(),
        component: component.to_vec(),
        events: requests.iter().map(event).collect(),
    }
}

fn programs() -> Vec<Program> {
    let keys = "set draft a 1\nset draft2 b 2\nincrement draft2 n 3\nkeys draft2";
    let keys = keys.replace(' ', "\t");
    let mut programs = vec![
        program(
            "reference",
            REFERENCE,
            &[
                ("POST", "/items", r#"{"name":"lamp"}"#),
                ("GET", "/items?limit=2", ""),
                ("GET", "/items/nothing", ""),
            ],
        ),
        program("plain", PLAIN, &[("GET", "/std", ""), ("GET", "/wit", "")]),
        program(
            "proxy",
            PROXY,
            &[
                ("GET", "/random", ""),
                ("GET", "/sleep", ""),
                ("GET", "/poll", ""),
                ("GET", "/sealed", ""),
                ("POST", "/echo", "some content"),
                ("GET", "/fetch?3", ""),
            ],
        ),
        program("keyvalue", KEYVALUE, &[("POST", "/", &keys)]),
        program(
            "fetcher",
            FETCHER,
            &[("POST", "/?times=3&put", "GET http://a.example/x")],
        ),
    ];
    programs.extend(pairs::components().into_iter().map(of_pairs));
    programs
}

fn of_pairs(component: pairs::Component) -> Program {
    let requests = component.pairs.iter().map(|pair| &pair.request);
    Program {
        component: fs::read(&component.path).unwrap(),
        events: requests
            .map(|request| {
                let headers = request.headers();
                http_event(&request.method, &request.path, &headers, &request.body())
            })
            .collect(),
        name: component.name,
    }
}

/// What the tape has of a program's requests with each seed, in order of seeds: all but how long they took.
async fn run(engine: &Engine, program: &Program) -> Vec<Vec<Value>> {
    let guest = engine.load(&program.component).unwrap();
    let options = RuntimeOptions::without_check_of_grants();
    let runtime = Runtime::new(engine, &guest, options).unwrap();
    let recorder = Recorder::new(RecordOptions {
        redaction: Redaction::nothing(),
        ..RecordOptions::new(TapePolicy::ALL)
    });
    let mut lines = Vec::new();
    for seed in 0..SEEDS {
        let storage =
            replay::local_view(Arc::new(MemoryStorage::new()), replay::replay_cursor_key());
        let script = Script::of(iter::repeat_with(|| Ok(text("answer"))).take(8).collect());
        let deployment = Deployment::new(runtime.clone(), storage).with_outgoing(script);
        let service = Service::of(deployment);
        let mut of_seed = Vec::new();
        for event_json in &program.events {
            let seed = Seed::new([seed; 32]);
            let line = event(&service, &recorder, event_json, NOW_MS, seed).await;
            of_seed.push(without_durations(&line.unwrap()));
        }
        lines.push(of_seed);
    }
    lines
}

fn without_durations(line: &[u8]) -> Value {
    let mut line: Value = serde_json::from_slice(line).unwrap();
    line.as_object_mut().unwrap().remove("sha256").unwrap();
    remove_durations(&mut line);
    line
}

fn remove_durations(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| name != "us" && !name.ends_with("_us"));
            members.values_mut().for_each(remove_durations);
        }
        Value::Array(values) => values.iter_mut().for_each(remove_durations),
        _ => {}
    }
}

/// The status, how often the host was called, and which effects there were, without values that may follow from the seed.
fn pattern(line: &Value) -> Value {
    let names = |list: &str, member: &str| -> Vec<Value> {
        let list = line[list].as_array().into_iter().flatten();
        list.map(|effect| effect.pointer(member).unwrap().clone())
            .collect()
    };
    serde_json::json!({
        "status": line["status"],
        "host_calls": line["usage"]["host_calls"],
        "calls": names("calls", "/call"),
        "outgoing": names("outgoing", "/request/url"),
    })
}

/// An engine with a pool, and one whose pool is too large for any address space, which creates instances on demand.
fn engines() -> [Engine; 2] {
    let of = |instances_max, is_pooled| {
        let engine = Engine::new(&EngineOptions {
            instances_max,
            ..EngineOptions::default()
        });
        let engine = engine.unwrap();
        assert_eq!(engine.is_pooled(), is_pooled);
        engine
    };
    [of(4, true), of(1 << 20, false)]
}

#[tokio::test]
async fn eight_seeds_give_the_same_outcomes_in_every_process_and_the_same_calls() {
    if let Some(file) = env::var_os(FILE) {
        return write_lines(Path::new(&file)).await;
    }
    let folder = fresh_folder("determinism");
    let elsewhere = in_another_process(&folder);
    let [pooled, on_demand] = engines();
    let mut of_random = Vec::new();
    for program in programs() {
        let lines = run(&pooled, &program).await;
        let name = &program.name;
        assert_eq!(lines, run(&on_demand, &program).await, "{name}");
        assert_eq!(serde_json::json!(lines), elsewhere[name], "{name}");
        let of_seed = |lines: &Vec<Value>| lines.iter().map(pattern).collect::<Vec<_>>();
        let first = of_seed(&lines[0]);
        for lines in &lines[1..] {
            assert_eq!(of_seed(lines), first, "{name}");
        }
        if name == "proxy" {
            of_random = lines
                .iter()
                .map(|lines| lines[0]["response"].to_string())
                .collect();
        }
        println!("{name}: {} requests with each seed", program.events.len());
    }
    of_random.sort_unstable();
    of_random.dedup();
    assert_eq!(
        of_random.len(),
        usize::from(SEEDS),
        "seeds make a difference"
    );
}

/// Runs this test, and so all programs, in a process with another environment, time zone and working folder.
fn in_another_process(folder: &Path) -> Value {
    let file = folder.join("lines.json");
    let mut run = Command::new(env::current_exe().unwrap());
    run.args([
        "--exact",
        "determinism::eight_seeds_give_the_same_outcomes_in_every_process_and_the_same_calls",
    ]);
    run.env_clear();
    run.envs([
        ("TZ", "Asia/Kolkata"),
        ("LANG", "tr_TR.UTF-8"),
        ("HOME", "/"),
    ]);
    let pairs = env::var_os("TENON_PAIRS").map(|pairs| path::absolute(pairs).unwrap());
    run.envs(pairs.map(|pairs| ("TENON_PAIRS", pairs)));
    let output = run.env(FILE, &file).current_dir("/").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&fs::read(&file).unwrap()).unwrap()
}

/// What the other process does instead of the test.
async fn write_lines(file: &Path) {
    let [pooled, _] = engines();
    let mut lines = serde_json::Map::new();
    for program in programs() {
        let of_program = run(&pooled, &program).await;
        lines.insert(program.name, serde_json::json!(of_program));
    }
    fs::write(file, serde_json::to_vec(&lines).unwrap()).unwrap();
}
