//! What the template says for each setting.

use crate::{
    Content, Deployment, OwnResources, Route, Routes, Storage,
    examples::{deployment, variants},
    yaml,
};

#[test]
fn every_variant_is_yaml_without_anything_left_to_fill_in() {
    for (name, deployment) in variants() {
        let template = deployment
            .template()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        yaml::parse(&template).unwrap();
        assert!(!template.contains("{{"), "{name}");
        assert!(!template.contains("\n\n\n"), "{name}: {template}");
        assert_eq!(template, deployment.template().unwrap(), "{name}");
    }
}

#[test]
fn settings_are_in_the_template() {
    let document = yaml::parse(&deployment().template().unwrap()).unwrap();
    assert_eq!(document["Parameters"]["Namespace"]["Default"], "shop");
    assert_eq!(
        document["Parameters"]["GuestEnvironment"]["Default"],
        "{\"GREETING\":\"it's\"}"
    );
    let paths = &document["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"];
    assert_eq!(paths["/health"]["get"]["security"], serde_json::json!([]));
    assert_eq!(
        paths["/items/{id}"]["put"]["x-amazon-apigateway-request-validator"],
        "content"
    );
    assert!(
        paths["/items/{id}"]["options"]["security"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert!(document["Resources"]["NamespaceClaim"].is_object());
}

#[test]
fn a_guest_without_storage_has_no_table_and_no_channel() {
    let without = Deployment {
        storage: Storage::None,
        ..deployment()
    };
    let template = without.template().unwrap();
    for name in [
        "AWS::DynamoDB",
        "TENON_NAMESPACE",
        "TENON_CHANNEL",
        "Artifacts",
        "PublisherRole",
    ] {
        assert!(!template.contains(name), "{name}");
    }
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let error = |deployment: Deployment| deployment.template().unwrap_err().message;
    let own = |text: &str| Deployment {
        own: Some(OwnResources::read("own.yaml", text).unwrap()),
        ..deployment()
    };
    assert_eq!(
        error(own("Resources:\n  Table:\n    Type: AWS::SQS::Queue\n")),
        "`own.yaml` names `Table` in `Resources`, which the generated template has, too"
    );
    assert_eq!(
        error(Deployment {
            storage: Storage::Existing("shared".to_owned()),
            namespace: "default".to_owned(),
            ..deployment()
        }),
        "table `shared` is of another stack, and namespace `default` may be that stack's"
    );
    assert_eq!(
        error(Deployment {
            open: ["GET /nowhere".parse().unwrap()].into(),
            ..deployment()
        }),
        "`GET /nowhere` is open, but `openapi.json` has no such route"
    );
    assert_eq!(
        error(Deployment {
            environment: format!("{{\"A\":\"{}\"}}", "x".repeat(3000)),
            ..deployment()
        }),
        "environment, grants and declared secrets have 3079 bytes together; Lambda has room for 2696 beside the host's own variables"
    );
    let environments = [(
        "prod".to_owned(),
        [("Nothing".to_owned(), "1".to_owned())].into(),
    )]
    .into();
    assert_eq!(
        error(Deployment {
            environments,
            ..deployment()
        }),
        "environment `prod` sets `Nothing`, which is no parameter of the template"
    );
}

#[test]
fn names_and_values_stay_what_they_are() {
    let environment = "{\"A\":\"x\u{2028}y\u{7f}\"}";
    let text = Deployment {
        namespace: "010".to_owned(),
        environment: environment.to_owned(),
        routes: Routes::Listed {
            document: "a\nResources: {}\n.json".to_owned(),
            routes: listed(&["GET /a:", "PUT /a:"]),
        },
        open: ["GET /a:".parse().unwrap(), "PUT /a:".parse().unwrap()].into(),
        ..deployment()
    }
    .template()
    .unwrap();
    assert!(text.contains("    Default: \"010\"\n"));
    assert!(!text.contains(['\u{2028}', '\u{7f}']));
    let document = yaml::parse(&text).unwrap();
    assert_eq!(
        document["Parameters"]["GuestEnvironment"]["Default"],
        environment
    );
}

fn listed(keys: &[&str]) -> Vec<Route> {
    let route = |key: &&str| Route {
        key: key.parse().unwrap(),
        content: Content::Unchecked,
    };
    keys.iter().map(route).collect()
}
