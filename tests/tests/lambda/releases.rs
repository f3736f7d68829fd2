//! Guests are swapped under the Lambda host: the channel in a DynamoDB engine, artifacts in an S3 that checks signatures.

use super::{
    PATIENCE,
    bootstrap::{Bootstrap, Environment, image, program},
    emulator::Emulator,
    events::get,
    runtime_api::Invocation,
    table::{TABLE, Table},
};
use crate::{
    release::{
        s3_server::{ACCESS_KEY, Mood, REGION, S3Server, SECRET_KEY},
        site::{CHANNEL, digest, key, promotion, signing, version, version_text},
    },
    support::in_process::engine,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use publish::publish;
use release::{Channel, ChannelStore, PublicKeys, promote, rollback};
use release_aws::{S3Artifacts, S3Location, TableChannels};
use serde_json::Value;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use storage_dynamodb::DynamoDbOptions;
use tokio::runtime::Runtime;

/// Swaps of the test.
const SWAPS: u32 = 50;

/// A table and an S3 with versions 1 and 2.
struct Cloud {
    runtime: Runtime,
    table: Table,
    s3: S3Server,
    channels: TableChannels,
}

impl Cloud {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (table, s3) = (Table::start(), S3Server::start());
        let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "tests");
        let credentials = SharedCredentialsProvider::new(credentials);
        let options = DynamoDbOptions {
            table: TABLE.to_owned(),
            region: REGION.to_owned(),
            endpoint: Some(table.endpoint()),
            credentials: credentials.clone(),
        };
        let location = S3Location::new(
            "s3://releases/guests",
            REGION,
            Some(&s3.endpoint),
            credentials,
        );
        let artifacts = S3Artifacts::new(location.unwrap());
        for number in [1, 2] {
            let publishing =
                async { publish(engine(), &version(number), &artifacts, &key()).await };
            runtime.block_on(publishing).unwrap();
        }
        Self {
            runtime,
            table,
            s3,
            channels: TableChannels::new(&options),
        }
    }

    /// The function's environment.
    fn environment(&self, bundled: &Path) -> Environment {
        Environment::new(bundled, &self.table.endpoint())
            .with("AWS_REGION", REGION)
            .with("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .with("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .with("AWS_ENDPOINT_URL_S3", &self.s3.endpoint)
            .with("TENON_CHANNEL", CHANNEL)
            .with("TENON_ARTIFACTS", "s3://releases/guests")
            .with("TENON_PUBLIC_KEYS", &key().public().to_string())
            .with("TENON_CHANNEL_INTERVAL_MS", "1")
    }

    fn current(&self) -> Option<Channel> {
        let name = CHANNEL.parse().unwrap();
        let text = self.runtime.block_on(self.channels.read(&name)).unwrap()?;
        Some(Channel::open(&text, &PublicKeys::of(&key()), &name).unwrap())
    }

    fn write(&self, next: &Channel, document: &str) {
        let (name, generation) = (&next.channel, next.generation);
        let flip = self
            .channels
            .flip(name, generation - 1, generation, document);
        self.runtime.block_on(flip).unwrap();
    }

    fn promote(&self, number: u8) {
        let name = CHANNEL.parse().unwrap();
        let promotion = promotion(number, 100);
        let next = promote(&name, self.current().as_ref(), &promotion, &signing()).unwrap();
        self.write(&next, &next.sign(&key()).unwrap());
    }

    fn rollback(&self) {
        let next = rollback(&self.current().unwrap(), "/", &signing()).unwrap();
        self.write(&next, &next.sign(&key()).unwrap());
    }
}

/// The version of a response, which must be entirely of one version.
fn version_of(response: &Value) -> u8 {
    assert_eq!(response["statusCode"], 200, "{response}");
    let found = (1..=2).find(|number| response["body"] == version_text(*number));
    found.unwrap_or_else(|| panic!("of no guest: {response}"))
}

#[test]
fn fifty_swaps_under_the_emulator_fail_nothing_and_mix_nothing() {
    let cloud = Cloud::start();
    cloud.promote(1);
    let emulator = Emulator::start(&program(), cloud.environment(Path::new("")));
    let ask = || {
        let started = Instant::now();
        let answer = serde_json::from_slice(&emulator.invoke(&get("/version"))).unwrap();
        (version_of(&answer), started.elapsed())
    };
    assert_eq!(ask().0, 1);
    let (mut latencies, mut at_swaps) = (Vec::new(), Vec::new());
    for swap in 0..SWAPS {
        match swap {
            swap if swap % 2 == 0 => cloud.promote(2),
            _ => cloud.rollback(),
        }
        let expected = if swap % 2 == 0 { 2 } else { 1 };
        let start = Instant::now();
        loop {
            let (version, latency) = ask();
            if version == expected {
                at_swaps.push(latency);
                break;
            }
            latencies.push(latency);
            assert!(start.elapsed() < PATIENCE, "swap {swap} never came");
        }
    }
    let median = |latencies: &mut [Duration]| {
        latencies.sort();
        latencies[latencies.len() / 2]
    };
    let (at_swap, otherwise) = (median(&mut at_swaps), median(&mut latencies));
    assert!(
        at_swap < otherwise * 3,
        "{at_swap:?} at a swap, {otherwise:?} otherwise"
    );
    // The last lines may still be on their way.
    let lines = |count, message: &str| {
        let has_message = |line: &Value| line["message"] == message;
        emulator.lines.wait_for(count, message, has_message)
    };
    let changed = lines(SWAPS as usize + 1, "guests changed");
    assert_eq!(changed.len(), SWAPS as usize + 1);
    assert_eq!(changed[1]["replaces"], 1);
    assert_eq!(changed.last().unwrap()["rollback"], true);
    // Each version was fetched once.
    let summaries = lines(SWAPS as usize + latencies.len() + 1, "request");
    assert!(summaries.len() > SWAPS as usize + latencies.len());
    for summary in &summaries {
        let guest = summary["guest"].as_str().unwrap();
        assert!(
            [1, 2]
                .iter()
                .any(|number| digest(*number).to_string().starts_with(guest))
        );
        assert!(
            summary["ChannelAge"].is_number() && summary["ChannelFailures"] == 0,
            "{summary}"
        );
    }
}

