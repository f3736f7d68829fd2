//! Two stores must give the same result for every call of any sequence, including errors, and contain the same in the end.
//!
//! A backend's tests take a sequence from [`steps`] and run it with [`play_on`], on memory and on the backend.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "the vocabulary of tests, in which a failed expectation is a failed case"
)]

use super::{
    Call, Consistency, CursorKey, Direction, Document, Key, Namespace, Operation, Precondition,
    PutOptions, PutOutcome, QueryOptions, Revision, SortRange, Storage, StorageExt as _, Tenant,
    TransactOutcome, memory::EXPIRED_KEPT_SECONDS,
};
use contract::seed::Seed;
use proptest::{prelude::*, sample::select};
use std::sync::Arc;

/// Sort keys that often collide and are ordered differently by anything but bytes; one of them is invalid.
const SORTS: [&str; 8] = [
    "a",
    "a\0",
    "aa",
    "b",
    "\u{ffff}",
    "\u{10000}",
    "\u{10ffff}",
    "",
];
const PARTITIONS: [&str; 3] = ["p", "p\0", "q"];
const TOKENS: [&str; 2] = ["t", "u"];
/// Number of earlier revisions that a precondition can refer to.
const REVISIONS: usize = 4;

/// A precondition whose revision is referred to by its age in steps.
#[derive(Clone, Debug)]
pub enum Condition {
    None,
    Absent,
    Present,
    Recent(usize),
}

#[derive(Clone, Debug)]
pub enum Change {
    Put {
        key: Key,
        document: &'static str,
        condition: Condition,
        index: Option<Key>,
        lifetime_seconds: Option<u64>,
    },
    Delete(Key, Condition),
    Check(Key, Condition),
}

/// One call, or a pause.
#[derive(Clone, Debug)]
pub enum Step {
    Get(Key),
    GetMany(Vec<Key>),
    One(Change),
    Transact(Vec<Change>, Option<&'static str>),
    Query {
        partition: &'static str,
        options: QueryOptions,
        by_index: bool,
    },
    /// The last page's query again, from its cursor, or from the cursor of another query.
    Continue {
        own: bool,
    },
    Wait(u64),
}

fn any_key() -> impl Strategy<Value = Key> {
    (select(&PARTITIONS[..]), select(&SORTS[..])).prop_map(|(partition, sort)| key(partition, sort))
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        4 => Just(Condition::None),
        1 => Just(Condition::Absent),
        1 => Just(Condition::Present),
        3 => (0..REVISIONS).prop_map(Condition::Recent),
    ]
}

fn put() -> impl Strategy<Value = Change> {
    let documents = [r#"{}"#, r#"{"n":1.0}"#, r#"{"b":1,"a":[null,"é"]}"#];
    let index = prop::option::of(any_key());
    let lifetime_seconds = prop::option::of(0..5000u64);
    (
        any_key(),
        select(documents.to_vec()),
        condition(),
        index,
        lifetime_seconds,
    )
        .prop_map(
            |(key, document, condition, index, lifetime_seconds)| Change::Put {
                key,
                document,
                condition,
                index,
                lifetime_seconds,
            },
        )
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => put(),
        1 => (any_key(), condition()).prop_map(|(key, condition)| Change::Delete(key, condition)),
    ]
}

fn part() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => change(),
        1 => (any_key(), condition()).prop_map(|(key, condition)| Change::Check(key, condition)),
    ]
}

fn range() -> impl Strategy<Value = SortRange> {
    let sort = || select(&SORTS[..]).prop_map(str::to_owned);
    prop_oneof![
        Just(SortRange::All),
        sort().prop_map(SortRange::Prefix),
        (sort(), sort()).prop_map(|(lower, upper)| SortRange::Between(lower, upper)),
        sort().prop_map(SortRange::AtLeast),
        sort().prop_map(SortRange::AtMost),
    ]
}

