//! One HTTP exchange: an HTTP request becomes a gateway event, passes through the service, and its Lambda response becomes an HTTP
//! response.

use super::{
    access::AccessLog,
    authority::Allowed,
    body,
    clients::{Client, Clients},
    head::{self, HeadError, Rules},
    lines::{self, Access, Format},
    session::Session,
    session_lines,
    tape::TapeFile,
    turns::{Turn, Turns},
};
use crate::{identity::Callers, output, seed, time};
use bytes::Bytes;
use contract::{http::Scheme, outcome::Summary, seed::Seed};
use gateway::{
    Origin, Quotas, REST_BINARY_TYPES,
    compose::{Authorization, Incoming, compose_for, refused, unauthorized},
    deliver::{BinaryMedia, Delivery},
    path_for_logs, problem,
};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming as RequestBody,
    header::{HeaderName, HeaderValue},
    http::request::Parts,
};
use rollout::Follower;
use service::{Invocation, Service};
use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};

/// The header with the id of the request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything that answers requests.
pub struct Exchanger {
    /// The guest on its store.
    pub service: Service,
    /// The follower of a channel, if there is one; it reports what it did.
    pub follower: Option<Follower>,
    /// The emulated gateway.
    pub origin: Origin,
    /// Who calls.
    pub callers: Callers,
    /// Which requests are answered.
    pub allowed: Allowed,
    /// The connections that are open.
    pub clients: Arc<Clients>,
    /// Where access lines are written.
    pub log: AccessLog,
    /// Their format.
    pub format: Format,
    /// Whether access lines are suppressed.
    pub is_quiet: bool,
    /// The tape, if requests are recorded.
    pub tape: Option<TapeFile>,
    /// The last requests, if they are kept for local development.
    pub session: Option<Arc<Session>>,
    /// When requests begin, if they have to wait.
    pub turns: Option<Arc<Turns>>,
}

/// The result of an exchange.
struct Done {
    delivery: Delivery,
    /// Summary of the guest's run, if it was called.
    summary: Option<Summary>,
    /// Its number in the session, if it is kept.
    exchange: Option<u64>,
}

impl From<Delivery> for Done {
    fn from(delivery: Delivery) -> Self {
        Self {
            delivery,
            summary: None,
            exchange: None,
        }
    }
}

impl Exchanger {
    /// Answers any request of a client. Returns the response and the number of bytes in its body.
    pub async fn answer(
        &self,
        request: Request<RequestBody>,
        client: &Client,
        is_conflicting: bool,
    ) -> (Response<Full<Bytes>>, usize) {
        let (started, received_at_ms) = (Instant::now(), time::now_ms());
        let (mut head, body) = request.into_parts();
        let (done, request_id) = match seed::of_request() {
            Ok(seed) => {
                let id = seed.request_id();
                let asked = Asked {
                    client,
                    received_at_ms,
                    id: &id,
                };
                let done = self
                    .done(&mut head, body, is_conflicting, seed, &asked)
                    .await;
                (done, id)
            }
            Err(_) => {
                let delivery = problem_delivery(500, "the host failed to get random numbers", "");
                (delivery.into(), String::new())
            }
        };
        let Done {
            mut delivery,
            summary,
            exchange,
        } = done;
        let bytes = delivery.body.len();
        let fault = delivery.fault.take();
        let delivered = response(delivery, &request_id);
        if !self.is_quiet {
            let line = Access {
                time_ms: received_at_ms,
                method: head.method.as_str(),
                path: path_for_logs(head.uri.path()),
                query: head.uri.query(),
                status: delivered.status().as_u16(),
                bytes: if head.method == Method::HEAD {
                    0
                } else {
                    bytes
                },
                duration: started.elapsed(),
                guest: summary.as_ref().and_then(|summary| summary.guest),
                usage: summary.as_ref().map(|summary| &summary.usage),
                request_id: &request_id,
                exchange,
            };
            self.log
                .add(|lines| self.access(lines, &line, summary.as_ref(), fault.as_deref()));
        } else if fault.is_some() || summary.as_ref().is_some_and(lines::has_remarks) {
            self.log.add(|lines| {
                if let Some(summary) = &summary {
                    self.format.remarks(lines, Some(received_at_ms), summary);
                }
                if let Some(fault) = &fault {
                    self.format
                        .fault(lines, Some(received_at_ms), &request_id, fault);
                }
            });
        }
        (delivered, bytes)
    }

