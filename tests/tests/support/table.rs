//! A DynamoDB engine in this process with one table, which tests fill and read directly, in DynamoDB's own terms, so that they notice a
//! change of the layout.

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use dynoxide::{
    AttributeValue, Database,
    actions::{delete_item::DeleteItemRequest, put_item::PutItemRequest, scan::ScanRequest},
};
use serde_json::{Map, Value, json};
use std::{collections::HashMap, net::SocketAddr};
use storage_dynamodb::{DynamoDbOptions, DynamoDbStorage, table};
use tokio::{net::TcpListener, runtime::Runtime};

pub const TABLE: &str = "items";

type Item = HashMap<String, AttributeValue>;

pub struct Table {
    database: Database,
    address: SocketAddr,
    options: DynamoDbOptions,
    /// Serves until it is dropped.
    _runtime: Runtime,
}

impl Table {
    /// An empty table on a server of its own.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let database = Database::memory().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(dynoxide::server::serve_on(listener, database.clone()));
        let credentials = Credentials::new("test", "test", None, None, "tests");
        let options = DynamoDbOptions {
            table: TABLE.to_owned(),
            region: "eu-central-1".to_owned(),
            endpoint: Some(format!("http://{address}")),
            credentials: SharedCredentialsProvider::new(credentials),
        };
        runtime.block_on(table::create(&options)).unwrap();
        Self {
            database,
            address,
            options,
            _runtime: runtime,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How to reach it.
    pub fn options(&self) -> &DynamoDbOptions {
        &self.options
    }

    /// The host's own store on it.
    pub fn storage(&self) -> DynamoDbStorage {
        DynamoDbStorage::new(&self.options)
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the key that seals cursors to that of replays.
    pub fn set_cursor_key(&self, key: [u8; 32]) {
        self.put(HashMap::from([
            ("pk".to_owned(), AttributeValue::S("#tenon".to_owned())),
            ("sk".to_owned(), AttributeValue::S("cursor-key".to_owned())),
            ("key".to_owned(), AttributeValue::B(key.to_vec())),
        ]));
    }

    /// Removes everything except the host's own metadata.
    pub fn clear(&self) {
        for item in self.items() {
            if text(&item, "pk").is_some_and(|partition| partition != "#tenon") {
                let key =
                    |(name, _): &(&String, &AttributeValue)| ["pk", "sk"].contains(&name.as_str());
                let request = DeleteItemRequest {
                    table_name: TABLE.to_owned(),
                    key: item
                        .iter()
                        .filter(key)
                        .map(|(name, value)| (name.clone(), value.clone()))
                        .collect(),
                    ..DeleteItemRequest::default()
                };
                self.database.delete_item(request).unwrap();
            }
        }
    }

    /// Stores entries in the form of a case's files.
    pub fn fill(&self, namespace: &str, entries: &Value) {
        for entry in entries.as_array().unwrap() {
            let member = |name: &str| entry[name].as_str().unwrap().to_owned();
            let partition = format!("{namespace}#{}", member("partition"));
            let mut item = HashMap::from([
                ("pk".to_owned(), AttributeValue::S(partition.clone())),
                ("sk".to_owned(), AttributeValue::S(member("sort"))),
                ("rev".to_owned(), AttributeValue::S(member("revision"))),
                ("doc".to_owned(), to_attribute(&entry["document"])),
            ]);
            if let Some(expires_at) = entry.get("expires_at") {
                item.insert(
                    "expires_at".to_owned(),
                    AttributeValue::N(expires_at.to_string()),
                );
            }
            if let Some(index) = entry.get("index") {
                let secondary = format!("{namespace}#{}", index["partition"].as_str().unwrap());
                let parts = [index["sort"].as_str().unwrap(), &partition, &member("sort")]
                    .map(|part| part.replace('\0', "\0\u{1}"));
                item.insert("ipk".to_owned(), AttributeValue::S(secondary));
                item.insert("isk".to_owned(), AttributeValue::S(parts.join("\0\0")));
            }
            self.put(item);
        }
    }

    /// The entries of a namespace that have not expired, in the form of a case's files.
    pub fn entries(&self, namespace: &str, now_ms: u64) -> Value {
        let prefix = format!("{namespace}#");
        let mut entries: Vec<_> = self
            .items()
            .iter()
            .filter_map(|item| entry(item, &prefix))
            .filter(|entry| {
                entry["expires_at"]
                    .as_u64()
                    .is_none_or(|seconds| seconds > now_ms / 1000)
            })
            .collect();
        entries.sort_by_key(|entry| {
            let member = |name: &str| entry[name].as_str().unwrap().to_owned();
            (member("partition"), member("sort"))
        });
        Value::Array(entries)
    }

    fn items(&self) -> Vec<Item> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let request = ScanRequest {
                table_name: TABLE.to_owned(),
                exclusive_start_key: start,
                ..ScanRequest::default()
            };
            let page = self.database.scan(request).unwrap();
            items.extend(page.items.into_iter().flatten());
            start = page.last_evaluated_key;
            if start.is_none() {
                return items;
            }
        }
    }

    fn put(&self, item: Item) {
        let request = PutItemRequest {
            table_name: TABLE.to_owned(),
            item,
            ..PutItemRequest::default()
        };
        self.database.put_item(request).unwrap();
    }
}

fn text<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    match item.get(name)? {
        AttributeValue::S(text) => Some(text),
        other => panic!("`{name}` is {other:?}"),
    }
}

fn entry(item: &Item, prefix: &str) -> Option<Value> {
    let mut entry = json!({
        "partition": text(item, "pk")?.strip_prefix(prefix)?,
        "sort": text(item, "sk")?,
        "revision": text(item, "rev")?,
        "document": to_json(item.get("doc")?),
    });
    if let Some(AttributeValue::N(seconds)) = item.get("expires_at") {
        entry["expires_at"] = seconds.parse::<u64>().unwrap().into();
    }
    if let Some(partition) = text(item, "ipk") {
        let (sort, rest) = text(item, "isk").unwrap().split_once("\0\0").unwrap();
        let key = [text(item, "pk")?, text(item, "sk")?].map(|part| part.replace('\0', "\0\u{1}"));
        assert_eq!(rest, key.join("\0\0"), "the index sorts by primary key");
        entry["index"] = json!({
            "partition": partition.strip_prefix(prefix).unwrap(),
            "sort": sort.replace("\0\u{1}", "\0"),
        });
    }
    Some(entry)
}

fn to_attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::NULL(true),
        Value::Bool(flag) => AttributeValue::BOOL(*flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(items) => AttributeValue::L(items.iter().map(to_attribute).collect()),
        Value::Object(members) => AttributeValue::M(
            members
                .iter()
                .map(|(name, value)| (name.clone(), to_attribute(value)))
                .collect(),
        ),
    }
}

fn to_json(attribute: &AttributeValue) -> Value {
    match attribute {
        AttributeValue::NULL(_) => Value::Null,
        AttributeValue::BOOL(flag) => Value::Bool(*flag),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap(),
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::L(items) => items.iter().map(to_json).collect(),
        AttributeValue::M(members) => {
            let members: Map<_, _> = members
                .iter()
                .map(|(name, value)| (name.clone(), to_json(value)))
                .collect();
            Value::Object(members)
        }
        other => panic!("no JSON is stored as {other:?}"),
    }
}
