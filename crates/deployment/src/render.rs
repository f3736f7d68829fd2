//! Writes the template: its parts, filled in.

mod facts;

use self::facts::Facts;
use crate::{
    api_kind::ApiKind,
    environments,
    own::{OwnResources, SECTIONS},
    parts::fill,
    quota::{OUTPUTS_MAX, PARAMETERS_MAX, RESOURCES_MAX, TEMPLATE_BYTES_MAX},
    settings::{Deployment, DeploymentError, Storage},
    text::{flow_list, in_one_line},
    yaml,
};
use serde_json::Value;
use std::collections::BTreeSet;

const PARAMETERS: &str = include_str!("parts/parameters.yaml");
const CONDITIONS: &str = include_str!("parts/conditions.yaml");
const RESOURCES: [&str; 3] = [
    include_str!("parts/data.yaml"),
    include_str!("parts/roles.yaml"),
    include_str!("parts/function.yaml"),
];
const REST: &str = include_str!("parts/api-rest.yaml");
const HTTP: &str = include_str!("parts/api-http.yaml");
const URL: &str = include_str!("parts/api-url.yaml");
const DOMAIN: &str = include_str!("parts/domain.yaml");
const OBSERVATION: [&str; 2] = [
    include_str!("parts/alarms.yaml"),
    include_str!("parts/dashboard.yaml"),
];
const OUTPUTS: &str = include_str!("parts/outputs.yaml");

/// Width of generated lists.
const COLUMNS: usize = 130;

/// What the console asks for, in groups.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "\"Who may call, and how often\"",
        &[
            "RequireApiKey",
            "UserPoolArn",
            "JwtIssuer",
            "JwtAudience",
            "AuthorizerArn",
            "AuthorizerTtlSeconds",
            "RequestsPerSecond",
            "RequestsBurst",
            "OpenRequestsPerSecond",
            "OpenRequestsBurst",
            "KeyRequestsPerSecond",
            "KeyRequestsBurst",
            "KeyRequestsPerDay",
            "WebAclArn",
        ],
    ),
    (
        "The domain",
        &["DomainName", "CertificateArn", "HostedZoneId"],
    ),
    (
        "The host",
        &[
            "TableName",
            "Namespace",
            "GuestEnvironment",
            "Outgoing",
            "OutgoingPolicyArn",
            "Secrets",
            "SecretParameterArns",
            "SecretArns",
            "BasePath",
            "MemoryMiB",
            "RequestDurationMs",
            "RequestBodyBytes",
            "ResponseBodyBytes",
            "GuestMemoryBytes",
            "ReservedConcurrency",
            "LogLevel",
        ],
    ),
    (
        "Guests that follow a channel",
        &[
            "Channel",
            "PublicKeys",
            "ChannelIntervalMs",
            "ChannelGenerationMin",
            "PublisherPrincipal",
        ],
    ),
    (
        "Recording",
        &[
            "Tape",
            "TapeRecipient",
            "TapeRedactHeaders",
            "TapeRedactFields",
        ],
    ),
    (
        "Operation",
        &[
            "Release",
            "CanaryDeployment",
            "CanaryType",
            "AlarmTopicArn",
            "LatencyAlarmMs",
            "MethodMetrics",
            "LogRetentionDays",
            "PermissionsBoundaryArn",
            "ManageGatewayLogging",
        ],
    ),
];

impl Deployment {
    /// The template, without its first lines. The same settings give the same text.
    pub fn template(&self) -> Result<String, DeploymentError> {
        self.check()?;
        let facts = Facts::of(self);
        let filled = |part: &str| fill(part, &facts);
        let parameters = self.with_own("Parameters", filled(PARAMETERS));
        let conditions = self.with_own("Conditions", filled(CONDITIONS));
        let mut resources: Vec<_> = RESOURCES.into_iter().map(filled).collect();
        resources.push(filled(match self.api {
            ApiKind::Rest => REST,
            ApiKind::Http => HTTP,
            ApiKind::FunctionUrl => URL,
        }));
        if self.domain.is_some() {
            resources.push(filled(DOMAIN));
        }
        resources.extend(OBSERVATION.into_iter().map(filled));
        let resources: Vec<_> = resources
            .iter()
            .map(|part| part.trim_matches('\n'))
            .collect();
        let resources = self.with_own("Resources", format!("{}\n", resources.join("\n\n")));
        let outputs = self.with_own("Outputs", filled(OUTPUTS));
        let mappings = self.own.as_ref().and_then(|own| own.section("Mappings"));
        let mappings = mappings
            .map(|lines| format!("Mappings:\n{lines}\n"))
            .unwrap_or_default();
        let head = format!(
            "AWSTemplateFormatVersion: \"2010-09-09\"\nTransform: AWS::Serverless-2016-10-31\nDescription: >-\n  {}\n",
            self.description()
        );
        let interface = interface(&parameters);
        let template = format!(
            "{head}\n{interface}\n{parameters}\n{mappings}{conditions}\n{resources}\n{outputs}"
        );
        self.check_template(&template)?;
        Ok(template)
    }

