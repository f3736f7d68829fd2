//! What a guest imports that not every route gives: a host refuses a whole generation because of one such guest, so none is signed.

use super::{channels::Signer, stores::Stores};
use crate::{exit::CommandError, output};
use release::{ArtifactName, Manifest, Route};
use runtime::{is_outgoing, is_secrets};

/// The route whose guests also have what the host itself grants and declares.
const HOSTS_OWN: &str = "/";

/// Refuses a route that does not give the guest what it imports, and says what the host has to give.
pub fn check(manifest: &Manifest, route: &Route) -> Result<(), CommandError> {
    let import = |is_wanted: fn(&str) -> bool| {
        let mut imports = manifest.imports.iter();
        imports.find(|import| is_wanted(import))
    };
    let (guest, path) = (manifest.component, &route.path);
    if let Some(import) = import(is_secrets)
        && path != HOSTS_OWN
    {
        return Err(CommandError::refused(format_args!(
            "guest {guest} imports `{import}`, and route `{path}` has no secrets: hosts would refuse the generation"
        ))
        .hint(format_args!(
            "only guests of the route `{HOSTS_OWN}` have secrets, those that the host declares"
        )));
    }
    let Some(import) = import(is_outgoing).filter(|_| route.outgoing.is_empty()) else {
        return Ok(());
    };
    if path != HOSTS_OWN {
        return Err(CommandError::refused(format_args!(
            "guest {guest} imports `{import}`, and route `{path}` grants no service: hosts would refuse the generation"
        ))
        .hint("grant what it calls with `--outgoing ORIGIN`, or in `outgoing` of tenon.toml"));
    }
    output::remark(
        "warning: the guest calls other services, and the channel grants none: hosts refuse it unless they grant one themselves (TENON_OUTGOING)\n",
    );
    Ok(())
}

/// The same for the guest that most clients of the route get, if its manifest can be read; if not, hosts say so.
pub async fn check_stable(
    stores: &Stores,
    signer: &Signer,
    route: &Route,
) -> Result<(), CommandError> {
    let Some(digest) = route.stable() else {
        return Ok(());
    };
    let Ok(text) = stores.artifacts.get(ArtifactName::Manifest(digest)).await else {
        return Ok(());
    };
    match Manifest::open(&String::from_utf8_lossy(&text), &signer.keys, digest) {
        Ok(manifest) => check(&manifest, route),
        Err(_) => Ok(()),
    }
}
