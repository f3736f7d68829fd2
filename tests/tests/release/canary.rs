//! A percentage of the clients gets the new guest, and a guest that keeps failing is taken out of service.

use super::site::{Host, Site, digest, promotion};
use crate::support::in_process::NOW_MS;
use contract::digest::Digest;
use release::Promotion;
use rollout::FollowError;

async fn guest_of(host: &Host, client: u32, now_ms: u64) -> Digest {
    let answer = host.get_as(&address(client), &[], "/version", now_ms).await;
    answer.summary.guest.unwrap()
}

/// Each client is at its own site.
fn address(client: u32) -> String {
    format!("2001:db8:{client:x}::1")
}

#[tokio::test]
async fn a_share_of_the_clients_gets_the_new_guest_and_keeps_it() {
    let site = Site::new("share");
    site.promote(1, 100).await;
    site.promote(2, 20).await;
    let host = site.follow().await;
    let mut first = Vec::new();
    for client in 0..500 {
        first.push(guest_of(&host, client, NOW_MS).await);
    }
    let trying = first.iter().filter(|guest| **guest == digest(2)).count();
    assert!((60..140).contains(&trying), "{trying} of 500");
    for client in (0..500).step_by(7) {
        assert_eq!(
            guest_of(&host, client, NOW_MS).await,
            first[client as usize]
        );
    }
    // A larger percentage adds clients and removes none.
    site.promote(2, 50).await;
    host.look().await.result.unwrap();
    for client in 0..500 {
        if first[client as usize] == digest(2) {
            assert_eq!(guest_of(&host, client, NOW_MS).await, digest(2));
        }
    }
}

#[tokio::test]
async fn a_header_selects_a_guest_only_where_the_channel_lets_it() {
    let site = Site::new("header");
    site.promote(1, 100).await;
    site.promote(2, 100).await;
    let host = site.follow().await;
    let wanted = digest(1).to_string();
    let ask = async |header: &str, value: &str| {
        let answer = host
            .get_as("192.0.2.1", &[(header, value)], "/version", NOW_MS)
            .await;
        answer.summary.guest.unwrap()
    };
    assert_eq!(ask("x-guest", &wanted).await, digest(2));
    site.promote_with(Promotion {
        select_header: Some(Some("x-guest".to_owned())),
        ..promotion(2, 100)
    })
    .await;
    host.look().await.result.unwrap();
    assert_eq!(ask("x-guest", &wanted).await, digest(1));
    assert_eq!(ask("x-guest", &wanted[..12]).await, digest(1));
    assert_eq!(ask("x-other", &wanted).await, digest(2));
    // Too short, unknown, nonsense.
    for value in [&wanted[..11], "", "0123456789ab", &digest(4).to_string()] {
        assert_eq!(ask("x-guest", value).await, digest(2), "{value}");
    }
}

#[tokio::test]
async fn a_guest_that_keeps_trapping_gives_way_to_the_one_before() {
    let site = Site::new("breaker");
    site.promote(1, 100).await;
    site.promote(2, 100).await;
    let host = site.follow().await;
    host.follower.take_reports();
    let mut by_new = 0;
    for client in 0..10 {
        let address = format!("192.0.2.{client}");
        let answer = host.get_as(&address, &[], "/trap", NOW_MS).await;
        assert_eq!(answer.summary.status, 500);
        by_new += u32::from(answer.summary.guest == Some(digest(2)));
    }
    assert_eq!(by_new, 5);
    // Well-behaved requests fall back as well, until the period is over.
    host.expect_version(1).await;
    let reports = host.follower.take_reports();
    assert_eq!(reports.len(), 1);
    assert!(matches!(reports[0].result, Err(FollowError::Tripped(guest)) if guest == digest(2)));
    let later = host
        .get_as("192.0.2.1", &[], "/version", NOW_MS + 120_000)
        .await;
    host.serves(&later, 2);
}

#[tokio::test]
async fn a_new_guest_on_trial_that_keeps_trapping_is_taken_out_for_its_clients() {
    let site = Site::new("trial");
    site.promote(1, 100).await;
    site.promote(2, 99).await;
    let host = site.follow().await;
    let mut clients = Vec::new();
    for client in 0.. {
        if guest_of(&host, client, NOW_MS).await == digest(2) {
            clients.push(client);
        }
        if clients.len() == 5 {
            break;
        }
    }
    let trap = async || {
        for client in &clients {
            host.get_as(&address(*client), &[], "/trap", NOW_MS).await;
        }
    };
    trap().await;
    assert_eq!(guest_of(&host, clients[0], NOW_MS).await, digest(1));
    // The stable guest has no fallback, and keeps serving whatever it does.
    trap().await;
    trap().await;
    assert_eq!(guest_of(&host, clients[0], NOW_MS).await, digest(1));
}
