//! The reference guest's logic compiled into a native program, on the same store, for comparison with the component.

use contract::{
    http::{Request, Response, Scheme},
    seed::Seed,
};
use std::{rc::Rc, sync::Arc};
use storage::{Call, Storage};
use tenon::{Caller, Request as GuestRequest, native::NativeHost};
use tokio::runtime::Handle;

/// Answers a request on a store that does not wait, with everything the runtime injects, but without a component.
pub fn handle(request: Request, storage: &Arc<dyn Storage>, seed: &Seed) -> Response {
    let now_ms = request.context.received_at_ms;
    let host = NativeHost::in_memory(Arc::clone(storage), now_ms, seed.clone());
    answer(request, host)
}

/// The same for any store. Must run where blocking is allowed, such as in `spawn_blocking`: the logic waits for the store on its thread.
pub fn handle_waiting(
    request: Request,
    storage: Arc<dyn Storage>,
    call: &Rc<Call>,
    seed: Seed,
    runtime: Handle,
) -> Response {
    let host = NativeHost {
        storage,
        call: Rc::clone(call),
        seed,
        wait: Box::new(move |future| runtime.block_on(future)),
        log: Rc::new(|_| {}),
    };
    answer(request, host)
}

fn answer(request: Request, host: NativeHost) -> Response {
    let context = request.context;
    let request = GuestRequest {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers.into_string().into(),
        body: request.body,
        is_https: context.scheme == Scheme::Https,
        authority: context.authority,
        client_address: context.client_address,
        base_path: context.base_path,
        request_id: context.request_id,
        received_at_ms: context.received_at_ms,
        caller: context.identity.map(|identity| Caller {
            subject: identity.subject,
            claims: identity.claims,
        }),
        ..GuestRequest::default()
    };
    let response = guest::app().answer_natively(request, host);
    Response {
        status: response.status,
        headers: response
            .headers
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
        body: response.body,
    }
}
