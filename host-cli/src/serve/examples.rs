//! Commands to try, derived from the guest's own API description.
//!
//! The guest is asked for `/openapi.json` inside this process, on a temporary store, so that neither the store, the tape nor the failure
//! counts are affected.

use crate::seed;
use contract::{
    http::{Request, Scheme},
    limits::Limits,
    seed::Seed,
};
use gateway::{
    EventKind, Origin, ParseContext,
    compose::{Incoming, compose},
};
use outgoing::NoOutgoing;
use runtime::{Run, Runtime};
use secrets::NoSecrets;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use storage::MemoryStorage;

/// How long the server waits for the document at its start.
const DURATION_MAX: Duration = Duration::from_secs(2);
/// Largest number of commands.
const COMMANDS_MAX: usize = 3;

/// One command.
#[derive(Debug, PartialEq, Eq)]
pub struct Example {
    /// `GET` or `POST`.
    method: &'static str,
    path: String,
    /// The body of a POST, as JSON.
    body: Option<String>,
}

/// Commands to try; none if the guest has no such document. `choose` selects the guest that answers a request.
pub async fn of(
    choose: impl FnOnce(&Request) -> Option<Runtime>,
    received_at_ms: u64,
) -> Vec<Example> {
    let document = document(choose, received_at_ms).await;
    document
        .and_then(|document| examples(&document))
        .unwrap_or_default()
}

async fn document(
    choose: impl FnOnce(&Request) -> Option<Runtime>,
    received_at_ms: u64,
) -> Option<Vec<u8>> {
    let seed = seed::unpredictable().ok()?;
    let request = request(received_at_ms, &seed)?;
    let runtime = choose(&request)?;
    let run = Run {
        storage: Arc::new(MemoryStorage::new()),
        outgoing: Arc::new(NoOutgoing),
        secrets: Arc::new(NoSecrets),
        seed,
        deadline: Instant::now() + DURATION_MAX,
        trace_header: None,
    };
    let response = runtime.handle(request, run).await.result.ok()?;
    (response.status == 200).then_some(response.body)
}

/// The request as it would arrive over HTTP.
fn request(received_at_ms: u64, seed: &Seed) -> Option<Request> {
    let incoming = Incoming {
        method: "GET",
        target: "/openapi.json",
        headers: &[("host", "localhost"), ("accept", "application/json")],
        body: b"",
        client_address: "127.0.0.1",
        scheme: Scheme::Http,
        request_id: &seed.request_id(),
        received_at_ms,
    };
    let context = ParseContext {
        received_at_ms,
        seed,
        base_path: None,
    };
    let event = compose(Origin::new(EventKind::HttpApi), &incoming);
    let event = event.into_event(&context, &Limits::default()).ok()?;
    Some(event.request)
}

/// Chooses one command to list, one to create and one to read: for each, the first path in the order of the document.
fn examples(document: &[u8]) -> Option<Vec<Example>> {
    let document = json::value(document).ok()?;
    let paths = document.get("paths")?.as_object()?;
    let paths = || paths.iter().filter(|(path, _)| is_plain(path));
    let example = |method, path: &str, body| Example {
        method,
        path: path.to_owned(),
        body,
    };
    let has = |item: &serde_json::Value, method| item.get(method).is_some();
    let is_list = |path: &str| !path.contains('{');
    let read = paths()
        .find(|(path, item)| is_list(path) && has(item, "get") && has(item, "post"))
        .or_else(|| paths().find(|(path, item)| is_list(path) && has(item, "get")))
        .map(|(path, _)| example("GET", path, None));
    let create = paths()
        .find(|(path, item)| is_list(path) && has(item, "post"))
        .map(|(path, item)| example("POST", path, Some(body(item))));
    let one = paths()
        .find(|(path, item)| !is_list(path) && has(item, "get"))
        .map(|(path, _)| example("GET", path, None));
    let mut examples: Vec<_> = [read, create, one].into_iter().flatten().collect();
    examples.truncate(COMMANDS_MAX);
    Some(examples)
}

/// The example body of a POST in the document, or an empty object if there is none.
fn body(item: &serde_json::Value) -> String {
    item.pointer("/post/requestBody/content/application~1json/example")
        .map(ToString::to_string)
        .filter(|body| {
            body.bytes()
                .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\'')
        })
        .unwrap_or_else(|| "{}".to_owned())
}

/// Whether the text contains nothing that a shell or a terminal interprets.
fn is_plain(path: &str) -> bool {
    path.starts_with('/')
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~{}".contains(&byte))
}

impl Example {
    /// The command line for a server at `base`. Path parameters are in upper case.
    pub fn command(&self, base: &str) -> String {
        let mut path = String::new();
        let mut is_parameter = false;
        for character in self.path.chars() {
            match character {
                '{' => is_parameter = true,
                '}' => is_parameter = false,
                other if is_parameter => path.push(other.to_ascii_uppercase()),
                other => path.push(other),
            }
        }
        let data = self.body.as_ref().map_or(String::new(), |body| {
            format!(" -H 'content-type: application/json' -d '{body}'")
        });
        format!("curl -i {base}{path}{data}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_from_the_guests_own_document() {
        let document = br#"{"paths": {
            "/health": {"get": {}},
            "/orders/{order-id}/lines": {"get": {}},
            "/orders": {"get": {}, "post": {"requestBody": {"content": {"application/json": {"example": {"n": 1.50}}}}}}
        }}"#;
        let commands: Vec<_> = examples(document)
            .unwrap()
            .iter()
            .map(|example| example.command("http://127.0.0.1:1"))
            .collect();
        assert_eq!(
            commands,
            [
                "curl -i http://127.0.0.1:1/orders",
                "curl -i http://127.0.0.1:1/orders -H 'content-type: application/json' -d '{\"n\":1.50}'",
                "curl -i http://127.0.0.1:1/orders/ORDER-ID/lines",
            ]
        );
    }

    #[test]
    fn nothing_of_a_document_reaches_a_shell() {
        let document =
            br#"{"paths": {"/a;rm -rf": {"get": {}}, "/$(b)": {"get": {}}, "/c": {"post": {
            "requestBody": {"content": {"application/json": {"example": "'; rm"}}}}}}}"#;
        let examples = examples(document).unwrap();
        assert_eq!(
            examples,
            [Example {
                method: "POST",
                path: "/c".to_owned(),
                body: Some("{}".to_owned()),
            }]
        );
        for document in [&b"{}"[..], b"[]", b"no", br#"{"paths": 1}"#] {
            assert!(super::examples(document).unwrap_or_default().is_empty());
        }
    }
}
