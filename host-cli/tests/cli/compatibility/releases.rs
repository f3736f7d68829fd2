//! Signed documents of the first version are verified, and today's program goes on from them. Those of a later version are refused.

use super::kept::{self, Project, ask};
use contract::{compatibility::Target, digest::Digest};
use release::{
    Channel, ChannelError, ChannelName, FolderArtifacts, Manifest, ManifestError, PublicKeys,
    Purpose, RecordState, SecretKey, record_state,
};
use serde_json::{Value, json};
use std::fs;

/// The last generation of both channels.
const GENERATION: u64 = 3;

fn name() -> ChannelName {
    "first".parse().unwrap()
}

/// The key that signed them. It protects nothing.
fn key() -> SecretKey {
    SecretKey::new(&[1; 32])
}

fn keys() -> PublicKeys {
    let text = String::from_utf8(kept::bytes("releases/release.key.pub")).unwrap();
    text.trim().parse().unwrap()
}

/// The payload of a signed document.
fn payload(file: &str) -> Value {
    kept::json(file)["payload"].clone()
}

/// The documents of a channel, newest first.
fn documents(channel: &str) -> Vec<Channel> {
    let mut files = vec![format!("releases/channels/{channel}.json")];
    for past in (1..GENERATION).rev() {
        files.push(format!("releases/channels/{channel}/{past:020}.json"));
    }
    let name: ChannelName = channel.parse().unwrap();
    let open = |file: &String| {
        let text = String::from_utf8(kept::bytes(file)).unwrap();
        Channel::open(&text, &keys(), &name).unwrap()
    };
    files.iter().map(open).collect()
}

#[tokio::test]
async fn every_generation_is_verified_and_its_record_is_found() {
    let artifacts = FolderArtifacts::new(&kept::path("releases"));
    for name in ["first", "routes"] {
        let found = documents(name);
        let generations: Vec<u64> = found.iter().map(|channel| channel.generation).collect();
        assert_eq!(generations, [3, 2, 1]);
        for channel in found {
            assert_eq!(channel.check_time(channel.issued_at_ms), Ok(()));
            for digest in channel.guests() {
                let manifest = kept::bytes(&format!("releases/manifests/{digest}.json"));
                let manifest = str::from_utf8(&manifest).unwrap();
                Manifest::open(manifest, &keys(), digest).unwrap();
            }
            let (name, generation) = (&channel.channel, channel.generation);
            let state = record_state(&artifacts, &keys(), name, generation).await;
            assert_eq!(state.unwrap(), RecordState::Recorded);
        }
    }
}

/// What the members say, so that none is read as something else.
#[test]
fn every_member_means_what_it_meant() {
    let [last, canary, _] = <[Channel; 3]>::try_from(documents("first")).unwrap();
    assert!(last.rollback && !canary.rollback);
    assert_eq!(last.select_header.as_deref(), Some("x-guest"));
    let root = canary.route("/").unwrap();
    assert_eq!(root.environment["GREETING"], "from the channel");
    assert_eq!(root.stable(), Some(Digest::of(&kept::component())));
    let percents: Vec<u32> = root.guests.iter().map(|share| share.percent).collect();
    assert_eq!(percents, [20, 80]);

    let [last, ..] = <[Channel; 3]>::try_from(documents("routes")).unwrap();
    let orders = last.route("/orders").unwrap();
    assert_eq!(orders.namespace.as_ref().unwrap().to_string(), "orders");
    assert_eq!(orders.limits.storage_calls_max, Some(100));
    assert_eq!(orders.limits.request_duration_ms_max, Some(5000));
    assert_eq!(orders.generation_min, Some(3));
    assert_eq!(orders.environment["A"], "b");
    assert_eq!(orders.outgoing.iter().count(), 4);
}

