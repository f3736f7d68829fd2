//! What guests import that not every route gives: a host refuses a whole generation because of one such guest, so none is signed.

use crate::{exit::CommandError, output};
use contract::digest::Digest;
use release::{ArtifactName, ArtifactStore, Manifest, PublicKeys, Route, StoreError};
use runtime::{is_outgoing, is_secrets};

/// The route whose guests also have what the host itself grants and declares.
const HOSTS_OWN: &str = "/";

/// Digits of a digest in messages.
const DIGITS_SHOWN: usize = 12;

/// Refuses a route that does not give each of its guests what it imports, and says what the host has to give. `known` are manifests that were
/// verified before. A guest without a manifest is left to the hosts, which name it.
pub async fn check(
    artifacts: &dyn ArtifactStore,
    keys: &PublicKeys,
    route: &Route,
    known: &[Manifest],
) -> Result<(), CommandError> {
    let mut remarks = Vec::new();
    for share in &route.guests {
        let digest = share.digest;
        let verified = known.iter().find(|known| known.component == digest);
        let read = match verified {
            Some(manifest) => Ok(Some(manifest.clone())),
            None => manifest(artifacts, keys, digest).await,
        };
        match read {
            Ok(Some(manifest)) => remarks.extend(check_guest(&manifest, route)?),
            Ok(None) => {}
            Err(error) => remarks.push(format!(
                "warning: whether {} has all that it needs is not known: {error}\n",
                named(digest, route)
            )),
        }
    }
    remarks.iter().for_each(|remark| output::remark(remark));
    Ok(())
}

/// The manifest, if the guest has one; otherwise what is wrong with it.
async fn manifest(
    artifacts: &dyn ArtifactStore,
    keys: &PublicKeys,
    digest: Digest,
) -> Result<Option<Manifest>, String> {
    let text = match artifacts.get(ArtifactName::Manifest(digest)).await {
        Err(StoreError::Missing(_)) => return Ok(None),
        read => read.map_err(|error| error.to_string())?,
    };
    let opened = Manifest::open(&String::from_utf8_lossy(&text), keys, digest);
    let opened = opened.map_err(|error| format!("its manifest {error}"))?;
    Ok(Some(opened))
}

/// What the host has to give to a guest of the route.
fn check_guest(manifest: &Manifest, route: &Route) -> Result<Vec<String>, CommandError> {
    let import = |is_wanted: fn(&str) -> bool| {
        let mut imports = manifest.imports.iter();
        imports.find(|import| is_wanted(import))
    };
    let needs = [
        import(is_secrets).map(|import| (import, Need::Secrets)),
        import(is_outgoing)
            .filter(|_| route.outgoing.is_empty())
            .map(|import| (import, Need::Services)),
    ];
    let mut remarks = Vec::new();
    for (import, need) in needs.into_iter().flatten() {
        let guest = named(manifest.component, route);
        if route.path != HOSTS_OWN {
            let lacks = need.lacks();
            return Err(CommandError::refused(format_args!(
                "{guest} imports `{import}`, and the route {lacks}: hosts would refuse the generation"
            ))
            .hint(need.hint()));
        }
        remarks.push(need.of_host(&guest));
    }
    Ok(remarks)
}

fn named(digest: Digest, route: &Route) -> String {
    let digest = digest.to_string();
    format!("guest {digest:.DIGITS_SHOWN$} of route `{}`", route.path)
}

/// What a route has to give.
#[derive(Clone, Copy)]
enum Need {
    Secrets,
    Services,
}

impl Need {
    fn lacks(self) -> &'static str {
        match self {
            Self::Secrets => "has no secrets",
            Self::Services => "grants no service",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Secrets => {
                "only guests of the route `/` have secrets, those that the host declares"
            }
            Self::Services => {
                "grant what it calls with `--outgoing ORIGIN`, or in `outgoing` of tenon.toml"
            }
        }
    }

    fn of_host(self, guest: &str) -> String {
        match self {
            Self::Secrets => format!(
                "note: {guest} uses secrets: hosts refuse it unless they declare some (TENON_SECRETS)\n"
            ),
            Self::Services => format!(
                "warning: {guest} calls other services, and the channel grants none: hosts refuse it unless they grant one themselves (TENON_OUTGOING); `promote ... --outgoing ORIGIN` grants one\n"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
