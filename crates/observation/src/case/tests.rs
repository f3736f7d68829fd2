use super::*;
use serde_json::json;
use std::{os::unix::fs::symlink, process::Command};

/// A separate case with an event only.
fn folder_with_event(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("tenon-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(EVENT_FILE), "{}").unwrap();
    folder
}

#[test]
fn what_is_no_regular_file_is_an_error_of_the_case() {
    let folder = folder_with_event("case-kinds");
    assert!(Case::load(&folder).is_ok());
    for name in Case::FILES {
        let path = folder.join(name);
        let refused = |what: &str| {
            assert!(Case::is_case(&folder), "{name}");
            let error = Case::load(&folder).unwrap_err();
            assert!(matches!(error, CaseError::Unfit { .. }), "{error}");
            let message = error.to_string();
            assert!(
                message.contains(name) && message.contains(what),
                "{message}"
            );
            fs::remove_file(&path).unwrap();
        };
        let _ = fs::remove_file(&path);
        for target in ["/dev/zero", "/etc/hostname", "nowhere"] {
            symlink(target, &path).unwrap();
            refused("is a link");
        }
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        refused("is not a regular file");
        let sparse = fs::File::create(&path).unwrap();
        sparse.set_len(1 << 40).unwrap();
        refused("is larger than");
        let is_object = name == EVENT_FILE || name == INPUTS_FILE;
        fs::write(&path, if is_object { "{}" } else { "[]" }).unwrap();
        assert!(Case::load(&folder).is_ok(), "{name}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let folder = folder_with_event("case-large");
    let case = Case::load(&folder).unwrap();
    let long = Value::String("x".repeat(CASE_FILE_BYTES_MAX));
    let error = case.bless(&long, &json!([])).unwrap_err();
    assert!(matches!(error, CaseError::TooLarge { .. }), "{error}");
    assert!(!folder.join(RESPONSE_FILE).exists());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_created_case_is_read_as_it_was_and_replaces_no_other() {
    let folder = std::env::temp_dir().join(format!("tenon-create-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let case = Case {
        event: b"{\n  \"n\": 1.50\n}\n".to_vec(),
        before: json!([{"partition": "p", "sort": "s", "document": {}, "revision": "r"}]),
        response: Some(json!({"statusCode": 200})),
        after: Some(json!([])),
        inputs: CaseInputs {
            received_at_ms: Some(7),
            seed: None,
        },
        folder: folder.join("cases/one"),
    };
    case.create().unwrap();
    assert_eq!(Case::load(&case.folder).unwrap(), case);
    let error = case.create().unwrap_err();
    assert!(matches!(error, CaseError::Exists { .. }), "{error}");
    assert_eq!(Case::load(&case.folder).unwrap(), case);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn blessing_writes_through_no_link() {
    let folder = std::env::temp_dir().join(format!("tenon-bless-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let case_folder = folder.join("case");
    fs::create_dir_all(&case_folder).unwrap();
    let precious = folder.join("precious");
    fs::write(&precious, "precious").unwrap();
    fs::write(case_folder.join(EVENT_FILE), "{}").unwrap();
    for name in [
        RESPONSE_FILE,
        AFTER_FILE,
        "response.json.new",
        "after.json.new",
    ] {
        symlink(&precious, case_folder.join(name)).unwrap();
    }
    let case = Case {
        event: b"{}".to_vec(),
        before: json!([]),
        response: None,
        after: None,
        inputs: CaseInputs::default(),
        folder: case_folder.clone(),
    };
    assert!(
        case.bless(&json!({"statusCode": 200}), &json!([{}]))
            .unwrap()
    );
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
    for name in [RESPONSE_FILE, AFTER_FILE] {
        let written = fs::symlink_metadata(case_folder.join(name)).unwrap();
        assert!(written.is_file(), "{name}");
    }
    // No temporary file remains.
    assert_eq!(fs::read_dir(&case_folder).unwrap().count(), 5);
    fs::remove_dir_all(folder).unwrap();
}
