//! When the requests of local development begin: not before the first build has ended.

use tokio::sync::watch;

/// Lets requests wait. One for each server, shared by all requests.
#[derive(Default)]
pub struct Turns {
    has_begun: watch::Sender<bool>,
}

impl Turns {
    /// From now on, requests begin.
    pub fn begin(&self) {
        self.has_begun.send_replace(true);
    }

    /// Waits until a request may begin.
    pub async fn wait(&self) {
        let mut has_begun = self.has_begun.subscribe();
        // The sender is there as long as this waits.
        let _ = has_begun.wait_for(|has_begun| *has_begun).await;
    }
}
