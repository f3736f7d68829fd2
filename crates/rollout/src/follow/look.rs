//! One look at a channel: reading its document, preparing what it names, swapping, and reporting.

use super::{Inner, LOOK_DURATION_MAX, Looks};
use crate::{
    prepare::{Preparer, Ready},
    report::{ChannelReport, FollowError, Look, Serves},
    serving::Serving,
};
use contract::digest::Digest;
use rand_chacha::rand_core::Rng;
use release::{Channel, InvalidRecord, RecordState, Successor, record_state, successor};
use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// After failures, the interval is doubled at most this many times.
const BACKOFF_DOUBLINGS_MAX: u32 = 2;
/// How often the document is read again because a later generation turned out to be recorded.
const REREADS_MAX: u32 = 3;
/// How long after a swap the generation's record is checked, because publishers write it after the document.
const RECORD_DELAY_MS: u64 = 5000;
/// Largest number of pending reports; the oldest are dropped.
const REPORTS_MAX: usize = 16;

/// Marks the read as complete, however it ended.
struct Looking(Arc<Inner>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.is_looking.store(false, Ordering::Release);
    }
}

impl Inner {
    /// Starts reading in the background of a request, unless it is in progress.
    pub(super) fn start_look(self: &Arc<Self>, now_ms: u64) {
        if self.is_looking.swap(true, Ordering::Acquire) {
            return;
        }
        let looking = Looking(self.clone());
        tokio::spawn(async move {
            looking.0.look(now_ms, LOOK_DURATION_MAX).await;
        });
    }

    pub(super) async fn look(&self, now_ms: u64, duration_max: Duration) -> ChannelReport {
        let started = Instant::now();
        let mut looks = self.looks.lock().await;
        self.schedule(now_ms, &mut looks);
        let result = match timeout(duration_max, self.follow(now_ms, &mut looks)).await {
            Ok(result) => result,
            Err(_) => Err(FollowError::TimedOut(duration_max)),
        };
        match &result {
            Ok(_) => {
                looks.failures = 0;
                self.looked_at_ms.fetch_max(now_ms, Ordering::Relaxed);
            }
            Err(_) => looks.failures += 1,
        }
        // However it ended: guests that a refused generation named are released like those that served before.
        looks.ready.keep(&self.in_use());
        self.schedule(now_ms, &mut looks);
        let stopped = match &result {
            Err(error) if looks.has_started => self.rule_out_bundled(error),
            Ok(_) | Err(_) => None,
        };
        let report = ChannelReport {
            at_ms: now_ms,
            duration: started.elapsed(),
            result,
            serves: self.serves(),
        };
        if !matches!(report.result, Ok(Look::Unchanged)) {
            self.report(report.clone());
        }
        if let Some(stopped) = stopped {
            self.remark(now_ms, stopped);
        }
        report
    }

    /// The bundled guest serves only while nothing is known of the channel. Otherwise somebody who can delete or replace the document could
    /// choose the guest by making the stores unreachable while hosts start. What to report if it served until now.
    fn rule_out_bundled(&self, error: &FollowError) -> Option<FollowError> {
        if error.is_unreachable() || self.serves() != Serves::Bundled {
            return None;
        }
        self.serving.replace(Serving::Nothing);
        Some(FollowError::BundledStopped(Box::new(error.clone())))
    }

    fn schedule(&self, now_ms: u64, looks: &mut Looks) {
        let doublings = looks.failures.min(BACKOFF_DOUBLINGS_MAX);
        let interval_ms = self.interval_ms.saturating_mul(1 << doublings);
        let jitter_ms = looks.random.next_u64() % (interval_ms / 5).max(1);
        let wait_ms = (interval_ms - interval_ms / 10).saturating_add(jitter_ms);
        self.next_look_at_ms
            .store(now_ms.saturating_add(wait_ms), Ordering::Relaxed);
    }

    /// Makes the channel's guests serve. Some time later, reports once if the generation that serves has no record.
    async fn follow(&self, now_ms: u64, looks: &mut Looks) -> Result<Look, FollowError> {
        let look = self.update(now_ms, &mut looks.ready).await?;
        if let Look::Swapped { to, .. } = &look {
            looks.unchecked = Some((*to, now_ms.saturating_add(RECORD_DELAY_MS)));
        } else if let Some((generation, check_at_ms)) = looks.unchecked
            && now_ms >= check_at_ms
        {
            self.check_record(now_ms, generation).await?;
            looks.unchecked = None;
        }
        Ok(look)
    }

    pub(super) async fn check_record(
        &self,
        now_ms: u64,
        generation: u64,
    ) -> Result<(), FollowError> {
        let Preparer {
            artifacts, keys, ..
        } = &self.preparer;
        let state = record_state(&**artifacts, keys, &self.channel, generation).await?;
        if let RecordState::Missing(reason) | RecordState::Invalid(reason) = state {
            self.remark(now_ms, FollowError::NoRecord { generation, reason });
        }
        Ok(())
    }

