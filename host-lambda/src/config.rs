//! The environment, which is read only here, and checked before anything is opened. An empty variable counts as not set, because templates
//! leave optional ones empty.

mod channel;
mod limits;
mod tape;
mod variables;

pub use channel::{Artifacts, ChannelConfig};
pub use variables::{InvalidVariable, Variables};

use ::tape::RecordOptions;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_requests::OwnServices;
use contract::{
    limits::{LIMITS, Limit, Limits},
    log::LogLevel,
    origin::Origin,
};
use outgoing::Grants;
use secrets::{SecretDeclarations, SourceKind};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use storage::Namespace;
use storage_dynamodb::DynamoDbOptions;

/// The guest's environment, sorted by name.
type Environment = Arc<[(String, String)]>;

/// The configuration in the environment.
#[derive(Debug)]
pub struct Config {
    /// The guest's file; `None` for the default locations.
    pub guest: Option<PathBuf>,
    /// Table, region, credentials.
    pub table: DynamoDbOptions,
    /// The release channel to follow.
    pub channel: Option<ChannelConfig>,
    /// The guest's part of the table.
    pub namespace: Namespace,
    /// Less severe lines are not written.
    pub log_level: LogLevel,
    /// A leading part that is removed from every path.
    pub base_path: Option<String>,
    /// Limits of one request.
    pub limits: Limits,
    /// The guest's environment.
    pub guest_environment: Environment,
    /// The other services that the guest may call.
    pub grants: Arc<Grants>,
    /// The guest's secrets.
    pub secrets: Arc<SecretDeclarations>,
    /// Other servers than AWS's own for SSM and Secrets Manager, by the names of the services.
    secret_endpoints: [(&'static str, Option<String>); 2],
    /// The CloudWatch namespace of the metrics.
    pub metrics_namespace: String,
    /// The function's name.
    pub function: String,
    /// Number of concurrent invocations.
    pub concurrency: u32,
    /// What is recorded.
    pub tape: RecordOptions,
    /// Unknown variables with our prefix.
    pub unknown_variables: Vec<String>,
}

/// Environment variables of our own, all of which are read: those of limits, and the others.
pub fn variables() -> impl Iterator<Item = String> {
    let limits = LIMITS.iter().filter_map(Limit::variable);
    limits.chain(VARIABLES.map(str::to_owned))
}

/// Those that set no limits.
const VARIABLES: [&str; 18] = [
    "TENON_ARTIFACTS",
    "TENON_BASE_PATH",
    "TENON_CHANNEL",
    "TENON_CHANNEL_GENERATION_MIN",
    "TENON_CHANNEL_INTERVAL_MS",
    "TENON_GUEST",
    "TENON_GUEST_ENV",
    "TENON_LOG_LEVEL",
    "TENON_METRICS_NAMESPACE",
    "TENON_NAMESPACE",
    "TENON_OUTGOING",
    "TENON_PUBLIC_KEYS",
    "TENON_SECRETS",
    "TENON_TABLE",
    "TENON_TAPE",
    "TENON_TAPE_RECIPIENT",
    "TENON_TAPE_REDACT_FIELDS",
    "TENON_TAPE_REDACT_HEADERS",
];

/// Services that the role of the function is for, by their names in signatures; KMS decrypts what the services of secrets keep.
const OWN_SERVICES: [&str; 6] = ["dynamodb", "kms", "logs", "secretsmanager", "ssm", "xray"];

/// In place of the name of a table, which is longer: there is none, because the guest stores nothing.
const NO_TABLE: &str = "-";

/// Largest number of concurrent invocations of one process; more is a mistake.
const CONCURRENCY_MAX: u32 = 1_000;

impl Config {
    /// Reads and checks everything.
    pub fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        // `lambda_runtime` panics if one of these is invalid.
        variables.required(
            "AWS_LAMBDA_RUNTIME_API",
            "the address of Lambda's runtime API: this program is started by Lambda",
        )?;
        variables.required("AWS_LAMBDA_FUNCTION_VERSION", "the version, set by Lambda")?;
        variables.number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 1..=i32::MAX as u64)?;
        let table = table(variables)?;
        Ok(Self {
            guest: variables.get("TENON_GUEST").map(PathBuf::from),
            channel: channel::read(variables, &table)?,
            table,
            namespace: namespace(variables)?,
            log_level: log_level(variables)?,
            base_path: base_path(variables)?,
            limits: limits::read(variables)?,
            guest_environment: guest_environment(variables)?,
            grants: grants(variables)?,
            secrets: secrets(variables)?,
            secret_endpoints: [
                ("ssm", owned_endpoint(variables, "AWS_ENDPOINT_URL_SSM")?),
                (
                    "secretsmanager",
                    owned_endpoint(variables, "AWS_ENDPOINT_URL_SECRETS_MANAGER")?,
                ),
            ],
            metrics_namespace: metrics_namespace(variables)?,
            function: variables
                .required(
                    "AWS_LAMBDA_FUNCTION_NAME",
                    "the function's name, set by Lambda",
                )?
                .to_owned(),
            concurrency: variables
                .optional_number("AWS_LAMBDA_MAX_CONCURRENCY", 1..=u64::from(CONCURRENCY_MAX))?
                .and_then(|concurrency| u32::try_from(concurrency).ok())
                .unwrap_or(1),
            tape: tape::read(variables)?,
            unknown_variables: variables.unknown("TENON_", &self::variables().collect::<Vec<_>>()),
        })
    }

