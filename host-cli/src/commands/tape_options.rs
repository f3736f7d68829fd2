//! The options of `replay` for tapes, resolved, and the guests that they need.

use crate::{
    args::replay::{ModeName, OnMissName, TapeArgs},
    exit::CommandError,
    guest::{self, GuestSource, HostedGuest},
    release::keys,
    replay::{ignore_rules, runner::TapeOptions},
    store::StoreSpec,
};
use replay::{Mode, OnMiss, ReplayGuest, ReplayOptions, Replayer};
use runtime::Runtime;
use std::{path::Path, sync::Arc};
use storage::Storage;
use tape::{Identity, KeyError};

/// Largest size of a key file.
const IDENTITY_BYTES_MAX: u64 = 16 << 10;

/// The validated options.
pub struct TapeConfiguration {
    options: ReplayOptions,
    is_live: bool,
    baseline: Option<GuestSource>,
    only: Option<String>,
    trace: bool,
    identity: Option<Identity>,
}

impl TapeConfiguration {
    /// Whether the steps of the requests are shown.
    pub fn is_traced(&self) -> bool {
        self.trace
    }

    /// The prefix of the ids of requests to replay.
    pub fn only(&self) -> Option<&str> {
        self.only.as_deref()
    }

    /// Whether replaying the tapes uses the store given by `--store`.
    pub fn uses_store(&self) -> bool {
        self.is_live || self.options.on_miss == OnMiss::Live
    }
}

/// Checks the options.
pub fn resolve(arguments: &TapeArgs) -> Result<TapeConfiguration, CommandError> {
    let ignore = ignore_rules::parse(&arguments.ignore)?;
    if !(arguments.cost_max.is_finite() && arguments.cost_max >= 1.0) {
        let message = format!(
            "`--cost-max {}` is not a number of at least 1",
            arguments.cost_max
        );
        return Err(CommandError::usage(message));
    }
    if arguments.only.as_deref() == Some("") {
        return Err(CommandError::usage("`--only` is empty"));
    }
    let mode = match arguments.mode {
        Some(ModeName::Strict) => Some(Mode::Strict),
        Some(ModeName::State) => Some(Mode::State),
        // Ignoring differences contradicts a comparison of every byte.
        None if !ignore.is_empty() => Some(Mode::State),
        Some(ModeName::Live) | None => None,
    };
    if mode == Some(Mode::Strict) && !ignore.is_empty() {
        return Err(CommandError::usage(
            "`--ignore` has no effect with `--mode strict`, which compares every byte",
        )
        .hint("use `--mode state`"));
    }
    Ok(TapeConfiguration {
        options: ReplayOptions {
            mode,
            on_miss: match arguments.on_miss {
                Some(OnMissName::Fail) | None => OnMiss::Fail,
                Some(OnMissName::Absent) => OnMiss::Absent,
                Some(OnMissName::Live) => OnMiss::Live,
            },
            ignore,
            detect_noise: arguments.detect_noise,
            cost_ratio_max: arguments.cost_max,
            expects_baseline: false,
        },
        is_live: arguments.mode == Some(ModeName::Live),
        baseline: arguments.baseline.as_deref().map(GuestSource::named),
        only: arguments.only.clone(),
        trace: arguments.trace,
        identity: arguments.identity.as_deref().map(identity).transpose()?,
    })
}

/// Refuses `--on-miss` in modes where no read can miss.
pub fn check_on_miss(
    arguments: &TapeArgs,
    has_tapes: bool,
    store: &StoreSpec,
    has_grants: bool,
) -> Result<(), CommandError> {
    let without_effect = |why: &str| {
        Err(CommandError::usage(format_args!(
            "`--on-miss` has no effect {why}"
        )))
    };
    match (arguments.on_miss, arguments.mode) {
        (None, _) => Ok(()),
        (Some(_), _) if !has_tapes => without_effect("without a tape"),
        (Some(_), Some(ModeName::Strict)) => {
            without_effect("with `--mode strict`, where every read must be a recorded one")
        }
        (Some(_), Some(ModeName::Live)) => {
            without_effect("with `--mode live`, where every read goes to the store")
        }
        (Some(OnMissName::Live), _) if *store == StoreSpec::Memory && !has_grants => {
            Err(CommandError::usage(
                "`--on-miss live` reads the store given by `--store` and calls services that are granted: the memory store is empty, and nothing is granted",
            )
            .hint("name the store with `--store`, or use `--on-miss absent`"))
        }
        (Some(_), Some(ModeName::State) | None) => Ok(()),
    }
}

