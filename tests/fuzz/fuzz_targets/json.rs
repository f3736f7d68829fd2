//! Any bytes as JSON: a value that is written and read again as the same, or an error, never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let is_json = json::check(bytes).is_ok();
    if let Ok((value, lone_surrogate)) = json::lenient_value(bytes) {
        assert!(is_json);
        assert_eq!(json::value(bytes).is_ok(), lone_surrogate.is_none());
        let again = json::value(value.to_string().as_bytes());
        assert!(again.is_ok_and(|again| json::same(&again, &value)));
    }
    if let Ok(text) = str::from_utf8(bytes) {
        for (_, value) in json::members(text).unwrap_or_default() {
            assert!(json::check(value.as_bytes()).is_ok());
        }
        let _ = (json::elements(text), json::string(text));
    }
});