    /// Whether there is a table. Without one, calls of storage fail.
    pub fn has_table(&self) -> bool {
        self.table.table != NO_TABLE
    }

    /// What the function's role is for, beside requests of guests.
    pub fn own_services(&self) -> OwnServices {
        let artifacts = self.channel.as_ref().map(|channel| &channel.artifacts);
        let bucket = artifacts.and_then(|artifacts| match artifacts {
            Artifacts::S3(location) => Some(location.bucket().to_owned()),
            Artifacts::Folder(_) => None,
        });
        OwnServices {
            services: &OWN_SERVICES,
            bucket,
        }
    }

    /// Another server than AWS's own for a service that keeps secrets.
    pub fn endpoint_of(&self, service: &str) -> Option<&str> {
        let mut endpoints = self.secret_endpoints.iter();
        let (_, endpoint) = endpoints.find(|(name, _)| *name == service)?;
        endpoint.as_deref()
    }
}

fn table(variables: &Variables) -> Result<DynamoDbOptions, InvalidVariable> {
    let credentials = Credentials::new(
        variables.required("AWS_ACCESS_KEY_ID", "credentials, set by Lambda")?,
        variables.required("AWS_SECRET_ACCESS_KEY", "credentials, set by Lambda")?,
        variables.get("AWS_SESSION_TOKEN").map(str::to_owned),
        None,
        "environment",
    );
    let endpoint = endpoint(variables, "AWS_ENDPOINT_URL_DYNAMODB")?;
    Ok(DynamoDbOptions {
        table: variables
            .required("TENON_TABLE", "the name or ARN of the DynamoDB table")?
            .to_owned(),
        region: variables
            .required("AWS_REGION", "a region like `eu-central-1`, set by Lambda")?
            .to_owned(),
        endpoint: endpoint.map(str::to_owned),
        credentials: SharedCredentialsProvider::new(credentials),
    })
}

/// Another server than AWS's own, the more specific variable first (AWS: service-specific endpoints).
fn endpoint<'v>(
    variables: &'v Variables,
    of_service: &'static str,
) -> Result<Option<&'v str>, InvalidVariable> {
    let found = [of_service, "AWS_ENDPOINT_URL"]
        .into_iter()
        .find_map(|name| Some((name, variables.get(name)?)));
    let Some((name, url)) = found else {
        return Ok(None);
    };
    match Origin::split(url) {
        Ok(_) => Ok(Some(url)),
        Err(_) => Err(variables.invalid(name, "a URL that begins with `http://` or `https://`")),
    }
}

fn owned_endpoint(
    variables: &Variables,
    of_service: &'static str,
) -> Result<Option<String>, InvalidVariable> {
    Ok(endpoint(variables, of_service)?.map(str::to_owned))
}

fn namespace(variables: &Variables) -> Result<Namespace, InvalidVariable> {
    let name = "TENON_NAMESPACE";
    variables
        .get(name)
        .unwrap_or("default")
        .parse()
        .map_err(|_| variables.invalid(name, "1 to 64 characters of `a-z`, `0-9` and `-`"))
}

