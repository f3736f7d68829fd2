//! Several guests on one host: each with its own namespace, environment and limits.

use super::site::{Host, Site, digest, key, promotion};
use crate::support::{
    guests::{FETCHER, REFERENCE},
    in_process::{NOW_MS, engine, response},
    upstream::upstream,
};
use contract::{
    digest::Digest,
    http::Scheme,
    outcome::{Answer, Failure, Fault},
};
use gateway::{EventKind, compose::Incoming};
use outgoing::Grants;
use publish::publish;
use release::{FolderArtifacts, Promotion, RouteLimits};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

fn route(path: &str, promotion: Promotion) -> Promotion {
    Promotion {
        path: path.to_owned(),
        ..promotion
    }
}

async fn post(host: &Host, target: &str, body: &[u8]) -> Answer {
    let incoming = Incoming {
        method: "POST",
        target,
        headers: &[("host", "localhost"), ("content-type", "application/json")],
        body,
        client_address: "192.0.2.1",
        scheme: Scheme::Https,
        request_id: "one-of-the-tests",
        received_at_ms: NOW_MS,
    };
    host.send(&incoming).await
}

#[tokio::test]
async fn a_path_belongs_to_the_longest_route_that_begins_it() {
    let site = Site::new("routes");
    site.promote_with(route("/a", promotion(1, 100))).await;
    site.promote_with(route("/a/b", promotion(2, 100))).await;
    let host = site.follow().await;
    for (path, guest) in [
        ("/a", Some(1)),
        ("/a/x", Some(1)),
        ("/a/b", Some(2)),
        ("/a/b/c?d", Some(2)),
        ("/a/bc", Some(1)),
        ("/a/%62c", Some(1)),
        ("/ab", None),
        ("/", None),
    ] {
        let answer = host.get(path).await;
        assert_eq!(answer.summary.guest, guest.map(digest), "{path}");
        if guest.is_none() {
            assert_eq!(answer.summary.status, 404, "{path}");
            assert_eq!(answer.summary.fault, Some(Fault::Unrouted));
        }
    }
}

/// Gateways that pass on paths as they were sent. The others decode them before they decide anything.
const KEEPS_PATHS: [EventKind; 2] = [EventKind::Rest, EventKind::Alb];

fn get(target: &str) -> Incoming<'_> {
    Incoming {
        method: "GET",
        target,
        headers: &[("host", "localhost")],
        body: b"",
        client_address: "192.0.2.1",
        scheme: Scheme::Https,
        request_id: "one-of-the-tests",
        received_at_ms: NOW_MS,
    }
}

/// A component that decides by path before the host, such as an authorizer, sees these paths as they are written, and passes them to the
/// guest of `/`; no other guest may get them.
#[tokio::test]
async fn another_spelling_of_a_path_does_not_reach_a_route() {
    let site = Site::new("spelling");
    site.promote_with(route("/", promotion(1, 100))).await;
    site.promote_with(route("/orders", promotion(2, 100))).await;
    let host = site.follow().await;
    for (path, guest) in [
        ("/orders", Some(2)),
        ("/orders/a%2Fb", Some(2)),
        ("/orders//x", Some(2)),
        ("/ordersx", Some(1)),
        ("/x%20y/z", Some(1)),
        ("/.well-known/x", Some(1)),
        ("//orders", None),
        ("/%6frders", None),
        ("/%6Frders/x", None),
        ("/./orders", None),
        ("/x/../orders", None),
        ("/x/%2e%2e/orders", None),
        ("/x%2F..%2Forders", None),
        ("/orders/../x", None),
        ("/orders/%2E%2e/x", None),
    ] {
        for kind in KEEPS_PATHS {
            let answer = host.send_through(kind, &get(path)).await;
            assert_eq!(answer.summary.guest, guest.map(digest), "{kind:?} {path}");
            let is_unrouted = answer.summary.fault == Some(Fault::Unrouted);
            assert_eq!(is_unrouted, guest.is_none(), "{kind:?} {path}");
        }
    }
}

