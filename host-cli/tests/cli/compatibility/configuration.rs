//! Project files and the Lambda host's variables of the first version are read. Members of a later one are named.

use super::kept::{self, Project};
use ::secrets::SecretDeclarations;
use outgoing::Grants;
use std::fs;

#[test]
fn every_variable_of_the_lambda_host_is_still_read() {
    let kept = kept::json("variables.json");
    // A test of that program holds the page to what it reads.
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/lambda.md");
    let page = fs::read_to_string(page).unwrap();
    for (name, value) in kept.as_object().unwrap() {
        let known = page.contains(&format!("`{name}`"));
        assert!(known, "`{name}` is not read any more");
        let text = value.as_str().unwrap();
        match name.as_str() {
            "TENON_OUTGOING" => {
                let grants: Grants = serde_json::from_str(text).unwrap();
                assert_eq!(grants.iter().count(), 3);
            }
            "TENON_SECRETS" => {
                let declared = SecretDeclarations::from_json(text).unwrap();
                declared.check().unwrap();
                assert_eq!(declared.iter().count(), 2);
            }
            _ => {}
        }
    }
}

/// A member that was added later could narrow what is granted: it must not be left out.
#[test]
fn members_of_variables_that_are_not_known_are_refused() {
    let grant = r#"[{"origin": "https://api.example.com", "methods": ["GET"]}]"#;
    let error = serde_json::from_str::<Grants>(grant).unwrap_err();
    assert!(error.to_string().contains("methods"), "{error}");
    let secret = r#"{"key": {"from": "ssm:/key", "hmac": true, "until": 1}}"#;
    let error = SecretDeclarations::from_json(secret).unwrap_err();
    assert!(error.to_string().contains("expected one of"), "{error}");
}

/// All other tests use the project file as it is; this one is about what is added later.
#[test]
fn a_member_of_the_project_file_that_is_not_known_is_named() {
    let project = Project::new();
    let text = fs::read_to_string(kept::path("project/tenon.toml")).unwrap();
    project.write(
        "tenon.toml",
        text.replace("[guest]\n", "[guest]\nlater = true\n"),
    );
    project.refused(&["store", "list"], 3, &["unknown member `later`"]);
}

#[test]
fn a_member_of_a_case_that_is_not_known_is_refused_and_other_files_are_ignored() {
    let project = Project::new();
    project.write("cases/stored/later.json", "{}");
    project.printed(&["test"]);
    let inputs = r#"{"received_at_ms": 1, "locale": "pl"}"#;
    project.write("cases/stored/inputs.json", inputs);
    let output = project.run(&["test"]);
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(
        !output.status.success() && told.contains("unknown field `locale`"),
        "{told}"
    );
}
