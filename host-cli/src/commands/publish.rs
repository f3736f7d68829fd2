//! `publish`: uploads a guest to the store that hosts read from.

use crate::{
    args::release::{AwsOptions, PublishArgs},
    executor,
    exit::{CommandError, Outcome},
    guest::{self, GuestSource},
    input, output,
    project::{EMBEDDED_NAME, Project},
    release::{keys, stores},
    stale,
};
use contract::limits::COMPONENT_BYTES_MAX;
use publish::PublishError;
use release::{self, PublicKeys, Put, SecretKey};

/// What to publish, where, and who signs.
pub struct Configuration<'a> {
    guest: GuestSource,
    component: Vec<u8>,
    to: String,
    aws: &'a AwsOptions,
    key: SecretKey,
    keys: PublicKeys,
}

/// Reads the guest and the key.
pub fn resolve<'a>(
    arguments: &'a PublishArgs,
    project: Option<&Project>,
) -> Result<Configuration<'a>, CommandError> {
    let to = stores::named(arguments.to.as_deref(), "--to", project)?;
    stores::check(&to)?;
    let key = keys::signing(arguments.key.as_deref(), project)?;
    let guest = GuestSource::resolve(arguments.guest.as_deref(), project)?;
    stale::warn(project, arguments.guest.as_deref());
    let component = match guest.path() {
        Some(path) => input::read_file(path, "guest", COMPONENT_BYTES_MAX as u64)?,
        None => guest.read()?.1,
    };
    Ok(Configuration {
        keys: keys::with(&key, arguments.public_key.as_deref())?,
        key,
        component,
        guest,
        to,
        aws: &arguments.aws,
    })
}

/// Publishes the guest and prints its digest.
pub fn run(configuration: Configuration<'_>) -> Result<Outcome, CommandError> {
    let Configuration {
        guest,
        component,
        to,
        aws,
        key,
        keys,
    } = configuration;
    let engine = guest::engine(1)?;
    let shown = match guest.path() {
        Some(path) => path.display().to_string(),
        None => EMBEDDED_NAME.to_owned(),
    };
    let published = executor::workers(2)?.block_on(async {
        let store = stores::artifacts(&to, aws).await?;
        ::publish::publish_replacing(&engine, &component, &*store, &key, &keys)
            .await
            .map_err(|error| match error {
                PublishError::Load(error) => guest::cannot_load(&shown, &error),
                PublishError::Image => {
                    CommandError::environment(format_args!("guest `{shown}`: {error}"))
                        .hint("publish the `.wasm` file that the image was compiled from")
                }
                PublishError::OtherKey(_) => CommandError::environment(format_args!(
                    "guest `{shown}` in `{}`: {error}",
                    store.describe()
                ))
                .hint("after all hosts trust both keys, name that key with `--public-key` to sign the manifest with yours; or publish to another place"),
                PublishError::TooLarge(_)
                | PublishError::Manifest(_)
                | PublishError::Document(_)
                | PublishError::Store(_) => CommandError::environment(error),
            })
    })?;
    let mut remarks = String::new();
    for (name, put) in &published.artifacts {
        let done = match put {
            Put::Written => "wrote",
            Put::Unchanged => "there already:",
        };
        remarks.push_str(&format!("{done} {name}\n"));
    }
    output::remark(&remarks);
    output::result(format!("{}\n", published.digest).as_bytes())?;
    Ok(Outcome::Same)
}
