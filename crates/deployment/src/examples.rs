//! Deployments for tests.

use crate::{
    ApiKind, Architecture, Authorizer, Content, Deployment, Domain, Outgoing, OwnResources, Route,
    Routes, SecretSource, StackSecrets, Storage,
};

/// A REST API with keys, a table, other services and secrets.
pub fn deployment() -> Deployment {
    let route = |key: &str, content: Content| Route {
        key: key.parse().unwrap(),
        content,
    };
    let objects = Content::Objects(["application/json".to_owned()].into());
    Deployment {
        api: ApiKind::Rest,
        routes: Routes::Listed {
            document: "openapi.json".to_owned(),
            routes: vec![
                route("GET /health", Content::Unchecked),
                route("GET /items/{id}", Content::Unchecked),
                route("PUT /items/{id}", objects),
            ],
        },
        authorizer: Authorizer::ApiKey,
        open: ["GET /health".parse().unwrap()].into(),
        architecture: Architecture::Arm64,
        packages: "package".to_owned(),
        namespace: "shop".to_owned(),
        storage: Storage::Own,
        outgoing: Some(Outgoing {
            grants: "[\"https://api.example.com\"]".to_owned(),
            signs: true,
        }),
        secrets: Some(StackSecrets {
            declarations: "{\"key\":{\"from\":\"ssm:/shop/key\",\"hmac\":true}}".to_owned(),
            sources: vec![SecretSource::Parameter("/shop/key".to_owned())],
            of_stack: false,
        }),
        environment: "{\"GREETING\":\"it's\"}".to_owned(),
        domain: None,
        environments: [].into(),
        own: None,
    }
}

/// Deployments with every setting, by name.
pub fn variants() -> Vec<(String, Deployment)> {
    const POOL: &str = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_Ab1";
    let cognito = Authorizer::Cognito {
        user_pool: POOL.to_owned(),
        clients: Vec::new(),
    };
    let jwt = Authorizer::Jwt {
        issuer: "https://issuer.example.com/".to_owned(),
        audience: vec!["shop".to_owned()],
    };
    let lambda = Authorizer::Lambda {
        function: "arn:aws:lambda:eu-central-1:123456789012:function:auth".to_owned(),
    };
    let authorizers = [
        Authorizer::None,
        Authorizer::ApiKey,
        Authorizer::Iam,
        cognito,
        jwt,
        lambda,
    ];
    let mut variants = Vec::new();
    for api in ApiKind::ALL {
        for authorizer in &authorizers {
            if !authorizer.kind().is_of(api) {
                continue;
            }
            for routes in [Routes::Proxy, deployment().routes] {
                let is_open = api == ApiKind::FunctionUrl || *authorizer == Authorizer::None;
                let shown = if routes == Routes::Proxy {
                    "proxy"
                } else {
                    "listed"
                };
                let name = format!("{}, {}, {shown}", api.as_str(), authorizer.kind().as_str());
                let mut authorizer = authorizer.clone();
                if let (ApiKind::Http, Authorizer::Cognito { clients, .. }) = (api, &mut authorizer)
                {
                    clients.push("client".to_owned());
                }
                let variant = Deployment {
                    api,
                    routes,
                    authorizer,
                    open: if is_open {
                        [].into()
                    } else {
                        deployment().open
                    },
                    ..deployment()
                };
                variants.push((name, variant));
            }
        }
    }
    variants.extend(others());
    variants
}

fn others() -> Vec<(String, Deployment)> {
    let own = "Parameters:\n  Size:\n    Type: Number\n    Default: 1\nResources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties: {DelaySeconds: !Ref Size}\nOutputs:\n  Queue:\n    Value: !Ref Queue\n";
    let named = |name: &str, deployment: Deployment| (name.to_owned(), deployment);
    let http = || Deployment {
        api: ApiKind::Http,
        authorizer: Authorizer::Iam,
        ..deployment()
    };
    let domain = Domain::new("api.example.com", "/v1").unwrap();
    vec![
        named(
            "no storage",
            Deployment {
                storage: Storage::None,
                outgoing: None,
                secrets: None,
                ..deployment()
            },
        ),
        named(
            "existing table",
            Deployment {
                storage: Storage::Existing("shared".to_owned()),
                ..deployment()
            },
        ),
        named(
            "the usual namespace",
            Deployment {
                namespace: "default".to_owned(),
                ..deployment()
            },
        ),
        named(
            "x86_64",
            Deployment {
                architecture: Architecture::X86_64,
                ..deployment()
            },
        ),
        named(
            "domain",
            Deployment {
                domain: Some(domain.clone()),
                ..deployment()
            },
        ),
        named(
            "domain of an HTTP API",
            Deployment {
                domain: Some(domain),
                ..http()
            },
        ),
        named(
            "own",
            Deployment {
                own: Some(OwnResources::read("own.yaml", own).unwrap()),
                ..deployment()
            },
        ),
        named(
            "provided",
            Deployment {
                outgoing: Some(Outgoing {
                    grants: "[]".to_owned(),
                    signs: true,
                }),
                secrets: Some(StackSecrets {
                    declarations: "{}".to_owned(),
                    sources: Vec::new(),
                    of_stack: true,
                }),
                ..deployment()
            },
        ),
        named(
            "secrets of both kinds",
            Deployment {
                secrets: Some(StackSecrets {
                    declarations: "{}".to_owned(),
                    sources: vec![
                        SecretSource::SecretsManager("shop/stripe".to_owned()),
                        SecretSource::SecretsManager(
                            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-AbCdEf"
                                .to_owned(),
                        ),
                        SecretSource::Parameter(
                            "arn:aws:ssm:eu-central-1:123456789012:parameter/x".to_owned(),
                        ),
                    ],
                    of_stack: false,
                }),
                ..deployment()
            },
        ),
    ]
}
