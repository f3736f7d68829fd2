//! `published`: lists the guests in a store.

use crate::{
    args::release::{ListFormat, PublishedArgs},
    executor,
    exit::{CommandError, Outcome},
    output,
    project::Project,
    release::{keys, stores},
};
use contract::digest::Digest;
use release::{ArtifactName, ArtifactStore, Manifest, ManifestError, PublicKeys, StoreError};
use serde_json::{Value, json};
use std::sync::Arc;

/// The store, and the trusted keys.
pub struct Configuration<'a> {
    artifacts: String,
    arguments: &'a PublishedArgs,
    keys: PublicKeys,
}

/// Checks the arguments; nothing is read yet.
pub fn resolve<'a>(
    arguments: &'a PublishedArgs,
    project: Option<&Project>,
) -> Result<Configuration<'a>, CommandError> {
    let artifacts = stores::named(arguments.artifacts.as_deref(), "--artifacts", project)?;
    stores::check(&artifacts)?;
    Ok(Configuration {
        artifacts,
        keys: keys::trusted(&arguments.trust.public_key, project)?,
        arguments,
    })
}

/// Lists manifests that a trusted key signed, and reports all others as remarks.
pub fn run(configuration: Configuration<'_>) -> Result<Outcome, CommandError> {
    let Configuration {
        artifacts,
        arguments,
        keys,
    } = configuration;
    let (manifests, left_out) = executor::workers(1)?.block_on(async {
        let store = stores::artifacts(&artifacts, &arguments.aws).await?;
        read(store, &keys).await
    })?;
    for remark in &left_out {
        output::remark(remark);
    }
    let listed = match arguments.format {
        ListFormat::Text => text(&manifests),
        ListFormat::Json => {
            let all: Vec<Value> = manifests.iter().map(|manifest| json!(manifest)).collect();
            format!("{:#}\n", Value::Array(all))
        }
    };
    output::text(&listed)?;
    Ok(match left_out.is_empty() {
        true => Outcome::Same,
        false => Outcome::Differs,
    })
}

/// The trusted manifests, ordered by digest, and remarks about the others.
async fn read(
    store: Arc<dyn ArtifactStore>,
    keys: &PublicKeys,
) -> Result<(Vec<Manifest>, Vec<String>), CommandError> {
    let mut digests = store.published().await.map_err(unlisted)?;
    digests.sort_unstable_by_key(Digest::to_string);
    let (mut manifests, mut left_out) = (Vec::new(), Vec::new());
    for digest in digests {
        let bytes = store.get(ArtifactName::Manifest(digest)).await;
        let bytes = bytes.map_err(CommandError::environment)?;
        match Manifest::open(&String::from_utf8_lossy(&bytes), keys, digest) {
            Ok(manifest) => manifests.push(manifest),
            Err(error) => left_out.push(remark(digest, &error)),
        }
    }
    Ok((manifests, left_out))
}

fn unlisted(error: StoreError) -> CommandError {
    let missing = matches!(error, StoreError::Missing(_));
    let error = CommandError::environment(error);
    match missing {
        true => error.hint("check the name; the first `host-cli publish` creates the store"),
        false => error,
    }
}

fn remark(digest: Digest, error: &ManifestError) -> String {
    format!("left out guest {digest}: its manifest {error}\n")
}

/// A guest in each row and, below it, what it was compiled for: digests leave no space for more in 80 columns.
fn text(manifests: &[Manifest]) -> String {
    let mut text = format!("{:64}  {:>10}\n", "guest", "bytes");
    for manifest in manifests {
        text.push_str(&format!(
            "{}  {:>10}\n",
            manifest.component, manifest.component_bytes
        ));
        for image in &manifest.images {
            text.push_str(&format!(
                "  compiled for {} (wasmtime {})\n",
                image.target, image.wasmtime
            ));
        }
    }
    text
}
