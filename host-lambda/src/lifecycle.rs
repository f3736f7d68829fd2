//! Wraps each invocation: it is in flight until its response is sent. Then, before the next one is requested, the next instance is created,
//! so that no client waits for it.

use crate::shutdown::InFlight;
use lambda_runtime::{
    LambdaInvocation,
    tower::{Layer, Service},
};
use runtime::engine::Engine;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Counts invocations, and runs the engine's deferred work after each response.
#[derive(Clone)]
pub struct LifecycleLayer {
    pub in_flight: InFlight,
    pub engine: Engine,
}

impl<S> Layer<S> for LifecycleLayer {
    type Service = LifecycleService<S>;

    fn layer(&self, inner: S) -> LifecycleService<S> {
        LifecycleService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The runtime's own service, which sends the response.
#[derive(Clone)]
pub struct LifecycleService<S> {
    inner: S,
    layer: LifecycleLayer,
}

impl<S> Service<LambdaInvocation> for LifecycleService<S>
where
    S: Service<LambdaInvocation>,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let flying = self.layer.in_flight.enter();
        let engine = self.layer.engine.clone();
        let answered = self.inner.call(invocation);
        Box::pin(async move {
            let answered = answered.await;
            drop(flying);
            engine.run_deferred().await;
            answered
        })
    }
}
