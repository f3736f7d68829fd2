//! Messages of `wasi:http`: of the request that a guest answers, and of those that it makes.

use contract::{
    http::{CONNECTION_FIELDS, Context, FieldLines, Request, Response, field_value},
    outcome::NoResponse,
};
use outgoing::OutgoingError;
use std::{
    mem,
    sync::{Arc, OnceLock},
};

/// Fields that belong to the host, beside those of the connection.
const HOST_FIELDS: [&str; 4] = [
    "host",
    "http2-settings",
    "proxy-authenticate",
    "proxy-authorization",
];

/// Memory for a field besides its name and value.
const FIELD_BYTES: usize = 64;

pub(in crate::imports) type Field = (String, Vec<u8>);

/// The fields of a message, with names in lower case, in order.
pub struct Fields {
    /// Shared by copies until one of them changes.
    pub(in crate::imports) fields: Arc<Vec<Field>>,
    pub(in crate::imports) is_mutable: bool,
}

impl Fields {
    /// The fields of a request that a guest may read.
    pub(in crate::imports) fn of_request(lines: &FieldLines) -> Self {
        let fields = lines.iter().filter(|(name, _)| !is_forbidden(name));
        Self {
            fields: Arc::new(
                fields
                    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                    .collect(),
            ),
            is_mutable: false,
        }
    }

    /// The same fields, which cannot be changed.
    pub(in crate::imports) fn immutable(&self) -> Self {
        Self {
            fields: self.fields.clone(),
            is_mutable: false,
        }
    }

    /// Names and values as text.
    pub(in crate::imports) fn into_text(self) -> Vec<(String, String)> {
        let fields = Arc::unwrap_or_clone(self.fields).into_iter();
        let text = |value: Vec<u8>| field_value(&value).into_owned();
        fields.map(|(name, value)| (name, text(value))).collect()
    }

    /// Whether there is a body of a certain length: `None` without a `content-length`, an error if it is not a number.
    pub(in crate::imports) fn content_length(&self) -> Result<Option<u64>, ()> {
        let Some(value) = self.values("content-length").next() else {
            return Ok(None);
        };
        let text = str::from_utf8(value).map_err(drop)?;
        text.parse().map(Some).map_err(drop)
    }

    /// Bytes that the host keeps for them.
    pub(in crate::imports) fn bytes(&self) -> usize {
        let fields = self.fields.iter();
        fields.map(|(name, value)| bytes_of(name, value)).sum()
    }

