//! Other services that answer from a script.

use ::outgoing::{OutgoingError, OutgoingHttp, OutgoingRequest, OutgoingResponse};
use std::{
    collections::VecDeque,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

type Answer = Result<OutgoingResponse, OutgoingError>;

/// Gives each request the next answer, and notes the request.
pub struct Script {
    answers: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<OutgoingRequest>>,
}

impl Script {
    pub fn of(answers: Vec<Answer>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into()),
            sent: Mutex::default(),
        })
    }

    pub fn sent(&self) -> Vec<OutgoingRequest> {
        self.sent.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl OutgoingHttp for Script {
    async fn send(&self, request: OutgoingRequest, _: Instant) -> Answer {
        self.sent.lock().unwrap().push(request);
        self.answers.lock().unwrap().pop_front().unwrap()
    }
}

/// Never answers.
pub struct Never;

#[async_trait::async_trait]
impl OutgoingHttp for Never {
    async fn send(&self, _: OutgoingRequest, _: Instant) -> Answer {
        pending().await
    }
}

pub fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> OutgoingResponse {
    OutgoingResponse {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.to_vec(),
    }
}

pub fn text(body: &str) -> OutgoingResponse {
    response(200, &[], body.as_bytes())
}

/// Answers the first request after the second with its own body, and refuses the third.
#[derive(Default)]
pub struct Crossing {
    second: tokio::sync::Notify,
}

#[async_trait::async_trait]
impl OutgoingHttp for Crossing {
    async fn send(&self, request: OutgoingRequest, _: Instant) -> Answer {
        match request.body.as_slice() {
            b"body 0" => self.second.notified().await,
            b"body 1" => self.second.notify_one(),
            _ => return Err(OutgoingError::Unreachable("refused".to_owned())),
        }
        Ok(response(200, &[("etag", "\"t\"")], &request.body))
    }
}

/// Gives up at its deadline, as the client does.
pub struct Patient;

#[async_trait::async_trait]
impl OutgoingHttp for Patient {
    async fn send(&self, _: OutgoingRequest, deadline: Instant) -> Answer {
        tokio::time::sleep_until(deadline.into()).await;
        Err(OutgoingError::OutcomeUnknown("no answer".to_owned()))
    }
}

/// Answers each request after a while, and counts how many wait at a time.
#[derive(Default)]
pub struct Flock {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Flock {
    pub fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }
}

#[async_trait::async_trait]
impl OutgoingHttp for Flock {
    async fn send(&self, request: OutgoingRequest, _: Instant) -> Answer {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.now.fetch_sub(1, Ordering::Relaxed);
        Ok(response(200, &[], &request.body))
    }
}