    fn description(&self) -> String {
        let api = match self.api {
            ApiKind::Rest => {
                "a REST API whose logic is a WebAssembly component. API Gateway, one Lambda function"
            }
            ApiKind::Http => {
                "an HTTP API whose logic is a WebAssembly component. API Gateway, one Lambda function"
            }
            ApiKind::FunctionUrl => {
                "an API whose logic is a WebAssembly component. One Lambda function with a URL"
            }
        };
        let data = match &self.storage {
            Storage::None => "",
            Storage::Own => ", one DynamoDB table, a bucket for guests",
            Storage::Existing(_) => ", a bucket for guests; the DynamoDB table is of another stack",
        };
        format!("Tenon: {api}{data}.")
    }

    /// A section with the project's own lines at its end.
    fn with_own(&self, section: &str, generated: String) -> String {
        let own = self.own.as_ref();
        match own.and_then(|own| Some((own, own.section(section)?))) {
            None => generated,
            Some((OwnResources { file, .. }, lines)) => {
                let file = in_one_line(file);
                format!("{generated}\n  # ---- Of this project itself: {file}\n\n{lines}")
            }
        }
    }

    /// Checks what can only be seen in the whole: names that two parts have, and quotas.
    fn check_template(&self, template: &str) -> Result<(), DeploymentError> {
        let document = match yaml::parse(template) {
            Ok(document) => document,
            Err(error) => return Err(self.unreadable(template, &error)),
        };
        let count = |section: &str| {
            document[section]
                .as_object()
                .map_or(0, serde_json::Map::len)
        };
        for (what, found, max) in [
            ("parameters", count("Parameters"), PARAMETERS_MAX),
            ("resources", count("Resources"), RESOURCES_MAX),
            ("outputs", count("Outputs"), OUTPUTS_MAX),
            ("bytes", template.len(), TEMPLATE_BYTES_MAX),
        ] {
            if found > max {
                return Err(DeploymentError::new(
                    format!("the template has {found} {what}; CloudFormation takes {max}"),
                    "leave out `openapi` in `[deploy]` for one route to everything, or put resources of your own into another stack",
                ));
            }
        }
        self.check_own(&document)?;
        environments::check(&self.environments, &document["Parameters"])
    }

    /// Whether the project's own parts are in the whole what they are in their file.
    fn check_own(&self, document: &Value) -> Result<(), DeploymentError> {
        if let Some(own) = &self.own {
            for (section, name, part) in own.parts() {
                let problem = match () {
                    () if document[section][name] != *part => {
                        "would not be in the template as it is in the file"
                    }
                    () if section == "Resources" && is_made_by_sam(name) => {
                        "has the name of a resource that SAM makes"
                    }
                    () => continue,
                };
                return Err(DeploymentError::new(
                    format!("`{}`: `{name}` in `{section}` {problem}", own.file),
                    "give it another name; use anchors within one section only, and no tabs",
                ));
            }
        }
        Ok(())
    }

    /// What is generated is readable, so it is the project's own part that is not, or that names something again.
    fn unreadable(&self, template: &str, error: &yaml::YamlError) -> DeploymentError {
        let file = self
            .own
            .as_ref()
            .map_or("the template", |own| own.file.as_str());
        let line = template
            .lines()
            .nth(error.line.saturating_sub(1))
            .unwrap_or_default();
        let own_name = self.own.iter().flat_map(OwnResources::names);
        let again = own_name.into_iter().find(|(section, name)| {
            SECTIONS.contains(section) && line.trim_end().trim_end_matches(':').trim() == *name
        });
        match again {
            Some((section, name)) => DeploymentError::new(
                format!(
                    "`{file}` names `{name}` in `{section}`, which the generated template has, too"
                ),
                "give it another name",
            ),
            None => DeploymentError::new(
                format!(
                    "`{file}` cannot be put into the template: {}",
                    error.message
                ),
                "check its indentation and its anchors",
            ),
        }
    }
}

/// Whether SAM gives such a name to what it makes of the function, its alias and the API; it would replace one's own.
fn is_made_by_sam(name: &str) -> bool {
    [
        "ApiApiGatewayDefaultStage",
        "ApiDeployment",
        "ApiliveStage",
        "CodeDeployServiceRole",
        "HostAlias",
        "HostDeploymentGroup",
        "HostVersion",
        "ServerlessDeploymentApplication",
    ]
    .iter()
    .any(|made| name.starts_with(made))
}

/// The groups of those parameters that are there.
fn interface(parameters: &str) -> String {
    let mut there: BTreeSet<&str> = parameters
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| !name.starts_with([' ', '#']))
        .collect();
    let mut groups = Vec::new();
    for (label, names) in GROUPS {
        let names: Vec<_> = names
            .iter()
            .copied()
            .filter(|name| there.remove(name))
            .collect();
        groups.push((label, names));
    }
    groups.push(("Of this project itself", there.into_iter().collect()));
    let mut out = "Metadata:\n  AWS::CloudFormation::Interface:\n    ParameterGroups:\n".to_owned();
    for (label, names) in groups.into_iter().filter(|(_, names)| !names.is_empty()) {
        out.push_str(&format!(
            "      - Label: {{default: {label}}}\n        Parameters:\n"
        ));
        for line in flow_list(&names, COLUMNS).lines() {
            out.push_str(&format!("          {line}\n"));
        }
    }
    out
}

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod tests;
