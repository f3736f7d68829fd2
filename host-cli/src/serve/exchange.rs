//! One HTTP exchange: request to gateway event, through the service, Lambda response to HTTP response.

use super::{access::AccessLog, lines, tape::TapeFile, wire::Phase};
use crate::{seed, time};
use bytes::Bytes;
use host_core::{
    gateway::{
        Origin,
        compose::{Incoming, compose},
        deliver::{BinaryMedia, Delivery, deliver},
    },
    http::Scheme,
    limits::Limits,
    problem,
    release::Follower,
    seed::Seed,
    service::{Answer, Arrival, Service},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, Response, StatusCode, Version,
    body::{Body, Incoming as RequestBody},
    header::{self, HeaderName, HeaderValue},
    http::{request::Parts, uri::PathAndQuery},
};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a client may take to send a request's body.
const BODY_DURATION_MAX: Duration = Duration::from_secs(30);

/// What answers requests.
pub struct Exchanger {
    /// The guest on its store.
    pub service: Service,
    /// What changes guests, to tell what it did.
    pub follower: Option<Follower>,
    /// The gateway that is played.
    pub origin: Origin,
    /// Bounds of requests.
    pub limits: Limits,
    /// Where lines about requests go.
    pub log: AccessLog,
    /// Whether each request has a line.
    pub is_quiet: bool,
    /// Where requests are recorded, if they are.
    pub tape: Option<TapeFile>,
}

/// A request that is answered without asking the guest.
struct Refusal {
    status: u16,
    detail: String,
}

impl Refusal {
    fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
        }
    }
}

impl Exchanger {
    /// Answers a request of the client at the IP address `client`, whatever it is.
    pub async fn answer(
        &self,
        request: Request<RequestBody>,
        client: &str,
        phase: &Phase,
    ) -> Response<Full<Bytes>> {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        let seed = match seed::of_request() {
            Ok(seed) => seed,
            Err(_) => return response(problem_delivery(500, "the host has no random numbers", "")),
        };
        let request_id = seed.request_id();
        let checked = check_head(&head, &self.limits).and_then(|()| fields(&head.headers));
        let received = match checked {
            Ok(headers) => self.receive(body).await.map(|body| (headers, body)),
            Err(refusal) => Err(refusal),
        };
        let delivery = match received {
            Ok((headers, body)) => {
                let request = Incoming {
                    method: head.method.as_str(),
                    target: head.uri.path_and_query().map_or("/", PathAndQuery::as_str),
                    headers: &headers,
                    body: &body,
                    client_address: client,
                    scheme: Scheme::Http,
                    request_id: &request_id,
                    received_at_ms: time::now_ms(),
                };
                self.run(request, seed).await
            }
            Err(refusal) => {
                phase.leaves_unread();
                let mut delivery = problem_delivery(refusal.status, &refusal.detail, &request_id);
                delivery
                    .headers
                    .push(("connection".to_owned(), "close".to_owned()));
                delivery
            }
        };
        let delivered = response(delivery);
        if !self.is_quiet {
            let line = lines::Access {
                method: head.method.as_str(),
                path: head.uri.path(),
                status: delivered.status().as_u16(),
                duration: started.elapsed(),
                request_id: &request_id,
            };
            self.log.add(|lines| line.write(lines));
        }
        delivered
    }

