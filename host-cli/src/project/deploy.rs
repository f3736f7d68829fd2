//! `[deploy]` of `tenon.toml`: the project's stack on AWS.

use super::values::ProjectPath;
use deployment::{ApiKind, Architecture, Authorizer, Domain, RouteKey};
use secrets::{SecretName, Source};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use std::{collections::BTreeMap, fmt, path::Path};

/// The template's file, unless the project names another one.
pub const TEMPLATE_FILE: &str = "template.yaml";
/// The folder of packages, unless the project names another one: that of `host-cli package`.
pub const PACKAGE_FOLDER: &str = "package";

impl DeploySection {
    /// The function's processor: arm64 costs less.
    pub fn architecture(&self) -> Architecture {
        self.architecture.map_or(Architecture::Arm64, Into::into)
    }

    /// Where packages are, relative to the project.
    pub fn package_folder(&self) -> &Path {
        let named = self.package.as_ref().map(|folder| folder.0.as_path());
        named.unwrap_or(Path::new(PACKAGE_FOLDER))
    }
}

/// `[deploy]`
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DeploySection {
    /// What the API is: `rest` by default, `http` or `function-url`.
    pub api: Option<ApiName>,
    /// The OpenAPI document whose methods the gateway routes; without it, one route takes everything.
    pub openapi: Option<ProjectPath>,
    /// The file that `host-cli template` writes.
    pub template: Option<ProjectPath>,
    /// The folder that `host-cli package` writes to.
    pub package: Option<ProjectPath>,
    /// Who decides about callers. By default API keys for a REST API; other kinds have to name one.
    pub authorizer: Option<AuthorizerSetting>,
    /// Routes that everybody may call, like `GET /health`.
    pub open: Vec<OpenRoute>,
    /// The function's processor: `arm64` by default, or `x86_64`.
    pub architecture: Option<ArchitectureName>,
    /// A domain of the project's own, with the base path of the API: `api.example.com/v1`.
    pub domain: Option<DomainSetting>,
    /// A file with resources of the project's own, which becomes part of the template.
    pub own: Option<ProjectPath>,
    /// The guest's part of the table; by default the project's name.
    pub namespace: Option<String>,
    /// The table of another stack to use in place of one of this stack.
    pub table: Option<String>,
    /// What the stack has for guests that come later, whatever this one imports.
    pub provides: Vec<Provision>,
    /// Where secrets are kept on AWS, if `[secrets]` names sources on this machine.
    pub secrets: StackSources,
    /// Values of parameters for each environment, which become `samconfig.toml` beside the template.
    pub environments: BTreeMap<String, BTreeMap<String, ParameterValue>>,
}

/// A kind of API.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ApiName {
    /// A REST API of API Gateway.
    Rest,
    /// An HTTP API of API Gateway.
    Http,
    /// A URL of the function.
    FunctionUrl,
}

impl From<ApiName> for ApiKind {
    fn from(name: ApiName) -> Self {
        match name {
            ApiName::Rest => Self::Rest,
            ApiName::Http => Self::Http,
            ApiName::FunctionUrl => Self::FunctionUrl,
        }
    }
}

/// Who decides about callers.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AuthorizerSetting {
    /// Nobody: every route is open.
    None,
    /// API keys with a usage plan.
    ApiKey,
    /// Signatures of AWS.
    Iam,
    /// Tokens of a Cognito user pool.
    Cognito {
        /// ARN of the pool.
        user_pool: String,
        /// Ids of app clients, for an HTTP API.
        #[serde(default)]
        clients: Vec<String>,
    },
    /// Tokens of an OpenID provider, for an HTTP API.
    Jwt {
        /// As in the claim `iss`.
        issuer: String,
        /// One of these is in the claim `aud`.
        audience: Vec<String>,
    },
    /// A Lambda function, by its ARN.
    Lambda(String),
}

impl From<AuthorizerSetting> for Authorizer {
    fn from(setting: AuthorizerSetting) -> Self {
        match setting {
            AuthorizerSetting::None => Self::None,
            AuthorizerSetting::ApiKey => Self::ApiKey,
            AuthorizerSetting::Iam => Self::Iam,
            AuthorizerSetting::Cognito { user_pool, clients } => {
                Self::Cognito { user_pool, clients }
            }
            AuthorizerSetting::Jwt { issuer, audience } => Self::Jwt { issuer, audience },
            AuthorizerSetting::Lambda(function) => Self::Lambda { function },
        }
    }
}

/// A processor, by Lambda's names.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ArchitectureName {
    /// Arm, such as AWS Graviton.
    #[serde(rename = "arm64")]
    Arm64,
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
}

impl From<ArchitectureName> for Architecture {
    fn from(name: ArchitectureName) -> Self {
        match name {
            ArchitectureName::Arm64 => Self::Arm64,
            ArchitectureName::X86_64 => Self::X86_64,
        }
    }
}

/// What a stack has for guests that come later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Provision {
    /// A table.
    Storage,
    /// Other services, and a policy for signed requests.
    Outgoing,
    /// Secrets.
    Secrets,
}

/// A route, as `GET /health`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct OpenRoute(pub RouteKey);

impl TryFrom<String> for OpenRoute {
    type Error = deployment::RouteKeyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// A domain with a base path.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct DomainSetting(pub Domain);

impl TryFrom<String> for DomainSetting {
    type Error = deployment::DomainError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let name = text.split('/').next().unwrap_or_default();
        Domain::new(name, &text[name.len()..]).map(Self)
    }
}

/// Sources of secrets, by their names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct StackSources(pub BTreeMap<SecretName, Source>);

impl TryFrom<BTreeMap<String, String>> for StackSources {
    type Error = String;

    fn try_from(sources: BTreeMap<String, String>) -> Result<Self, String> {
        let read = sources.into_iter().map(|(name, source)| {
            let name: SecretName = name.parse().map_err(|error| format!("{error}"))?;
            // The text is not repeated: it may be a value by mistake.
            let source: Source = source
                .parse()
                .map_err(|error| format!("secret `{name}`: {error}"))?;
            match source {
                Source::Parameter(_) | Source::SecretsManager { .. } => Ok((name, source)),
                Source::Environment(_) | Source::File(_) => Err(format!(
                    "secret `{name}`: on AWS a secret is kept by `ssm:` or `secretsmanager:`"
                )),
            }
        });
        read.collect::<Result<_, _>>().map(Self)
    }
}

/// The value of a parameter: a text, a whole number or a boolean.
#[derive(Clone, Debug)]
pub struct ParameterValue(pub String);

impl<'de> Deserialize<'de> for ParameterValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;

        impl Visitor<'_> for Scalar {
            type Value = ParameterValue;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string, a whole number or a boolean")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ParameterValue, E> {
                Ok(ParameterValue(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<ParameterValue, E> {
                Ok(ParameterValue(number.to_string()))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<ParameterValue, E> {
                Ok(ParameterValue(value.to_string()))
            }
        }

        deserializer.deserialize_any(Scalar)
    }
}
