//! Subjects timed in turns, so that whatever else the machine does meets all of them.

use crate::report::Samples;
use std::time::Duration;

/// Lets each subject run a batch, for so many rounds. `sample` runs the subject once, under a number that never comes back, and says
/// how long that took, without what it checks.
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
