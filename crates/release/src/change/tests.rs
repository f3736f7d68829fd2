use super::*;

fn signing(now_ms: u64) -> Signing {
    Signing {
        by: "somebody".to_owned(),
        now_ms,
        valid_for: Duration::from_secs(60),
        newest_generation: 0,
    }
}

fn promotion(guest: &[u8], percent: u32) -> Promotion {
    Promotion {
        digest: Digest::of(guest),
        percent,
        path: "/".to_owned(),
        namespace: None,
        environment: BTreeMap::new(),
        outgoing: Grants::default(),
        replaces_outgoing: false,
        limits: RouteLimits::default(),
        select_header: None,
        is_minimum: false,
    }
}

fn apply(current: Option<&Channel>, guest: &[u8], percent: u32) -> Result<Channel, ChangeError> {
    let name = "items".parse().unwrap();
    promote(&name, current, &promotion(guest, percent), &signing(1))
}

fn shares(channel: &Channel) -> Vec<(Digest, u32)> {
    let guests = &channel.routes[0].guests;
    guests
        .iter()
        .map(|share| (share.digest, share.percent))
        .collect()
}

#[test]
fn a_release_goes_from_nothing_over_a_trial_to_all_and_back() {
    let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
    let first = apply(None, b"a", 100).unwrap();
    assert_eq!((first.generation, shares(&first)), (1, vec![(a, 100)]));
    assert_eq!((first.issued_at_ms, first.expires_at_ms), (1, 60_001));

    let trial = apply(Some(&first), b"b", 5).unwrap();
    assert_eq!(shares(&trial), [(b, 5), (a, 95)]);
    let wider = apply(Some(&trial), b"b", 50).unwrap();
    assert_eq!(shares(&wider), [(b, 50), (a, 50)]);
    let stopped = rollback(&wider, "/", &signing(2)).unwrap();
    assert_eq!((shares(&stopped), stopped.rollback), (vec![(a, 100)], true));

    let all = apply(Some(&wider), b"b", 100).unwrap();
    assert_eq!(
        (shares(&all), all.routes[0].previous),
        (vec![(b, 100)], Some(a))
    );
    let back = rollback(&all, "/", &signing(2)).unwrap();
    assert_eq!(
        (shares(&back), back.routes[0].previous),
        (vec![(a, 100)], None)
    );
    assert_eq!((back.generation, back.rollback), (5, true));
    assert!(!apply(Some(&back), b"b", 100).unwrap().rollback);
}

#[test]
fn what_was_rolled_back_comes_back_only_by_name() {
    let first = apply(None, b"a", 100).unwrap();
    let bad = apply(Some(&first), b"b", 100).unwrap();
    let back = rollback(&bad, "/", &signing(3)).unwrap();
    let nothing = ChangeError::NothingBefore("/".into());
    assert_eq!(rollback(&back, "/", &signing(4)), Err(nothing));
    let history = [back.clone(), bad.clone(), first.clone()];
    let b = Digest::of(b"b");
    assert_eq!(rolled_back_in(&history, "/", b), Some(3));
    assert_eq!(rolled_back_in(&history, "/", Digest::of(b"a")), None);
    let forward = rollback_to(&back, &bad, "/", &signing(4)).unwrap();
    assert_eq!((shares(&forward), forward.generation), (vec![(b, 100)], 4));
    let later = ChangeError::NotOlder {
        target: 3,
        present: 3,
    };
    assert_eq!(rollback_to(&back, &back, "/", &signing(4)), Err(later));
}

#[test]
fn a_minimum_rules_out_everything_before_it() {
    let first = apply(None, b"a", 100).unwrap();
    let fix = Promotion {
        is_minimum: true,
        ..promotion(b"b", 100)
    };
    let name: ChannelName = "items".parse().unwrap();
    let fixed = promote(&name, Some(&first), &fix, &signing(2)).unwrap();
    let route = &fixed.routes[0];
    assert_eq!((route.previous, route.generation_min), (None, Some(2)));
    let nothing = ChangeError::NothingBefore("/".into());
    assert_eq!(rollback(&fixed, "/", &signing(3)), Err(nothing));
    let below = ChangeError::BelowMinimum {
        path: "/".to_owned(),
        target: 1,
        minimum: 2,
    };
    assert_eq!(rollback_to(&fixed, &first, "/", &signing(3)), Err(below));
    // Later rollbacks stop at the generation that is the minimum.
    let later = apply(Some(&fixed), b"c", 100).unwrap();
    let back = rollback(&later, "/", &signing(4)).unwrap();
    assert_eq!(shares(&back), [(Digest::of(b"b"), 100)]);
    assert_eq!(back.routes[0].generation_min, Some(2));
    let share = Promotion { percent: 5, ..fix };
    assert!(matches!(
        promote(&name, Some(&first), &share, &signing(2)),
        Err(ChangeError::MinimumOfShare(_))
    ));
}

