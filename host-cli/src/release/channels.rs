//! Channels as commands use them: read, verified, and written on condition that they have not changed.

use super::{keys, seen::Seen, stores::Stores};
use crate::{
    args::release::SigningOptions, exit::CommandError, nearest::nearest, output, project::Project,
    time,
};
use contract::digest::Digest;
use release::{
    Channel, ChannelName, FlipError, InvalidRecord, NewestRecord, PublicKey, PublicKeys,
    RecordState, SecretKey, Signing, newest_record, record_generation, record_state,
};
use std::time::Duration;
use tokio::time::sleep;

/// Smallest number of first digits that identify a digest.
const DIGEST_DIGITS_MIN: usize = 6;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Parses the name of a channel.
pub fn name(text: &str) -> Result<ChannelName, CommandError> {
    text.parse().map_err(|error| {
        let failure = CommandError::usage(format_args!("`{text}`: {error}"));
        match text.contains(['/', ':']) {
            true => {
                failure.hint("only the name is given here; `--artifacts` says where the channel is")
            }
            false => failure,
        }
    })
}

/// Parses the path of a route.
pub fn path(text: &str) -> Result<String, CommandError> {
    let right = format!("/{}", text.trim_matches('/'));
    match text == right {
        true => Ok(right),
        false => Err(CommandError::usage(format_args!(
            "`--path {text}` is not the path of a route, which begins with `/` and does not end with one"
        ))
        .hint(format_args!("write `--path {right}`"))),
    }
}

/// The channel that was typed, otherwise the project's.
pub fn named(typed: Option<&str>, project: Option<&Project>) -> Result<ChannelName, CommandError> {
    let channel = typed.or_else(|| project.and_then(Project::channel));
    name(channel.ok_or_else(|| {
        CommandError::usage("the channel is missing")
            .hint("write its name, or `channel` in section `[release]` of tenon.toml")
    })?)
}

/// The secret key, and the keys that may have signed the current document.
pub struct Signer {
    pub key: SecretKey,
    pub keys: PublicKeys,
    by: String,
    valid_for: Duration,
    recovers: bool,
}

/// What the next generation is based on.
pub struct Present {
    /// The current document, if there is one.
    pub document: Option<Channel>,
    /// The newest generation that is known to have been signed.
    newest: u64,
    /// Objects that replaced the records after it.
    invalid: Option<InvalidRecord>,
    seen: Seen,
}

impl Signer {
    /// Reads the key file.
    pub fn resolve(
        options: &SigningOptions,
        project: Option<&Project>,
    ) -> Result<Self, CommandError> {
        let key = keys::signing(options.key.as_deref(), project)?;
        Ok(Self {
            keys: keys::with(&key, options.public_key.as_deref())?,
            key,
            by: options.by.clone().unwrap_or_else(whoever),
            valid_for: DAY * options.valid_days,
            recovers: options.recover,
        })
    }

    /// The parameters of a signature made now, for the generation after the newest one.
    pub fn signing(&self, present: &Present) -> Signing {
        Signing {
            by: self.by.clone(),
            now_ms: time::now_ms(),
            valid_for: self.valid_for,
            newest_generation: present.last_taken(),
        }
    }

    /// Reads the current document to base the next generation on it. It is refused if a newer generation was ever signed, because a new
    /// signature would make hosts accept what they refuse today.
    pub async fn present(
        &self,
        stores: &Stores,
        channel: &ChannelName,
    ) -> Result<Present, CommandError> {
        let mut present = self.look(stores, channel).await?;
        if present.newest > present.generation() {
            // Somebody may have promoted between the reads, but whatever is recorded or seen was written to the channel before.
            present = self.look(stores, channel).await?;
        }
        let (newest, there) = (present.newest, present.generation());
        if newest > there && !self.recovers {
            let what = match &present.document {
                Some(_) => format!(
                    "its document has generation {there}, but generation {newest} was signed after it"
                ),
                None => format!("it has no document, but generation {newest} was signed before"),
            };
            return Err(CommandError::environment(format_args!(
                "channel `{channel}` in `{}` was put back: {what}",
                stores.channels.describe()
            ))
            .hint("find out who did it; then add `--recover` to sign a newer generation based on the current document"));
        }
        if let Some(invalid) = &present.invalid
            && !self.recovers
        {
            return Err(CommandError::environment(format_args!(
                "channel `{channel}` in `{}` may have been put back: {}",
                stores.channels.describe(),
                hidden(there, invalid)
            ))
            .hint(format_args!("find out who did it; {RESTORE}, or add `--recover` to sign a generation that is newer than all of these")));
        }
        remark_if_unrecorded(stores, channel, &self.keys, there).await?;
        present.seen.note(newest)?;
        Ok(present)
    }