    /// Writes an access line for a request that hyper refused; returns the id for its response.
    pub fn note_refusal(&self, status: u16) -> String {
        let request_id =
            seed::of_request().map_or_else(|_| String::new(), |seed| seed.request_id());
        if !self.is_quiet {
            let line = Access {
                time_ms: time::now_ms(),
                method: "-",
                path: "-",
                query: None,
                status,
                bytes: 0,
                duration: Duration::ZERO,
                guest: None,
                usage: None,
                request_id: &request_id,
                exchange: None,
            };
            self.log.add(|lines| self.access(lines, &line, None, None));
        }
        request_id
    }

    /// Appends the access line, and below it what the guest logged and why the gateway answered in its place.
    fn access(
        &self,
        lines: &mut Vec<u8>,
        access: &Access<'_>,
        summary: Option<&Summary>,
        fault: Option<&str>,
    ) {
        if self.session.is_some() && self.format == Format::Text {
            let columns = output::columns_of_stderr();
            return session_lines::request(lines, columns, access, summary, fault);
        }
        self.format.access(lines, access);
        if let Some(summary) = summary {
            self.format.remarks(lines, Some(access.time_ms), summary);
        }
        if let Some(fault) = fault {
            self.format
                .fault(lines, Some(access.time_ms), access.request_id, fault);
        }
    }

    /// Writes lines about what the channel did since the last call.
    pub fn write_reports(&self) {
        for report in self.follower.iter().flat_map(Follower::take_reports) {
            self.log.add(|lines| self.format.report(lines, &report));
        }
    }

    /// Writes a line about the server itself.
    pub fn warn(&self, message: &str) {
        self.log.add(|lines| self.format.warning(lines, message));
    }

    async fn done(
        &self,
        head: &mut Parts,
        body: RequestBody,
        is_conflicting: bool,
        seed: Seed,
        asked: &Asked<'_>,
    ) -> Done {
        let quotas = Quotas::of(self.origin.kind);
        // Those of the guests that serve now; they can be replaced by others with other limits.
        let limits = self.service.limits();
        let rules = Rules {
            limits: &limits,
            quotas,
            allowed: &self.allowed,
        };
        let received = match head::check(head, is_conflicting, &rules) {
            Ok(()) => {
                let bytes_max = limits.request_body_bytes_max.min(quotas.body_bytes_max);
                body::receive(body, asked.client, bytes_max).await
            }
            Err(refusal) => Err(refusal),
        };
        let received = match received {
            Ok(_) if head::is_about_server(head) => return about_server().into(),
            Ok(body) => head::fields(&head.headers).map(|headers| (headers, body)),
            Err(refusal) => Err(refusal),
        };
        let refusal = match received {
            Ok((headers, body)) => {
                let request = Incoming {
                    method: head.method.as_str(),
                    target: head::target(head),
                    headers: &headers,
                    body: &body,
                    client_address: &asked.client.address,
                    scheme: Scheme::Http,
                    request_id: asked.id,
                    received_at_ms: asked.received_at_ms,
                };
                match self.run(request, seed, asked).await {
                    Ok(done) => return done,
                    Err(refusal) => return problem_of(&refusal, asked.id).into(),
                }
            }
            Err(refusal) => refusal,
        };
        asked.client.leaves_unread();
        let mut delivery = problem_of(&refusal, asked.id);
        delivery
            .headers
            .push(("connection".to_owned(), "close".to_owned()));
        delivery.into()
    }

