//! Reading and writing single items.

use super::client::{World, doc, key, put_options};
use crate::{DeleteOutcome, Key, Precondition, PutOptions};
use std::collections::HashSet;

pub(super) async fn what_is_not_there_is_none(world: World) {
    let client = world.client();
    assert_eq!(client.get(&key("p", "s")).await, None);
    client.put(&key("p", "t"), "{}").await;
    assert_eq!(client.get(&key("p", "s")).await, None);
    assert_eq!(client.get(&key("q", "t")).await, None);
}

pub(super) async fn an_item_reads_back_in_canonical_text(world: World) {
    let client = world.client();
    let text = r#"{"z":[1.50,-0,1e2,1E-9,12345678901234567890123456789012345678],"é":"\u00e9\n","a":{"c":null,"b":true},"":0}"#;
    let text = text.replace(",\"\":0", "");
    let revision = client.put(&key("p", "s"), &text).await;
    let item = client.get(&key("p", "s")).await.unwrap();
    let canonical = r#"{"a":{"b":true,"c":null},"z":[1.5,0,100,1e-9,12345678901234567890123456789012345678],"é":"é\n"}"#;
    assert_eq!(item.document.as_str(), canonical);
    assert_eq!(item.document, doc(&text));
    assert_eq!(item.revision, revision);
    assert_eq!((item.index, item.expires_at), (None, None));
}

pub(super) async fn a_put_replaces_the_whole_item(world: World) {
    let client = world.client();
    let options = PutOptions {
        index: Some(key("i", "1")),
        expires_at: Some(9_999_999_999),
        ..put_options()
    };
    client
        .put_with(&key("p", "s"), r#"{"a":1,"b":2}"#, &options)
        .await;
    let item = client.get(&key("p", "s")).await.unwrap();
    assert_eq!(
        (item.index, item.expires_at),
        (Some(key("i", "1")), Some(9_999_999_999))
    );
    client.put(&key("p", "s"), r#"{"c":3}"#).await;
    let item = client.get(&key("p", "s")).await.unwrap();
    assert_eq!(item.document.as_str(), r#"{"c":3}"#);
    assert_eq!((item.index, item.expires_at), (None, None));
}

fn assert_revision(text: &str) {
    assert!((1..=64).contains(&text.len()), "{text}");
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'),
        "{text}"
    );
}

pub(super) async fn every_write_makes_a_new_revision(world: World) {
    let client = world.client();
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let revision = client.put(&key("p", "s"), r#"{"same":true}"#).await;
        assert_revision(revision.as_str());
        assert_eq!(client.get(&key("p", "s")).await.unwrap().revision, revision);
        assert!(seen.insert(revision));
    }
}

pub(super) async fn revisions_are_not_reused_after_a_deletion(world: World) {
    let client = world.client();
    let mut seen = HashSet::new();
    for _ in 0..10 {
        assert!(seen.insert(client.put(&key("p", "s"), "{}").await));
        client.delete(&key("p", "s")).await;
        assert_eq!(client.get(&key("p", "s")).await, None);
    }
}

pub(super) async fn deleting_what_is_absent_is_done(world: World) {
    let client = world.client();
    client.delete(&key("p", "s")).await;
    assert_eq!(
        client
            .try_delete(&key("p", "s"), Precondition::Absent)
            .await,
        Ok(DeleteOutcome::Done)
    );
}

pub(super) async fn get_many_answers_in_the_order_asked(world: World) {
    let client = world.client();
    let keys: Vec<Key> = (0..100)
        .map(|number| key(&format!("p{}", number % 7), &format!("s{number}")))
        .collect();
    for (number, key) in keys
        .iter()
        .enumerate()
        .filter(|(number, _)| number % 3 != 0)
    {
        client.put(key, &format!(r#"{{"n":{number}}}"#)).await;
    }
    let shuffled: Vec<Key> = (0..100)
        .map(|number| keys[number * 37 % 100].clone())
        .collect();
    let items = client.get_many(&shuffled).await.unwrap();
    assert_eq!(items.len(), 100);
    for (position, item) in items.into_iter().enumerate() {
        let number = position * 37 % 100;
        let expected = (number % 3 != 0).then(|| format!(r#"{{"n":{number}}}"#));
        assert_eq!(item.map(|item| item.document.as_str().to_owned()), expected);
    }
}

pub(super) async fn keys_are_any_unicode_and_exact(world: World) {
    let client = world.client();
    let texts = [
        "a", "A", "a ", " a", "é", "e\u{301}", "\0", "#", "a#b", "/", "\"\\", "\u{ffff}", "😀",
        "a\nb",
    ];
    for partition in texts {
        for sort in texts {
            client
                .put(
                    &key(partition, sort),
                    &format!(
                        r#"{{"k":{:?}}}"#,
                        format!("{}/{}", partition.len(), sort.len())
                    ),
                )
                .await;
        }
    }
    for partition in texts {
        for sort in texts {
            let expected = format!(
                r#"{{"k":{:?}}}"#,
                format!("{}/{}", partition.len(), sort.len())
            );
            assert_eq!(
                client.text(&key(partition, sort)).await,
                Some(expected),
                "{partition:?} {sort:?}"
            );
        }
        assert_eq!(
            client
                .query(partition, &super::client::query_options())
                .await
                .len(),
            texts.len()
        );
    }
}
