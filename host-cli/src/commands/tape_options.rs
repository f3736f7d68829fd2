//! How `replay` replays tapes: its options resolved, and the guests that it takes.

use crate::{
    args::{ModeName, OnMissName, TapeArgs},
    exit::Failure,
    guest::{self, GuestSource},
    input,
    replay::runner::TapeOptions,
};
use host_core::{
    json::{self, Value},
    runtime::{Runtime, RuntimeOptions},
    storage::Storage,
    tape::{
        Identity, InvalidKey,
        replay::{Mode, OnMiss, ReplayGuest, ReplayOptions, Replayer},
    },
};
use std::{path::Path, sync::Arc};

/// Largest file with a guest's environment (AWS: all of a function's variables take 4 KB).
const ENVIRONMENT_BYTES_MAX: u64 = 64 << 10;
/// Largest file with a key.
const IDENTITY_BYTES_MAX: u64 = 16 << 10;

/// The options, checked.
pub struct TapeConfiguration {
    options: ReplayOptions,
    is_live: bool,
    baseline: Option<GuestSource>,
    /// What the guest finds in its environment.
    pub environment: Arc<[(String, String)]>,
    only: Option<String>,
    trace: bool,
    identity: Option<Identity>,
}

impl TapeConfiguration {
    /// The beginning of the ids of those requests that are wanted.
    pub fn only(&self) -> Option<&str> {
        self.only.as_deref()
    }

    /// Whether the store that `--store` names has anything to do with tapes.
    pub fn uses_store(&self) -> bool {
        self.is_live || self.options.on_miss == OnMiss::Live
    }
}

/// Checks the options.
pub fn resolve(arguments: &TapeArgs) -> Result<TapeConfiguration, Failure> {
    let ignore = arguments
        .ignore
        .iter()
        .map(|rule| rule.parse().map_err(Failure::usage))
        .collect::<Result<_, _>>()?;
    if !(arguments.cost_max.is_finite() && arguments.cost_max >= 1.0) {
        let message = format!(
            "`--cost-max {}` is not a ratio of at least 1",
            arguments.cost_max
        );
        return Err(Failure::usage(message));
    }
    if arguments.only.as_deref() == Some("") {
        return Err(Failure::usage("`--only` names no request"));
    }
    Ok(TapeConfiguration {
        options: ReplayOptions {
            mode: arguments.mode.and_then(|mode| match mode {
                ModeName::Strict => Some(Mode::Strict),
                ModeName::State => Some(Mode::State),
                ModeName::Live => None,
            }),
            on_miss: match arguments.on_miss {
                OnMissName::Fail => OnMiss::Fail,
                OnMissName::Absent => OnMiss::Absent,
                OnMissName::Live => OnMiss::Live,
            },
            ignore,
            detect_noise: arguments.detect_noise,
            cost_ratio_max: arguments.cost_max,
        },
        is_live: arguments.mode == Some(ModeName::Live),
        baseline: arguments
            .baseline
            .as_deref()
            .map(|path| GuestSource::resolve(Some(path))),
        environment: environment(arguments.guest_env.as_deref())?,
        only: arguments.only.clone(),
        trace: arguments.trace,
        identity: arguments.identity.as_deref().map(identity).transpose()?,
    })
}

/// Reads the file that `age-keygen` wrote.
fn identity(path: &Path) -> Result<Identity, Failure> {
    let bytes = input::read_file(path, "identity", IDENTITY_BYTES_MAX)?;
    String::from_utf8_lossy(&bytes)
        .parse()
        .map_err(|error: InvalidKey| {
            Failure::environment(format_args!("identity `{}`: {error}", path.display()))
        })
}

/// A JSON object of strings, or a file that holds one.
fn environment(text: Option<&str>) -> Result<Arc<[(String, String)]>, Failure> {
    let Some(text) = text else {
        return Ok(Arc::from([]));
    };
    let text = match text.strip_prefix('@') {
        Some(path) => {
            input::read_file(Path::new(path), "guest environment", ENVIRONMENT_BYTES_MAX)?
        }
        None => text.as_bytes().to_vec(),
    };
    let invalid = || {
        Failure::usage("`--guest-env` is not a JSON object of strings")
            .hint("write `--guest-env '{\"NAME\":\"value\"}'`, or `@FILE`")
    };
    let Ok(Value::Object(members)) = json::value(&text) else {
        return Err(invalid());
    };
    members
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(value) => Ok((name, value)),
            _ => Err(invalid()),
        })
        .collect()
}

/// Links what tapes take beside the guest itself. Nothing where there are none.
pub fn prepare(
    configuration: &TapeConfiguration,
    source: &GuestSource,
    guest: &Runtime,
    has_tapes: bool,
    instances_max: usize,
    storage: &Arc<dyn Storage>,
    details: bool,
) -> Result<TapeOptions, Failure> {
    let mut options = TapeOptions {
        replayer: None,
        only: configuration.only.clone(),
        trace: configuration.trace,
        identity: configuration.identity.clone(),
        details,
    };
    if !has_tapes || configuration.is_live {
        return Ok(options);
    }
    let mut replayer = Replayer {
        guest: ReplayGuest::new(guest.clone()),
        metered: None,
        baseline: None,
        live: configuration.uses_store().then(|| storage.clone()),
        options: configuration.options.clone(),
    };
    let is_strict = configuration.options.mode == Some(Mode::Strict);
    // The guest in this program is the baseline of its successors; beside itself there is none.
    let baseline = match (&configuration.baseline, source) {
        (Some(baseline), _) => Some(baseline.clone()),
        (None, GuestSource::File(_)) => Some(GuestSource::Embedded),
        (None, GuestSource::Embedded) => None,
    };
    if let Some(baseline) = baseline.filter(|_| !is_strict) {
        // Work is only comparable where both are counted, and an image is code for another engine.
        let is_metered = source.is_component()? && baseline.is_component()?;
        let engine = if is_metered {
            guest::metered_engine(instances_max)?
        } else {
            guest::engine(instances_max)?
        };
        let runtime_options = || RuntimeOptions {
            environment: configuration.environment.clone(),
            ..RuntimeOptions::default()
        };
        let link = |source: &GuestSource| -> Result<ReplayGuest, Failure> {
            Ok(ReplayGuest::new(
                source.link_on(&engine, runtime_options())?,
            ))
        };
        let baseline = link(&baseline)?;
        if baseline.digest() != guest.digest() {
            if is_metered {
                replayer.metered = Some(link(source)?);
            }
            replayer.baseline = Some(baseline);
        }
    }
    options.replayer = Some(replayer);
    Ok(options)
}