    /// Composes an event from the request, lets the guest answer it, and delivers the response as the gateway would.
    async fn run(
        &self,
        request: Incoming<'_>,
        seed: Seed,
        asked: &Asked<'_>,
    ) -> Result<Done, HeadError> {
        if let Some(delivery) = refused(self.origin.kind, request.target) {
            return Ok(delivery.into());
        }
        let caller = match self.caller(&request).await {
            Ok(caller) => caller,
            Err(delivery) => return Ok(delivery.into()),
        };
        let event = compose_for(self.origin, &request, caller.as_deref());
        event.check_size().map_err(|bytes| {
            let bytes_max = Quotas::of(self.origin.kind).event_bytes_max;
            HeadError::new(
                413,
                format!("the request's event would have {bytes} bytes, {bytes_max} are allowed"),
            )
        })?;
        let _turn = match self.turn(asked).await {
            Ok(turn) => turn,
            Err(delivery) => return Ok(delivery.into()),
        };
        let duration_max = self.service.limits().request_duration_max;
        let invocation = Invocation {
            received_at_ms: request.received_at_ms,
            seed,
            deadline: Instant::now() + duration_max,
            trace_header: None,
        };
        let accept = request.headers.iter().find(|(name, _)| *name == "accept");
        let media = BinaryMedia {
            accept: accept.map(|(_, value)| *value),
            types: &REST_BINARY_TYPES,
        };
        let (answer, exchange) = match (&self.session, &self.tape) {
            (Some(session), _) => {
                let (answer, number) = session.handle(&self.service, event, invocation).await;
                (answer, Some(number))
            }
            (None, Some(tape)) => (tape.handle(&self.service, event, invocation).await, None),
            (None, None) => {
                let event = self.service.parse_composed(event, &invocation);
                (self.service.handle(event, invocation).await, None)
            }
        };
        let is_head = request.method == "HEAD";
        let answer = answer.map(|reply| {
            let length = reply.declared_length().filter(|_| is_head);
            let length = length.map(|length| ("content-length".to_owned(), length.to_string()));
            let mut delivery = reply.into_delivery(&media);
            delivery.headers.extend(length);
            delivery
        });
        self.write_reports();
        Ok(Done {
            delivery: answer.payload,
            summary: Some(answer.summary),
            exchange,
        })
    }

    /// Waits until the request may begin, or gives the answer to one that does not.
    async fn turn(&self, asked: &Asked<'_>) -> Result<Option<Turn<'_>>, Delivery> {
        let Some(turns) = &self.turns else {
            return Ok(None);
        };
        let duration_max = self.service.limits().request_duration_max;
        let turn = turns.wait(asked.client, duration_max).await;
        turn.map(Some).map_err(|error| {
            let refusal = HeadError::new(503, error.to_string());
            Delivery {
                fault: Some(refusal.detail.clone()),
                ..problem_of(&refusal, asked.id)
            }
        })
    }

    /// The request's caller, or the gateway's answer to a request whose token it does not accept.
    async fn caller(
        &self,
        request: &Incoming<'_>,
    ) -> Result<Option<Cow<'_, Authorization>>, Delivery> {
        match &self.callers {
            Callers::Nobody => Ok(None),
            Callers::One(authorization) => Ok(Some(Cow::Borrowed(authorization))),
            Callers::Tokens(tokens) => tokens
                .caller(request.headers, request.received_at_ms)
                .await
                .map(|authorization| authorization.map(Cow::Owned))
                .map_err(|fault| Delivery {
                    fault: Some(format!("not authorized: {}", fault.message)),
                    ..unauthorized(self.origin.kind, fault.refusal)
                }),
        }
    }
}

/// The circumstances of a request.
struct Asked<'a> {
    client: &'a Client,
    received_at_ms: u64,
    id: &'a str,
}

/// The response to `OPTIONS *`: the methods that the server accepts. Which of them a path accepts is up to the guest.
fn about_server() -> Delivery {
    Delivery {
        status: 204,
        headers: vec![(
            "allow".to_owned(),
            "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT".to_owned(),
        )],
        body: Vec::new(),
        fault: None,
    }
}

fn problem_of(refusal: &HeadError, request_id: &str) -> Delivery {
    let mut delivery = problem_delivery(refusal.status, &refusal.detail, request_id);
    if refusal.status == 503 {
        delivery
            .headers
            .push(("retry-after".to_owned(), "1".to_owned()));
    }
    delivery
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

/// Converts a delivery to hyper's response. Fields of a delivery are valid HTTP; an invalid one would be left out. Adds the request's id
/// unless the response has one.
fn response(delivery: Delivery, request_id: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(delivery.body)));
    *response.status_mut() =
        StatusCode::from_u16(delivery.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.reserve(delivery.headers.len() + 1);
    for (name, value) in delivery.headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes())
            && let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value))
        {
            headers.append(name, value);
        }
    }
    if let Ok(id) = HeaderValue::from_str(request_id)
        && !request_id.is_empty()
    {
        headers.entry(REQUEST_ID).or_insert(id);
    }
    response
}
