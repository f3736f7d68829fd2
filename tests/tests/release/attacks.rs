//! Attacks on releases, by the attacker's abilities. docs/operations.md has a table of them.

mod artifacts;
mod clients;
mod documents;
mod keys;
mod rolled_back;

use super::site::{CHANNEL, Host, Site, promotion, signing};
use release::{Channel, promote};

/// A host that serves version 1 while version 2 is about to be released.
async fn host(test: &str) -> (Site, Host) {
    let site = Site::new(test);
    site.promote(1, 100).await;
    let host = site.follow().await;
    host.expect_version(1).await;
    host.follower.take_reports();
    (site, host)
}

/// The generation that would let version 2 serve.
async fn next(site: &Site) -> Channel {
    let current = site.current().await;
    let name = CHANNEL.parse().unwrap();
    promote(&name, current.as_ref(), &promotion(2, 100), &signing()).unwrap()
}
