//! How much memory a hostile guest can make the Lambda host use: its own, and a bounded additional amount, whichever import it uses.

use super::{
    bootstrap::{Bootstrap, Environment, image},
    events::get,
    raw_table::RawTable,
    runtime_api::Invocation,
};
use crate::support::guests::HOSTILE;
use contract::limits::GET_MANY_TEXT_BYTES_MAX;
use std::{fs, time::Instant};

/// Memory of the function.
const FUNCTION_BYTES: usize = 512 << 20;
/// What the host may use for one request besides the guest's own memory.
const HOST_BYTES_MAX: usize = 64 << 20;

/// Methods to make the host hold memory, each with the sizes of one call: small ones that are repeated often, the largest allowed one, and
/// a larger one. They are in `tests/guests/hostile/src/greed.rs`.
const WAYS: &[(&str, &[usize])] = &[
    ("log-message", &[1 << 10, 16 << 10, 8 << 20, 30 << 20]),
    ("log-control-characters", &[1, 16 << 10, 8 << 20]),
    ("log-key", &[128, 8 << 20]),
    ("log-value", &[100, 16 << 10, 8 << 20]),
    ("log-json", &[16 << 10, 8 << 20]),
    ("log-attributes", &[64, 4_000, 100_000]),
    ("stdout", &[1, 64 << 10, 8 << 20]),
    ("stdout-lines", &[64 << 10, 8 << 20]),
    ("stderr", &[64 << 10]),
    ("stderr-no-text", &[64 << 10]),
    ("zeroes", &[64 << 10, 1 << 30]),
    ("random", &[64 << 10, 1 << 30]),
    ("insecure-random", &[64 << 10, 1 << 30]),
    ("poll", &[4_000, 500_000]),
    ("resources", &[1_000, 100_000]),
    ("environment", &[1]),
    ("clocks", &[1]),
    ("get-key", &[2_000, 8 << 20]),
    ("get-many-keys", &[100, 100_000]),
    ("get-many-control-characters", &[1_900]),
    ("get-many-documents", &[1_000, 80_000, 390_000]),
    ("get-many-lists", &[40_000, 100_000]),
    ("get-many-objects", &[40_000, 290_000]),
    ("put-text", &[400_000, 11 << 20]),
    ("put-escapes", &[400_000, 6 << 20, 11 << 20]),
    ("put-numbers", &[99_000, 400_000, 6 << 20]),
    ("put-lists", &[100_000, 400_000]),
    ("put-objects", &[290_000, 400_000]),
    ("put-members", &[290_000, 6 << 20, 11 << 20]),
    ("put-blanks", &[400_000, 6 << 20, 11 << 20]),
    ("put-revision", &[64, 8 << 20]),
    ("delete-revision", &[8 << 20]),
    ("query-cursor", &[8 << 20]),
    ("query-prefix", &[1_000, 8 << 20]),
    ("query-index", &[1_900, 8 << 20]),
    ("query-documents", &[20_000, 99_000]),
    ("query-lists", &[20_000, 100_000]),
    ("query-objects", &[20_000, 290_000]),
    ("transact-text", &[1_000, 40_000, 110_000]),
    ("transact-escapes", &[40_000, 110_000]),
    ("transact-numbers", &[1_900, 40_000, 110_000]),
    ("transact-lists", &[1_990, 40_000]),
    ("transact-objects", &[5_780, 40_000]),
    ("transact-operations", &[100, 200_000]),
    ("transact-token", &[36, 8 << 20]),
    ("transact-refused", &[18_000, 100_000]),
    ("response-body", &[1 << 20, 4 << 20, 11 << 20]),
    ("response-control-characters", &[1 << 20, 4 << 20, 11 << 20]),
    ("response-bytes", &[4 << 20, 11 << 20]),
    ("response-value", &[8 << 10, 8 << 20]),
    ("response-fields", &[100, 100_000]),
];

/// Methods that the guest does not survive: it exceeds the limit of its own memory, output or response, or traps because the host refuses.
const FAILS: &[&str] = &[
    "log-message?31457280",
    "stdout?8388608",
    "stdout-lines?8388608",
    "zeroes?1073741824",
    "random?1073741824",
    "insecure-random?1073741824",
    "poll?500000",
    "resources?100000",
    "transact-operations?200000",
    "response-body?11534336",
    "response-control-characters?1048576",
    "response-control-characters?4194304",
    "response-control-characters?11534336",
    "response-bytes?11534336",
    "response-value?8388608",
];

