//! A channel as commands work on it: read, verified, and written under the condition that it has not changed.

use super::{keys, seen::Seen, stores::Stores};
use crate::{args::release::SigningOptions, exit::Failure, output, time};
use contract::digest::Digest;
use release::{
    Channel, ChannelName, FlipError, InvalidRecord, NewestRecord, PublicKey, PublicKeys,
    RecordState, SecretKey, Signing, newest_record, record_generation, record_state,
};
use std::time::Duration;
use tokio::time::sleep;

/// First digits of a digest that are taken for it at least.
const DIGEST_DIGITS_MIN: usize = 6;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The name that was typed.
pub fn name(text: &str) -> Result<ChannelName, Failure> {
    text.parse()
        .map_err(|error| Failure::usage(format_args!("`{text}`: {error}")))
}

/// The secret key, and the keys whose documents are built upon.
pub struct Signer {
    pub key: SecretKey,
    pub keys: PublicKeys,
    by: String,
    valid_for: Duration,
    recovers: bool,
}

/// What the next generation is made from.
pub struct Present {
    /// The present document, if there is one.
    pub document: Option<Channel>,
    /// The newest generation that is known to have been signed.
    newest: u64,
    /// What lies after its record and is none.
    invalid: Option<InvalidRecord>,
    seen: Seen,
}

impl Signer {
    /// Reads the key file.
    pub fn resolve(options: &SigningOptions) -> Result<Self, Failure> {
        let key = keys::secret(&options.key)?;
        Ok(Self {
            keys: keys::with(&key, options.public_key.as_deref())?,
            key,
            by: options.by.clone().unwrap_or_else(whoever),
            valid_for: DAY * options.valid_days,
            recovers: options.recover,
        })
    }

    /// As of now, after what is there.
    pub fn signing(&self, present: &Present) -> Signing {
        Signing {
            by: self.by.clone(),
            now_ms: time::now_ms(),
            valid_for: self.valid_for,
            newest_generation: present.last_taken(),
        }
    }

    /// The present document, to be built upon. An older one than was ever signed is refused: a generation on top of it would make hosts
    /// take what they refuse today.
    pub async fn present(
        &self,
        stores: &Stores,
        channel: &ChannelName,
    ) -> Result<Present, Failure> {
        let mut present = self.look(stores, channel).await?;
        if present.newest > present.generation() {
            // Somebody may have promoted between the reads: what is recorded or seen has been written to the channel before.
            present = self.look(stores, channel).await?;
        }
        let (newest, there) = (present.newest, present.generation());
        if newest > there && !self.recovers {
            let what = match &present.document {
                Some(_) => format!(
                    "its document is of generation {there}, and generation {newest} was signed after it"
                ),
                None => format!("it has no document, and generation {newest} was signed before"),
            };
            return Err(Failure::environment(format_args!(
                "channel `{channel}` in `{}` was put back: {what}",
                stores.channels.describe()
            ))
            .hint("find out who did it; to go on from what is there as a newer generation, add `--recover`"));
        }
        if let Some(invalid) = &present.invalid
            && !self.recovers
        {
            return Err(Failure::environment(format_args!(
                "channel `{channel}` in `{}` may have been put back: {}",
                stores.channels.describe(),
                hidden(there, invalid)
            ))
            .hint(format_args!("find out who did it; {RESTORE}, or, to sign a newer generation than any of these, add `--recover`")));
        }
        remark_if_unrecorded(stores, channel, &self.keys, there).await?;
        present.seen.note(newest)?;
        Ok(present)
    }

    async fn look(&self, stores: &Stores, channel: &ChannelName) -> Result<Present, Failure> {
        let document = read(stores, channel, &self.keys).await?;
        let there = document.as_ref().map_or(0, |document| document.generation);
        let seen = Seen::open(stores, channel, &self.key.public())?;
        let NewestRecord {
            generation,
            invalid,
        } = newest_record(&*stores.artifacts, &self.keys, channel, there)
            .await
            .map_err(Failure::environment)?;
        Ok(Present {
            document,
            newest: generation.max(seen.generation()),
            invalid,
            seen,
        })
    }
}