fn query() -> impl Strategy<Value = Step> {
    let direction = select(vec![Direction::Ascending, Direction::Descending]);
    (
        select(&PARTITIONS[..]),
        range(),
        direction,
        0..5u32,
        any::<bool>(),
    )
        .prop_map(|(partition, range, direction, limit, by_index)| {
            let options = QueryOptions {
                range,
                direction,
                limit,
                cursor: None,
            };
            Step::Query {
                partition,
                options,
                by_index,
            }
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any_key().prop_map(Step::Get),
        1 => prop::collection::vec(any_key(), 0..5).prop_map(Step::GetMany),
        8 => change().prop_map(Step::One),
        3 => (prop::collection::vec(part(), 0..4), prop::option::of(select(&TOKENS[..])))
            .prop_map(|(changes, token)| Step::Transact(changes, token)),
        4 => query(),
        4 => any::<bool>().prop_map(|own| Step::Continue { own }),
        1 => (0..4000u64).prop_map(Step::Wait),
    ]
}

/// Runs steps on one store and records its results.
struct Player {
    storage: Tenant,
    now_ms: u64,
    calls: u64,
    revisions: Vec<Revision>,
    /// The last query by key and by index.
    queries: [Option<(&'static str, QueryOptions)>; 2],
    last_by_index: bool,
}

impl Player {
    fn new(store: Arc<dyn Storage>, namespace: &Namespace) -> Self {
        let storage = Tenant::new(store, namespace.clone(), CursorKey::new([3; 32]));
        Self {
            storage,
            now_ms: 0,
            calls: 0,
            revisions: Vec::new(),
            queries: [None, None],
            last_by_index: false,
        }
    }

    fn precondition(&self, condition: &Condition) -> Precondition {
        match condition {
            Condition::None => Precondition::None,
            Condition::Absent => Precondition::Absent,
            Condition::Present => Precondition::Present,
            Condition::Recent(ago) => Precondition::Revision(
                self.revisions
                    .iter()
                    .rev()
                    .nth(*ago)
                    .cloned()
                    .unwrap_or_else(|| Revision::from("none".to_owned())),
            ),
        }
    }

    fn operation(&self, change: &Change) -> Operation {
        match change {
            Change::Put {
                key,
                document,
                condition,
                index,
                lifetime_seconds,
            } => Operation::Put {
                key: key.clone(),
                document: Document::parse(document).unwrap(),
                options: PutOptions {
                    precondition: self.precondition(condition),
                    index: index.clone(),
                    expires_at: lifetime_seconds.map(|seconds| self.now_ms / 1000 + seconds),
                },
            },
            Change::Delete(key, condition) => Operation::Delete {
                key: key.clone(),
                precondition: self.precondition(condition),
            },
            Change::Check(key, condition) => Operation::Check {
                key: key.clone(),
                precondition: self.precondition(condition),
            },
        }
    }

    async fn query(&mut self, by_index: bool) -> String {
        let call = call(self.calls, self.now_ms);
        let Some((partition, options)) = &self.queries[usize::from(by_index)] else {
            return "no query".to_owned();
        };
        let page = if by_index {
            self.storage.query_index(&call, partition, options).await
        } else {
            self.storage
                .query(&call, partition, Consistency::Strong, options)
                .await
        };
        let answer = format!("{page:?}");
        if let Ok(page) = page
            && let Some((_, options)) = &mut self.queries[usize::from(by_index)]
        {
            options.cursor = page.cursor;
        }
        self.last_by_index = by_index;
        answer
    }

    async fn play(&mut self, step: &Step) -> String {
        self.calls += 1;
        let call = call(self.calls, self.now_ms);
        match step {
            Step::Get(key) => format!(
                "{:?}",
                self.storage.get(&call, key, Consistency::Strong).await
            ),
            Step::GetMany(keys) => format!(
                "{:?}",
                self.storage
                    .get_many(&call, keys, Consistency::Eventual)
                    .await
            ),
            Step::One(change) => match self.operation(change) {
                Operation::Put {
                    key,
                    document,
                    options,
                } => {
                    let outcome = self.storage.put(&call, &key, &document, &options).await;
                    if let Ok(PutOutcome::Done(revision)) = &outcome {
                        self.revisions.push(revision.clone());
                    }
                    format!("{outcome:?}")
                }
                Operation::Delete { key, precondition }
                | Operation::Check { key, precondition } => {
                    format!(
                        "{:?}",
                        self.storage.delete(&call, &key, &precondition).await
                    )
                }
            },
            Step::Transact(changes, token) => {
                let operations: Vec<Operation> = changes
                    .iter()
                    .map(|change| self.operation(change))
                    .collect();
                let outcome = self.storage.transact(&call, &operations, *token).await;
                if let Ok(TransactOutcome::Done(revisions)) = &outcome {
                    self.revisions.extend(revisions.iter().flatten().cloned());
                }
                format!("{outcome:?}")
            }
            Step::Query {
                partition,
                options,
                by_index,
            } => {
                self.queries[usize::from(*by_index)] = Some((partition, options.clone()));
                self.query(*by_index).await
            }
            Step::Continue { own } => {
                if !own && let [Some((_, one)), Some((_, other))] = &mut self.queries {
                    std::mem::swap(&mut one.cursor, &mut other.cursor);
                }
                self.query(self.last_by_index).await
            }
            Step::Wait(seconds) => {
                self.now_ms += seconds * 1000;
                String::new()
            }
        }
    }
}

/// A separate guest on each store.
pub fn namespace() -> Namespace {
    "guest".parse().unwrap()
}

/// Sequences of calls, valid and invalid, that often affect the same items.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60)
}

/// The same within a period too short for a store to remove expired items. Whether an expired item still exists is visible in cursors, and
/// DynamoDB removes it at an unspecified time.
pub fn steps_before_removal() -> impl Strategy<Value = Vec<Step>> {
    steps().prop_map(|mut steps| {
        let mut seconds_left = EXPIRED_KEPT_SECONDS - 1;
        for step in &mut steps {
            if let Step::Wait(seconds) = step {
                *seconds = seconds_left.min(*seconds);
                seconds_left -= *seconds;
            }
        }
        steps
    })
}

/// The store's result of each step, then its contents by key and by index, and the time at the end.
pub async fn play_on(store: Arc<dyn Storage>, steps: &[Step]) -> (Vec<String>, u64) {
    let mut player = Player::new(store, &namespace());
    let mut answers = Vec::new();
    for step in steps {
        answers.push(player.play(step).await);
    }
    for partition in PARTITIONS {
        for by_index in [false, true] {
            let options = QueryOptions {
                range: SortRange::All,
                direction: Direction::Ascending,
                limit: 1000,
                cursor: None,
            };
            player.queries[usize::from(by_index)] = Some((partition, options));
            answers.push(player.query(by_index).await);
        }
    }
    (answers, player.now_ms)
}

/// Fails at the first step where two stores differ.
pub fn assert_same(steps: &[Step], one: &[String], other: &[String]) -> Result<(), TestCaseError> {
    for (position, answers) in one.iter().zip(other).enumerate() {
        prop_assert_eq!(answers.0, answers.1, "{:?}", steps.get(position));
    }
    prop_assert_eq!(one.len(), other.len());
    Ok(())
}

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
