//! Concurrent requests.

use super::client::{Client, World, key, put_operation, query_options};
use crate::{Key, Operation, Precondition, PutOutcome, StorageError, TransactOutcome};
use std::collections::HashSet;

const TASKS: usize = 8;

/// Runs `work` in eight concurrent tasks.
async fn in_tasks<T, F>(client: &Client, work: impl Fn(Client, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| tokio::spawn(work(client.clone(), number)))
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

pub(super) async fn racing_puts_have_one_winner(world: World) {
    let client = world.client();
    for round in 0..10 {
        let outcomes = in_tasks(&client, |client, number| async move {
            let text = format!(r#"{{"winner":{number}}}"#);
            client
                .put_if(&key("p", &round.to_string()), &text, Precondition::Absent)
                .await
        });
        let outcomes = outcomes.await;
        let winner = outcomes
            .iter()
            .position(|outcome| matches!(outcome, PutOutcome::Done(_)))
            .unwrap();
        let stored = client.get(&key("p", &round.to_string())).await.unwrap();
        assert_eq!(
            stored.document.as_str(),
            format!(r#"{{"winner":{winner}}}"#)
        );
        for (number, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                PutOutcome::Done(revision) => {
                    assert_eq!((number, &revision), (winner, &stored.revision))
                }
                PutOutcome::PreconditionFailed(item) => assert_eq!(item.as_ref(), Some(&stored)),
            }
        }
    }
}

fn number(text: &str) -> u64 {
    text.trim_start_matches(r#"{"n":"#)
        .trim_end_matches('}')
        .parse()
        .unwrap()
}

pub(super) async fn racing_updates_lose_nothing(world: World) {
    let client = world.client();
    let counter = key("p", "counter");
    client.put(&counter, r#"{"n":0}"#).await;
    const STEPS: u64 = 5;
    let revisions = in_tasks(&client, |client, _| async move {
        let counter = key("p", "counter");
        let mut revisions = Vec::new();
        while revisions.len() < STEPS as usize {
            let item = client.get(&counter).await.unwrap();
            let text = format!(r#"{{"n":{}}}"#, number(item.document.as_str()) + 1);
            if let PutOutcome::Done(revision) = client
                .put_if(&counter, &text, Precondition::Revision(item.revision))
                .await
            {
                revisions.push(revision);
            }
        }
        revisions
    });
    let revisions = revisions.await;
    assert_eq!(
        number(&client.text(&counter).await.unwrap()),
        TASKS as u64 * STEPS
    );
    assert_eq!(
        revisions.iter().flatten().collect::<HashSet<_>>().len(),
        TASKS * STEPS as usize
    );
}

/// Moves one from one account to another, unless a concurrent request interferes.
async fn transfer(client: &Client, from: &Key, to: &Key) -> bool {
    let items = client.get_many(&[from.clone(), to.clone()]).await.unwrap();
    let [Some(from_item), Some(to_item)] = items.as_slice() else {
        panic!("an account is gone")
    };
    let balance = number(from_item.document.as_str());
    if balance == 0 {
        return true;
    }
    let set = |key: &Key, balance: u64, item: &crate::Item| {
        put_operation(
            key,
            &format!(r#"{{"n":{balance}}}"#),
            Precondition::Revision(item.revision.clone()),
        )
    };
    let operations: [Operation; 2] = [
        set(from, balance - 1, from_item),
        set(to, number(to_item.document.as_str()) + 1, to_item),
    ];
    match client.try_transact(&operations, None).await {
        Ok(TransactOutcome::Done(_)) => true,
        Ok(TransactOutcome::PreconditionFailed { .. }) | Err(StorageError::Conflict) => false,
        Err(error) => panic!("{error}"),
    }
}

pub(super) async fn transfers_keep_the_sum(world: World) {
    let client = world.client();
    for account in 0..4 {
        client
            .put(&key("p", &account.to_string()), r#"{"n":10}"#)
            .await;
    }
    in_tasks(&client, |client, task| async move {
        for step in 0..5 {
            let from = key("p", &((task + step) % 4).to_string());
            let to = key("p", &((task + step * 2 + 1) % 4).to_string());
            while from != to && !transfer(&client, &from, &to).await {}
        }
    })
    .await;
    let accounts = client.query("p", &query_options()).await;
    assert_eq!(
        accounts
            .iter()
            .map(|entry| number(entry.item.document.as_str()))
            .sum::<u64>(),
        40
    );
}

pub(super) async fn racing_transactions_under_one_token_apply_once(world: World) {
    let client = world.client();
    let outcomes = in_tasks(&client, |client, _| async move {
        let operations = [put_operation(
            &key("p", "s"),
            r#"{"v":1}"#,
            Precondition::Absent,
        )];
        loop {
            match client.try_transact(&operations, Some("t")).await {
                Ok(outcome) => return outcome,
                Err(StorageError::Conflict) => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    let outcomes = outcomes.await;
    let revision = client.get(&key("p", "s")).await.unwrap().revision;
    for outcome in outcomes {
        assert_eq!(outcome, TransactOutcome::Done(vec![Some(revision.clone())]));
    }
}