/// What a record takes after its document, and more.
const RECORD_DELAY: Duration = Duration::from_secs(1);

/// Says where records cannot be relied on: then nobody notices that an old document was put back.
async fn remark_if_unrecorded(
    stores: &Stores,
    channel: &ChannelName,
    keys: &PublicKeys,
    generation: u64,
) -> Result<(), Failure> {
    if generation == 0 {
        return Ok(());
    }
    let look = || record_state(&*stores.artifacts, keys, channel, generation);
    let mut state = look().await.map_err(Failure::environment)?;
    if !matches!(state, RecordState::Recorded) {
        // Somebody may be promoting at this moment: a record is written right after its document.
        sleep(RECORD_DELAY).await;
        state = look().await.map_err(Failure::environment)?;
    }
    if let RecordState::Missing(reason) | RecordState::Invalid(reason) = state {
        output::remark(&format!(
            "warning: generation {generation} of channel {channel} has no record beside the artifacts ({reason}): whether a later one was signed is not known\n"
        ));
    }
    Ok(())
}

/// What to do about a record that was replaced.
const RESTORE: &str = "have the earlier version of the record restored, or what lies there removed if it never was one";

/// Why nobody knows whether `generation` is the newest one.
fn hidden(generation: u64, invalid: &InvalidRecord) -> String {
    let document = match generation {
        0 => "it has no document".to_owned(),
        generation => format!("its document is of generation {generation}"),
    };
    format!(
        "{document}, and what lies in the place of generation {}'s record is none: {}",
        invalid.generation, invalid.reason
    )
}

/// Why what is in the channel is not what was signed last, or may not be, as far as the records beside the artifacts say.
pub async fn put_back(
    stores: &Stores,
    channel: &ChannelName,
    keys: &PublicKeys,
    generation: u64,
) -> Result<Option<String>, Failure> {
    let NewestRecord {
        generation: newest,
        invalid,
    } = newest_record(&*stores.artifacts, keys, channel, generation)
        .await
        .map_err(Failure::environment)?;
    if newest <= generation
        && let Some(invalid) = invalid
    {
        return Ok(Some(format!(
            "channel {channel} may have been put back: {}; find out who did it, then {RESTORE}, or {}",
            hidden(generation, &invalid),
            stores.typed.promote(channel, " --recover")
        )));
    }
    if newest <= generation {
        remark_if_unrecorded(stores, channel, keys, generation).await?;
        return Ok(None);
    }
    Ok(Some(format!(
        "channel {channel} was put back: its document is of generation {generation}, and generation {newest} was signed after it; hosts do not start on it: find out who did it, then {}",
        stores.typed.promote(channel, " --recover")
    )))
}

impl Present {
    fn generation(&self) -> u64 {
        self.document
            .as_ref()
            .map_or(0, |document| document.generation)
    }

    /// The last generation whose record's place is taken: records are never replaced, so that the next one needs a place after it.
    fn last_taken(&self) -> u64 {
        let invalid = self.invalid.as_ref();
        invalid.map_or(self.newest, |invalid| invalid.last.max(self.newest))
    }
}

/// The present document, if there is one. One that is not believed is not built upon: signing what somebody else slipped in would make it
/// good.
pub async fn read(
    stores: &Stores,
    channel: &ChannelName,
    keys: &PublicKeys,
) -> Result<Option<Channel>, Failure> {
    let text = stores
        .channels
        .read(channel)
        .await
        .map_err(Failure::environment)?;
    text.map(|text| Channel::open(&text, keys, channel))
        .transpose()
        .map_err(|error| not_believed(channel, &error))
}

/// The failure to take a document for what it says.
pub fn not_believed(channel: &ChannelName, error: &impl std::fmt::Display) -> Failure {
    Failure::environment(format_args!("channel `{channel}`: its document {error}"))
        .hint("give the key that signed it with `--public-key`, if you trust it")
}

/// The failure where a channel has to be there.
pub fn missing(channel: &ChannelName, stores: &Stores) -> Failure {
    let place = stores.channels.describe();
    Failure::environment(format_args!("there is no channel `{channel}` in `{place}`")).hint(
        format_args!("{} makes it", stores.typed.promote(channel, "")),
    )
}

