//! What a project's deployment is, as values that fit together.

use crate::{
    api_kind::ApiKind,
    authorizer::Authorizer,
    domain::Domain,
    openapi::{self, OpenApiError},
    own::OwnResources,
    quota::{VARIABLES_BYTES_MAX, VARIABLES_BYTES_RESERVED},
    route::{Content, Route, RouteKey},
    secrets::StackSecrets,
};
use std::collections::{BTreeMap, BTreeSet};

/// The processor of the function, by Lambda's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Arm, such as AWS Graviton.
    Arm64,
    /// Intel and AMD.
    X86_64,
}

impl Architecture {
    /// Lambda's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }
}

/// What the gateway routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routes {
    /// Every path and method, by one route.
    Proxy,
    /// Those of an OpenAPI document.
    Listed {
        /// The document's name, for the comment in the template.
        document: String,
        /// Sorted by path and method.
        routes: Vec<Route>,
    },
}

/// Where documents are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Nowhere: the guest does not import storage. Channels, whose documents are in the table, are not there either.
    None,
    /// In a table of the stack.
    Own,
    /// In a table of this name, which another stack owns.
    Existing(String),
}

/// Other services that the guest calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The grants as the host reads them (`TENON_OUTGOING`): a JSON array.
    pub grants: String,
    /// Whether requests may be signed, for which the operator names a policy.
    pub signs: bool,
}

/// What a project says about its deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// What the API is.
    pub api: ApiKind,
    /// What is routed to the function.
    pub routes: Routes,
    /// Who decides about callers.
    pub authorizer: Authorizer,
    /// Routes that everybody may call, beside OPTIONS.
    pub open: BTreeSet<RouteKey>,
    /// The processor.
    pub architecture: Architecture,
    /// The folder of the packages, as seen from the template.
    pub packages: String,
    /// The guest's part of the table by default.
    pub namespace: String,
    /// Where documents are stored.
    pub storage: Storage,
    /// Other services, if the guest calls them.
    pub outgoing: Option<Outgoing>,
    /// Secrets, if the guest uses them.
    pub secrets: Option<StackSecrets>,
    /// The guest's environment (`TENON_GUEST_ENV`): a JSON object.
    pub environment: String,
    /// A domain of the project's own.
    pub domain: Option<Domain>,
    /// Values of parameters, by the names of environments.
    pub environments: BTreeMap<String, BTreeMap<String, String>>,
    /// The project's own parts of the stack.
    pub own: Option<OwnResources>,
}

/// Settings that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeploymentError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl DeploymentError {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl From<OpenApiError> for DeploymentError {
    fn from(error: OpenApiError) -> Self {
        Self::new(
            error.to_string(),
            "change the document; or choose another kind of API, or one route for everything by leaving out `openapi` in `[deploy]`",
        )
    }
}

impl Deployment {
    /// Checks what the settings mean together.
    pub fn check(&self) -> Result<(), DeploymentError> {
        self.check_authorizer()?;
        if let Routes::Listed { routes, .. } = &self.routes {
            openapi::check_for(self.api, routes)?;
        }
        self.check_open()?;
        if self.domain.is_some() && self.api == ApiKind::FunctionUrl {
            return Err(DeploymentError::new(
                "a function URL has no domain of one's own",
                "choose `api = \"http\"` or `api = \"rest\"`, or put CloudFront in front by resources of your own",
            ));
        }
        self.check_table()?;
        self.check_variables()
    }

    fn check_authorizer(&self) -> Result<(), DeploymentError> {
        let kind = self.authorizer.kind();
        if !kind.is_of(self.api) {
            return Err(DeploymentError::new(
                format!(
                    "{} has no authorizer `{}`",
                    self.api.described(),
                    kind.as_str()
                ),
                "docs/deploy.md has a table of what each kind of API has",
            ));
        }
        self.authorizer.check(self.api).map_err(|problem| {
            DeploymentError::new(
                format!("authorizer `{}`: {problem}", kind.as_str()),
                "change `authorizer` in `[deploy]` of tenon.toml",
            )
        })
    }

