//! What is noted of calls, and read again.

use super::*;
use crate::{Exchange, RecordOptions, TapePolicy, TapeWriter, test_line::test_line};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::{
    digest::Digest,
    limits::{TAPE_SECRETS_BYTES_MAX, TAPE_TEXT_BYTES_MAX},
};
use secrets::{GuestSecrets, HmacAlgorithm, SecretValue};
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};
use storage::MemoryStorage;

type Answer = Result<SecretResponse, SecretError>;

/// Answers the next call.
struct Once(Mutex<Vec<Answer>>);

#[async_trait::async_trait]
impl GuestSecrets for Once {
    async fn perform(&self, _: SecretRequest, _: Instant) -> Answer {
        self.0.lock().unwrap().remove(0)
    }
}

fn sign(message: &[u8]) -> SecretRequest {
    SecretRequest::Sign {
        name: "a".to_owned(),
        algorithm: HmacAlgorithm::Sha256,
        message: message.to_vec(),
    }
}

fn signed() -> Answer {
    Ok(SecretResponse::Signed(vec![7; 32]))
}

fn revealed(value: &[u8]) -> (SecretRequest, Answer) {
    let request = SecretRequest::Reveal {
        name: "a".to_owned(),
    };
    let value = SecretValue::new(value.to_vec()).unwrap();
    (request, Ok(SecretResponse::Revealed(value)))
}

/// The line of a request that made these calls, with this event.
async fn line(redaction: Redaction, event: &str, calls: Vec<(SecretRequest, Answer)>) -> Vec<u8> {
    let writer = TapeWriter::new(RecordOptions {
        redaction,
        ..RecordOptions::new(TapePolicy::ALL)
    });
    let storage = writer.storage(Arc::new(MemoryStorage::new()));
    let (requests, answers): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
    let secrets = writer.secrets(Arc::new(Once(Mutex::new(answers))), &storage);
    for request in requests {
        let _ = secrets.perform(request, Instant::now()).await;
    }
    test_line(&writer, &storage, event)
}

#[tokio::test]
async fn messages_of_any_bytes_are_read_as_they_were_written() {
    let text = "{\"a\":\"\u{e9}\n\"}";
    let calls = vec![
        (sign(text.as_bytes()), signed()),
        (sign(b"\xff\0"), signed()),
        (sign(b""), signed()),
    ];
    let line = line(Redaction::nothing(), "{}", calls).await;
    let exchange = Exchange::read(&line).unwrap();
    let messages = exchange.secrets.iter().map(|call| {
        assert_eq!(call.read_result().unwrap().unwrap().into_tag(), [7; 32]);
        call.recorded_request().unwrap().message.unwrap()
    });
    let messages: Vec<_> = messages.collect();
    assert_eq!(messages[0], serde_json::to_string(text).unwrap());
    assert_eq!(messages[1..], ["\"/wA=\"", "\"\""]);
}

trait Tag {
    fn into_tag(self) -> Vec<u8>;
}

