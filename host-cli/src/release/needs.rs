//! What guests import that not every route gives: a host refuses a whole generation because of one such guest, so none is signed.

use crate::{exit::CommandError, output};
use contract::digest::Digest;
use release::{ArtifactName, ArtifactStore, Manifest, PublicKeys, Route};
use runtime::{is_outgoing, is_secrets};

/// The route whose guests also have what the host itself grants and declares.
const HOSTS_OWN: &str = "/";

/// Refuses a route that does not give each of its guests what it imports, and says what the host has to give. A guest whose manifest cannot be read
/// is left to the hosts, which name it.
pub async fn check(
    artifacts: &dyn ArtifactStore,
    keys: &PublicKeys,
    route: &Route,
) -> Result<(), CommandError> {
    for share in &route.guests {
        if let Some(manifest) = manifest(artifacts, keys, share.digest).await {
            check_guest(&manifest, route)?;
        }
    }
    Ok(())
}

async fn manifest(
    artifacts: &dyn ArtifactStore,
    keys: &PublicKeys,
    digest: Digest,
) -> Option<Manifest> {
    let text = artifacts.get(ArtifactName::Manifest(digest)).await;
    Manifest::open(&String::from_utf8_lossy(&text.ok()?), keys, digest).ok()
}

fn check_guest(manifest: &Manifest, route: &Route) -> Result<(), CommandError> {
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
    for (import, need) in needs.into_iter().flatten() {
        if route.path != HOSTS_OWN {
            let (guest, path) = (manifest.component, &route.path);
            let lacks = need.lacks();
            return Err(CommandError::refused(format_args!(
                "guest {guest} imports `{import}`, and route `{path}` {lacks}: hosts would refuse the generation"
            ))
            .hint(need.hint()));
        }
        output::remark(need.of_host());
    }
    Ok(())
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

    fn of_host(self) -> &'static str {
        match self {
            Self::Secrets => {
                "note: the guest uses secrets: hosts refuse it unless they declare some (TENON_SECRETS)\n"
            }
            Self::Services => {
                "warning: the guest calls other services, and the channel grants none: hosts refuse it unless they grant one themselves (TENON_OUTGOING); `promote ... --outgoing ORIGIN` grants one\n"
            }
        }
    }
}
