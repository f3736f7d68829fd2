//! The host's own responses, if a guest gives none.

use contract::outcome::{Answer, Failure, Fault, Summary};
use gateway::{Origin, RefusedError, Reply, problem};

/// A problem document instead of the guest's response.
pub(super) fn answer(origin: &Origin, mut summary: Summary, fault: Fault) -> Answer<Reply> {
    let (status, detail) = status_and_detail(&fault, summary.status);
    let problem = problem::response(status, detail, &summary.request_id);
    // A problem document satisfies all rules for responses.
    let payload =
        Reply::new(origin, problem).unwrap_or_else(|_| Reply::without_content(origin, status));
    summary.status = status;
    summary.fault = Some(fault);
    Answer { payload, summary }
}

/// The same for a request that was refused.
pub(super) fn answer_to_refused(refusal: RefusedError) -> Answer<Reply> {
    let summary = Summary {
        status: refusal.status,
        ..Summary::new(refusal.request_id, refusal.method, refusal.route)
    };
    answer(&refusal.origin, summary, Fault::Refused(refusal.detail))
}

/// Status and text for the client: only what it can act on. The rest is for the operator's log.
fn status_and_detail(fault: &Fault, status_of_refusal: u16) -> (u16, &str) {
    match fault {
        Fault::Refused(detail) => (status_of_refusal, detail),
        Fault::Unrouted => (404, "nothing is served under this path"),
        Fault::Unavailable => (503, "the service is not available"),
        Fault::Guest(Failure::Deadline) => (504, "the service did not answer in time"),
        Fault::Guest(Failure::Busy) => (503, "the service is busy; try again"),
        Fault::Guest(
            Failure::Trap(_) | Failure::Memory(_) | Failure::Stopped(_) | Failure::NoResponse(_),
        ) => (500, "the service failed while it handled the request"),
        Fault::Response(_) => (500, "the service gave an answer that cannot be sent"),
        Fault::Panic(_) => (500, "the service failed while it handled the request"),
    }
}