    /// Makes an event of the request, lets the guest answer it, and does with the answer what the gateway would.
    async fn run(&self, request: Incoming<'_>, seed: Seed) -> Delivery {
        let event = compose(self.origin, &request);
        let duration_max = self.limits.request_duration_max;
        let arrival = Arrival {
            received_at_ms: request.received_at_ms,
            seed,
            deadline: Instant::now() + duration_max,
            trace_header: None,
        };
        let accept = request.headers.iter().find(|(name, _)| *name == "accept");
        let media = BinaryMedia {
            accept: accept.map(|(_, value)| *value),
            types: &["*/*"],
        };
        let answer = match &self.tape {
            // A tape keeps the event's JSON and the answer's.
            Some(tape) => {
                let json = event.to_json();
                let answer = tape.invoke(&self.service, &json, arrival).await;
                answer.map(|Answer { payload, summary }| Answer {
                    payload: deliver(&self.origin, &payload, &media),
                    summary,
                })
            }
            None => self.service.exchange(event, arrival, &media).await,
        };
        let answer = match answer {
            Ok(answer) => answer,
            // An event that was just composed is of a known kind.
            Err(rejection) => {
                self.log
                    .add(|lines| lines::write_fault(lines, request.request_id, &rejection));
                return problem_delivery(
                    500,
                    "the host failed to pass the request on",
                    request.request_id,
                );
            }
        };
        for report in self.follower.iter().flat_map(Follower::take_reports) {
            self.log.add(|lines| lines::write_report(lines, &report));
        }
        if lines::has_remarks(&answer.summary) {
            self.log
                .add(|lines| lines::write_remarks(lines, &answer.summary));
        }
        let delivery = answer.payload;
        if let Some(fault) = &delivery.fault {
            self.log
                .add(|lines| lines::write_fault(lines, request.request_id, fault));
        }
        delivery
    }

    /// Reads the body, within bounds.
    async fn receive(&self, body: RequestBody) -> Result<Bytes, Refusal> {
        let bytes_max = self.limits.request_body_bytes_max;
        let too_large = || Refusal::new(413, format!("the body is larger than {bytes_max} bytes"));
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        if body.size_hint().lower() > bytes_max as u64 {
            return Err(too_large());
        }
        let limited = http_body_util::Limited::new(body, bytes_max);
        match timeout(BODY_DURATION_MAX, limited.collect()).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => Err(Refusal::new(
                400,
                "the body is not framed as HTTP/1.1 wants it",
            )),
            Err(_) => Err(Refusal::new(408, "the body did not arrive in time")),
        }
    }
}

/// What hyper leaves to its user to check.
fn check_head(head: &Parts, limits: &Limits) -> Result<(), Refusal> {
    let target_bytes = head
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let target_bytes_max = limits.request_target_bytes_max;
    if target_bytes > target_bytes_max {
        let detail =
            format!("the request target has {target_bytes} bytes, {target_bytes_max} are allowed");
        return Err(Refusal::new(414, detail));
    }
    let header_bytes: usize = head
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    let header_bytes_max = limits.request_headers_bytes_max;
    if header_bytes > header_bytes_max {
        let detail =
            format!("the headers have {header_bytes} bytes, {header_bytes_max} are allowed");
        return Err(Refusal::new(431, detail));
    }
    // RFC 9112, 3.2: exactly one, except from clients older than 1.1.
    let hosts = head.headers.get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && head.version == Version::HTTP_11) {
        return Err(Refusal::new(
            400,
            format!("the request has {hosts} `host` headers, not one"),
        ));
    }
    if !head.uri.path().starts_with('/') {
        return Err(Refusal::new(400, "the request target names no path"));
    }
    let expects_other = head
        .headers
        .get(header::EXPECT)
        .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if expects_other {
        return Err(Refusal::new(
            417,
            "the only expectation known is `100-continue`",
        ));
    }
    Ok(())
}

/// Names, which are lower-case, with their values.
fn fields(headers: &HeaderMap) -> Result<Vec<(&str, &str)>, Refusal> {
    let fields = headers.iter().map(|(name, value)| {
        let value = str::from_utf8(value.as_bytes())
            .map_err(|_| Refusal::new(400, format!("the value of header `{name}` is not UTF-8")))?;
        Ok((name.as_str(), value))
    });
    fields.collect()
}

fn problem_delivery(status: u16, detail: &str, request_id: &str) -> Delivery {
    let problem = problem::response(status, detail, request_id);
    Delivery {
        status,
        headers: problem.headers,
        body: problem.body,
        fault: None,
    }
}

/// The response for hyper. A delivery's fields are valid HTTP; should one not be, it is left out.
fn response(delivery: Delivery) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(delivery.body)));
    *response.status_mut() =
        StatusCode::from_u16(delivery.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.reserve(delivery.headers.len());
    for (name, value) in delivery.headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes())
            && let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value))
        {
            headers.append(name, value);
        }
    }
    response
}
