//! Records requests: decorates the layers of a service, and gives a tape line for each request that the policy wants. A host that records nothing
//! has no recorder and calls its service directly.

use crate::{Invocation, ParsedEvent, Service};
use contract::{
    outcome::{Answer, Fault, Summary},
    seed::Seed,
};
use gateway::{EventError, Reply};
use runtime::RuntimeOptions;
use std::sync::Arc;
use tape::{
    RecordOptions, RecordedAnswer, RecordedHost, RecordedRequest, RecordingStorage, TapePolicy,
    TapeWriter,
};

/// Records some of the requests that a service handles. One for each host; shared by all requests.
#[derive(Clone, Debug)]
pub struct Recorder {
    policy: TapePolicy,
    writer: TapeWriter,
}

/// A request that the policy wants, or may want once its response is known.
pub struct Recording<'a> {
    recorder: &'a Recorder,
    is_sampled: bool,
    received_at_ms: u64,
    seed: Seed,
    guest: Option<RecordedGuest>,
}

/// The guest that handled the request, and its storage calls.
struct RecordedGuest {
    options: RuntimeOptions,
    storage: Arc<RecordingStorage>,
}

impl Recorder {
    /// A recorder.
    pub fn new(options: RecordOptions) -> Self {
        Self {
            policy: options.policy,
            writer: TapeWriter::new(options),
        }
    }

    /// A recorder, if the policy wants any requests.
    pub fn if_on(options: RecordOptions) -> Option<Self> {
        (!options.policy.is_off()).then(|| Self::new(options))
    }

    /// Begins to record a request; `None` if the policy does not want it whatever its response is.
    pub fn begin(&self, invocation: &Invocation) -> Option<Recording<'_>> {
        let is_sampled = self.policy.samples(&invocation.seed);
        (is_sampled || self.policy.wants_failures()).then(|| Recording {
            recorder: self,
            is_sampled,
            received_at_ms: invocation.received_at_ms,
            seed: invocation.seed.clone(),
            guest: None,
        })
    }

    /// [`Service::invoke`], and the line of tape for this request, without a line break at its end, if one is wanted.
    ///
    /// An event that is not an HTTP request is not recorded: no guest answers it, and events of other services may contain anything.
    pub async fn invoke(
        &self,
        service: &Service,
        event: &[u8],
        invocation: Invocation,
    ) -> (Result<Answer, EventError>, Option<Vec<u8>>) {
        let parsed = match service.parse(event, &invocation) {
            Ok(parsed) => parsed,
            Err(rejection) => return (Err(rejection), None),
        };
        let Some(mut recording) = self.begin(&invocation) else {
            let answer = service.handle(parsed, invocation).await;
            return (Ok(answer.map(Reply::into_json)), None);
        };
        let answer = recording.handle(service, parsed, invocation).await;
        let answer = answer.map(Reply::into_json);
        let line = match recording.wants(&answer.summary) {
            true => recording.line(service, event, &answer.payload, &answer.summary),
            false => None,
        };
        (Ok(answer), line)
    }
}

impl Recording<'_> {
    /// [`Service::handle`], with what the guest asks of its host recorded.
    pub async fn handle(
        &mut self,
        service: &Service,
        event: ParsedEvent,
        invocation: Invocation,
    ) -> Answer<Reply> {
        let request = match service.route(event) {
            Ok(request) => request,
            Err(answer) => return *answer,
        };
        let deployment = request.deployment();
        let storage = self.recorder.writer.storage(deployment.storage().clone());
        let storage = Arc::new(storage);
        let outgoing = self
            .recorder
            .writer
            .outgoing(request.outgoing().clone(), &storage);
        let secrets = self
            .recorder
            .writer
            .secrets(deployment.secrets().clone(), &storage);
        self.guest = Some(RecordedGuest {
            options: deployment.runtime().options().clone(),
            storage: storage.clone(),
        });
        let request = request.with_storage(storage);
        request
            .with_outgoing(Arc::new(outgoing))
            .with_secrets(Arc::new(secrets))
            .run(invocation)
            .await
    }

    /// Whether the policy wants the request, now that its response is known.
    pub fn wants(&self, summary: &Summary) -> bool {
        self.is_sampled || is_failure(summary)
    }

    /// The line of the request, without a line break at its end. `event` is the JSON from the gateway, `payload` the JSON for it.
    ///
    /// `None` if the line cannot be made short enough, or there were no random bytes to encrypt it with.
    pub fn line(
        self,
        service: &Service,
        event: &[u8],
        payload: &[u8],
        summary: &Summary,
    ) -> Option<Vec<u8>> {
        // If a request was refused without calling a guest, only the limits applied.
        let (options, storage) = match self.guest {
            Some(RecordedGuest { options, storage }) => (options, Some(storage)),
            None => {
                let options = RuntimeOptions {
                    limits: service.limits(),
                    ..RuntimeOptions::default()
                };
                (options, None)
            }
        };
        let host = RecordedHost {
            base_path: service.base_path(),
            limits: options.limits,
            log_level: options.log_level,
            environment: &options.environment,
        };
        let request = RecordedRequest {
            event,
            received_at_ms: self.received_at_ms,
            seed: self.seed,
        };
        let answer = RecordedAnswer { payload, summary };
        let writer = &self.recorder.writer;
        writer.line(&host, &request, storage.as_deref(), &answer)
    }
}

/// Whether the policy `failures` wants a request.
fn is_failure(summary: &Summary) -> bool {
    match &summary.fault {
        Some(Fault::Guest(_) | Fault::Response(_) | Fault::Panic(_)) => true,
        Some(Fault::Refused(_)) => matches!(summary.status, 413 | 414 | 431),
        Some(Fault::Unrouted | Fault::Unavailable) => false,
        None => summary.status >= 500,
    }
}