/// Our own setting, otherwise the function's, by which Lambda filters.
fn log_level(variables: &Variables) -> Result<LogLevel, InvalidVariable> {
    let names = ["TENON_LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL"];
    let Some((name, level)) = names
        .into_iter()
        .find_map(|name| Some((name, variables.get(name)?)))
    else {
        return Ok(LogLevel::Info);
    };
    match level.to_ascii_lowercase().as_str() {
        "trace" | "debug" => Ok(LogLevel::Debug),
        "info" => Ok(LogLevel::Info),
        "warn" => Ok(LogLevel::Warn),
        "error" | "fatal" => Ok(LogLevel::Error),
        _ => Err(variables.invalid(name, "`trace`, `debug`, `info`, `warn` or `error`")),
    }
}

fn base_path(variables: &Variables) -> Result<Option<String>, InvalidVariable> {
    let name = "TENON_BASE_PATH";
    match variables.get(name) {
        Some(path)
            if !path.starts_with('/')
                || !path.bytes().all(|byte| byte.is_ascii_graphic())
                || path.contains(['?', '#']) =>
        {
            Err(variables.invalid(name, "a path like `/shop`, percent-encoded"))
        }
        path => Ok(path.map(str::to_owned)),
    }
}

/// The values may be secrets, so errors do not contain them.
#[expect(clippy::disallowed_methods, reason = "read into a map of strings")]
fn guest_environment(variables: &Variables) -> Result<Environment, InvalidVariable> {
    let name = "TENON_GUEST_ENV";
    let Some(text) = variables.get(name) else {
        return Ok(Environment::from([]));
    };
    let members: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| {
        variables.invalid_secret(name, "a JSON object of strings, like `{\"MODE\":\"test\"}`")
    })?;
    let is_settable = |name: &String| !name.is_empty() && !name.contains(['=', '\0']);
    if !members.keys().all(is_settable) {
        return Err(variables.invalid_secret(name, "names that are not empty and have no `=`"));
    }
    Ok(members.into_iter().collect())
}

#[expect(
    clippy::disallowed_methods,
    reason = "read into types of named members that hold no `Value`"
)]
fn grants(variables: &Variables) -> Result<Arc<Grants>, InvalidVariable> {
    let name = "TENON_OUTGOING";
    let Some(text) = variables.get(name) else {
        return Ok(Arc::default());
    };
    let grants: Grants = serde_json::from_str(text).map_err(|error| {
        let form = "a JSON array of origins, like `[\"https://api.example.com\"]`";
        // Somebody may have written a secret there.
        let error = json::without_input(&error.to_string());
        variables.invalid_secret(name, &format!("{form}: {error}"))
    })?;
    Ok(Arc::new(grants))
}

/// Somebody may have written a value in place of a source, so errors do not contain the text.
fn secrets(variables: &Variables) -> Result<Arc<SecretDeclarations>, InvalidVariable> {
    let name = "TENON_SECRETS";
    let Some(text) = variables.get(name) else {
        return Ok(Arc::default());
    };
    let declarations = SecretDeclarations::from_json(text);
    let declarations = declarations.and_then(|found| found.check().map(|()| found));
    let declarations = declarations.map_err(|error| {
        let form = "a JSON object of declarations, like `{\"stripe-key\":{\"from\":\"ssm:/shop/stripe\",\"for\":[\"https://api.stripe.com\"]}}`";
        variables.invalid_secret(name, &format!("{form}: {error}"))
    })?;
    let is_local = |kind| matches!(kind, SourceKind::Environment | SourceKind::File);
    let local = declarations
        .iter()
        .find(|(_, declaration)| is_local(declaration.from.kind()));
    if let Some((secret, _)) = local {
        let form = format!("sources `ssm:` and `secretsmanager:`, also for `{secret}`");
        return Err(variables.invalid_secret(name, &form));
    }
    Ok(Arc::new(declarations))
}

/// AWS: CloudWatch concepts, namespaces.
fn metrics_namespace(variables: &Variables) -> Result<String, InvalidVariable> {
    let name = "TENON_METRICS_NAMESPACE";
    let namespace = variables.get(name).unwrap_or("Tenon");
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || ".-_/#: ".contains(character);
    if namespace.len() > 255
        || !namespace.chars().all(is_allowed)
        || namespace.starts_with("AWS/")
        || namespace.trim().is_empty()
    {
        let allowed =
            "up to 255 characters of `A-Z`, `a-z`, `0-9` and `.-_/#: `, not beginning with `AWS/`";
        return Err(variables.invalid(name, allowed));
    }
    Ok(namespace.to_owned())
}

#[cfg(test)]
mod tests;
