//! Stores with published guests, and a host that follows a channel there.

use crate::support::{
    fresh_folder,
    guests::HOSTILE,
    in_process::{NOW_MS, engine},
};
use contract::{digest::Digest, http::Scheme, outcome::Answer, seed::Seed};
use gateway::{
    EventKind, Origin,
    compose::{Incoming, compose},
};
use outgoing::{Grants, Services};
use publish::publish;
use release::{
    ArtifactStore, Channel, ChannelStore, FolderArtifacts, FolderChannels, Promotion, PublicKeys,
    RouteLimits, SecretKey, Signing, promote, record_generation, rollback,
};
use rollout::{
    ChannelReport, FollowError, Follower, Following, HostContext, NamespaceStores, StartError,
};
use runtime::RuntimeOptions;
use secrets::NoSecrets;
use service::{Invocation, Service};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};
use storage::{CursorKey, MemoryStorage, Namespace, Storage};

/// The channel of all tests.
pub const CHANNEL: &str = "items";
/// How often followers read the channel, in simulated time.
pub const INTERVAL_MS: u64 = 15_000;

/// The guest that answers `/version` with a number.
pub fn version(number: u8) -> Vec<u8> {
    let zeros = b"version 0000000000000000 of";
    let mut component = HOSTILE.to_vec();
    let at = component
        .windows(zeros.len())
        .position(|window| window == zeros)
        .expect("the guest has its version as one text");
    component[at + b"version ".len()] = b'0' + number;
    component
}

/// That guest's response.
pub fn version_text(number: u8) -> String {
    format!("this is version {number}000000000000000 of a guest that tests release")
}

pub fn digest(number: u8) -> Digest {
    Digest::of(&version(number))
}

/// The publisher's key.
pub fn key() -> SecretKey {
    SecretKey::new(&[1; 32])
}

/// Versions 1 to 5, published once for all tests.
fn published() -> &'static Path {
    static PUBLISHED: OnceLock<PathBuf> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let folder = fresh_folder("release-published");
        let store = FolderArtifacts::new(&folder);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        // Tests call this inside their own runtime.
        std::thread::spawn(move || {
            runtime.block_on(async {
                for number in 1..=5 {
                    publish(engine(), &version(number), &store, &key())
                        .await
                        .unwrap();
                }
            });
        })
        .join()
        .unwrap();
        folder
    })
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A folder with artifacts and a channel, for one test.
pub struct Site {
    pub folder: PathBuf,
    pub channels: FolderChannels,
    pub storage: Arc<dyn Storage>,
    /// The keys that hosts trust.
    pub keys: PublicKeys,
    /// What hosts are configured to follow.
    pub generation_min: u64,
    /// What hosts provide to their guests.
    pub environment: Vec<(String, String)>,
}

impl Site {
    pub fn new(test: &str) -> Self {
        let folder = fresh_folder(&format!("release-{test}"));
        copy_all(published(), &folder);
        Self {
            channels: FolderChannels::new(&folder),
            storage: Arc::new(MemoryStorage::new()),
            keys: PublicKeys::of(&key()),
            generation_min: 0,
            environment: Vec::new(),
            folder,
        }
    }

    pub async fn current(&self) -> Option<Channel> {
        let name = CHANNEL.parse().unwrap();
        let text = self.channels.read(&name).await.unwrap()?;
        Some(Channel::open(&text, &PublicKeys::of(&key()), &name).unwrap())
    }

    /// Signs, writes and records the next generation.
    pub async fn flip(&self, next: &Channel) {
        let document = next.sign(&key()).unwrap();
        let name = CHANNEL.parse().unwrap();
        let expected = self.current().await.map_or(0, |current| current.generation);
        self.channels
            .flip(&name, expected, next.generation, &document)
            .await
            .unwrap();
        let artifacts = FolderArtifacts::new(&self.folder);
        record_generation(&artifacts, &key(), &name, next.generation)
            .await
            .unwrap();
    }

    pub async fn promote(&self, number: u8, percent: u32) -> Channel {
        self.promote_with(promotion(number, percent)).await
    }

    pub async fn promote_with(&self, promotion: Promotion) -> Channel {
        let current = self.current().await;
        let next = promote(
            &CHANNEL.parse().unwrap(),
            current.as_ref(),
            &promotion,
            &signing(),
        );
        let next = next.unwrap();
        self.flip(&next).await;
        next
    }

    pub async fn rollback(&self) {
        let current = self.current().await.unwrap();
        self.flip(&rollback(&current, "/", &signing()).unwrap())
            .await;
    }

    /// Writes a text in place of the channel's document, ignoring all conditions.
    pub fn plant(&self, document: &str) {
        fs::write(self.document_path(), document).unwrap();
    }

