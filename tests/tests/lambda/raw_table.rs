//! A small DynamoDB with one table: the operations that the host's store sends, on items that are kept as the text in which they arrived.
//!
//! It is for tests with large items. The engine of `support/table.rs` needs 2 to 20 seconds of the processor for an item of 400 KB with many
//! elements, so that the host's attempts time out and nothing large is ever read back. This one checks neither signatures nor quotas,
//! charges nothing, and keeps no index.
//!
//! A request with anything that it does not know panics while the state is locked, so that [`RawTable::take_read_bytes`] panics too.

mod requests;

use self::requests::{Batch, Get, Item, Key, Operation, Query, Transaction, Write};
use super::{runtime_api::read_message, table::TABLE};
use contract::limits::STORE_RESPONSE_BYTES_MAX;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io::{BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Items of one page, as DynamoDB counts them (AWS: Query).
const PAGE_BYTES_MAX: usize = 1 << 20;
/// Items of one batch (AWS: BatchGetItem).
const BATCH_BYTES_MAX: usize = 16 << 20;
/// Keys of one batch.
const BATCH_KEYS_MAX: usize = 100;
/// Operations of one transaction: the host adds the record of a token.
const TRANSACTION_OPERATIONS_MAX: usize = 100 + 1;

pub struct RawTable {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    items: BTreeMap<Key, Item>,
    /// Tokens of transactions that were done.
    done: HashSet<String>,
    /// Bytes of the responses that the host reads: it ignores the body of a longer one.
    read_bytes: usize,
}

impl RawTable {
    /// An empty table on a free port, until the process ends.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let theirs = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = theirs.clone();
                thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Bytes of the responses since the last call, without those that are longer than the host reads.
    pub fn take_read_bytes(&self) -> usize {
        let state = self.state.lock();
        let mut state = state.expect("the table cannot answer a request; its thread says which");
        std::mem::take(&mut state.read_bytes)
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    // A host that gives up closes the connection, which ends this.
    while let Ok((_, headers, body)) = read_message(&mut reader) {
        let (status, json) = {
            let mut state = state.lock().unwrap();
            let (status, json) = state.answer(&headers["x-amz-target"], &body);
            if json.len() <= STORE_RESPONSE_BYTES_MAX {
                state.read_bytes += json.len();
            }
            (status, json)
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n",
            json.len()
        );
        let stream = reader.get_mut();
        if stream
            .write_all(&[head, json].concat().into_bytes())
            .is_err()
        {
            return;
        }
    }
}

impl State {
    fn answer(&mut self, target: &str, body: &[u8]) -> (u16, String) {
        match target.strip_prefix("DynamoDB_20120810.").unwrap() {
            "PutItem" => self.write(Operation::Put(serde_json::from_slice(body).unwrap())),
            "DeleteItem" => self.write(Operation::Delete(serde_json::from_slice(body).unwrap())),
            "TransactWriteItems" => self.transact(serde_json::from_slice(body).unwrap()),
            "GetItem" => (200, self.get(&serde_json::from_slice(body).unwrap())),
            "BatchGetItem" => (200, self.batch(serde_json::from_slice(body).unwrap())),
            "Query" => (200, self.query(&serde_json::from_slice(body).unwrap())),
            other => panic!("the host does not call `{other}`"),
        }
    }

    fn write(&mut self, operation: Operation) -> (u16, String) {
        match self.refusal(operation.write()) {
            Some(found) => {
                let kind = "ConditionalCheckFailedException";
                let error =
                    format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{kind}"{found}}}"#);
                (400, error)
            }
            None => {
                self.carry_out(operation);
                (200, "{}".to_owned())
            }
        }
    }

    fn transact(&mut self, transaction: Transaction) -> (u16, String) {
        let operations = transaction.transact_items;
        assert!(operations.len() <= TRANSACTION_OPERATIONS_MAX);
        let keys: BTreeSet<_> = operations
            .iter()
            .map(|operation| operation.write().key())
            .collect();
        assert_eq!(keys.len(), operations.len(), "two writes of one item");
        if self.done.contains(&transaction.client_request_token) {
            return (200, "{}".to_owned());
        }
        let refusals: Vec<_> = operations
            .iter()
            .map(|operation| self.refusal(operation.write()))
            .collect();
        if refusals.iter().any(Option::is_some) {
            let reasons: Vec<_> = refusals
                .into_iter()
                .map(|refusal| match refusal {
                    Some(found) => format!(r#"{{"Code":"ConditionalCheckFailed"{found}}}"#),
                    None => r#"{"Code":"None"}"#.to_owned(),
                })
                .collect();
            let kind = "TransactionCanceledException";
            let reasons = reasons.join(",");
            let error = format!(
                r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{kind}","CancellationReasons":[{reasons}]}}"#
            );
            return (400, error);
        }
        for operation in operations {
            self.carry_out(operation);
        }
        self.done.insert(transaction.client_request_token);
        (200, "{}".to_owned())
    }

    /// If the condition does not hold: the member with the item that prevents the write, if it is wanted.
    fn refusal(&self, write: &Write) -> Option<String> {
        assert_eq!(write.table_name, TABLE);
        let item = self.items.get(&write.key());
        if write.holds(item) {
            return None;
        }
        Some(
            match (&*write.return_values_on_condition_check_failure, item) {
                ("ALL_OLD", Some(item)) => format!(r#","Item":{}"#, item.json),
                ("ALL_OLD" | "NONE", _) => String::new(),
                (other, _) => panic!("`{other}` is to be returned"),
            },
        )
    }

    fn carry_out(&mut self, operation: Operation) {
        let key = operation.write().key();
        match operation {
            Operation::Put(write) => {
                let item = write.item.unwrap();
                assert!(!item.attributes.contains_key("ipk"), "there is no index");
                self.items.insert(key, item);
            }
            Operation::Delete(_) => {
                self.items.remove(&key);
            }
            Operation::ConditionCheck(_) => {}
        }
    }

    fn get(&self, get: &Get) -> String {
        assert_eq!(get.table_name, TABLE);
        match self.items.get(&get.key) {
            Some(item) => format!(r#"{{"Item":{}}}"#, item.json),
            None => "{}".to_owned(),
        }
    }

    fn batch(&self, batch: Batch) -> String {
        let [(name, mut wanted)] = <[_; 1]>::try_from(Vec::from_iter(batch.request_items))
            .ok()
            .unwrap();
        assert_eq!(name, TABLE);
        assert!((1..=BATCH_KEYS_MAX).contains(&wanted.keys.len()));
        let (mut found, mut bytes, mut processed) = (Vec::new(), 0, 0);
        for key in &wanted.keys {
            if let Some(item) = self.items.get(key) {
                bytes += item.bytes;
                if bytes > BATCH_BYTES_MAX {
                    break;
                }
                found.push(&*item.json);
            }
            processed += 1;
        }
        wanted.keys.drain(..processed);
        let left = match wanted.keys.is_empty() {
            true => json!({}),
            false => json!({ TABLE: wanted }),
        };
        let found = found.join(",");
        format!(r#"{{"Responses":{{"{TABLE}":[{found}]}},"UnprocessedKeys":{left}}}"#)
    }

    fn query(&self, query: &Query) -> String {
        assert_eq!(query.table_name, TABLE);
        assert!(query.scan_index_forward && query.limit > 0);
        let value = |name: &str| query.expression_attribute_values[name].text();
        if query.index_name.is_some() {
            return r#"{"Items":[]}"#.to_owned();
        }
        let prefix = match &*query.key_condition_expression {
            "pk = :partition" => "",
            "pk = :partition AND begins_with(sk, :prefix)" => value(":prefix"),
            other => panic!("an unknown condition: {other}"),
        };
        let mut items = self
            .items
            .iter()
            .filter(|(key, _)| {
                key.pk.text == value(":partition")
                    && key.sk.text.starts_with(prefix)
                    && query
                        .exclusive_start_key
                        .as_ref()
                        .is_none_or(|start| *key > start)
            })
            .peekable();
        let (mut found, mut bytes, mut last) = (Vec::new(), 0, None);
        while let Some((key, item)) = items.next_if(|(_, item)| {
            found.is_empty() || (found.len() < query.limit && bytes + item.bytes <= PAGE_BYTES_MAX)
        }) {
            found.push(&*item.json);
            bytes += item.bytes;
            last = Some(key);
        }
        let last = match items.peek() {
            Some(_) => format!(r#","LastEvaluatedKey":{}"#, json!(last)),
            None => String::new(),
        };
        format!(r#"{{"Items":[{}]{last}}}"#, found.join(","))
    }
}
