use super::*;
use ::release::{Put, SecretKey, Share};
use std::collections::BTreeMap;

const OUTGOING: &str = "tenon:handler/outgoing@0.1.0";
const SECRETS: &str = "tenon:handler/secrets@0.1.0";

fn manifest(component: &[u8], imports: &[&str]) -> Manifest {
    let imports = imports.iter().map(|import| (*import).to_owned());
    Manifest::new(component, imports.collect())
}

/// A route without a grant, with a guest for each manifest, the last one stable.
fn route(path: &str, guests: &[&Manifest]) -> Route {
    let share = |guest: &&Manifest| Share {
        digest: guest.component,
        percent: 50,
    };
    Route {
        path: path.to_owned(),
        namespace: None,
        environment: BTreeMap::new(),
        outgoing: Default::default(),
        limits: Default::default(),
        guests: guests.iter().map(share).collect(),
        previous: None,
        generation_min: None,
    }
}

/// A store that answers every read with the same error.
struct Failing(StoreError);

#[async_trait::async_trait]
impl ArtifactStore for Failing {
    async fn get(&self, _: ArtifactName) -> Result<Vec<u8>, StoreError> {
        Err(self.0.clone())
    }

    async fn exists(&self, _: ArtifactName) -> Result<bool, StoreError> {
        Err(self.0.clone())
    }

    async fn put(&self, _: ArtifactName, _: &[u8]) -> Result<(), StoreError> {
        Err(self.0.clone())
    }

    async fn put_new(&self, _: ArtifactName, _: &[u8]) -> Result<Put, StoreError> {
        Err(self.0.clone())
    }

    async fn published(&self) -> Result<Vec<Digest>, StoreError> {
        Err(self.0.clone())
    }

    fn describe(&self) -> String {
        "nowhere".to_owned()
    }
}

/// The one that was promoted must not be signed without its grant because its manifest cannot be read a second time.
#[tokio::test]
async fn a_manifest_that_was_verified_is_checked_whatever_the_store_says() {
    let calls = manifest(b"calls", &[OUTGOING]);
    let other = manifest(b"other", &[OUTGOING]);
    let route = route("/x", &[&calls, &other]);
    let keys = PublicKeys::of(&SecretKey::new(&[1; 32]));
    for error in [
        StoreError::Missing("manifests/x".to_owned()),
        StoreError::Unavailable("SlowDown".to_owned()),
    ] {
        let artifacts = Failing(error);
        let checked = check(&artifacts, &keys, &route, std::slice::from_ref(&calls)).await;
        let refused = checked.unwrap_err();
        let guest = named(calls.component, &route);
        assert!(
            refused.message().starts_with(&guest),
            "{}",
            refused.message()
        );
        assert!(
            check(&artifacts, &keys, &route, &[]).await.is_ok(),
            "hosts name it"
        );
    }
    let read = async |error| super::manifest(&Failing(error), &keys, calls.component).await;
    assert_eq!(read(StoreError::Missing(String::new())).await, Ok(None));
    let refused = read(StoreError::Refused("AccessDenied".to_owned())).await;
    assert_eq!(refused, Err("AccessDenied".to_owned()));
}

#[test]
fn only_guests_of_the_hosts_route_have_secrets() {
    let guest = manifest(b"guest", &[SECRETS]);
    let refused = check_guest(&guest, &route("/x", &[&guest])).unwrap_err();
    assert!(
        refused.message().contains("the route has no secrets"),
        "{}",
        refused.message()
    );
    assert!(refused.hint_text().unwrap().contains("route `/`"));
    let remarks = check_guest(&guest, &route("/", &[&guest])).unwrap();
    assert!(
        remarks[0].contains("uses secrets") && remarks.len() == 1,
        "{remarks:?}"
    );
}

#[test]
fn remarks_name_guest_and_route() {
    let guests = [b"one", b"two"].map(|component| manifest(component, &[OUTGOING]));
    let route = route("/", &[&guests[0], &guests[1]]);
    let [one, two] = guests.map(|guest| check_guest(&guest, &route).unwrap());
    assert_ne!(one, two);
    assert!(
        one[0].contains(" of route `/` calls other services"),
        "{one:?}"
    );
}