/// Methods that read large documents, and how many of them the guest receives: each has at least as many bytes as the call names. Without
/// them, the memory would only be that of failed reads.
const READS: &[(&str, usize)] = &[
    ("get-many-documents", 3 * 100),
    ("get-many-lists", 3 * 12),
    ("get-many-objects", 3 * 12),
    ("query-documents", 12),
    ("query-lists", 12),
    ("query-objects", 12),
    // Each of two calls returns the first of twelve.
    ("transact-refused", 2),
];

/// A read whose documents are longer than one call may return: the host reads up to that, and refuses, three times.
const REFUSED: &str = "get-many-documents?390000";

/// Fails if the method did not read what it is meant to. `read_bytes`: what the table sent.
fn assert_read(way: &str, size: usize, body: &str, read_bytes: usize) {
    let Some((_, documents)) = READS.iter().find(|(reader, _)| *reader == way) else {
        return;
    };
    let received: usize = body.parse().unwrap();
    let call = format!("{way}?{size}");
    if call == REFUSED {
        assert_eq!(received, 0, "{call}");
        assert!(
            read_bytes >= 3 * GET_MANY_TEXT_BYTES_MAX,
            "{call}: {read_bytes}"
        );
    } else {
        assert!(received >= documents * size, "{call}: {received}");
        assert!(read_bytes >= received, "{call}: {read_bytes}");
    }
}

/// The peak memory of the process since the last call.
fn peak(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let (_, peak) = status.split_once("VmHWM:").unwrap();
    let kib: usize = peak.split_whitespace().next().unwrap().parse().unwrap();
    // 5: reset the peak (proc_pid_clear_refs(5)).
    fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
    kib << 10
}

/// Lets the guest try every method, and returns what each used of the host besides the guest's own memory. `tape` selects the requests to
/// record.
fn measure(test: &str, tape: &str) -> Vec<(String, usize)> {
    let table = RawTable::start();
    let environment = Environment::new(&image(test, HOSTILE), &table.endpoint())
        .with("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .with("TENON_TAPE", tape)
        .with("TENON_GUEST_ENV", r#"{"LONG":"value"}"#);
    let host = Bootstrap::start(environment);
    let well_behaved = || {
        let response = host.api.invoke(Invocation::new(get("/"))).response();
        assert_eq!(response["statusCode"], 200, "{response}");
    };
    well_behaved();
    host.last_summary();
    peak(host.id());
    let before = peak(host.id());
    let mut taken = Vec::new();
    for (way, sizes) in WAYS {
        for size in *sizes {
            let call = format!("{way}?{size}");
            let path = format!("/greed/{call}");
            // The memory of the previous request may be freed only now.
            peak(host.id());
            // There are many lines, and a summary is searched in all of them.
            host.lines.clear();
            table.take_read_bytes();
            let start = Instant::now();
            let response = host.api.invoke(Invocation::new(get(&path))).response();
            let duration = start.elapsed();
            let status = if FAILS.contains(&&*call) { 500 } else { 200 };
            assert_eq!(response["statusCode"], status, "{path}");
            let own = host.last_summary()["memoryBytesPeak"].as_u64().unwrap() as usize;
            assert!(own > 0, "{path}: the guest did not run");
            let peak = peak(host.id());
            assert!(peak < FUNCTION_BYTES, "{path}: the host held {peak} bytes");
            let beside = peak.saturating_sub(before + own);
            let read_bytes = table.take_read_bytes();
            println!(
                "{path}: {status}, {} MiB beside {} MiB, {} MiB read, {duration:.1?}",
                beside >> 20,
                own >> 20,
                read_bytes >> 20,
            );
            if status == 200 {
                let body = response["body"].as_str().unwrap();
                assert_read(way, *size, body, read_bytes);
            }
            taken.push((path, beside));
            well_behaved();
        }
    }
    taken.sort_by_key(|(_, bytes)| *bytes);
    taken
}

fn assert_bounded(taken: &[(String, usize)]) {
    let excessive: Vec<_> = taken
        .iter()
        .filter(|(_, bytes)| *bytes > HOST_BYTES_MAX)
        .map(|(path, bytes)| format!("{path} took {} MiB", bytes >> 20))
        .collect();
    assert!(excessive.is_empty(), "{excessive:#?}");
}

#[test]
fn a_hostile_guest_takes_little_of_the_host_beside_its_own_memory() {
    assert_bounded(&measure("memory", "off"));
}

#[test]
fn a_hostile_guest_that_is_recorded_takes_little_of_the_host_too() {
    assert_bounded(&measure("memory-recorded", "all"));
}
