//! Conformance, agreement with memory, durability, and files that cannot be opened.

use super::{tables::META, *};
use contract::seed::Seed;
use proptest::prelude::*;
use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};
use storage::{
    Consistency, Contents, Document, MemoryStorage, Precondition, PutOptions, StorageExt as _,
    agreement,
};

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "tenon-redb-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn store(&self) -> PathBuf {
        self.0.join("store.redb")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Keeps the folder as long as the store.
struct Temporary {
    store: RedbStorage,
    _folder: Folder,
}

#[async_trait::async_trait]
impl Storage for Temporary {
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError> {
        self.store.perform(call, request).await
    }
}

fn make() -> Arc<dyn Storage> {
    let folder = Folder::new();
    Arc::new(Temporary {
        store: RedbStorage::open(folder.store()).unwrap(),
        _folder: folder,
    })
}

storage::storage_conformance!(make);

fn call(number: u64, now_ms: u64) -> Call {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    Call::new(now_ms, &Seed::new(seed), None)
}

fn key(partition: &str, sort: &str) -> Key {
    Key {
        partition: partition.to_owned(),
        sort: sort.to_owned(),
    }
}

fn options() -> PutOptions {
    PutOptions {
        precondition: Precondition::None,
        index: None,
        expires_at: None,
    }
}