/// Images are not kept: they are made again from the component, whatever the release of wasmtime.
#[test]
fn todays_program_publishes_again_and_promotes_the_next_generation() {
    let project = Project::new();
    let secret = project.write("release.key", key().to_file_text());
    fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let digest = Digest::of(&kept::component()).to_string();
    let published = project.printed(&["publish", "first.wasm"]);
    assert!(published.contains(&digest), "{published}");
    let env = ["--env", "GREETING=from the next generation"];
    project.printed(&[&["promote", &digest, "--by", "a test"], &env[..]].concat());
    let shown = project.json(&["channel", "show"]);
    assert_eq!(shown["generation"], GENERATION + 1);
    assert_eq!(
        shown["select_header"], "x-guest",
        "what was not changed stays"
    );

    let server = project.serve(&["--store", "memory", "--channel", "first"]);
    let answer = ask(&server, "GET", "/request", "");
    assert_eq!(answer["greeting"], "from the next generation");
    let listed = project.json(&["releases", "--format", "json"]);
    assert_eq!(listed.as_array().unwrap().len() as u64, GENERATION + 1);
}

#[test]
fn a_channel_of_a_later_format_is_refused_by_its_number() {
    let mut later = payload("releases/channels/first.json");
    later["format"] = json!(2);
    later["routes"][0]["weight"] = json!(1);
    let text = key().sign(Purpose::Channel, &later).unwrap();
    let error = Channel::open(&text, &keys(), &name()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot be followed: format 2, this host reads 1"
    );
    // The program says so, too, and the folder stays as it was.
    let project = Project::new();
    project.write("releases/channels/first.json", text);
    let parts = ["cannot be followed: format 2, this host reads 1"];
    project.refused(&["channel", "show"], 3, &parts);
}

#[test]
fn a_member_or_a_world_that_is_not_known_is_refused() {
    let open = |change: &dyn Fn(&mut Value)| {
        let mut payload = payload("releases/channels/first.json");
        change(&mut payload);
        let text = key().sign(Purpose::Channel, &payload).unwrap();
        Channel::open(&text, &keys(), &name()).unwrap_err()
    };
    let member = open(&|payload| payload["routes"][0]["weight"] = json!(1));
    assert!(
        member.to_string().contains("unknown field `weight`"),
        "{member}"
    );
    let world = open(&|payload| payload["world"] = json!("tenon:handler/handler@0.2.0"));
    assert!(matches!(world, ChannelError::World(_)), "{world}");
    let expired = kept::bytes("releases/channels/first.json");
    let channel = Channel::open(str::from_utf8(&expired).unwrap(), &keys(), &name()).unwrap();
    assert!(
        channel.check_time(channel.issued_at_ms).is_ok() && channel.check_time(u64::MAX).is_err()
    );
}

#[test]
fn a_manifest_of_a_later_format_or_without_an_image_for_this_host_is_refused() {
    let digest = Digest::of(&kept::component());
    let open = |change: &dyn Fn(&mut Value)| {
        let mut payload = payload(&format!("releases/manifests/{digest}.json"));
        change(&mut payload);
        let text = key().sign(Purpose::Manifest, &payload).unwrap();
        Manifest::open(&text, &keys(), digest)
    };
    let later = open(&|payload| {
        payload["format"] = json!(2);
        payload["engine"] = json!({});
    });
    assert_eq!(
        later.unwrap_err().to_string(),
        "cannot be read: format 2, this host reads 1"
    );
    let other = open(&|payload| {
        for image in payload["images"].as_array_mut().unwrap() {
            image["wasmtime"] = json!("49.0");
        }
    });
    let target = Target::HOST.unwrap();
    let error = other.unwrap().image(target).unwrap_err();
    assert!(matches!(error, ManifestError::NoImage { .. }), "{error}");
    assert!(error.to_string().contains("49.0"), "{error}");
}

/// A host then does not know whether the generation was signed, and says so.
#[tokio::test]
async fn a_record_with_members_that_are_not_known_is_none() {
    let project = Project::new();
    let channel = Digest::of(b"first");
    let file = format!("releases/generations/{channel}/{GENERATION}.json");
    let mut later = payload(&file);
    later["format"] = json!(2);
    later["at"] = json!(1);
    project.write(&file, key().sign(Purpose::Generation, &later).unwrap());
    let artifacts = FolderArtifacts::new(&project.file("releases"));
    let state = record_state(&artifacts, &keys(), &name(), GENERATION).await;
    let RecordState::Invalid(reason) = state.unwrap() else {
        panic!("it was read");
    };
    assert!(reason.contains("is not a record of generation 3 signed by a trusted key"));
}
