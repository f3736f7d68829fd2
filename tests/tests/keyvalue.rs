//! `wasi:keyvalue` in both drafts, and Spin's own interface, on every store.

mod bounds;
mod lists;
mod tape;

use crate::support::{
    fresh_folder,
    guests::{KEYVALUE, SPIN},
    in_process::{self, engine, get, memory_service, runtime},
    table::Table,
};
use contract::{limits::Limits, seed::Seed};
use runtime::{Runtime, RuntimeOptions, engine::LoadError};
use service::Service;
use std::sync::Arc;
use storage::{MemoryStorage, Storage};
use storage_redb::RedbStorage;

fn keyvalue() -> Service {
    memory_service(&runtime(KEYVALUE, Limits::default()))
}

/// The lines of the response to operations, a line each, whose words have blanks between them. `seed` distinguishes the request from others.
async fn run(service: &Service, seed: u8, operations: &str) -> Vec<String> {
    let lines = operations.lines().map(str::trim_start);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let body = lines.join("\n").replace(' ', "\t");
    let seed = Seed::new([seed; 32]);
    let answer = in_process::send(service, ("POST", "/"), &[], body.as_bytes(), seed).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let text = answer["body"].as_str().unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Operations with their results after `->`, in the draft that `N` stands for.
async fn check(service: &Service, seed: u8, draft: &str, script: &str) {
    let lines = script.trim().lines();
    let (operations, results): (Vec<_>, Vec<_>) = lines
        .map(|line| line.trim().split_once(" ->").unwrap())
        .unzip();
    let results: Vec<_> = results.into_iter().map(str::trim_start).collect();
    let operations = operations.join("\n").replace(" N", &format!(" {draft}"));
    let lines = run(service, seed, &operations).await;
    let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
    assert_eq!(lines, results, "{draft}");
}

const ONE_KEY: &str = "
    get N a -> none
    exists N a -> false
    set N a one -> ()
    get N a -> one
    exists N a -> true
    set N a 0x009f9296ff -> ()
    get N a -> 0x009f9296ff
    set N  empty -> ()
    get N  -> empty
    set N zażółć/../a#b 0x -> ()
    get N zażółć/../a#b -> 
    set-length N large 300000 -> ()
    get N large -> 300000 bytes
    delete N a -> ()
    delete N a -> ()
    get N a -> none
";

const SEVERAL_KEYS: &str = "
    set-many N a=1 b=0xff a=3 -> ()
    get-many N a x b a -> a=3 none b=0xff a=3
    get-many N -> 
    set-many N -> ()
    delete-many N a x a -> ()
    delete-many N -> ()
    get-many N a b -> none b=0xff
    fill N 250 10 -> ()
    get N key-249 -> vvvvvvvvvv
    delete-many N b large -> ()
";

const NUMBERS: &str = "
    add N n 5 -> 5
    add N n 37 -> 42
    get N n -> 42
    add N n 0 -> 42
    set N n 9223372036854775808 -> ()
";

const REFUSALS: &str = "
    open N  -> a bucket
    open N default -> a bucket
    open N other -> Error::NoSuchStore
    set N text 1.5 -> ()
    get N text -> 1.5
";

#[test]
fn both_drafts_do_the_same_on_every_store() {
    let table = Table::start();
    let redb = RedbStorage::open(fresh_folder("keyvalue-stores").join("items.redb")).unwrap();
    let stores: [Arc<dyn Storage>; 3] = [
        Arc::new(MemoryStorage::new()),
        Arc::new(redb),
        Arc::new(table.storage()),
    ];
    let runtime = runtime(KEYVALUE, Limits::default());
    let threads = tokio::runtime::Runtime::new().unwrap();
    for store in stores {
        let service = in_process::service(&runtime, store);
        threads.block_on(async {
            for (seed, draft) in [(1, "1"), (2, "2")] {
                for script in [ONE_KEY, SEVERAL_KEYS, NUMBERS, REFUSALS] {
                    check(&service, seed, draft, script).await;
                }
                let all = run(&service, seed, &format!("all {draft}")).await.concat();
                let keys: Vec<_> = all.split_once(": ").unwrap().1.split(',').collect();
                assert_eq!(keys.len(), 254, "{all}");
                run(&service, seed, "delete-many 1 n").await;
            }
        });
    }
}

/// Both know the same buckets, so that a component may go from one draft to the next.
#[tokio::test]
async fn drafts_share_what_is_stored() {
    let service = keyvalue();
    let script = "
        set 1 a one -> ()
        get 2 a -> one
        add 2 n -7 -> -7
        get 1 n -> -7
        add 1 n 1 -> error: the value is not a decimal number from 0 to 18446744073709551615
    ";
    check(&service, 1, "1", script).await;
}

#[tokio::test]
async fn only_decimal_numbers_are_added_to() {
    let service = keyvalue();
    let script = "
        set 1 n 18446744073709551615 -> ()
        add 1 n 0 -> 18446744073709551615
        add 1 n 1 -> error: the sum is out of range
        add 2 n 1 -> error: the value is not a decimal number from -9223372036854775808 to 9223372036854775807
        set 2 n 9223372036854775807 -> ()
        add 2 n -1 -> 9223372036854775806
        add 2 n 2 -> error: the sum is out of range
        set 1 n +1 -> ()
        add 2 n 1 -> error: the value is not a decimal number from -9223372036854775808 to 9223372036854775807
        set 1 n 0x31ff -> ()
        add 2 n 1 -> error: the value is not a decimal number from -9223372036854775808 to 9223372036854775807
        get 2 n -> 0x31ff
    ";
    check(&service, 1, "1", script).await;
}

#[tokio::test]
async fn a_swap_happens_only_if_nothing_has_changed() {
    let service = keyvalue();
    let script = "
        cas 2 new a -> a handle
        cas 2 current -> none
        cas 2 swap one -> swapped
        cas 2 new a -> a handle
        set 2 a other -> ()
        cas 2 current -> one
        cas 2 swap two -> failed: other
        cas 2 swap 0xff -> swapped
        get 2 a -> 0xff
        cas 2 new a -> a handle
        delete 2 a -> ()
        cas 2 swap three -> failed: none
        cas 2 swap three -> swapped
        get 1 a -> three
    ";
    check(&service, 1, "2", script).await;
}

/// Each addition is one write that depends on what was read, and is tried again with what another request has written.
#[tokio::test(flavor = "multi_thread")]
async fn additions_of_concurrent_requests_all_count() {
    let folder = fresh_folder("keyvalue-additions");
    let stores: [Arc<dyn Storage>; 2] = [
        Arc::new(MemoryStorage::new()),
        Arc::new(RedbStorage::open(folder.join("items.redb")).unwrap()),
    ];
    let runtime = runtime(KEYVALUE, Limits::default());
    for store in stores {
        let service = Arc::new(in_process::service(&runtime, store));
        let requests: Vec<_> = (0..4)
            .map(|seed| {
                let service = service.clone();
                tokio::spawn(async move {
                    let operations = "add 1 n 1\nadd 2 n 2\n".repeat(20);
                    for line in run(&service, seed, &operations).await {
                        assert!(line.parse::<u64>().is_ok(), "{line}");
                    }
                })
            })
            .collect();
        for request in requests {
            request.await.unwrap();
        }
        assert_eq!(
            run(&service, 99, "get 1 n").await,
            [(4 * 20 * 3).to_string()]
        );
    }
}

#[tokio::test]
async fn components_made_for_spin_run() {
    let guest = engine().load(SPIN).unwrap();
    let options = RuntimeOptions {
        environment: Arc::from([("greeting".to_owned(), "hello".to_owned())]),
        ..RuntimeOptions::default()
    };
    let service = memory_service(&Runtime::new(engine(), &guest, options).unwrap());
    let text = async |path| {
        let answer = in_process::response(&get(&service, path).await);
        answer["body"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        text("/keys").await,
        r#"["a", "c"] (true, false) Some([67]) [("b", None), ("a", Some([65])), ("a", Some([65]))]"#
    );
    assert_eq!(
        text("/").await,
        r#"Ok("hello") Err(Error::Undefined("absent"))"#
    );
    assert_eq!(text("/full").await, "true Error::StoreTableFull");
}

/// A component with other names in it, of the same length.
fn renamed(guest: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut component = guest.to_vec();
    let found: Vec<_> = (0..component.len() - from.len())
        .filter(|at| component[*at..].starts_with(from.as_bytes()))
        .collect();
    assert!(!found.is_empty(), "{from}");
    for at in found {
        component[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    component
}

#[test]
fn other_versions_and_functions_are_refused_by_name() {
    for (guest, from, to) in [
        (
            KEYVALUE,
            "wasi:keyvalue/store@0.2.0-draft2",
            "wasi:keyvalue/store@0.2.0-draft3",
        ),
        (
            KEYVALUE,
            "wasi:keyvalue/atomics@0.2.0-draft2",
            "wasi:keyvalue/atomics@0.2.0-draft9",
        ),
        (
            SPIN,
            "fermyon:spin/key-value@2.0.0",
            "fermyon:spin/key-value@2.1.0",
        ),
        (
            SPIN,
            "fermyon:spin/variables@2.0.0",
            "fermyon:spin/messaging@2.0.0",
        ),
    ] {
        let candidate = engine().read_component(&renamed(guest, from, to)).unwrap();
        let imports = &candidate.inspection().imports;
        let refused = imports.iter().filter(|import| !import.granted);
        let refused: Vec<_> = refused.map(|import| &import.name).collect();
        assert_eq!(refused, [to]);
        let error = candidate.accept().err().unwrap();
        assert!(matches!(error, LoadError::NotGranted(_)), "{error}");
        assert!(error.to_string().contains(to), "{error}");
    }
    for guest in [KEYVALUE, SPIN] {
        let guest = engine()
            .load(&renamed(guest, "get-many", "get-some"))
            .unwrap();
        let error = Runtime::new(engine(), &guest, RuntimeOptions::default())
            .err()
            .unwrap();
        assert!(matches!(error, LoadError::TypeMismatch(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("wasi:keyvalue/batch@0.2.0-draft"), "{text}");
    }
}