    fn check_open(&self) -> Result<(), DeploymentError> {
        if self.open.is_empty() {
            return Ok(());
        }
        let hint = "change `open` in `[deploy]` of tenon.toml";
        if self.authorizer == Authorizer::None {
            return Err(DeploymentError::new(
                "`open` names routes, but without an authorizer all are open",
                hint,
            ));
        }
        if self.api == ApiKind::FunctionUrl {
            return Err(DeploymentError::new(
                "a function URL has no routes, so none of them can be open",
                "choose `api = \"http\"` or `api = \"rest\"`",
            ));
        }
        let Routes::Listed { document, routes } = &self.routes else {
            return self.check_open_beside_proxy();
        };
        let is_there = |key: &&RouteKey| routes.iter().any(|route| route.key == **key);
        match self.open.iter().find(|key| !is_there(key)) {
            Some(key) => Err(DeploymentError::new(
                format!("`{key}` is open, but `{document}` has no such route"),
                hint,
            )),
            None => Ok(()),
        }
    }

    /// Open routes are resources of their own beside the route to everything.
    fn check_open_beside_proxy(&self) -> Result<(), DeploymentError> {
        let hint = "change `open` in `[deploy]` of tenon.toml, or name all routes by `openapi`";
        let is_first = |key: &&RouteKey| key.path.starts_with("/{");
        if let (ApiKind::Rest, Some(key)) = (self.api, self.open.iter().find(is_first)) {
            return Err(DeploymentError::new(
                format!(
                    "`{key}` is open, but a REST API has one parameter for a place, which the route to everything has there"
                ),
                hint,
            ));
        }
        let routes: Vec<_> = self
            .open
            .iter()
            .map(|key| Route {
                key: key.clone(),
                content: Content::Unchecked,
            })
            .collect();
        openapi::check_for(self.api, &routes).map_err(|error| match error {
            OpenApiError::Place { message, .. } | OpenApiError::Syntax(message) => {
                DeploymentError::new(format!("`open`: {message}"), hint)
            }
        })
    }

    /// Two projects in one table are told apart by their namespaces only.
    fn check_table(&self) -> Result<(), DeploymentError> {
        let is_namespace = (1..=64).contains(&self.namespace.len())
            && self
                .namespace
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !is_namespace {
            return Err(DeploymentError::new(
                format!(
                    "`{}` is no namespace: 1 to 64 characters of `a-z`, `0-9` and `-`",
                    self.namespace
                ),
                "set `name`, or `namespace` in `[deploy]`, of tenon.toml",
            ));
        }
        let Storage::Existing(table) = &self.storage else {
            return Ok(());
        };
        let is_table = (3..=255).contains(&table.len())
            && table
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        if !is_table {
            return Err(DeploymentError::new(
                format!("`{table}` is no name of a DynamoDB table"),
                "set `table` in `[deploy]` of tenon.toml",
            ));
        }
        match self.namespace == DEFAULT_NAMESPACE {
            true => Err(DeploymentError::new(
                format!(
                    "table `{table}` is of another stack, and namespace `{DEFAULT_NAMESPACE}` may be that stack's"
                ),
                "set `name` in tenon.toml, which is the namespace by default, or `namespace` in `[deploy]`",
            )),
            false => Ok(()),
        }
    }

    fn check_variables(&self) -> Result<(), DeploymentError> {
        let lengths = [
            self.environment.len(),
            self.outgoing
                .as_ref()
                .map_or(0, |outgoing| outgoing.grants.len()),
            self.secrets
                .as_ref()
                .map_or(0, |secrets| secrets.declarations.len()),
        ];
        let (sum, max) = (
            lengths.iter().sum::<usize>(),
            VARIABLES_BYTES_MAX - VARIABLES_BYTES_RESERVED,
        );
        match sum > max {
            true => Err(DeploymentError::new(
                format!(
                    "environment, grants and declared secrets have {sum} bytes together; Lambda has room for {max} beside the host's own variables"
                ),
                "shorten `[environment]`, `outgoing` or `[secrets]`; with a channel, `promote` gives the environment to a route",
            )),
            false => Ok(()),
        }
    }

    /// Whether the stack follows release channels: their documents are in the table.
    pub fn has_channel(&self) -> bool {
        self.storage != Storage::None
    }
}

/// The namespace of a host that is told none.
pub const DEFAULT_NAMESPACE: &str = "default";
