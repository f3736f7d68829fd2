//! The port.

use crate::{OutgoingError, OutgoingRequest, OutgoingResponse};
use contract::{http::Request, limits::OUTGOING_DURATION_DEFAULT};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

/// Sends requests of guests.
#[async_trait::async_trait]
pub trait OutgoingHttp: Send + Sync {
    /// What sends requests while the guest handles this request of its own client; `None` if it makes no difference.
    fn for_client(&self, _: &Request) -> Option<Arc<dyn OutgoingHttp>> {
        None
    }

    /// Sends one request and waits for its whole response, until `deadline` at the latest.
    async fn send(
        &self,
        request: OutgoingRequest,
        deadline: Instant,
    ) -> Result<OutgoingResponse, OutgoingError>;
}

/// When the whole response must be there if a request with this timeout begins now: at the deadline, or earlier if its own time is over earlier.
pub fn earlier(timeout: Option<Duration>, deadline: Instant) -> Instant {
    let own = Instant::now().checked_add(timeout.unwrap_or(OUTGOING_DURATION_DEFAULT));
    own.map_or(deadline, |own| deadline.min(own))
}

/// For guests without grants: refuses every request.
#[derive(Clone, Copy, Debug)]
pub struct NoOutgoing;

#[async_trait::async_trait]
impl OutgoingHttp for NoOutgoing {
    async fn send(
        &self,
        _: OutgoingRequest,
        _: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        Err(OutgoingError::NotGranted(
            "this guest may call no other service".to_owned(),
        ))
    }
}

/// What a request came to.
type Answer = Result<OutgoingResponse, OutgoingError>;

/// A request that was sent.
enum Sent<'a> {
    Waits(Pin<Box<dyn Future<Output = Answer> + Send + 'a>>),
    Answered(Answer),
}

/// Sends requests, all at the same time, and waits for every response. Both are brought [in order](OutgoingRequest::in_order); the results
/// are in the order of the requests. What is [never sent](OutgoingRequest::check) does not reach the
/// port. Which response came first does not follow from the results, so that it need not be recorded.
pub async fn send_all(
    port: &dyn OutgoingHttp,
    requests: Vec<OutgoingRequest>,
    deadline: Instant,
) -> Vec<Answer> {
    let send = |request: OutgoingRequest| match request.check() {
        Ok(()) => Sent::Waits(port.send(request.in_order(), deadline)),
        Err(error) => Sent::Answered(Err(error)),
    };
    let mut sent: Vec<Sent<'_>> = requests.into_iter().map(send).collect();
    poll_fn(|context| {
        let mut is_pending = false;
        for sent in &mut sent {
            let Sent::Waits(answer) = sent else { continue };
            match answer.as_mut().poll(context) {
                Poll::Ready(answer) => *sent = Sent::Answered(answer),
                Poll::Pending => is_pending = true,
            }
        }
        match is_pending {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    })
    .await;
    let answers = sent.into_iter().filter_map(|sent| match sent {
        Sent::Answered(answer) => Some(answer.map(OutgoingResponse::in_order)),
        Sent::Waits(_) => None,
    });
    answers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Mutex, time::Duration};
    use tokio::{sync::Notify, time::timeout};

    /// Answers the first request only after the second one came.
    #[derive(Default)]
    struct Crossing {
        came: Mutex<Vec<String>>,
        second: Notify,
    }

    #[async_trait::async_trait]
    impl OutgoingHttp for Crossing {
        async fn send(&self, request: OutgoingRequest, _: Instant) -> Answer {
            let number = {
                let mut came = self.came.lock().unwrap();
                came.push(request.url.clone());
                came.len()
            };
            match number {
                1 => self.second.notified().await,
                _ => self.second.notify_one(),
            }
            Ok(OutgoingResponse {
                status: 200,
                headers: request.headers,
                body: request.url.into_bytes(),
            })
        }
    }

    #[tokio::test]
    async fn what_is_never_sent_does_not_reach_the_port() {
        let request = |change: fn(&mut OutgoingRequest)| {
            let mut request = OutgoingRequest {
                method: "GET".to_owned(),
                url: "http://a.example/".to_owned(),
                ..OutgoingRequest::default()
            };
            change(&mut request);
            request
        };
        for change in [
            (|request| request.method = "x".repeat(33)) as fn(&mut OutgoingRequest),
            |request| request.method = "GET /".to_owned(),
            |request| request.url = format!("http://a.example/{}", "x".repeat(16 << 10)),
            |request| request.url = "http://user:planted@a.example/".to_owned(),
            |request| request.headers = vec![(String::new(), String::new()); 129],
            |request| request.headers = vec![("a".to_owned(), "x".repeat(64 << 10))],
            |request| request.body = vec![0; (6 << 20) + 1],
        ] {
            let port = Crossing::default();
            let answers = send_all(&port, vec![request(change)], Instant::now()).await;
            let error = answers[0].as_ref().unwrap_err();
            assert_eq!(error.name(), "invalid-request");
            assert!(!error.to_string().contains("planted"));
            assert!(port.came.lock().unwrap().is_empty());
        }
        assert_eq!(request(|_| ()).check(), Ok(()));
    }

    #[tokio::test]
    async fn requests_are_sent_at_the_same_time_and_answered_in_their_order() {
        let request = |url: &str| OutgoingRequest {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: vec![
                ("b".to_owned(), "1".to_owned()),
                ("A".to_owned(), "2".to_owned()),
                ("B".to_owned(), "3".to_owned()),
            ],
            body: Vec::new(),
            timeout: None,
        };
        let requests = vec![request("http://one.example"), request("http://two.example")];
        let port = Crossing::default();
        let answers = send_all(&port, requests, Instant::now());
        let answers = timeout(Duration::from_secs(10), answers).await.unwrap();
        let bodies: Vec<_> = answers
            .iter()
            .map(|answer| answer.as_ref().unwrap().body.as_slice())
            .collect();
        assert_eq!(bodies, [b"http://one.example", b"http://two.example"]);
        let headers = &answers[0].as_ref().unwrap().headers;
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(headers, ["a: 2", "b: 1", "b: 3"]);
    }
}
