//! What is put off until an answer is out: the next instance is made before the next invocation is asked for, so that no client waits.

use host_core::engine::Engine;
use lambda_runtime::{
    LambdaInvocation,
    tower::{Layer, Service},
};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Tidies the engine after each answer.
#[derive(Clone)]
pub struct Tidy {
    engine: Engine,
}

impl Tidy {
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }
}

impl<S> Layer<S> for Tidy {
    type Service = Tidying<S>;

    fn layer(&self, inner: S) -> Tidying<S> {
        Tidying {
            inner,
            engine: self.engine.clone(),
        }
    }
}

/// The runtime's own service, which sends the answer.
#[derive(Clone)]
pub struct Tidying<S> {
    inner: S,
    engine: Engine,
}

impl<S> Service<LambdaInvocation> for Tidying<S>
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
        let engine = self.engine.clone();
        let answered = self.inner.call(invocation);
        Box::pin(async move {
            let answered = answered.await;
            engine.tidy().await;
            answered
        })
    }
}
