//! Templates of other deployments than the repository's own: each kind of API, authorizer and setting, through the gates that apply to it.

use super::gates::Gate;
use crate::run::root;
use anyhow::{Context, anyhow};
use deployment::{
    ApiKind, Architecture, Authorizer, AuthorizerKind, Deployment, Domain, Outgoing, OwnResources,
    Routes, SecretSource, StackSecrets, Storage, openapi,
};
use std::fs;

/// The reference guest's document.
const DOCUMENT: &str = "guest/src/openapi.json";

/// A deployment, and what does not apply to it.
pub struct Variant {
    /// The stem of its file.
    pub name: String,
    deployment: Deployment,
}

impl Variant {
    /// The text.
    pub fn template(&self) -> anyhow::Result<String> {
        let template = self.deployment.template();
        template.map_err(|error| anyhow!("variant `{}`: {error}", self.name))
    }

    /// Whether a finding is one that this deployment has by intention.
    pub fn expects(&self, gate: Gate, finding: &str) -> bool {
        // cfn-guard says which rules had nothing to check: those of other kinds of APIs, or of a table that is not there.
        if gate == Gate::Guard && finding.ends_with(" applies to nothing") {
            return true;
        }
        let is_url = self.deployment.api == ApiKind::FunctionUrl;
        // A proxy route says nothing about bodies.
        let is_proxy = self.deployment.routes == Routes::Proxy;
        gate == Gate::Guard
            && (is_url && finding == "function_is_not_public"
                || is_proxy && finding == "api_checks_content")
    }

    /// The checks of `agreement` that apply, by name: those that know nothing of the API as it is deployed from this repository.
    pub fn agrees_on(&self, check: &str) -> bool {
        let Deployment {
            api,
            authorizer,
            routes,
            storage,
            own,
            domain,
            secrets,
            ..
        } = &self.deployment;
        let is_rest = *api == ApiKind::Rest;
        let is_usual_storage = *storage == Storage::Own;
        match check {
            "routes" => is_rest && *routes != Routes::Proxy,
            "integrations" => is_rest && authorizer.kind() != AuthorizerKind::Lambda,
            "binary_types" | "times_and_sizes" => is_rest,
            "open_methods" => is_rest && *authorizer != Authorizer::None,
            "alarms" | "dashboard" | "all_are_shown" => is_rest && is_usual_storage,
            "host" | "outgoing" | "secrets" => {
                is_usual_storage && secrets.as_ref().is_some_and(|secrets| secrets.of_stack)
            }
            "publisher" | "partitions" | "table" => is_usual_storage,
            "outputs" => {
                is_rest
                    && authorizer.kind() == AuthorizerKind::ApiKey
                    && *storage != Storage::None
                    && own.is_none()
                    && domain.is_none()
            }
            _ => false,
        }
    }
}

/// The deployment of the reference guest, as `tenon.toml` of this repository says it.
fn reference() -> anyhow::Result<Deployment> {
    let text = fs::read_to_string(root().join(DOCUMENT))
        .with_context(|| format!("failed to read `{DOCUMENT}`"))?;
    let open = ["GET /health", "HEAD /health"].map(|route| route.parse::<deployment::RouteKey>());
    Ok(Deployment {
        api: ApiKind::Rest,
        routes: Routes::Listed {
            document: DOCUMENT.to_owned(),
            routes: openapi::routes(&text)?,
        },
        authorizer: Authorizer::ApiKey,
        open: open.into_iter().collect::<Result<_, _>>()?,
        architecture: Architecture::Arm64,
        packages: "../target/lambda".to_owned(),
        namespace: "default".to_owned(),
        storage: Storage::Own,
        outgoing: Some(Outgoing {
            grants: "[]".to_owned(),
            signs: true,
        }),
        secrets: Some(StackSecrets {
            declarations: "{}".to_owned(),
            sources: Vec::new(),
            of_stack: true,
        }),
        environment: "{}".to_owned(),
        domain: None,
        environments: [].into(),
        own: None,
    })
}