    pub(in crate::imports) fn values(&self, name: &str) -> impl Iterator<Item = &Vec<u8>> {
        let fields = self.fields.iter();
        fields.filter_map(move |(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }
}

/// Whether a field belongs to the connection or to the host: a guest can neither set nor read it.
pub(in crate::imports) fn is_forbidden(name: &str) -> bool {
    CONNECTION_FIELDS.contains(&name) || HOST_FIELDS.contains(&name)
}

pub(in crate::imports) fn bytes_of(name: &str, value: &[u8]) -> usize {
    FIELD_BYTES + name.len() + value.len()
}

/// The request.
pub struct IncomingRequest {
    /// Its body is empty once it was consumed.
    pub(in crate::imports) request: Request,
    pub(in crate::imports) is_consumed: bool,
}

impl IncomingRequest {
    pub(in crate::imports) fn of(request: Request) -> Self {
        Self {
            request,
            is_consumed: false,
        }
    }

    pub(in crate::imports) fn context(&self) -> &Context {
        &self.request.context
    }
}

/// The body of a message, which is whole.
pub struct IncomingBody(pub(in crate::imports) Option<Vec<u8>>);

/// The trailers of a message, which has none, and whether the guest was told so.
pub struct FutureTrailers {
    pub(in crate::imports) is_told: bool,
}

/// Where the guest puts its response.
pub struct ResponseOutparam;

/// What the guest put there.
pub(in crate::imports) type Answer = Result<OutgoingResponse, &'static str>;

/// A response that the guest makes.
pub struct OutgoingResponse {
    pub(in crate::imports) status: u16,
    pub(in crate::imports) headers: Fields,
    /// Absent if the guest never asked for the body, which is empty then.
    pub(in crate::imports) body: Option<Arc<FinishedBody>>,
}

/// Set when a body is finished.
pub(in crate::imports) type FinishedBody = OnceLock<Result<Vec<u8>, NoResponse>>;

/// What a body that a guest writes belongs to, and so which limit it counts against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BodyOf {
    /// Its response.
    Response,
    /// A request to another service.
    Request,
}

/// A body that the guest writes.
pub struct OutgoingBody {
    pub(in crate::imports) of: BodyOf,
    pub(in crate::imports) bytes: Vec<u8>,
    /// What the message's `content-length` says.
    pub(in crate::imports) length: Option<u64>,
    pub(in crate::imports) is_written: bool,
    pub(in crate::imports) finished: Arc<FinishedBody>,
}

impl OutgoingBody {
    /// A new body, and where it will be when it is finished.
    pub(in crate::imports) fn new(of: BodyOf, length: Option<u64>) -> (Self, Arc<FinishedBody>) {
        let finished = Arc::new(OnceLock::new());
        let body = Self {
            of,
            bytes: Vec::new(),
            length,
            is_written: false,
            finished: finished.clone(),
        };
        (body, finished)
    }
}

impl OutgoingResponse {
    fn into_response(self) -> Result<Response, NoResponse> {
        let body = match self.body {
            None => Vec::new(),
            // While the guest still has the body, it has not finished it.
            Some(body) => Arc::into_inner(body)
                .and_then(OnceLock::into_inner)
                .unwrap_or(Err(NoResponse::UnfinishedBody))?,
        };
        Ok(Response {
            status: self.status,
            headers: self.headers.into_text(),
            body,
        })
    }
}

/// The response, if it is whole.
pub(in crate::imports) fn response(answer: Answer) -> Result<Response, NoResponse> {
    answer.map_err(NoResponse::Error)?.into_response()
}

/// A request that the guest makes.
pub struct OutgoingRequest {
    /// As it is written.
    pub(in crate::imports) method: String,
    /// As it is written.
    pub(in crate::imports) scheme: Option<String>,
    pub(in crate::imports) authority: Option<String>,
    pub(in crate::imports) path_with_query: Option<String>,
    pub(in crate::imports) headers: Fields,
    /// Absent if the guest never asked for the body, which is empty then.
    pub(in crate::imports) body: Option<Arc<FinishedBody>>,
}

/// Timeouts of a request, in nanoseconds.
#[derive(Default)]
pub struct RequestOptions {
    pub(in crate::imports) connect: Option<u64>,
    pub(in crate::imports) first_byte: Option<u64>,
    pub(in crate::imports) between_bytes: Option<u64>,
}

/// The response to an outgoing request.
pub struct IncomingResponse {
    pub(in crate::imports) status: u16,
    pub(in crate::imports) headers: Fields,
    /// Taken when the guest consumes it.
    pub(in crate::imports) body: Option<Vec<u8>>,
}

impl IncomingResponse {
    pub(in crate::imports) fn of(response: outgoing::OutgoingResponse) -> Self {
        let fields = response.headers.into_iter();
        let fields = fields.filter(|(name, _)| !is_forbidden(name));
        let fields = fields.map(|(name, value)| (name, value.into_bytes()));
        Self {
            status: response.status,
            headers: Fields {
                fields: Arc::new(fields.collect()),
                is_mutable: false,
            },
            body: Some(response.body),
        }
    }
}

/// A response that a guest waits for.
pub enum FutureIncomingResponse {
    /// The request was not sent yet: the guest may still write its body.
    Unsent {
        /// Without its body.
        request: outgoing::OutgoingRequest,
        /// Absent if the guest never asked for the body, which is empty then.
        body: Option<Arc<FinishedBody>>,
    },
    /// What came back.
    Answered(Result<outgoing::OutgoingResponse, OutgoingError>),
    /// The guest has taken it.
    Taken,
}

impl FutureIncomingResponse {
    /// The request, if it is whole and was not sent yet, or why it never can be. It is sent, or answered, right after this.
    pub(in crate::imports) fn take_whole_request(&mut self) -> Option<WholeRequest> {
        let Self::Unsent { request, body } = self else {
            return None;
        };
        let invalid = |detail: &str| Some(Err(OutgoingError::InvalidRequest(detail.to_owned())));
        let body = match body {
            None => Vec::new(),
            // The guest has neither the body nor its end.
            Some(body) if body.get().is_none() && Arc::strong_count(body) == 1 => {
                return invalid("its body was dropped before it was finished");
            }
            Some(body) => {
                body.get()?;
                // Once it is finished, nobody else has it.
                match Arc::get_mut(body).and_then(OnceLock::take) {
                    Some(Ok(body)) => body,
                    Some(Err(_)) | None => {
                        return invalid("its body is shorter than its content-length");
                    }
                }
            }
        };
        Some(Ok(outgoing::OutgoingRequest {
            body,
            ..mem::take(request)
        }))
    }

    pub(in crate::imports) fn is_answered(&self) -> bool {
        !matches!(self, Self::Unsent { .. })
    }
}

/// A request to be sent, or why it cannot be.
pub(in crate::imports) type WholeRequest = Result<outgoing::OutgoingRequest, OutgoingError>;
