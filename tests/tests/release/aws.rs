//! The same as in a folder, with artifacts in S3 and the channel in a DynamoDB table.

use super::{
    s3_server::{ACCESS_KEY, Mood, REGION, S3Server, SECRET_KEY},
    site::{CHANNEL, Host, Site, digest, key, promotion, signing, version},
};
use crate::support::in_process::engine;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use contract::digest::Digest;
use publish::publish;
use release::{
    ArtifactName, ArtifactStore, Channel, ChannelStore, FlipError, PublicKeys, Put, RecordError,
    StoreError, promote, record_generation, rollback,
};
use release_aws::{S3Artifacts, S3Location, TableChannels};
use rollout::{FollowError, PrepareError};
use std::sync::Arc;
use storage_dynamodb::{DynamoDbOptions, table};
use tokio::net::TcpListener;

fn credentials(secret: &str) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new(ACCESS_KEY, secret, None, None, "tests"))
}

fn artifacts(server: &S3Server, secret: &str) -> S3Artifacts {
    let endpoint = Some(server.endpoint.as_str());
    let location = S3Location::new(
        "s3://releases/team/a",
        REGION,
        endpoint,
        credentials(secret),
    );
    S3Artifacts::new(location.unwrap())
}

async fn channels() -> TableChannels {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let options = DynamoDbOptions {
        table: "tenon".to_owned(),
        region: REGION.to_owned(),
        endpoint: Some(format!("http://{address}")),
        credentials: credentials(SECRET_KEY),
    };
    table::create(&options).await.unwrap();
    TableChannels::new(&options)
}

async fn flip(channels: &TableChannels, number: u8) -> Result<Channel, FlipError> {
    let name = CHANNEL.parse().unwrap();
    let text = channels.read(&name).await?;
    let current = text.map(|text| Channel::open(&text, &PublicKeys::of(&key()), &name).unwrap());
    let next = promote(&name, current.as_ref(), &promotion(number, 100), &signing()).unwrap();
    write(channels, &next).await?;
    Ok(next)
}

async fn write(channels: &TableChannels, next: &Channel) -> Result<(), FlipError> {
    let document = next.sign(&key()).unwrap();
    channels
        .flip(
            &next.channel,
            next.generation - 1,
            next.generation,
            &document,
        )
        .await
}

/// As publishers do after they wrote the document.
async fn record(store: &S3Artifacts, generation: u64) {
    let name = CHANNEL.parse().unwrap();
    record_generation(store, &key(), &name, generation)
        .await
        .unwrap();
}

/// Why reads failed, or what they found that somebody must act on.
fn failures(host: &Host) -> Vec<FollowError> {
    let reports = host.follower.take_reports().into_iter();
    reports.filter_map(|report| report.result.err()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_goes_through_s3_and_a_table() {
    let (server, channels) = (S3Server::start(), Arc::new(channels().await));
    let store = Arc::new(artifacts(&server, SECRET_KEY));
    for number in [1, 2] {
        publish(engine(), &version(number), &*store, &key())
            .await
            .unwrap();
    }
    assert_eq!(server.objects().len(), 8);
    assert!(
        server
            .objects()
            .iter()
            .all(|name| name.starts_with("/releases/team/a/"))
    );
    let again = publish(engine(), &version(1), &*store, &key())
        .await
        .unwrap();
    assert!(
        again
            .artifacts
            .iter()
            .all(|(_, put)| *put == Put::Unchanged)
    );

    flip(&channels, 1).await.unwrap();
    record(&store, 1).await;
    let site = Site::new("aws");
    let host = follow(&site, &channels, &store).await;
    host.expect_version(1).await;
    let second = flip(&channels, 2).await.unwrap();
    record(&store, 2).await;
    host.look().await.result.unwrap();
    host.expect_version(2).await;
    // A publisher with an outdated generation is too late.
    let mut late = second.clone();
    late.by = "somebody late".to_owned();
    let late = write(&channels, &late).await;
    assert_eq!(late, Err(FlipError::Lost { expected: 1 }));
    write(&channels, &rollback(&second, "/", &signing()).unwrap())
        .await
        .unwrap();
    record(&store, 3).await;
    server.take_requests();
    host.look().await.result.unwrap();
    host.expect_version(1).await;
    assert_eq!(
        server.take_requests(),
        1,
        "going back fetches nothing but whether a later generation is recorded"
    );

    // Its own record is checked once, some time later.
    for _ in 0..2 {
        host.look_later().await.result.unwrap();
    }
    assert_eq!(server.take_requests(), 1);
    let failures = failures(&host);
    assert!(failures.is_empty(), "{failures:?}");

    let history = channels
        .history(&CHANNEL.parse().unwrap(), 9)
        .await
        .unwrap();
    let generations: Vec<u64> = history
        .iter()
        .map(|text| {
            let name = CHANNEL.parse().unwrap();
            Channel::open(text, &PublicKeys::of(&key()), &name)
                .unwrap()
                .generation
        })
        .collect();
    assert_eq!(generations, [3, 2, 1]);
}

/// A bucket answers 403 for missing and for forbidden objects: the guest serves, and it is reported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_s3_does_not_give_is_reported() {
    let (server, channels) = (S3Server::start(), Arc::new(channels().await));
    let store = Arc::new(artifacts(&server, SECRET_KEY));
    publish(engine(), &version(1), &*store, &key())
        .await
        .unwrap();
    flip(&channels, 1).await.unwrap();
    let site = Site::new("aws-no-record");
    let host = follow(&site, &channels, &store).await;
    host.look_later().await.result.unwrap();
    host.expect_version(1).await;
    let failures = failures(&host);
    let [
        FollowError::NoRecord {
            generation: 1,
            reason,
        },
    ] = failures.as_slice()
    else {
        panic!("{failures:?}");
    };
    assert!(reason.contains("not allowed"), "{reason}");
}

/// The bucket's policy accepts records by conditional writes only, so an existing object stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_in_s3_replaces_nothing() {
    let server = S3Server::start();
    let store = artifacts(&server, SECRET_KEY);
    let name = ArtifactName::Generation(Digest::of(CHANNEL.as_bytes()), 1);
    store.put(name, b"{}").await.unwrap();
    assert_eq!(store.put_new(name, b"[]").await, Ok(Put::Unchanged));
    let channel = CHANNEL.parse().unwrap();
    let error = record_generation(&store, &key(), &channel, 1).await;
    assert!(matches!(error, Err(RecordError::Taken(_))), "{error:?}");
    assert_eq!(store.get(name).await.unwrap(), b"{}");
    // Writing it twice is allowed.
    for _ in 0..2 {
        record_generation(&store, &key(), &channel, 2)
            .await
            .unwrap();
    }
    assert_eq!(server.take_conditional_writes(), 2);
}