impl Tag for Answer {
    fn into_tag(self) -> Vec<u8> {
        match self.unwrap() {
            SecretResponse::Signed(tag) => tag,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn long_messages_are_known_by_their_digest_and_so_are_those_without_room() {
    let long = vec![b'x'; TAPE_TEXT_BYTES_MAX + 1];
    let short = vec![b'y'; TAPE_TEXT_BYTES_MAX / 2];
    let count = 2 * TAPE_SECRETS_BYTES_MAX / TAPE_TEXT_BYTES_MAX + 2;
    let calls = std::iter::once(long.clone()).chain(vec![short; count]);
    let calls = calls.map(|message| (sign(&message), signed())).collect();
    let line = line(Redaction::nothing(), "{}", calls).await;
    let exchange = Exchange::read(&line).unwrap();
    let first = exchange.secrets[0].recorded_request().unwrap();
    assert!(first.is_message_left_out());
    let omission = &exchange.omitted[0];
    assert_eq!(omission.at, "/secrets/0/request/message");
    let json = serde_json::to_string(str::from_utf8(&long).unwrap()).unwrap();
    assert_eq!(omission.sha256, Digest::of(json.as_bytes()));
    assert_eq!(
        exchange.secrets.len() + exchange.secrets_omitted as usize,
        count + 1
    );
    // Where there is no room for another message.
    let last = exchange.secrets.last().unwrap().recorded_request().unwrap();
    assert!(last.is_message_left_out());
}

#[tokio::test]
async fn a_revealed_value_is_in_no_spelling_on_the_line() {
    let value = "pl4nted/\"value\"+1";
    let hexadecimal = Hexadecimal(value.as_bytes()).to_string();
    let event = format!(
        r#"{{"a":{},"b":"{}","c":"pl4nted%2F%22value%22%2B1","d":"cGw0bnRlZC8idmFsdWUiKzE=","e":"{}","f":"{}","headers":{{"{hexadecimal}":"1"}}}}"#,
        serde_json::to_string(value).unwrap(),
        hexadecimal.to_uppercase(),
        STANDARD.encode(format!("user:{value}")),
        STANDARD.encode(format!("{value}:")),
    );
    for redaction in [Redaction::nothing(), Redaction::credentials()] {
        let line = line(redaction, &event, vec![revealed(value.as_bytes())]).await;
        let text = String::from_utf8(line.clone()).unwrap();
        for spelling in ["pl4nted", "cGw0bnRlZC8", "bDRudGVk", &hexadecimal] {
            assert!(
                !text.to_lowercase().contains(&spelling.to_lowercase()),
                "{spelling}: {text}"
            );
        }
        let exchange = Exchange::read(&line).unwrap();
        let Ok(SecretResponse::Revealed(stand_in)) =
            exchange.secrets[0].read_result().unwrap().unwrap()
        else {
            panic!("{text}");
        };
        assert_eq!(stand_in.expose(), REPLACEMENT.as_bytes());
        assert!(exchange.is_redacted() && exchange.event.is_some());
    }
    // What cannot be looked for.
    for value in [&b"short"[..], b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7"] {
        let line = line(
            Redaction::nothing(),
            "{\"a\":\"short\"}",
            vec![revealed(value)],
        )
        .await;
        let exchange = Exchange::read(&line).unwrap();
        assert!(exchange.event.is_none() && exchange.secrets.is_empty());
        assert_eq!(exchange.secrets_omitted, 1);
    }
}

#[test]
fn what_is_no_call_says_so() {
    for (json, words) in [
        ("[]", "expected"),
        ("{}", "no known `function`"),
        (r#"{"function":"open","name":"a"}"#, "no known `function`"),
        (r#"{"function":"sign"}"#, "no `name`"),
    ] {
        let error = RecordedSecretRequest::read(json).unwrap_err().to_string();
        assert!(error.contains(words), "{json}: {error}");
    }
    let request = |function: &str| {
        let json = format!(r#"{{"function":"{function}","name":"a","algorithm":"sha1"}}"#);
        RecordedSecretRequest::read(&json).unwrap()
    };
    for (function, json, words) in [
        ("sign", "{}", "neither `ok` nor `error`"),
        ("sign", r#"{"error":"late"}"#, "unknown error `late`"),
        ("sign", r#"{"ok":{}}"#, "no `tag`"),
        (
            "sign",
            r#"{"ok":{"tag":"00"}}"#,
            "not that of the algorithm",
        ),
        ("verify", r#"{"ok":{"valid":1}}"#, "neither true nor false"),
        ("reveal", r#"{"ok":{"value":""}}"#, "empty"),
    ] {
        let error = read_result(&request(function), json)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{json}: {error}");
    }
    let redacted = read_result(&request("sign"), r#"{"ok":{"tag":"REDACTED"}}"#);
    assert!(matches!(redacted, Ok(Ok(SecretResponse::Signed(tag))) if tag == [0; 20]));
}
