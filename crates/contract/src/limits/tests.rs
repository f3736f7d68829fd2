use super::*;

#[test]
fn each_limit_is_read_and_set_by_its_entry() {
    for limit in LIMITS {
        assert!(limit.allowed.contains(&limit.default()), "{}", limit.name);
        let mut limits = Limits::default();
        let mut part = PartialLimits::default();
        let least = *limit.allowed.start();
        (limit.set)(&mut limits, least);
        (limit.set_part)(&mut part, least);
        assert_eq!((limit.get)(&limits), least, "{}", limit.name);
        assert_ne!(limits, Limits::default(), "{}", limit.name);
        assert_eq!(part.over(&Limits::default()), limits, "{}", limit.name);
        assert_eq!(part.names().collect::<Vec<_>>(), [limit.name]);
    }
}

#[test]
fn a_part_narrows_and_never_widens() {
    let part = PartialLimits {
        guest_memory_bytes_max: Some(usize::MAX),
        request_duration_ms_max: Some(5),
        ..PartialLimits::default()
    };
    let host = Limits::default();
    let limits = part.within(&host);
    assert_eq!(limits.guest_memory_bytes_max, host.guest_memory_bytes_max);
    assert_eq!(limits.request_duration_max, Duration::from_millis(5));
    assert_eq!(limits.wider(&host), host);
    assert_eq!(part.over(&host).guest_memory_bytes_max, usize::MAX);
}

#[test]
fn names_in_other_places_follow_from_the_name() {
    let limit = |name| LIMITS.iter().find(|limit| limit.name == name).unwrap();
    let duration = limit("request_duration_ms_max");
    assert_eq!(
        duration.variable().unwrap(),
        "TENON_REQUEST_DURATION_MS_MAX"
    );
    assert_eq!(duration.flag(), "request-duration-ms-max");
    let calls = limit("storage_calls_max");
    assert_eq!((calls.variable(), calls.is_of_routes()), (None, true));
    let response = limit("response_body_bytes_max");
    assert_eq!(
        (response.variable().is_some(), response.is_of_routes()),
        (true, false)
    );
}

#[test]
fn documents_leave_out_what_is_not_set_and_refuse_what_is_unknown() {
    let part = PartialLimits {
        storage_calls_max: Some(3),
        ..PartialLimits::default()
    };
    let text = serde_json::to_string(&part).unwrap();
    assert_eq!(text, r#"{"storage_calls_max":3}"#);
    let strictly = |text: &str| {
        PartialLimits::deserialize_strictly(&mut serde_json::Deserializer::from_str(text))
    };
    assert_eq!(strictly(&text).unwrap(), part);
    assert!(strictly(r#"{"wishes_max":3}"#).is_err());
    assert!(strictly(r#"{"storage_calls_max":4294967296}"#).is_err());
    let lenient: PartialLimits = serde_json::from_str(r#"{"wishes_max":3}"#).unwrap();
    assert!(lenient.is_none());
}
