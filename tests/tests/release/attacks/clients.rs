//! Clients whose requests make the guest fail: they do not decide which guest others get.

use super::super::site::{Host, Site, digest, promotion};
use crate::support::in_process::NOW_MS;
use release::Promotion;
use rollout::FollowError;

async fn trap(host: &Host, address: &str) {
    let answer = host.get_as(address, &[], "/trap", NOW_MS).await;
    assert_eq!(answer.summary.status, 500);
}

/// As one client can: from one address, and from many of one network.
#[tokio::test]
async fn one_client_does_not_take_a_guest_out() {
    let site = Site::new("one-client");
    site.promote(1, 100).await;
    site.promote(2, 100).await;
    let host = site.follow().await;
    host.follower.take_reports();
    for request in 0..200 {
        trap(&host, "192.0.2.1").await;
        trap(&host, &format!("2001:db8:7:{request:x}::{request:x}")).await;
    }
    host.expect_version(2).await;
    assert!(host.follower.take_reports().is_empty());
}

/// Six clients of one hundred.
#[tokio::test]
async fn a_few_among_many_clients_do_not_take_a_guest_out() {
    let site = Site::new("few-clients");
    site.promote(1, 100).await;
    site.promote(2, 100).await;
    let host = site.follow().await;
    // Of a handful of clients, five would be many.
    for client in 0..20 {
        let address = format!("198.51.100.{client}");
        host.get_as(&address, &[], "/version", NOW_MS).await;
    }
    for round in 0..20 {
        for client in 0..6 {
            trap(&host, &format!("192.0.2.{client}")).await;
            let other = format!("198.51.100.{}", (round * 6 + client) % 100);
            let answer = host.get_as(&other, &[], "/version", NOW_MS).await;
            host.serves(&answer, 2);
        }
    }
}

/// A guest that fixes a vulnerability is promoted so that no crash brings the vulnerability back.
#[tokio::test]
async fn no_crash_brings_back_a_guest_that_was_ruled_out() {
    let site = Site::new("ruled-out");
    site.promote(1, 100).await;
    site.promote_with(Promotion {
        is_minimum: true,
        ..promotion(2, 100)
    })
    .await;
    let host = site.follow().await;
    host.follower.take_reports();
    for client in 0..50 {
        trap(&host, &format!("192.0.2.{client}")).await;
    }
    host.expect_version(2).await;
    assert!(host.follower.take_reports().is_empty());
    // The next guest falls back to the fixed one, and no further.
    site.promote(3, 100).await;
    host.look().await.result.unwrap();
    for client in 0..50 {
        trap(&host, &format!("192.0.2.{client}")).await;
    }
    host.expect_version(2).await;
    let tripped =
        |error: &FollowError| matches!(error, FollowError::Tripped(guest) if *guest == digest(3));
    let reports = host.follower.take_reports();
    assert!(
        reports
            .iter()
            .any(|report| report.result.as_ref().is_err_and(tripped))
    );
}
