//! What is sent to other services during a replay.

use super::*;
use std::time::Duration;

/// A line without exchanges with other services.
const LINE: &[u8] = br#"{"tenon_tape":1,"id":"x","received_at_ms":1,"guest":null,"seed":null,"event":{},"calls":[],"response":null}"#;

/// Answers whatever is sent.
struct Open;

#[async_trait::async_trait]
impl OutgoingHttp for Open {
    fn for_client(&self, request: &Request) -> Option<Arc<dyn OutgoingHttp>> {
        (request.path == "/refused").then(|| Arc::new(outgoing::NoOutgoing) as Arc<_>)
    }

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

/// As in production: what the guest's client sent decides whether secrets are filled in.
#[tokio::test]
async fn a_live_request_is_sent_by_what_is_for_the_guests_client() {
    let exchange = Exchange::read(LINE).unwrap();
    for (path, is_sent) in [("/", true), ("/refused", false)] {
        let (view, live) = (View::of(&exchange), Some(Arc::new(Open) as Arc<_>));
        let services = RecordedServices::new(&exchange, OnMiss::Live, live, view).unwrap();
        let seed = contract::seed::Seed::new([1; 32]);
        let incoming = gateway::compose::Incoming {
            method: "GET",
            target: path,
            headers: &[("host", "localhost")],
            body: b"",
            client_address: "192.0.2.1",
            scheme: contract::http::Scheme::Https,
            request_id: "x",
            received_at_ms: 1,
        };
        let origin = gateway::Origin::new(gateway::EventKind::HttpApi);
        let event = gateway::compose::compose(origin, &incoming).to_json();
        let context = gateway::ParseContext {
            received_at_ms: 1,
            seed: &seed,
            base_path: None,
        };
        let request = gateway::parse(&event, &context, &contract::limits::Limits::default())
            .unwrap()
            .request;
        assert!(services.for_client(&request).is_none());
        let outgoing = OutgoingRequest {
            method: "GET".to_owned(),
            url: "https://api.example/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        assert_eq!(
            services.send(outgoing, deadline).await.is_ok(),
            is_sent,
            "{path}"
        );
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
