//! Requests that are sent again.

use serde::{Deserialize, Serialize};
use tenon::{
    App, IdempotencyKey, Json, NoContent, Path, Problem, Store,
    store::{Operation, Partition},
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
        let request = client.post(&target).header("idempotency-key", &*target);
        assert_eq!(request.send().status(), status, "{target} with a key");
    }
    let lines = client.log_lines();
    let error = lines[0].attribute("error").unwrap();
    assert!(error.contains("at most 99 are allowed"), "{error}");
}