/// All variants.
pub fn all() -> anyhow::Result<Vec<Variant>> {
    let reference = reference()?;
    let mut variants = Vec::new();
    for api in ApiKind::ALL {
        for authorizer in authorizers(api) {
            if !authorizer.kind().is_of(api) {
                continue;
            }
            let is_open = api == ApiKind::FunctionUrl || authorizer == Authorizer::None;
            variants.push(Variant {
                name: format!("{}-{}", api.as_str(), authorizer.kind().as_str()),
                deployment: Deployment {
                    api,
                    authorizer,
                    open: if is_open {
                        [].into()
                    } else {
                        reference.open.clone()
                    },
                    ..reference.clone()
                },
            });
        }
    }
    variants.extend(settings(&reference)?);
    Ok(variants)
}

/// An authorizer of each kind.
fn authorizers(api: ApiKind) -> [Authorizer; 6] {
    [
        Authorizer::None,
        Authorizer::ApiKey,
        Authorizer::Iam,
        Authorizer::Cognito {
            user_pool: "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Ab1"
                .to_owned(),
            clients: match api {
                ApiKind::Http => vec!["client".to_owned()],
                ApiKind::Rest | ApiKind::FunctionUrl => Vec::new(),
            },
        },
        Authorizer::Jwt {
            issuer: "https://issuer.example.com/".to_owned(),
            audience: vec!["items".to_owned()],
        },
        Authorizer::Lambda {
            function: "arn:aws:lambda:us-east-1:123456789012:function:authorizer".to_owned(),
        },
    ]
}

/// Each other setting alone.
fn settings(reference: &Deployment) -> anyhow::Result<Vec<Variant>> {
    let own = "Parameters:\n  Greeting:\n    Type: String\n    Default: hello\nResources:\n  Motto:\n    Type: AWS::SSM::Parameter\n    Properties: {Type: String, Value: !Ref Greeting}\nOutputs:\n  Motto:\n    Value: !Ref Motto\n";
    let http = Deployment {
        api: ApiKind::Http,
        authorizer: Authorizer::Iam,
        ..reference.clone()
    };
    let named = StackSecrets {
        declarations: "{\"key\":{\"from\":\"ssm:/items/key\",\"hmac\":true}}".to_owned(),
        sources: vec![
            SecretSource::Parameter("/items/key".to_owned()),
            SecretSource::SecretsManager("items/stripe".to_owned()),
        ],
        of_stack: false,
    };
    let domain = Some(Domain::new("api.example.com", "/v1")?);
    let variants = [
        (
            "rest-proxy",
            Deployment {
                routes: Routes::Proxy,
                ..reference.clone()
            },
        ),
        (
            "http-proxy",
            Deployment {
                routes: Routes::Proxy,
                ..http.clone()
            },
        ),
        (
            "rest-domain",
            Deployment {
                domain: domain.clone(),
                ..reference.clone()
            },
        ),
        ("http-domain", Deployment { domain, ..http }),
        (
            "own-resources",
            Deployment {
                own: Some(OwnResources::read("own.yaml", own)?),
                ..reference.clone()
            },
        ),
        (
            "existing-table",
            Deployment {
                storage: Storage::Existing("shared".to_owned()),
                namespace: "items".to_owned(),
                ..reference.clone()
            },
        ),
        (
            "no-storage",
            Deployment {
                storage: Storage::None,
                outgoing: None,
                secrets: None,
                ..reference.clone()
            },
        ),
        (
            "named-secrets",
            Deployment {
                namespace: "items".to_owned(),
                secrets: Some(named),
                ..reference.clone()
            },
        ),
    ];
    let variants = variants.into_iter().map(|(name, deployment)| Variant {
        name: name.to_owned(),
        deployment,
    });
    Ok(variants.collect())
}