/// The bundled guest serves until the channel can be followed, and a bad generation changes nothing.
#[test]
fn what_cannot_be_followed_is_logged_and_counted_and_the_guest_before_serves() {
    let cloud = Cloud::start();
    let bundled = image("releases-bundled", &version(1));
    cloud.promote(1);
    // More failures than retries: the first read gives up.
    cloud.s3.set_mood(Mood::Busy(12));
    let host = Bootstrap::start(cloud.environment(&bundled));
    let ask = || version_of(&host.api.invoke(Invocation::new(get("/version"))).response());
    assert_eq!(ask(), 1);
    let complaint = &host.lines.with_message("channel not followed")[0];
    let error = complaint["error"].as_str().unwrap_or_default();
    assert!(error.contains("answered 503"), "{error}");
    let wait_for = |error: &str| {
        let start = Instant::now();
        let is_it = |line: &Value| {
            line["error"]
                .as_str()
                .is_some_and(|text| text.contains(error))
        };
        while !host.lines.json().iter().any(is_it) {
            assert_eq!(ask(), 1);
            assert!(
                start.elapsed() < PATIENCE,
                "nothing says `{error}`: {:#?}",
                host.lines.all()
            );
        }
    };
    let start = Instant::now();
    while !host
        .lines
        .json()
        .iter()
        .any(|line| line["message"] == "guests changed")
    {
        assert_eq!(ask(), 1);
        assert!(start.elapsed() < PATIENCE);
    }
    // Signed by another key.
    let name = CHANNEL.parse().unwrap();
    let next = promote(
        &name,
        cloud.current().as_ref(),
        &promotion(2, 100),
        &signing(),
    )
    .unwrap();
    let stranger = release::SecretKey::new(&[9; 32]);
    cloud.write(&next, &next.sign(&stranger).unwrap());
    wait_for("which is not trusted here");
    let summaries = host.lines.with_message("request");
    assert!(
        summaries
            .iter()
            .any(|summary| summary["ChannelFailures"].as_f64() > Some(0.0))
    );

    // A valid generation, but S3 breaks the connection.
    cloud.s3.set_mood(Mood::Truncates);
    let mut next = next;
    next.generation += 1;
    cloud.write(&next, &next.sign(&key()).unwrap());
    wait_for("cannot be prepared");
    cloud.s3.set_mood(Mood::Well);
    let start = Instant::now();
    while ask() != 2 {
        assert!(start.elapsed() < PATIENCE, "{:#?}", host.lines.all());
    }
}

/// Why init stopped.
fn init_error(environment: Environment) -> String {
    let mut host = Bootstrap::start(environment);
    assert_ne!(host.wait(), Some(0));
    let error = host.api.init_error();
    error["errorMessage"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// An attacker who can write to the table must not be able to make the bundled guest serve.
#[test]
fn a_channel_that_is_missing_forged_or_too_old_stops_init_although_a_guest_is_bundled() {
    let cloud = Cloud::start();
    let bundled = image("releases-stopped", &version(1));
    let reason = init_error(cloud.environment(&bundled));
    assert!(reason.contains("the channel does not exist"), "{reason}");
    cloud.promote(1);
    let stranger = release::SecretKey::new(&[9; 32]).public();
    let unknown = cloud
        .environment(&bundled)
        .with("TENON_PUBLIC_KEYS", &stranger.to_string());
    let reason = init_error(unknown);
    assert!(reason.contains("which is not trusted here"), "{reason}");
    let newer = cloud
        .environment(&bundled)
        .with("TENON_CHANNEL_GENERATION_MIN", "2");
    let reason = init_error(newer);
    assert!(reason.contains("accepts none below 2"), "{reason}");
}

#[test]
fn without_any_guest_init_says_what_was_tried() {
    let cloud = Cloud::start();
    let reason = init_error(cloud.environment(Path::new("")));
    for part in [
        "channel `items`",
        "table items",
        "s3://releases/guests/",
        "the channel does not exist",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
}
