//! The threads that serve connections.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// Threads with one runtime each. A connection stays on its thread, so that the memory of its requests, above all of instances, stays in
/// the caches of one core. Dropping the workers drops all tasks on them.
pub struct Workers(Vec<Worker>);

struct Worker {
    runtime: Handle,
    /// Has one reference per task, plus one.
    load: Arc<()>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Workers {
    /// Starts `count` threads.
    pub fn start(count: usize) -> io::Result<Self> {
        (0..count.max(1))
            .map(Worker::start)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Runs `task` on the thread with the fewest tasks.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let least = self
            .0
            .iter()
            .min_by_key(|worker| Arc::strong_count(&worker.load));
        if let Some(worker) = least {
            let load = Arc::clone(&worker.load);
            worker.runtime.spawn(async move {
                task.await;
                drop(load);
            });
        }
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || {
                // A message and a dropped sender both mean the end.
                let _ = runtime.block_on(ended);
                runtime.shutdown_background();
            })?;
        Ok(Self {
            runtime: handle,
            load: Arc::new(()),
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.0 {
            worker.end = None;
        }
        for thread in self.0.iter_mut().filter_map(|worker| worker.thread.take()) {
            // A thread that panicked has ended as well.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, future::pending, sync::mpsc, time::Duration};

    #[test]
    fn tasks_spread_over_the_threads_and_end_with_them() {
        let workers = Workers::start(2).unwrap();
        let (sender, receiver) = mpsc::channel();
        for _ in 0..4 {
            let sender = sender.clone();
            workers.spawn(async move {
                sender.send(thread::current().id()).unwrap();
                pending::<()>().await;
                drop(sender);
            });
        }
        let ids: Vec<_> = (0..4).map(|_| receiver.recv().unwrap()).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 2);
        drop((workers, sender));
        // Every task was dropped with everything that it owned.
        assert_eq!(
            receiver.recv_timeout(Duration::from_secs(30)),
            Err(mpsc::RecvTimeoutError::Disconnected)
        );
    }
}