    async fn look(&self, stores: &Stores, channel: &ChannelName) -> Result<Present, CommandError> {
        let document = read(stores, channel, &self.keys).await?;
        let there = document.as_ref().map_or(0, |document| document.generation);
        let seen = Seen::open(stores, channel, &self.key.public())?;
        let NewestRecord {
            generation,
            invalid,
        } = newest_record(&*stores.artifacts, &self.keys, channel, there)
            .await
            .map_err(CommandError::environment)?;
        Ok(Present {
            document,
            newest: generation.max(seen.generation()),
            invalid,
            seen,
        })
    }
}

/// How long after its document a record is written, with a margin.
const RECORD_DELAY: Duration = Duration::from_secs(1);

/// Warns if records are missing, because it would then go unnoticed if somebody put an old document back.
async fn remark_if_unrecorded(
    stores: &Stores,
    channel: &ChannelName,
    keys: &PublicKeys,
    generation: u64,
) -> Result<(), CommandError> {
    if generation == 0 {
        return Ok(());
    }
    let look = || record_state(&*stores.artifacts, keys, channel, generation);
    let mut state = look().await.map_err(CommandError::environment)?;
    if !matches!(state, RecordState::Recorded) {
        // Another promotion may be in progress: a record is written right after its document.
        sleep(RECORD_DELAY).await;
        state = look().await.map_err(CommandError::environment)?;
    }
    if let RecordState::Missing(reason) | RecordState::Invalid(reason) = state {
        output::remark(&format!(
            "warning: generation {generation} of channel {channel} has no record beside the artifacts ({reason}), so a later generation may have been signed\n"
        ));
    }
    Ok(())
}

/// What to do about a record that was replaced.
const RESTORE: &str =
    "restore the earlier version of the record, or remove the object if it never was one";

/// Why it is unknown whether `generation` is the newest one.
fn hidden(generation: u64, invalid: &InvalidRecord) -> String {
    let document = match generation {
        0 => "it has no document".to_owned(),
        generation => format!("its document has generation {generation}"),
    };
    format!(
        "{document}, and the record of generation {} was replaced by something else: {}",
        invalid.generation, invalid.reason
    )
}

/// Why the records beside the artifacts show that the channel's document is not, or may not be, the one that was signed last.
pub async fn put_back(
    stores: &Stores,
    channel: &ChannelName,
    keys: &PublicKeys,
    generation: u64,
) -> Result<Option<String>, CommandError> {
    let NewestRecord {
        generation: newest,
        invalid,
    } = newest_record(&*stores.artifacts, keys, channel, generation)
        .await
        .map_err(CommandError::environment)?;
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
        "channel {channel} was put back: its document has generation {generation}, but generation {newest} was signed after it; hosts do not start on it: find out who did it, then {}",
        stores.typed.promote(channel, " --recover")
    )))
}

impl Present {
    fn generation(&self) -> u64 {
        self.document
            .as_ref()
            .map_or(0, |document| document.generation)
    }

    /// The last generation for which an object exists in the record's place. Records are never replaced, so the next generation must come
    /// after it.
    fn last_taken(&self) -> u64 {
        let invalid = self.invalid.as_ref();
        invalid.map_or(self.newest, |invalid| invalid.last.max(self.newest))
    }
}

/// The current document, if there is one. An untrusted document is an error: signing a generation based on it would make it trusted.
pub async fn read(
    stores: &Stores,
    channel: &ChannelName,
    keys: &PublicKeys,
) -> Result<Option<Channel>, CommandError> {
    let text = stores
        .channels
        .read(channel)
        .await
        .map_err(CommandError::environment)?;
    text.map(|text| Channel::open(&text, keys, channel))
        .transpose()
        .map_err(|error| not_believed(channel, &error))
}

/// The failure to accept a document.
pub fn not_believed(channel: &ChannelName, error: &impl std::fmt::Display) -> CommandError {
    CommandError::environment(format_args!("channel `{channel}`: its document {error}"))
        .hint("if you trust the key that signed it, name it with `--public-key`")
}

/// The failure if the channel does not exist.
pub async fn missing(channel: &ChannelName, stores: &Stores) -> CommandError {
    let place = stores.channels.describe();
    // A store that cannot be read was reported before, or names nothing.
    let names = stores.channels.names().await.unwrap_or_default();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let create = format!("create it with {}", stores.typed.promote(channel, ""));
    let hint = match nearest(&channel.to_string(), &names) {
        Some(name) => format!("did you mean `{name}`? Otherwise {create}"),
        None => create,
    };
    CommandError::environment(format_args!(
        "channel `{channel}` does not exist in `{place}`"
    ))
    .hint(hint)
}

