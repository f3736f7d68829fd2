//! Runs the logic on a separate stack, so that it waits for a store without blocking a thread.

use crate::Wait;
use corosensei::{Coroutine, CoroutineResult, Yielder, stack::DefaultStack};
use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    io,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// The same size as for the component's requests.
const STACK_BYTES: usize = 1024 * 1024;

thread_local! {
    /// The last request's stack, reused for the next one, as a pool reuses the component's.
    static SPARE: Cell<Option<DefaultStack>> = const { Cell::new(None) };
}

/// Waits by leaving the stack until the future can continue.
pub struct Suspended<'a> {
    yielder: &'a Yielder<Waker, ()>,
    waker: RefCell<Waker>,
}

impl Wait for Suspended<'_> {
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            let waker = self.waker.borrow().clone();
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            self.waker.replace(self.yielder.suspend(()));
        }
    }
}

/// Runs `work` on a separate stack.
pub async fn run<T: 'static>(work: impl FnOnce(&Suspended<'_>) -> T + 'static) -> io::Result<T> {
    let stack = match SPARE.take() {
        Some(stack) => stack,
        None => DefaultStack::new(STACK_BYTES)?,
    };
    let mut coroutine = Coroutine::with_stack(stack, |yielder, waker| {
        work(&Suspended {
            yielder,
            waker: RefCell::new(waker),
        })
    });
    let output = poll_fn(|context| match coroutine.resume(context.waker().clone()) {
        CoroutineResult::Yield(()) => Poll::Pending,
        CoroutineResult::Return(output) => Poll::Ready(output),
    })
    .await;
    SPARE.set(Some(coroutine.into_stack()));
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn work_waits_on_its_stack() {
        for number in 0..3 {
            let worked = run(move |suspended| {
                let answer = suspended.wait(async move {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    number
                });
                answer + suspended.wait(async { 1 })
            });
            assert_eq!(worked.await.unwrap(), number + 1);
        }
    }
}
