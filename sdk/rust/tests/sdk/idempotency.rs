//! Requests that are sent again.

use serde::{Deserialize, Serialize};
use std::{cell::Cell, collections::BTreeMap, fmt::Debug};
use tenon::{
    App, IdempotencyKey, Json, NoContent, Path, Problem, Store,
    idempotency::{Once, OnceError},
    json::{Document, FromJson, ToJson},
    store::{Operation, Partition, TransactionError},
};

#[derive(Serialize, Deserialize)]
struct Account {
    is_closed: bool,
}

const ACCOUNTS: Partition<Account> = Partition::new("accounts");

fn close(
    Path(id): Path<String>,
    key: IdempotencyKey,
    Json(is_closed): Json<bool>,
    store: Store,
) -> Result<NoContent, Problem> {
    let close = Operation::put(&ACCOUNTS.key(id), Account { is_closed });
    store.transaction().with(close).send_once(Some(&key), &())?;
    Ok(NoContent)
}

#[test]
fn a_key_stands_for_method_path_query_and_content() {
    let app = App::new()
        .post("/accounts/{id}/close", close)
        .put("/accounts/{id}/close", close);
    let client = app.test();
    let send = |method: &str, target: &str, content: bool| {
        let request = client.request(method, target).json(&content);
        request.header("idempotency-key", "k1").send()
    };
    let first = send("POST", "/accounts/1/close", true);
    assert_eq!(
        (first.status(), first.header("idempotency-replayed")),
        (204, None)
    );
    let second = send("POST", "/accounts/1/close", true);
    assert_eq!(
        (second.status(), second.header("idempotency-replayed")),
        (204, Some("true"))
    );
    for (method, target, content) in [
        ("POST", "/accounts/2/close", true),
        ("PUT", "/accounts/1/close", true),
        ("POST", "/accounts/1/close?force=1", true),
        ("POST", "/accounts/1/close", false),
    ] {
        let refused = send(method, target, content);
        assert_eq!(refused.status(), 422, "{method} {target} {content}");
        assert_eq!(refused.value()["code"], "idempotency-key-reused");
        assert_eq!(refused.header("idempotency-replayed"), None);
    }
    assert_eq!(
        client.store().get(&ACCOUNTS.key("2")).unwrap().map(|_| ()),
        None
    );
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    number: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nested {
    receipt: u32,
}

/// What a repeated request gets, whose own receipt is the second one.
fn repeated<R>(first: R, second: R) -> R
where
    R: Clone + Debug + PartialEq + ToJson + FromJson + 'static,
{
    let receipts = [first.clone(), second];
    let count = Cell::new(0);
    let once = move |key: IdempotencyKey, store: Store| -> Result<NoContent, Problem> {
        let position = count.replace(count.get() + 1);
        let once = store
            .transaction()
            .send_once(Some(&key), &receipts[position])?;
        match once {
            Once::First(_) => assert_eq!(position, 0),
            Once::Repeated(receipt) => assert_eq!((position, receipt), (1, receipts[0].clone())),
        }
        Ok(NoContent)
    };
    let client = App::new().post("/", once).test();
    let send = || client.post("/").header("idempotency-key", "k").send();
    assert_eq!(send().status(), 204, "{first:?}");
    let again = send();
    assert_eq!(again.status(), 204, "{first:?}: {:?}", client.log_lines());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    first
}

#[test]
fn a_receipt_comes_back_as_it_was_whatever_the_repeated_request_would_record() {
    let (one, two) = (Strict { number: 1 }, Strict { number: 2 });
    repeated(one.clone(), two.clone());
    repeated(Some(one.clone()), None);
    repeated(None, Some(two));
    repeated(Some(Nested { receipt: 1 }), None);
    repeated(None, Some(Nested { receipt: 1 }));
    let counts = |name: &str| BTreeMap::from([(name.to_owned(), 1_u32), ("z".to_owned(), 2)]);
    repeated(counts("a"), counts("b"));
    repeated(counts("receipt"), BTreeMap::new());
    repeated(BTreeMap::new(), counts("receipt"));
    repeated(vec![1, 2], vec![]);
    repeated("a".to_owned(), "{".to_owned());
    let documents = [r#"{"a":1,"receipt":2}"#, "{}", "[1]"].map(Document::new);
    for first in &documents {
        for second in &documents {
            repeated(first.clone(), second.clone());
        }
    }
}

/// With a key, the record takes the place of one.
#[test]
fn as_many_operations_happen_without_a_key_as_with_one() {
    #[derive(Deserialize)]
    struct Many {
        count: usize,
        token: Option<String>,
    }
    fn many(
        tenon::Query(Many { count, token }): tenon::Query<Many>,
        key: Option<IdempotencyKey>,
        store: Store,
    ) -> Result<NoContent, Problem> {
        let put = |n: usize| {
            let account = Account { is_closed: false };
            Operation::put(&ACCOUNTS.key(n.to_string()), account)
        };
        let mut transaction = store.transaction().with_all((0..count).map(put));
        if let Some(token) = token {
            transaction = transaction.token(token);
        }
        transaction.send_once(key.as_ref(), &())?;
        Ok(NoContent)
    }
    let client = App::new().post("/", many).test();
    for (target, status) in [
        ("/?count=0", 204),
        ("/?count=99", 204),
        ("/?count=100", 500),
        ("/?count=98&token=t", 204),
        ("/?count=99&token=u", 500),
    ] {
        assert_eq!(client.post(target).send().status(), status, "{target}");
        let target = target.replace("token=", "token=k");
        let request = client.post(&target).header("idempotency-key", &target);
        assert_eq!(request.send().status(), status, "{target} with a key");
    }
    let lines = client.log_lines();
    let error = lines[0].attribute("error").unwrap();
    assert!(error.contains("at most 99 are allowed"), "{error}");
}

fn claim(
    Path(id): Path<String>,
    key: Option<IdempotencyKey>,
    store: Store,
) -> Result<NoContent, Problem> {
    let account = ACCOUNTS.key(&id);
    let sent = store
        .transaction()
        .with(Operation::check(&ACCOUNTS.key("bank")).if_present())
        .with(Operation::put(&account, Account { is_closed: false }).if_absent())
        .send_once(key.as_ref(), &());
    match sent {
        Ok(_) => Ok(NoContent),
        Err(OnceError::Transaction(TransactionError::Lost(lost))) if lost.position == 0 => {
            Err(Problem::forbidden("the bank is closed"))
        }
        Err(OnceError::Transaction(TransactionError::Lost(lost))) if lost.position == 1 => {
            let found = lost.item::<Account>()?.unwrap();
            Err(Problem::conflict(format!(
                "closed: {}",
                found.value.is_closed
            )))
        }
        Err(error) => Err(error.into()),
    }
}

#[test]
fn a_lost_operation_has_the_position_at_which_it_was_added() {
    let client = App::new().post("/accounts/{id}", claim).test();
    let send = |key: Option<&str>| {
        let request = client.post("/accounts/a").content("text/plain", "");
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        request.send()
    };
    let put = |id: &str, is_closed| {
        let account = Account { is_closed };
        client
            .store()
            .put(&ACCOUNTS.key(id), account)
            .send()
            .unwrap();
    };
    for key in [None, Some("k1")] {
        assert_eq!(send(key).status(), 403, "{key:?}");
    }
    put("bank", false);
    put("a", true);
    for key in [None, Some("k2")] {
        let refused = send(key);
        assert_eq!(refused.value()["detail"], "closed: true", "{key:?}");
    }
}