#[test]
fn the_same_guest_again_keeps_what_one_goes_back_to() {
    let first = apply(None, b"a", 100).unwrap();
    let second = apply(Some(&first), b"b", 100).unwrap();
    let renewed = apply(Some(&second), b"b", 100).unwrap();
    assert_eq!(renewed.routes[0].previous, Some(Digest::of(b"a")));
}

#[test]
fn what_cannot_be_is_said() {
    assert_eq!(
        apply(None, b"a", 5),
        Err(ChangeError::NothingBeside("/".into()))
    );
    let first = apply(None, b"a", 100).unwrap();
    assert_eq!(
        apply(Some(&first), b"a", 5),
        Err(ChangeError::IsStable(Digest::of(b"a")))
    );
    assert!(matches!(
        apply(Some(&first), b"b", 101),
        Err(ChangeError::Rule(_))
    ));
    assert!(matches!(
        apply(Some(&first), b"b", 0),
        Err(ChangeError::Rule(_))
    ));
    assert_eq!(
        rollback(&first, "/", &signing(2)),
        Err(ChangeError::NothingBefore("/".into()))
    );
    assert!(matches!(
        rollback(&first, "/x", &signing(2)),
        Err(ChangeError::NoRoute(..))
    ));
}

#[test]
fn another_route_leaves_the_first_alone() {
    let first = apply(None, b"a", 100).unwrap();
    let name: ChannelName = "items".parse().unwrap();
    let beside = Promotion {
        path: "/orders".to_owned(),
        namespace: Some("orders".parse().unwrap()),
        ..promotion(b"o", 100)
    };
    let two = promote(&name, Some(&first), &beside, &signing(2)).unwrap();
    assert_eq!(two.routes[0], first.routes[0]);
    assert_eq!(two.routes[1].guests, [all_of(Digest::of(b"o"))]);
}

#[test]
fn a_route_is_removed_by_going_back_to_before_it() {
    let first = apply(None, b"a", 100).unwrap();
    let name: ChannelName = "items".parse().unwrap();
    let beside = Promotion {
        path: "/orders".to_owned(),
        ..promotion(b"o", 100)
    };
    let two = promote(&name, Some(&first), &beside, &signing(2)).unwrap();
    let back = rollback_to(&two, &first, "/orders", &signing(3)).unwrap();
    assert_eq!(back.routes, first.routes);
    assert_eq!((back.generation, back.rollback), (3, true));
    assert!(matches!(
        rollback_to(&two, &first, "/other", &signing(3)),
        Err(ChangeError::NoRoute(..))
    ));
    // Without it nothing would be left.
    let only = promote(&name, None, &beside, &signing(1)).unwrap();
    let again = apply(Some(&only), b"a", 100).unwrap();
    let back = rollback_to(&again, &only, "/", &signing(3)).unwrap();
    assert_eq!(back.routes, only.routes);
}

/// Grants are added, so that a guest that a rollback brings back still has what it imports; only `replaces_outgoing` takes some away.
#[test]
fn a_promotion_adds_grants_and_takes_some_away_only_if_it_says_so() {
    let name: ChannelName = "items".parse().unwrap();
    let with = |origin: &str, guest: &[u8]| Promotion {
        outgoing: Grants::new(vec![origin.parse().unwrap()]).unwrap(),
        ..promotion(guest, 100)
    };
    let granted = |channel: &Channel| -> Vec<String> {
        let grants = channel.routes[0].outgoing.iter();
        grants.map(ToString::to_string).collect()
    };
    let first = promote(&name, None, &with("https://a.example", b"1"), &signing(1)).unwrap();
    let second = with("https://b.example/v1", b"2");
    let second = promote(&name, Some(&first), &second, &signing(2)).unwrap();
    assert_eq!(
        granted(&second),
        ["https://a.example", "https://b.example/v1"]
    );
    let back = rollback(&second, "/", &signing(3)).unwrap();
    assert_eq!(granted(&back), granted(&second));
    let only = Promotion {
        replaces_outgoing: true,
        ..with("https://a.example", b"3")
    };
    let third = promote(&name, Some(&second), &only, &signing(4)).unwrap();
    assert_eq!(granted(&third), ["https://a.example"]);
    let many = |start: usize| Promotion {
        outgoing: Grants::new(
            (start..start + 20)
                .map(|number| format!("https://n{number}.example").parse().unwrap())
                .collect(),
        )
        .unwrap(),
        ..promotion(b"4", 100)
    };
    let fourth = promote(&name, Some(&third), &many(0), &signing(5)).unwrap();
    let error = promote(&name, Some(&fourth), &many(20), &signing(6)).unwrap_err();
    assert!(error.to_string().contains("--replace-outgoing"), "{error}");
}
