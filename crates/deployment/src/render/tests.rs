//! What the template says for each setting.

use crate::{
    ApiKind, Authorizer, Content, Deployment, Domain, OwnResources, Route, Routes, Storage,
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

/// A mapping that named the stage would be made before it.
#[test]
fn a_domain_waits_for_the_stage() {
    for api in [ApiKind::Rest, ApiKind::Http] {
        let with_domain = Deployment {
            api,
            authorizer: Authorizer::Iam,
            domain: Some(Domain::new("api.example.com", "/v1").unwrap()),
            ..deployment()
        };
        let document = yaml::parse(&with_domain.template().unwrap()).unwrap();
        assert_eq!(
            document["Resources"]["DomainMapping"]["Properties"]["Stage"]["Ref"],
            "Api.Stage"
        );
    }
}

/// Decisions are kept by the identity source alone.
#[test]
fn a_decision_of_an_authorizer_counts_for_its_route() {
    for (api, expected) in [
        (
            ApiKind::Rest,
            "method.request.header.Authorization, context.httpMethod, context.path",
        ),
        (
            ApiKind::Http,
            "$request.header.Authorization, $context.httpMethod, $context.path",
        ),
    ] {
        let deployment = Deployment {
            api,
            authorizer: Authorizer::Lambda {
                function: "arn:aws:lambda:eu-central-1:123456789012:function:auth".to_owned(),
            },
            ..deployment()
        };
        let document = yaml::parse(&deployment.template().unwrap()).unwrap();
        let scheme = document
            .pointer("/Resources/Api/Properties/DefinitionBody/components/securitySchemes/function")
            .unwrap();
        assert_eq!(
            scheme["x-amazon-apigateway-authorizer"]["identitySource"],
            expected
        );
    }
}

#[test]
fn a_missing_signature_is_not_a_missing_path() {
    let status = |authorizer| {
        let deployment = Deployment {
            authorizer,
            ..deployment()
        };
        let document = yaml::parse(&deployment.template().unwrap()).unwrap();
        let responses = &document["Resources"]["Api"]["Properties"]["GatewayResponses"];
        responses["MISSING_AUTHENTICATION_TOKEN"]["StatusCode"].clone()
    };
    assert_eq!(status(Authorizer::Iam), 403);
    assert_eq!(status(Authorizer::ApiKey), 404);
}

#[test]
fn open_routes_beside_a_proxy_route_fit_into_the_tree() {
    let proxy = |api, open: &[&str]| Deployment {
        api,
        authorizer: Authorizer::Iam,
        routes: Routes::Proxy,
        open: open.iter().map(|key| key.parse().unwrap()).collect(),
        ..deployment()
    };
    let template = proxy(ApiKind::Rest, &["GET /items/{id}/name"]).template();
    let document = yaml::parse(&template.unwrap()).unwrap();
    let paths = &document["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"];
    for path in ["/items", "/items/{id}"] {
        let any = &paths[path]["x-amazon-apigateway-any-method"];
        assert_eq!(any["security"][0]["iam"], serde_json::json!([]), "{path}");
    }
    for (open, expected) in [
        (
            ["GET /{id}", "GET /a"],
            "`GET /{id}` is open, but a REST API has one parameter for a place, which the route to everything has there",
        ),
        (
            ["GET /a/{b}", "GET /a/{c}"],
            "`open`: `{c}` is named `{b}` in `/a/{b}`; a REST API has one name for the parameter of a place",
        ),
    ] {
        let error = proxy(ApiKind::Rest, &open).template().unwrap_err();
        assert_eq!(error.message, expected);
    }
    proxy(ApiKind::Http, &["GET /{id}", "GET /a"])
        .template()
        .unwrap();
}

#[test]
fn own_parts_are_not_lost_or_changed() {
    let error = |text: &str| {
        let deployment = Deployment {
            own: Some(OwnResources::read("own.yaml", text).unwrap()),
            ..deployment()
        };
        deployment.template().unwrap_err().message
    };
    let lost = "would not be in the template as it is in the file";
    // A line with a tab only ends the section's text, and the template has an anchor `host`, too.
    for (text, name) in [
        (
            "Resources:\n  A:\n    Type: B\n\t\n  C:\n    Type: D\n",
            "`C` in `Resources`",
        ),
        (
            "Parameters:\n  A: {Default: &host a, Type: String}\nResources:\n  B: {Type: *host}\n",
            "`B` in `Resources`",
        ),
    ] {
        assert_eq!(error(text), format!("`own.yaml`: {name} {lost}"));
    }
    assert_eq!(
        error("Resources:\n  HostAliaslive:\n    Type: B\n"),
        "`own.yaml`: `HostAliaslive` in `Resources` has the name of a resource that SAM makes"
    );
}

#[test]
fn names_of_environments_are_checked() {
    for name in ["", "a.b", "prod]\n[x", "a b"] {
        let environments = [(name.to_owned(), [].into())].into();
        let deployment = Deployment {
            environments,
            ..deployment()
        };
        let error = deployment.template().unwrap_err();
        assert!(
            error.message.contains("no name of an environment"),
            "{name}"
        );
    }
}

#[test]
fn a_secret_value_does_not_get_into_a_file() {
    let own = "Parameters:\n  Password: {Type: String, NoEcho: true}\nResources:\n  A: {Type: B, Properties: {C: !Ref Password}}\n";
    let values = [("Password".to_owned(), "hunter2".to_owned())].into();
    let deployment = Deployment {
        own: Some(OwnResources::read("own.yaml", own).unwrap()),
        environments: [("prod".to_owned(), values)].into(),
        ..deployment()
    };
    assert_eq!(
        deployment.template().unwrap_err().message,
        "environment `prod` sets `Password`, whose value is secret (`NoEcho`)"
    );
}
