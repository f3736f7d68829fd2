use super::*;
use contract::limits::Limits;
use std::time::Duration;

fn channel(change: impl FnOnce(&mut Channel)) -> Result<(), String> {
    let mut channel = Channel::new("items".parse().unwrap());
    channel.generation = 1;
    channel.routes.push(route("/"));
    change(&mut channel);
    channel.check()
}

fn route(path: &str) -> Route {
    Route {
        path: path.to_owned(),
        namespace: None,
        environment: BTreeMap::new(),
        outgoing: Grants::default(),
        limits: RouteLimits::default(),
        guests: vec![Share {
            digest: Digest::of(b""),
            percent: 100,
        }],
        previous: None,
        generation_min: None,
    }
}

#[test]
fn a_document_keeps_its_rules() {
    assert_eq!(channel(|_| ()), Ok(()));
    assert!(channel(|channel| channel.generation = 0).is_err());
    assert!(channel(|channel| channel.generation = u64::MAX).is_err());
    assert!(channel(|channel| channel.routes.clear()).is_err());
    assert!(channel(|channel| channel.routes.push(route("/"))).is_err());
    assert!(channel(|channel| channel.routes[0].guests.clear()).is_err());
    assert!(channel(|channel| channel.routes[0].guests[0].percent = 99).is_err());
    assert!(channel(|channel| channel.select_header = Some("X-Guest".into())).is_err());
    assert_eq!(
        channel(|channel| channel.select_header = Some("x-guest".into())),
        Ok(())
    );
    let share = |percent| Share {
        digest: Digest::of(b""),
        percent,
    };
    let twice = channel(|channel| channel.routes[0].guests = vec![share(50), share(50)]);
    assert!(twice.unwrap_err().contains("twice"));
    // A sum that overflows is refused.
    let huge = channel(|channel| channel.routes[0].guests[0].percent = u32::MAX);
    assert!(huge.is_err());
}

#[test]
fn paths_are_segments() {
    for good in ["/", "/items", "/v1/items", "/a.b~c_d-e"] {
        assert_eq!(
            channel(|channel| channel.routes = vec![route(good)]),
            Ok(()),
            "{good}"
        );
    }
    for bad in [
        "", "items", "//", "/items/", "/../x", "/a/./b", "/a%2Fb", "/a b", "/ä",
    ] {
        assert!(
            channel(|channel| channel.routes = vec![route(bad)]).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn limits_narrow_and_never_widen() {
    let host = Limits::default();
    let wide = RouteLimits {
        guest_memory_bytes_max: Some(usize::MAX),
        request_duration_ms_max: Some(5),
        ..RouteLimits::default()
    };
    let limits = wide.within(&host);
    assert_eq!(limits.guest_memory_bytes_max, host.guest_memory_bytes_max);
    assert_eq!(limits.request_duration_max, Duration::from_millis(5));
}

#[test]
fn only_limits_of_routes_are_read() {
    let read = |limits: &str| {
        let route = format!(r#"{{"path":"/","guests":[],"limits":{limits}}}"#);
        serde_json::from_str::<Route>(&route).map(|route| route.limits)
    };
    let limits = read(r#"{"storage_calls_max":3}"#).unwrap();
    assert_eq!(limits.storage_calls_max, Some(3));
    for other in ["host_calls_max", "response_body_bytes_max", "wishes_max"] {
        let error = read(&format!(r#"{{"{other}":3}}"#)).unwrap_err();
        assert!(error.to_string().contains(other), "{error}");
    }
}

#[test]
fn a_document_survives_its_text_and_unknown_members_are_refused() {
    let mut document = Channel::new("items".parse().unwrap());
    document.routes.push(Route {
        namespace: Some("team-a".parse().unwrap()),
        ..route("/a")
    });
    let text = serde_json::to_string(&document).unwrap();
    assert_eq!(serde_json::from_str::<Channel>(&text).unwrap(), document);
    let more = text.replacen("\"path\"", "\"weight\":1,\"path\"", 1);
    assert!(serde_json::from_str::<Channel>(&more).is_err());
    let escape = text.replace("team-a", "team#a");
    assert!(serde_json::from_str::<Channel>(&escape).is_err());
}