/// Reads an identity file written by `age-keygen`.
pub fn identity(path: &Path) -> Result<Identity, CommandError> {
    keys::private_text(path, "identity", IDENTITY_BYTES_MAX)?
        .parse()
        .map_err(|error: KeyError| {
            CommandError::environment(format_args!("identity `{}`: {error}", path.display()))
        })
}

/// What the replay of tapes has beside its options.
pub struct Preparation<'a> {
    /// The guest, as named.
    pub hosted: &'a HostedGuest,
    /// The same, linked.
    pub guest: &'a Runtime,
    /// Whether there are tapes.
    pub has_tapes: bool,
    /// Instances that may live at the same time.
    pub instances_max: usize,
    /// What `--store` names.
    pub storage: &'a Arc<dyn Storage>,
    /// Whether a page is written that shows all requests.
    pub details: bool,
}

impl TapeConfiguration {
    /// Links the guests that tapes need besides the guest itself. `None` if there are no tapes.
    pub fn prepare(&self, preparation: &Preparation<'_>) -> Result<TapeOptions, CommandError> {
        let replayer = if preparation.has_tapes && !self.is_live {
            Some(self.replayer(preparation)?)
        } else {
            None
        };
        Ok(TapeOptions {
            replayer,
            only: self.only.clone(),
            trace: self.trace,
            identity: self.identity.clone(),
            ignore: self.options.ignore.clone(),
            details: preparation.details,
        })
    }

    fn replayer(&self, preparation: &Preparation<'_>) -> Result<Replayer, CommandError> {
        let Preparation {
            hosted,
            guest,
            instances_max,
            storage,
            ..
        } = *preparation;
        let source = &hosted.source;
        let access = self.uses_store().then(|| hosted.access(guest::say_plainly));
        let mut replayer = Replayer {
            guest: ReplayGuest::new(guest.clone()),
            metered: None,
            baseline: None,
            live: self.uses_store().then(|| storage.clone()),
            live_services: access
                .as_ref()
                .filter(|_| !hosted.grants.is_empty())
                .map(|access| access.outgoing.clone()),
            live_secrets: access
                .filter(|_| !hosted.secrets.is_empty())
                .map(|access| access.secrets),
            options: self.options.clone(),
        };
        let is_strict = self.options.mode == Some(Mode::Strict);
        // The embedded guest is the default baseline for other guests, but not for itself.
        let baseline = match (&self.baseline, source) {
            (Some(baseline), _) => Some(baseline.clone()),
            (None, GuestSource::File(_) | GuestSource::Found(_)) => Some(GuestSource::Embedded),
            (None, GuestSource::Embedded) => None,
        };
        let Some(baseline) = baseline.filter(|_| !is_strict) else {
            return Ok(replayer);
        };
        // Work is comparable only if both guests are metered, and an image is compiled for the engine without metering.
        let is_metered = source.is_component()? && baseline.is_component()?;
        let engine = if is_metered {
            guest::metered_engine(instances_max)?
        } else {
            guest::engine(instances_max)?
        };
        let link = |source: &GuestSource| -> Result<ReplayGuest, CommandError> {
            let runtime = source.link_on(&engine, hosted.options_for_replays())?;
            Ok(ReplayGuest::new(runtime))
        };
        let baseline = link(&baseline)?;
        if baseline.digest() != guest.digest() {
            if is_metered {
                replayer.metered = Some(link(source)?);
            }
            replayer.baseline = Some(baseline);
        }
        Ok(replayer)
    }
}