    /// Makes the channel's guests serve. If anything fails, the current guests keep serving.
    async fn update(&self, now_ms: u64, ready: &mut Ready) -> Result<Look, FollowError> {
        let mut rereads = 0;
        loop {
            match self.take_document(now_ms, ready).await {
                // A promotion may have happened between the two reads; if not, the document is still the old one.
                Err(FollowError::Superseded { .. }) if rereads < REREADS_MAX => rereads += 1,
                result => return result,
            }
        }
    }

    async fn take_document(&self, now_ms: u64, ready: &mut Ready) -> Result<Look, FollowError> {
        let text = self.channels.read(&self.channel).await?;
        let text = text.ok_or(FollowError::NoChannel)?;
        let document = Digest::of(text.as_bytes());
        if let Serving::Fleet(fleet) = &**self.serving.load()
            && fleet.document == document
        {
            // It keeps serving, but the operator must learn of it.
            fleet.channel.check_time(now_ms)?;
            return Ok(Look::Unchanged);
        }
        let channel = Channel::open(&text, &self.keys, &self.channel)?;
        channel.check_time(now_ms)?;
        let found = channel.generation;
        let from = self.generation();
        if let Serving::Fleet(fleet) = &**self.serving.load() {
            let serving = fleet.channel.generation;
            if found < serving {
                return Err(FollowError::Older { serving, found });
            }
            if found == serving {
                // Compare the signed bytes, not the formatting of the document around them.
                return if channel == fleet.channel {
                    Ok(Look::Unchanged)
                } else {
                    Err(FollowError::Forked(serving))
                };
            }
        }
        if found < self.generation_min {
            let minimum = self.generation_min;
            return Err(FollowError::BelowMinimum { found, minimum });
        }
        self.swap(now_ms, channel, document, ready).await?;
        let serving = self.serving.load();
        let Serving::Fleet(fleet) = &**serving else {
            return Ok(Look::Unchanged);
        };
        Ok(Look::Swapped {
            from,
            to: fleet.channel.generation,
            rollback: fleet.channel.rollback,
            by: fleet.channel.by.clone(),
        })
    }

    async fn swap(
        &self,
        now_ms: u64,
        channel: Channel,
        document: Digest,
        ready: &mut Ready,
    ) -> Result<(), FollowError> {
        let generation = channel.generation;
        let Preparer {
            artifacts, keys, ..
        } = &self.preparer;
        // Check before anything is fetched, because an old document is not used.
        let invalid = match successor(&**artifacts, keys, &self.channel, generation).await? {
            Successor::Missing => None,
            Successor::Recorded(recorded) => {
                let found = generation;
                return Err(FollowError::Superseded { found, recorded });
            }
            Successor::Invalid(invalid) => Some(invalid),
        };
        let prepared = self.preparer.fleet(channel, document, ready).await;
        let (fleet, missing) =
            prepared.map_err(|error| FollowError::Prepare { generation, error })?;
        self.serving.replace(Serving::Fleet(Box::new(fleet)));
        for error in missing {
            self.remark(now_ms, FollowError::NoFallback { generation, error });
        }
        // An invalid record must not stop hosts, because anybody who can write to the store could then stop all of them; but it may hide a
        // later generation.
        if let Some(InvalidRecord { reason, .. }) = invalid {
            self.remark(now_ms, FollowError::InvalidRecord { generation, reason });
        }
        Ok(())
    }

    /// The guests of the generation that serves.
    fn in_use(&self) -> Vec<Digest> {
        match &**self.serving.load() {
            Serving::Fleet(fleet) => fleet.channel.guests().collect(),
            Serving::One(_) | Serving::Nothing => Vec::new(),
        }
    }

    pub(super) fn generation(&self) -> Option<u64> {
        self.serves().generation()
    }

    fn serves(&self) -> Serves {
        match &**self.serving.load() {
            Serving::Fleet(fleet) => Serves::Generation(fleet.channel.generation),
            Serving::One(_) => Serves::Bundled,
            Serving::Nothing => Serves::Nothing,
        }
    }

    /// Reports something that the operator must act on, in addition to the result.
    pub(super) fn remark(&self, at_ms: u64, error: FollowError) {
        self.report(ChannelReport {
            at_ms,
            duration: Duration::ZERO,
            result: Err(error),
            serves: self.serves(),
        });
    }

    fn report(&self, report: ChannelReport) {
        let mut reports = self.reports();
        if reports.len() >= REPORTS_MAX {
            reports.pop_front();
        }
        reports.push_back(report);
        drop(reports);
        self.has_reports.store(true, Ordering::Relaxed);
    }

    pub(super) fn reports(&self) -> std::sync::MutexGuard<'_, VecDeque<ChannelReport>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