/// Signs `next`, writes it in place of the current document, and records that it was signed.
pub async fn flip(
    stores: &Stores,
    signer: &Signer,
    present: &mut Present,
    next: &Channel,
) -> Result<(), CommandError> {
    let document = next.sign(&signer.key).map_err(|error| {
        CommandError::environment(format_args!("failed to write the document: {error}"))
    })?;
    let (artifacts, channel) = (&*stores.artifacts, &next.channel);
    let state = async |generation| {
        let state = record_state(artifacts, &signer.keys, channel, generation).await;
        state.map_err(CommandError::environment)
    };
    // Records have no gaps: a promotion that was interrupted after it wrote the document has left out the last one. Objects that are not
    // records were reported before.
    if present.newest > 0
        && let RecordState::Missing(_) = state(present.newest).await?
    {
        record_generation(artifacts, &signer.key, channel, present.newest)
            .await
            .map_err(CommandError::environment)?;
    }
    // Checked before the document is written: otherwise the generation would serve without a record.
    if let RecordState::Invalid(reason) = state(next.generation).await? {
        return Err(CommandError::environment(format_args!(
            "generation {} of channel `{channel}` cannot be recorded: {reason}",
            next.generation
        ))
        .hint("find out who wrote it, have it removed, then try again"));
    }
    let expected = present.generation();
    stores
        .channels
        .flip(channel, expected, next.generation, &document)
        .await
        .map_err(|error| match error {
            FlipError::Lost { .. } => CommandError::refused(format_args!(
                "channel `{channel}`: {error}"
            ))
            .hint(format_args!(
                "list what was released with {}, then decide again",
                stores.typed.releases(channel, &signer.key.public())
            )),
            FlipError::Store(error) => CommandError::environment(error),
        })?;
    let recorded = record_generation(artifacts, &signer.key, channel, next.generation).await;
    present.seen.note(next.generation)?;
    recorded.map_err(|error| {
        CommandError::environment(format_args!(
            "generation {} of channel `{channel}` serves, but its record could not be written beside the artifacts: {error}",
            next.generation
        ))
        .hint("until the next promotion writes a record, hosts that start cannot recognise older generations as outdated")
    })
}

/// The typed digest, or the published digest that begins with the typed digits.
pub async fn digest(stores: &Stores, key: &PublicKey, typed: &str) -> Result<Digest, CommandError> {
    if let Ok(digest) = typed.parse() {
        return Ok(digest);
    }
    let place = stores.artifacts.describe();
    let published = stores.artifacts.published().await;
    let published = published.map_err(|error| {
        CommandError::environment(error)
            .hint("give all 64 digits, which does not require listing the published guests")
    })?;
    let matching: Vec<String> = published
        .iter()
        .map(Digest::to_string)
        .filter(|digest| digest.starts_with(typed))
        .collect();
    match matching.as_slice() {
        [] => Err(CommandError::environment(format_args!(
            "no guest in `{place}` begins with `{typed}`"
        ))
        .hint(format_args!(
            "{} lists the published ones",
            stores.typed.published(key)
        ))),
        [one] => one.parse().map_err(CommandError::usage),
        several => Err(CommandError::environment(format_args!(
            "`{typed}` is ambiguous: {} guests in `{place}` begin with it",
            several.len()
        ))
        .hint(format_args!(
            "give more digits; {} lists them",
            stores.typed.published(key)
        ))),
    }
}

/// Checks the typed digest before any store is opened.
pub fn check_digest(typed: &str) -> Result<(), CommandError> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if (DIGEST_DIGITS_MIN..=64).contains(&typed.len()) && typed.bytes().all(is_digit) {
        return Ok(());
    }
    Err(CommandError::usage(format_args!(
        "`{typed}` is neither a digest nor at least its first {DIGEST_DIGITS_MIN} digits"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_route_has_one_form() {
        assert_eq!(path("/").unwrap(), "/");
        assert_eq!(path("/pay/card").unwrap(), "/pay/card");
        for (text, right) in [("/pay/", "/pay"), ("pay", "/pay"), ("", "/"), ("//", "/")] {
            let failure = path(text).unwrap_err();
            let hint = format!("write `--path {right}`");
            assert_eq!(failure.hint_text(), Some(&*hint), "{text}");
        }
    }

    #[test]
    fn an_address_is_no_name_of_a_channel() {
        let failure = name("file://releases").unwrap_err();
        let hint = failure.hint_text().unwrap();
        assert!(hint.contains("`--artifacts`"), "{hint}");
        assert_eq!(name("Items").unwrap_err().hint_text(), None);
    }
}