    /// Paths of all files, in order.
    pub fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => walk(&path, found),
                    false => found.push(path),
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.folder, &mut found);
        found.sort();
        found
    }

    pub fn document_path(&self) -> PathBuf {
        self.folder.join(format!("channels/{CHANNEL}.json"))
    }

    /// The record that a generation was signed.
    pub fn record_path(&self, generation: u64) -> PathBuf {
        let channel = Digest::of(CHANNEL.as_bytes());
        let name = release::ArtifactName::Generation(channel, generation);
        self.folder.join(name.to_string())
    }

    pub fn manifest_path(&self, number: u8) -> PathBuf {
        self.folder
            .join(format!("manifests/{}.json", digest(number)))
    }

    /// The image for this machine's processor.
    pub fn image_path(&self, number: u8) -> PathBuf {
        let target = contract::compatibility::Target::HOST.unwrap();
        let name = release::ArtifactName::Image(digest(number), target);
        self.folder.join(name.to_string())
    }

    /// A host without a guest of its own.
    pub async fn follow(&self) -> Host {
        self.try_follow(None).await.unwrap()
    }

    /// A host with a guest of its own, or without.
    pub async fn try_follow(&self, bundled: Option<&[u8]>) -> Result<Host, StartError> {
        let artifacts = Arc::new(FolderArtifacts::new(&self.folder));
        self.follow_from(artifacts, bundled).await
    }

    pub async fn follow_from(
        &self,
        artifacts: Arc<dyn ArtifactStore>,
        bundled: Option<&[u8]>,
    ) -> Result<Host, StartError> {
        let channels = Arc::new(self.channels.clone());
        self.follow_with(channels, artifacts, bundled).await
    }

    pub async fn follow_with(
        &self,
        channels: Arc<dyn ChannelStore>,
        artifacts: Arc<dyn ArtifactStore>,
        bundled: Option<&[u8]>,
    ) -> Result<Host, StartError> {
        let following = Following {
            channel: CHANNEL.parse().unwrap(),
            keys: self.keys.clone(),
            channels,
            artifacts,
            interval: Duration::from_millis(INTERVAL_MS),
            generation_min: self.generation_min,
            host: HostContext {
                engine: engine().clone(),
                stores: NamespaceStores::of(self.storage.clone(), CursorKey::new([0; 32])),
                namespace: Namespace::local(),
                services: Arc::new(Services::new(None)),
                secrets: Arc::new(NoSecrets),
                options: RuntimeOptions {
                    environment: self.environment.clone().into(),
                    ..RuntimeOptions::default()
                },
            },
            bundled: bundled.map(|bundled| engine().load(bundled).unwrap()),
            seed: Seed::new([3; 32]),
        };
        let follower = Follower::start(following, NOW_MS).await?;
        Ok(Host {
            service: Service::routed(Arc::new(follower.clone())),
            follower,
        })
    }
}

pub fn promotion(number: u8, percent: u32) -> Promotion {
    Promotion {
        digest: digest(number),
        percent,
        path: "/".to_owned(),
        namespace: None,
        environment: BTreeMap::new(),
        outgoing: Grants::default(),
        replaces_outgoing: false,
        limits: RouteLimits::default(),
        select_header: None,
        is_minimum: false,
    }
}

pub fn signing() -> Signing {
    Signing {
        by: "a test".to_owned(),
        now_ms: NOW_MS,
        // The program that some tests run uses the real clock.
        valid_for: Duration::from_secs(3_000_000_000),
        newest_generation: 0,
    }
}

/// A host that follows the channel.
pub struct Host {
    pub follower: Follower,
    pub service: Service,
}

impl Host {
    pub async fn get(&self, target: &str) -> Answer {
        self.get_as("192.0.2.1", &[], target, NOW_MS).await
    }

    /// As a certain client, at a certain time.
    pub async fn get_as(
        &self,
        client_address: &str,
        headers: &[(&str, &str)],
        target: &str,
        now_ms: u64,
    ) -> Answer {
        let mut all = vec![("host", "localhost")];
        all.extend_from_slice(headers);
        let incoming = Incoming {
            method: "GET",
            target,
            headers: &all,
            body: b"",
            client_address,
            scheme: Scheme::Https,
            request_id: "one-of-the-tests",
            received_at_ms: now_ms,
        };
        self.send(&incoming).await
    }

    pub async fn send(&self, incoming: &Incoming<'_>) -> Answer {
        self.send_through(EventKind::HttpApi, incoming).await
    }

    /// As a certain gateway passes it to the host.
    pub async fn send_through(&self, kind: EventKind, incoming: &Incoming<'_>) -> Answer {
        static REQUESTS: AtomicU8 = AtomicU8::new(0);
        let event = compose(Origin::new(kind), incoming).to_json();
        let invocation = Invocation {
            received_at_ms: incoming.received_at_ms,
            seed: Seed::new([REQUESTS.fetch_add(1, Ordering::Relaxed); 32]),
            deadline: Instant::now() + Duration::from_secs(20),
            trace_header: None,
        };
        self.service.invoke(&event, invocation).await.unwrap()
    }

    /// Which version answers.
    #[track_caller]
    pub fn serves(&self, answer: &Answer, number: u8) {
        let response: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(response["body"], version_text(number), "{response}");
        assert_eq!(answer.summary.guest, Some(digest(number)));
    }

    pub async fn expect_version(&self, number: u8) {
        let answer = self.get("/version").await;
        self.serves(&answer, number);
    }

    /// Reads the channel, and returns why nothing changed.
    pub async fn refusal(&self) -> FollowError {
        self.look().await.result.expect_err("it was followed")
    }

    pub async fn look(&self) -> ChannelReport {
        self.follower.look(NOW_MS).await
    }

    /// Reads the channel after the delay for the record of the current generation.
    pub async fn look_later(&self) -> ChannelReport {
        self.follower.look(NOW_MS + INTERVAL_MS).await
    }
}