async fn follow(site: &Site, channels: &Arc<TableChannels>, store: &Arc<S3Artifacts>) -> Host {
    site.follow_with(channels.clone(), store.clone(), None)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_flips_of_a_table_one_wins() {
    let channels = Arc::new(channels().await);
    let first = flip(&channels, 1).await.unwrap();
    let name = CHANNEL.parse().unwrap();
    let racers: Vec<_> = (0..8)
        .map(|racer| {
            let mut next = promote(&name, Some(&first), &promotion(2, 100), &signing()).unwrap();
            next.by = format!("racer {racer}");
            let channels = channels.clone();
            tokio::spawn(async move { write(&channels, &next).await })
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => assert_eq!(error, FlipError::Lost { expected: 1 }),
        }
    }
    assert_eq!(won, 1);
}

/// A store that is unreachable, breaks connections, or denies access: version 1 keeps serving.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_s3_that_fails_leaves_the_old_guest_serving() {
    let (server, channels) = (S3Server::start(), Arc::new(channels().await));
    let store = Arc::new(artifacts(&server, SECRET_KEY));
    for number in [1, 2] {
        publish(engine(), &version(number), &*store, &key())
            .await
            .unwrap();
    }
    flip(&channels, 1).await.unwrap();
    let site = Site::new("aws-fails");
    let host = follow(&site, &channels, &store).await;
    flip(&channels, 2).await.unwrap();

    server.set_mood(Mood::Truncates);
    let error = host.refusal().await;
    let FollowError::Prepare {
        error: PrepareError::Store { error, .. },
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    host.expect_version(1).await;

    server.set_mood(Mood::Busy(100));
    assert!(host.refusal().await.to_string().contains("answered 503"));
    host.expect_version(1).await;
    // Two failures in a row are retried.
    server.set_mood(Mood::Busy(2));
    host.look().await.result.unwrap();
    host.expect_version(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_s3_request_with_another_secret_is_not_let_in() {
    let server = S3Server::start();
    let name = ArtifactName::Manifest(digest(1));
    artifacts(&server, SECRET_KEY)
        .put(name, b"{}")
        .await
        .unwrap();
    assert_eq!(
        artifacts(&server, SECRET_KEY).get(name).await.unwrap(),
        b"{}"
    );
    let stranger = artifacts(&server, "another secret");
    let Err(StoreError::Missing(text)) = stranger.get(name).await else {
        panic!("it was let in");
    };
    assert!(
        text.contains("not allowed") && !text.contains("another secret"),
        "{text}"
    );
    assert!(
        stranger
            .put(name, b"{}")
            .await
            .unwrap_err()
            .to_string()
            .contains("not allowed")
    );
    assert_eq!(stranger.exists(name).await, Ok(false));
    // No server listens there.
    let mut nowhere = server.clone();
    nowhere.endpoint = "http://127.0.0.1:9".to_owned();
    let error = artifacts(&nowhere, SECRET_KEY).get(name).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
}