/// The environment of the host may contain the secrets of one team.
#[tokio::test]
async fn the_hosts_environment_is_for_the_guests_of_the_whole_alone() {
    let mut site = Site::new("environments");
    site.environment = vec![("TEAM".to_owned(), "the host's".to_owned())];
    site.promote(1, 100).await;
    let alone = site.follow().await;
    assert_eq!(
        response(&alone.get("/environment").await)["body"],
        "the host's"
    );
    site.promote_with(route("/environment", promotion(2, 100)))
        .await;
    let host = site.follow().await;
    let body = response(&host.get("/environment").await)["body"].clone();
    assert_ne!(body, "the host's");
    assert_eq!(response(&host.get("/version").await)["statusCode"], 200);
}

/// Each route may call what it grants; that of the whole also what the host grants.
#[tokio::test]
async fn a_route_grants_other_services_to_its_own_guests() {
    let site = Site::new("grants");
    let (granted, other) = (upstream(1), upstream(1));
    let artifacts = FolderArtifacts::new(&site.folder);
    publish(engine(), FETCHER, &artifacts, &key())
        .await
        .unwrap();
    let grants = |origin: &str| -> Grants {
        let text = format!(r#"[{{"origin":"{origin}","private_addresses":true}}]"#);
        json::read(text.as_bytes()).unwrap()
    };
    let fetcher = |path: &str, outgoing: Grants| Promotion {
        digest: Digest::of(FETCHER),
        outgoing,
        ..route(path, promotion(1, 100))
    };
    site.promote_with(fetcher("/a", grants(&granted))).await;
    site.promote_with(fetcher("/b", grants("https://b.example")))
        .await;
    let host = site.follow().await;
    for (path, origin, expected) in [
        ("/a", &granted, "200\n"),
        ("/a", &other, "not-granted: "),
        ("/b", &granted, "not-granted: "),
    ] {
        let request = format!("GET {origin}/");
        let answer = response(&post(&host, path, request.as_bytes()).await);
        let body = answer["body"].as_str().unwrap();
        assert!(body.starts_with(expected), "{path}: {body}");
    }
    // Without a grant, its host does not take it, and keeps what it has.
    site.promote_with(fetcher("/c", Grants::default())).await;
    let refusal = host.refusal().await.to_string();
    assert!(refusal.contains("tenon:handler/outgoing"), "{refusal}");
    let answer = post(&host, "/b", b"GET https://a.example/").await;
    assert_eq!(answer.summary.status, 200);
}

/// The guest that a fallback would bring back cannot run without the grant that was taken away: that does not keep its successor back.
#[tokio::test]
async fn a_guest_that_only_a_fallback_would_use_does_not_keep_a_generation_back() {
    let site = Site::new("grants-of-previous");
    let artifacts = FolderArtifacts::new(&site.folder);
    publish(engine(), FETCHER, &artifacts, &key())
        .await
        .unwrap();
    let grant = "https://a.example".parse().unwrap();
    site.promote_with(Promotion {
        digest: Digest::of(FETCHER),
        outgoing: Grants::new(vec![grant]).unwrap(),
        ..route("/a", promotion(1, 100))
    })
    .await;
    let next = site
        .promote_with(Promotion {
            replaces_outgoing: true,
            ..route("/a", promotion(2, 100))
        })
        .await;
    assert_eq!(next.routes[0].previous, Some(Digest::of(FETCHER)));
    let host = site.follow().await;
    let answer = host.get("/a").await;
    assert_eq!(answer.summary.guest, Some(digest(2)));
}

#[tokio::test]
async fn a_route_has_its_own_environment_and_bounds() {
    let site = Site::new("environment");
    site.promote(1, 100).await;
    site.promote_with(Promotion {
        environment: [("TEAM".to_owned(), "blue".to_owned())].into(),
        limits: RouteLimits {
            request_body_bytes_max: Some(4),
            request_duration_ms_max: Some(200),
            ..RouteLimits::default()
        },
        ..route("/environment", promotion(2, 100))
    })
    .await;
    site.promote_with(Promotion {
        limits: RouteLimits {
            request_duration_ms_max: Some(200),
            ..RouteLimits::default()
        },
        ..route("/loop", promotion(2, 100))
    })
    .await;
    let host = site.follow().await;
    assert_eq!(response(&host.get("/environment").await)["body"], "blue");
    assert_eq!(
        post(&host, "/environment", b"12345").await.summary.status,
        413
    );
    assert_eq!(post(&host, "/", b"12345").await.summary.status, 200);
    let started = Instant::now();
    let looped = host.get("/loop").await;
    assert_eq!(looped.summary.fault, Some(Fault::Guest(Failure::Deadline)));
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

/// More concurrent bad requests than the host has instances, all of one team; the other team's requests are answered.
async fn neighbour_of(path: &str) {
    let site = Site::new(&format!("neighbour-of-{}", &path[1..]));
    site.promote_with(Promotion {
        limits: RouteLimits {
            request_duration_ms_max: Some(3_000),
            guest_memory_bytes_max: Some(64 << 20),
            ..RouteLimits::default()
        },
        ..route(path, promotion(1, 100))
    })
    .await;
    site.promote_with(route("/version", promotion(2, 100)))
        .await;
    let host = Arc::new(site.follow().await);
    let stop = Arc::new(AtomicBool::new(false));
    let bad: Vec<_> = (0..engine().instances_max() + 4)
        .map(|_| {
            let (host, stop, path) = (host.clone(), stop.clone(), path.to_owned());
            tokio::spawn(async move {
                let mut faults = 0;
                while !stop.load(Ordering::Relaxed) {
                    let fault = host.get(&path).await.summary.fault;
                    assert!(matches!(fault, Some(Fault::Guest(_))), "{fault:?}");
                    faults += 1;
                }
                faults
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    for _ in 0..5 {
        host.expect_version(2).await;
    }
    let duration = started.elapsed();
    assert!(duration < Duration::from_secs(2), "{path}: {duration:?}");
    stop.store(true, Ordering::Relaxed);
    let mut faults = 0;
    for client in bad {
        faults += client.await.unwrap();
    }
    assert!(faults > 0, "{path}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_teams_loops_traps_and_memory_bombs_leave_another_its_turn() {
    for path in ["/loop", "/trap", "/memory"] {
        neighbour_of(path).await;
    }
}

/// Two hosts on one store, one for each team: neither finds the other's items, by key or by cursor.
#[tokio::test]
async fn a_namespace_is_not_left() {
    let site = Site::new("namespaces");
    let artifacts = FolderArtifacts::new(&site.folder);
    publish(engine(), REFERENCE, &artifacts, &key())
        .await
        .unwrap();
    let items = |namespace: &str| Promotion {
        digest: Digest::of(REFERENCE),
        namespace: Some(namespace.parse().unwrap()),
        ..route("/items", promotion(1, 100))
    };
    site.promote_with(items("team-a")).await;
    let a = site.follow().await;
    site.promote_with(items("team-b")).await;
    let b = site.follow().await;
    for name in ["one", "two", "three"] {
        let body = format!("{{\"name\":\"{name}\"}}");
        assert_eq!(
            post(&a, "/items", body.as_bytes()).await.summary.status,
            201
        );
    }
    let list = response(&a.get("/items?limit=1").await);
    let body: serde_json::Value = serde_json::from_str(list["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["items"].as_array().unwrap().len(), 1, "{body}");
    let id = body["items"][0]["id"].as_str().unwrap();
    let link = list["headers"]["link"].as_str().unwrap();
    let next = link.split(['<', '>']).nth(1).unwrap();
    assert_eq!(a.get(next).await.summary.status, 200);
    assert_eq!(a.get(&format!("/items/{id}")).await.summary.status, 200);

    let theirs = response(&b.get("/items").await);
    let theirs: serde_json::Value = serde_json::from_str(theirs["body"].as_str().unwrap()).unwrap();
    assert_eq!(theirs["items"], serde_json::json!([]));
    assert_eq!(b.get(&format!("/items/{id}")).await.summary.status, 404);
    assert_eq!(b.get(next).await.summary.status, 400);
    for trick in [
        "..%2Fteam-a%23items",
        "team-a%23",
        "%23channel",
        "team-a%2523x",
    ] {
        assert_eq!(
            b.get(&format!("/items/{trick}{id}")).await.summary.status,
            404,
            "{trick}"
        );
    }
}
