//! Makes guests interruptible: advances the engine's epoch while a request is in flight.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};
use wasmtime::EngineWeak;

/// How often a running guest checks its deadline.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Ticks without a request after which the thread parks. Waking it costs a system call, which consecutive requests should not have to pay.
const IDLE_TICKS_MAX: u32 = 20;

/// One thread per engine. It counts ticks of its own sleep, never the wall clock, so that a process that was frozen continues where it
/// stopped instead of catching up.
pub(crate) struct Ticker {
    state: Arc<State>,
    thread: thread::Thread,
}

struct State {
    in_flight: AtomicU32,
    asleep: AtomicU32,
}

/// A request in flight; the epoch advances at least until it is dropped.
pub(crate) struct Ticking<'a>(&'a State);

impl Ticker {
    pub(crate) fn new(engine: EngineWeak) -> Self {
        let state = Arc::new(State {
            in_flight: AtomicU32::new(0),
            asleep: AtomicU32::new(0),
        });
        let weak = Arc::downgrade(&state);
        let thread = thread::spawn(move || run(&weak, &engine)).thread().clone();
        Self { state, thread }
    }

    pub(crate) fn start(&self) -> Ticking<'_> {
        self.state.in_flight.fetch_add(1, Ordering::SeqCst);
        if self.state.asleep.load(Ordering::SeqCst) == 1 {
            self.thread.unpark();
        }
        Ticking(&self.state)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // The thread finds that the state is gone, and ends.
        self.thread.unpark();
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

fn run(state: &Weak<State>, engine: &EngineWeak) {
    let mut idle_ticks = 0;
    loop {
        thread::sleep(TICK);
        let (Some(state), Some(engine)) = (state.upgrade(), engine.upgrade()) else {
            return;
        };
        if state.in_flight.load(Ordering::SeqCst) > 0 {
            engine.increment_epoch();
            idle_ticks = 0;
            continue;
        }
        idle_ticks += 1;
        if idle_ticks > IDLE_TICKS_MAX {
            sleep_until_started(state);
            idle_ticks = 0;
        }
    }
}

/// Parks the thread. It sets and reads the two flags in the opposite order of `start`, so that no request goes unnoticed; a spurious
/// wake-up only costs some idle ticks.
fn sleep_until_started(state: Arc<State>) {
    state.asleep.store(1, Ordering::SeqCst);
    let quiet = state.in_flight.load(Ordering::SeqCst) == 0;
    let weak = Arc::downgrade(&state);
    // Not held while parked, so that the thread notices when the ticker is dropped.
    drop(state);
    if quiet {
        thread::park_timeout(PARK_MAX);
    }
    if let Some(state) = weak.upgrade() {
        state.asleep.store(0, Ordering::SeqCst);
    }
}

/// Wakes up now and then, in case a drop went unnoticed.
const PARK_MAX: Duration = Duration::from_secs(60);