async fn put(store: &RedbStorage, number: u64) {
    let document = Document::parse(&format!(r#"{{"n":{number}}}"#)).unwrap();
    let key = key("p", &format!("s{number:04}"));
    assert!(matches!(
        store
            .put(&call(number, 0), &key, &document, &options())
            .await,
        Ok(PutOutcome::Done(_))
    ));
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_opening_again() {
    let folder = Folder::new();
    let store = RedbStorage::open(folder.store()).unwrap();
    for number in 0..20 {
        put(&store, number).await;
    }
    let (before, cursor_key) = (store.entries(0).unwrap(), store.cursor_key().clone());
    assert_eq!(before.len(), 20);
    drop(store);
    let store = RedbStorage::open(folder.store()).unwrap();
    assert_eq!(store.entries(0).unwrap(), before);
    assert_eq!(store.cursor_key(), &cursor_key);
    let other = Folder::new();
    assert_ne!(
        RedbStorage::open(other.store()).unwrap().cursor_key(),
        &cursor_key
    );
}

#[tokio::test]
async fn dropping_a_store_finishes_what_was_asked_for() {
    let folder = Folder::new();
    let store = RedbStorage::open(folder.store()).unwrap();
    {
        let mut writes: Vec<_> = (0..50)
            .map(|number| Box::pin(put(&store, number)))
            .collect();
        for write in &mut writes {
            // Polled once, the write is queued; nobody waits for its result.
            assert!(
                std::future::poll_fn(|context| std::task::Poll::Ready(
                    write.as_mut().poll(context).is_pending()
                ))
                .await
            );
        }
    }
    drop(store);
    assert_eq!(
        RedbStorage::open(folder.store())
            .unwrap()
            .entries(0)
            .unwrap()
            .len(),
        50
    );
}

#[tokio::test]
async fn the_copy_of_a_running_store_opens_with_everything_acknowledged() {
    let (folder, copy) = (Folder::new(), Folder::new());
    let store = RedbStorage::open(folder.store()).unwrap();
    for number in 0..20 {
        put(&store, number).await;
        // The state that a killed process leaves behind.
        fs::copy(folder.store(), copy.store()).unwrap();
        let recovered = RedbStorage::open(copy.store()).unwrap();
        assert_eq!(recovered.entries(0).unwrap(), store.entries(0).unwrap());
    }
}

#[tokio::test]
async fn no_more_is_collected_than_get_many_may_find() {
    let folder = Folder::new();
    let stores: [Arc<dyn Storage>; 2] = [
        Arc::new(RedbStorage::open(folder.store()).unwrap()),
        Arc::new(MemoryStorage::new()),
    ];
    let text = format!(r#"{{"a":"{}"}}"#, "x".repeat(300_000));
    let document = Document::parse(&text).unwrap();
    let keys: Vec<_> = (0..30)
        .map(|number| key("p", &number.to_string()))
        .collect();
    for store in stores {
        for (number, key) in keys.iter().enumerate() {
            let call = call(number as u64, 0);
            store.put(&call, key, &document, &options()).await.unwrap();
        }
        let found = store
            .get_many(&call(100, 0), &keys, Consistency::Strong)
            .await;
        assert!(matches!(found, Err(StorageError::TooLarge(_))), "{found:?}");
        let found = store
            .get_many(&call(101, 0), &keys[..20], Consistency::Strong)
            .await;
        assert_eq!(found.unwrap().len(), 20);
    }
}

#[tokio::test]
async fn expired_items_and_tokens_do_not_stay_for_ever() {
    let folder = Folder::new();
    let store = RedbStorage::open(folder.store()).unwrap();
    let document = Document::parse("{}").unwrap();
    let expiring = PutOptions {
        index: Some(key("i", "1")),
        expires_at: Some(10),
        ..options()
    };
    for number in 0..100 {
        let operation = Operation::Put {
            key: key("p", &number.to_string()),
            document: document.clone(),
            options: expiring.clone(),
        };
        store
            .transact(&call(number, 0), &[operation], Some(&number.to_string()))
            .await
            .unwrap();
    }
    let rows = |store: &RedbStorage| {
        store
            .read(|snapshot| {
                let items = snapshot.open_table(ITEMS)?.iter()?.count();
                let index = snapshot.open_table(INDEX)?.iter()?.count();
                let expiries = snapshot.open_table(tables::EXPIRIES)?.iter()?.count();
                let tokens = snapshot.open_table(tables::TOKENS)?.iter()?.count();
                Ok([
                    items,
                    index,
                    expiries,
                    tokens,
                    snapshot.open_table(tables::TOKEN_AGES)?.iter()?.count(),
                ])
            })
            .unwrap()
    };
    assert_eq!(rows(&store), [100; 5]);
    for number in 0..25 {
        let key = key("q", "s");
        store
            .put(&call(1000 + number, 4_000_000), &key, &document, &options())
            .await
            .unwrap();
    }
    assert_eq!(rows(&store), [1, 0, 0, 0, 0]);
}

/// Opens a file that must be refused, and checks that it is not changed.
fn refusal(path: &Path) -> OpenError {
    let before = fs::read(path).unwrap();
    let error = RedbStorage::open(path).unwrap_err();
    assert!(
        fs::read(path).unwrap() == before,
        "the file was touched: {error}"
    );
    assert!(!error.to_string().contains('\n') && !error.hint().is_empty());
    assert!(error.to_string().contains("store.redb"), "{error}");
    error
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let folder = Folder::new();
    // Opening a pipe would wait for a writer for ever.
    let made = std::process::Command::new("mkfifo")
        .arg(folder.store())
        .status();
    assert!(made.unwrap().success());
    assert!(matches!(
        RedbStorage::open(folder.store()),
        Err(OpenError::NotAStore { .. })
    ));
    fs::remove_file(folder.store()).unwrap();
    fs::write(folder.store(), "{}\n").unwrap();
    assert!(matches!(
        refusal(&folder.store()),
        OpenError::NotAStore { .. }
    ));
    fs::remove_file(folder.store()).unwrap();
    let foreign = Database::create(folder.store()).unwrap();
    let transaction = foreign.begin_write().unwrap();
    transaction
        .open_table(redb::TableDefinition::<u64, u64>::new("meta"))
        .unwrap()
        .insert(1, 2)
        .unwrap();
    transaction.commit().unwrap();
    drop(foreign);
    assert!(matches!(
        refusal(&folder.store()),
        OpenError::NotAStore { .. }
    ));
}

/// The file contains the key that seals cursors.
#[cfg(unix)]
#[test]
fn a_store_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    drop(RedbStorage::open(folder.store()).unwrap());
    let mode = fs::metadata(folder.store()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for (mode, is_empty) in [(0o644, false), (0o640, false), (0o604, true)] {
        if is_empty {
            fs::write(folder.store(), "").unwrap();
        }
        fs::set_permissions(folder.store(), fs::Permissions::from_mode(mode)).unwrap();
        let error = refusal(&folder.store());
        assert!(matches!(error, OpenError::Exposed { .. }), "{error}");
        assert!(error.hint().contains("chmod 600"));
    }
}

#[test]
fn a_store_of_another_layout_is_refused() {
    let folder = Folder::new();
    let store = RedbStorage::open(folder.store()).unwrap();
    let transaction = store.database.begin_write().unwrap();
    transaction
        .open_table(META)
        .unwrap()
        .insert("layout", 7u32.to_be_bytes().as_slice())
        .unwrap();
    transaction.commit().unwrap();
    drop(store);
    assert!(matches!(
        refusal(&folder.store()),
        OpenError::Layout { found: 7, .. }
    ));
}

#[test]
fn a_store_in_use_is_refused() {
    let folder = Folder::new();
    let _store = RedbStorage::open(folder.store()).unwrap();
    assert!(matches!(refusal(&folder.store()), OpenError::Locked { .. }));
}

#[test]
fn an_unusable_path_is_refused() {
    let folder = Folder::new();
    let error = RedbStorage::open(folder.0.join("missing/store.redb")).unwrap_err();
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
    let error = RedbStorage::open(&folder.0).unwrap_err();
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
}

#[tokio::test]
async fn a_damaged_store_is_refused() {
    let folder = Folder::new();
    let store = RedbStorage::open(folder.store()).unwrap();
    let entries = (0..2000).map(|number| Entry {
        key: key("p", &number.to_string()),
        item: Item {
            document: Document::parse(&format!(r#"{{"fill":"{}"}}"#, "x".repeat(100))).unwrap(),
            revision: storage::Revision::from(number.to_string()),
            index: None,
            expires_at: None,
        },
    });
    store.load(entries.collect()).unwrap();
    drop(store);
    let whole = fs::read(folder.store()).unwrap();
    for length in [100, 4096, whole.len() / 2, whole.len() - 4096] {
        fs::write(folder.store(), &whole[..length]).unwrap();
        assert!(
            matches!(refusal(&folder.store()), OpenError::Damaged { .. }),
            "cut to {length}"
        );
    }
    let text = whole
        .windows(20)
        .position(|window| window == [b'x'; 20])
        .unwrap();
    for position in [20, 70, 150, text] {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x55;
        fs::write(folder.store(), &damaged).unwrap();
        match RedbStorage::open(folder.store()) {
            // Some bytes of the header are unused.
            Ok(store) => assert!(
                position < 4096 && store.entries(0).unwrap().len() == 2000,
                "byte {position}"
            ),
            Err(error) => {
                assert!(
                    matches!(error, OpenError::Damaged { .. }),
                    "byte {position}: {error}"
                );
                assert!(
                    fs::read(folder.store()).unwrap() == damaged,
                    "byte {position}: the file was touched"
                );
            }
        }
    }
}

#[tokio::test]
async fn namespaces_are_found_without_those_whose_entries_have_expired() {
    let folder = Folder::new();
    let store = RedbStorage::open(folder.store()).unwrap();
    let entry = |partition: &str, expires_at| Entry {
        key: key(partition, "s"),
        item: Item {
            document: Document::parse("{}").unwrap(),
            revision: storage::Revision::from("r".to_owned()),
            index: None,
            expires_at,
        },
    };
    let call = call(1, 1_767_225_600_000);
    let named = async |namespaces_max| {
        let found = store.namespaces(&call, namespaces_max).await.unwrap();
        let names = found.unwrap();
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(named(9).await.is_empty());
    let partitions = ["of-host", "#host", "a#p", "a#q", "a-b#p", "z#p"];
    let mut entries: Vec<Entry> = partitions.map(|partition| entry(partition, None)).into();
    entries.extend([entry("b#p", Some(1)), entry("c#p", Some(1))]);
    store.load(entries).unwrap();
    assert_eq!(named(9).await, ["a", "a-b", "z"]);
    assert_eq!(named(2).await, ["a", "a-b"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_redb_agree(steps in agreement::steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let folder = Folder::new();
        let memory = Arc::new(MemoryStorage::new());
        let redb = Arc::new(RedbStorage::open(folder.store()).unwrap());
        let (one, now_ms) = runtime.block_on(agreement::play_on(memory.clone(), &steps));
        let (other, _) = runtime.block_on(agreement::play_on(redb.clone(), &steps));
        agreement::assert_same(&steps, &one, &other)?;

        // The contents of one store can be written as JSON, read again and loaded into the other.
        let namespace = agreement::namespace();
        let held = memory.namespace_entries(&namespace, now_ms).unwrap();
        prop_assert_eq!(&held, &redb.namespace_entries(&namespace, now_ms).unwrap());
        let text = serde_json::to_string(&held).unwrap();
        let read: Vec<Entry> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &held);
        let copy = MemoryStorage::new();
        copy.load_namespace(&namespace, read).unwrap();
        prop_assert_eq!(copy.entries(now_ms).unwrap(), redb.entries(now_ms).unwrap());
    }
}
