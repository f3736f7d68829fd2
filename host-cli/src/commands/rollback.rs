//! `rollback`: back to the guest that served before.

use crate::{
    args::release::RollbackArgs,
    commands::releases,
    exit::{Failure, Outcome},
    output,
    release::{
        channels::{self, Signer},
        stores::StoresSpec,
    },
    runtime,
};
use host_core::release::{self, ChannelName};

/// Which channel, and who signs.
pub struct Configuration {
    channel: ChannelName,
    path: String,
    stores: StoresSpec,
    signer: Signer,
}

/// Reads the key.
pub fn resolve(arguments: &RollbackArgs) -> Result<Configuration, Failure> {
    Ok(Configuration {
        channel: channels::name(&arguments.channel)?,
        path: arguments.path.clone(),
        stores: StoresSpec::resolve(&arguments.stores)?,
        signer: Signer::resolve(&arguments.signing)?,
    })
}

/// Writes the next generation.
pub fn run(configuration: Configuration) -> Result<Outcome, Failure> {
    let Configuration {
        channel,
        path,
        stores,
        signer,
    } = configuration;
    let next = runtime::workers(1)?.block_on(async {
        let stores = stores.open().await?;
        let current = channels::read(&stores, &channel, &signer.keys).await?;
        let current = current.ok_or_else(|| channels::missing(&channel, &stores))?;
        let next =
            release::rollback(&current, &path, &signer.signing()).map_err(Failure::refused)?;
        channels::flip(&stores, &signer, Some(&current), &next).await?;
        Ok(next)
    })?;
    output::result(releases::text(std::slice::from_ref(&next)).as_bytes())?;
    Ok(Outcome::Same)
}
