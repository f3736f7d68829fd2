//! Interleaved measurement, so that other load on the machine affects all subjects.

use crate::report::Samples;
use std::time::Duration;

/// Lets each subject run a batch, for this many rounds. `sample` runs the subject once, under a unique number, and returns the duration
/// without its checks.
pub async fn in_turns<const SUBJECTS: usize>(
    rounds: u64,
    batch: u64,
    mut sample: impl AsyncFnMut(usize, u64) -> anyhow::Result<Duration>,
) -> anyhow::Result<[Samples; SUBJECTS]> {
    let mut durations = [const { Vec::new() }; SUBJECTS];
    let mut number = 0;
    for _ in 0..rounds {
        for (subject, durations) in durations.iter_mut().enumerate() {
            for _ in 0..batch {
                durations.push(sample(subject, number).await?);
                number += 1;
            }
        }
    }
    Ok(durations.map(Samples::new))
}