/// Signs `next`, puts it in the place of the present document, and records that it was signed.
pub async fn flip(
    stores: &Stores,
    signer: &Signer,
    present: &mut Present,
    next: &Channel,
) -> Result<(), Failure> {
    let document = next.sign(&signer.key).map_err(|error| {
        Failure::environment(format_args!("failed to write the document: {error}"))
    })?;
    let (artifacts, channel) = (&*stores.artifacts, &next.channel);
    let state = async |generation| {
        let state = record_state(artifacts, &signer.keys, channel, generation).await;
        state.map_err(Failure::environment)
    };
    // Records have no gaps: whoever was interrupted after a flip has left out the last one. What lies there and is none was reported before.
    if present.newest > 0
        && let RecordState::Missing(_) = state(present.newest).await?
    {
        record_generation(artifacts, &signer.key, channel, present.newest)
            .await
            .map_err(Failure::environment)?;
    }
    // Found before the flip: the generation would serve without a record.
    if let RecordState::Invalid(reason) = state(next.generation).await? {
        return Err(Failure::environment(format_args!(
            "generation {} of channel `{channel}` cannot be recorded: {reason}",
            next.generation
        ))
        .hint("find out who wrote it; have it removed, then try again"));
    }
    let expected = present.generation();
    stores
        .channels
        .flip(channel, expected, next.generation, &document)
        .await
        .map_err(|error| match error {
            FlipError::Lost { .. } => {
                Failure::refused(format_args!("channel `{channel}`: {error}")).hint(format_args!(
                    "look what was released with {}, then decide again",
                    stores.typed.releases(channel, &signer.key.public())
                ))
            }
            FlipError::Store(error) => Failure::environment(error),
        })?;
    let recorded = record_generation(artifacts, &signer.key, channel, next.generation).await;
    present.seen.note(next.generation)?;
    recorded.map_err(|error| {
        Failure::environment(format_args!(
            "generation {} of channel `{channel}` serves, but is not recorded beside the artifacts: {error}",
            next.generation
        ))
        .hint("until the next promotion records it, a host that starts cannot tell that older generations are old")
    })
}

/// The digest that was typed, or the published one that begins so.
pub async fn digest(stores: &Stores, key: &PublicKey, typed: &str) -> Result<Digest, Failure> {
    if let Ok(digest) = typed.parse() {
        return Ok(digest);
    }
    let place = stores.artifacts.describe();
    let published = stores.artifacts.published().await;
    let published = published.map_err(|error| {
        Failure::environment(error)
            .hint("give all 64 digits, which needs no list of what is published")
    })?;
    let matching: Vec<String> = published
        .iter()
        .map(Digest::to_string)
        .filter(|digest| digest.starts_with(typed))
        .collect();
    match matching.as_slice() {
        [] => Err(Failure::environment(format_args!(
            "no guest in `{place}` begins with `{typed}`"
        ))
        .hint(format_args!(
            "{} lists those that are there",
            stores.typed.published(key)
        ))),
        [one] => one.parse().map_err(Failure::usage),
        several => Err(Failure::environment(format_args!(
            "`{typed}` is the beginning of {} guests in `{place}`",
            several.len()
        ))
        .hint(format_args!(
            "give more digits; {} lists them",
            stores.typed.published(key)
        ))),
    }
}

/// Checks what was typed for a digest, before anything is opened.
pub fn check_digest(typed: &str) -> Result<(), Failure> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if (DIGEST_DIGITS_MIN..=64).contains(&typed.len()) && typed.bytes().all(is_digit) {
        return Ok(());
    }
    Err(Failure::usage(format_args!(
        "`{typed}` is neither a digest nor its first {DIGEST_DIGITS_MIN} or more digits"
    ))
    .hint("`host-cli publish` prints it, and `host-cli published --artifacts URL --public-key KEY` lists all"))
}

fn whoever() -> String {
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let user = user.unwrap_or_else(|| "unknown".to_owned());
    match machine.trim() {
        "" => user,
        machine => format!("{user}@{machine}"),
    }
}
