//! What is sent to other services during a replay.

use super::*;
use std::time::Duration;

/// A line without exchanges with other services.
const LINE: &[u8] = br#"{"tenon_tape":1,"id":"x","received_at_ms":1,"guest":null,"seed":null,"event":{},"calls":[],"response":null}"#;

/// Answers whatever is sent.
struct Open;

#[async_trait::async_trait]
impl OutgoingHttp for Open {
    async fn send(
        &self,
        _: OutgoingRequest,
        _: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        Ok(OutgoingResponse {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
        })
    }
}

/// Whether a request that the tape does not know is sent. If not, it is a miss.
async fn is_sent(method: &str, header: Option<&str>, body: &str) -> bool {
    let exchange = Exchange::read(LINE).unwrap();
    let view = View::of(&exchange);
    let services =
        RecordedServices::new(&exchange, OnMiss::Live, Some(Arc::new(Open)), view).unwrap();
    let request = OutgoingRequest {
        method: method.to_owned(),
        url: "https://api.example/charges/1".to_owned(),
        headers: header
            .map(|name| (name.to_owned(), "DELETE".to_owned()))
            .into_iter()
            .collect(),
        body: body.as_bytes().to_vec(),
        timeout: None,
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    let is_sent = services.send(request, deadline).await.is_ok();
    let misses = services.take().misses;
    assert_eq!(misses.is_empty(), is_sent, "{misses:?}");
    is_sent
}

#[tokio::test]
async fn only_what_asks_for_nothing_to_be_done_is_sent_during_a_replay() {
    for method in SAFE_METHODS {
        assert!(is_sent(method, None, "").await, "{method}");
        assert!(is_sent(method, Some("x-request-id"), "").await, "{method}");
        assert!(!is_sent(method, None, "{}").await, "{method}");
        for header in [
            "x-http-method-override",
            "X-HTTP-Method-Override",
            "x-http-method",
            "X_HTTP_METHOD",
            "x-method-override",
        ] {
            assert!(
                !is_sent(method, Some(header), "").await,
                "{method} {header}"
            );
        }
    }
    for method in ["POST", "DELETE", "PUT", "PROPFIND", "get"] {
        assert!(!is_sent(method, None, "").await, "{method}");
    }
}

/// The bodies of one line have no more values together than one text may have: the others are compared as texts.
#[test]
fn the_bodies_of_a_line_share_one_bound() {
    let body = format!("[{}1]", "1,".repeat(200_000));
    let request = serde_json::json!({"method": "POST", "url": "http://a.example/", "body": body});
    let exchanges = vec![format!(r#"{{"request":{request}}}"#); 4].join(",");
    let line = format!(
        r#"{{"tenon_tape":1,"id":"x","received_at_ms":1,"guest":null,"seed":null,"event":{{}},"calls":[],"response":null,"outgoing":[{exchanges}]}}"#
    );
    let exchange = Exchange::read(line.as_bytes()).unwrap();
    let requests = recorded_requests(&exchange);
    let trees = requests.iter().filter(|request| request["body"].is_array());
    assert_eq!((requests.len(), trees.count()), (4, 1));
    assert_eq!(requests[3]["body"], body);
    let services = RecordedServices::new(&exchange, OnMiss::Fail, None, View::of(&exchange));
    let normal = services.unwrap().exchanges;
    let normal: Vec<Value> = normal.into_iter().map(|recorded| recorded.normal).collect();
    assert_eq!(normal, requests);
}
