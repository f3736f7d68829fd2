//! What the parts of a template ask for: which conditions hold, and what is filled in.

use crate::{
    api_kind::ApiKind,
    authorizer::Authorizer,
    parts::Names,
    paths::Surface,
    secrets::StackSecrets,
    settings::{Architecture, DEFAULT_NAMESPACE, Deployment, Routes, Storage},
    text::{self, in_one_line, quoted},
};

/// What the parts ask for.
pub struct Facts<'a> {
    deployment: &'a Deployment,
    surface: Surface<'a>,
}

impl<'a> Facts<'a> {
    pub fn of(deployment: &'a Deployment) -> Self {
        Self {
            deployment,
            surface: Surface::of(deployment),
        }
    }

    fn secrets(&self) -> Option<&StackSecrets> {
        self.deployment.secrets.as_ref()
    }

    fn is_open(&self) -> bool {
        self.deployment.authorizer == Authorizer::None
    }

    fn has_channel(&self) -> bool {
        self.deployment.has_channel()
    }

    /// Whether another stack could take the namespace: a table of one's own with the usual namespace has nobody else in it.
    fn claims(&self) -> bool {
        match &self.deployment.storage {
            Storage::None => false,
            Storage::Own => self.deployment.namespace != DEFAULT_NAMESPACE,
            Storage::Existing(_) => true,
        }
    }

    fn open_methods(&self) -> String {
        const SHOWN_MAX: usize = 4;
        let open: Vec<_> = self
            .deployment
            .open
            .iter()
            .map(ToString::to_string)
            .collect();
        // The text stands in descriptions without quotes, which a colon before a blank would end.
        let is_plain = open.iter().all(|key| !key.ends_with(':'));
        match open.as_slice() {
            [] => "OPTIONS".to_owned(),
            [all @ .., last] if all.len() < SHOWN_MAX && is_plain => {
                let before: String = all.iter().map(|key| format!(", {key}")).collect();
                format!("OPTIONS{before} and {last}")
            }
            many => format!("OPTIONS and {} methods more", many.len()),
        }
    }

    fn is_existing(&self) -> bool {
        matches!(self.deployment.storage, Storage::Existing(_))
    }

    fn of_api(&self, gateway: [&str; 2], url: &str) -> String {
        let [rest, http] = gateway;
        match self.deployment.api {
            ApiKind::Rest => rest,
            ApiKind::Http => http,
            ApiKind::FunctionUrl => url,
        }
        .to_owned()
    }

    fn methods_are(&self) -> String {
        match &self.deployment.routes {
            Routes::Proxy => "One route passes every path and method to the guest; OPTIONS, which the guest answers for browsers (CORS), is open.".to_owned(),
            Routes::Listed { document, .. } => format!(
                "Its methods are those of {}, and OPTIONS, which the guest answers for browsers (CORS).",
                in_one_line(document)
            ),
        }
    }

    fn of_issuer(&self, text: impl Fn(String, &[String]) -> String) -> String {
        let issuer = self.deployment.authorizer.issuer();
        issuer
            .map(|(issuer, audience)| text(issuer, audience))
            .unwrap_or_default()
    }
}

impl Names for Facts<'_> {
    fn holds(&self, name: &str) -> Option<bool> {
        let Deployment {
            api,
            authorizer,
            storage,
            domain,
            outgoing,
            ..
        } = self.deployment;
        let secrets = self.secrets();
        let is_http = *api == ApiKind::Http;
        let is_key = *authorizer == Authorizer::ApiKey;
        Some(match name {
            "rest" => *api == ApiKind::Rest,
            "gateway" => *api != ApiKind::FunctionUrl,
            "open" => self.is_open(),
            "open_rates" => *api != ApiKind::FunctionUrl && !self.is_open(),
            "authorized" => !self.is_open(),
            "validated" => self.surface.is_checked(),
            "components" => !self.is_open() || self.surface.is_checked(),
            "key" => is_key,
            "iam" => *authorizer == Authorizer::Iam,
            "cognito" => matches!(authorizer, Authorizer::Cognito { .. }) && !is_http,
            "jwt" => is_http && authorizer.issuer().is_some(),
            "authorizer_function" => matches!(authorizer, Authorizer::Lambda { .. }),
            "storage" => *storage != Storage::None,
            "own_table" => *storage == Storage::Own,
            "existing_table" => self.is_existing(),
            "claim" => self.claims(),
            "channel" => self.has_channel(),
            "domain" => domain.is_some(),
            "rules" => self.has_channel() || self.is_existing(),
            "outgoing" => outgoing.is_some(),
            "signed" => outgoing.as_ref().is_some_and(|outgoing| outgoing.signs),
            "secrets" => secrets.is_some(),
            "secrets_of_stack" => secrets.is_some_and(|secrets| secrets.of_stack),
            "named_parameters" => secrets.is_some_and(|secrets| !secrets.parameters().is_empty()),
            "named_secrets" => secrets.is_some_and(|secrets| !secrets.managed().is_empty()),
            _ => return None,
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        let Deployment {
            authorizer,
            storage,
            domain,
            outgoing,
            architecture,
            ..
        } = self.deployment;
        let is_existing = self.is_existing();
        let of_table =
            |own: &str, existing: &str| if is_existing { existing } else { own }.to_owned();
        let secrets = self.secrets();
        Some(match name {
            "namespace" => text::name(&self.deployment.namespace),
            "environment" => quoted(&self.deployment.environment),
            "outgoing" => quoted(outgoing.as_ref().map_or("[]", |outgoing| &outgoing.grants)),
            "secrets" => quoted(secrets.map_or("{}", |secrets| &secrets.declarations)),
            "named_parameters" => secrets.map(StackSecrets::parameters).unwrap_or_default(),
            "named_secrets" => secrets.map(StackSecrets::managed).unwrap_or_default(),
            "base_path" => quoted(domain.as_ref().map_or("", |domain| &domain.base_path)),
            "domain" => quoted(domain.as_ref().map_or("", |domain| &domain.name)),
            "mapping_key" => domain.as_ref().map_or_else(String::new, |domain| quoted(domain.base_path.trim_start_matches('/'))),
            "packages" => format!("{}/{}", self.deployment.packages, architecture.as_str()),
            "architecture" => architecture.as_str().to_owned(),
            "architecture_remark" => match architecture {
                Architecture::Arm64 => " # a fifth cheaper than x86_64 for the same time".to_owned(),
                Architecture::X86_64 => String::new(),
            },
            "table" => match storage {
                Storage::Existing(table) => quoted(table),
                Storage::None | Storage::Own => String::new(),
            },
            "table_name" => of_table("Table", "TableName"),
            "claim_name" => of_table("${Table}", "${TableName}"),
            "table_in_text" => of_table("${Table}", "${TableName}"),
            "table_arn" => of_table("!GetAtt Table.Arn", &format!("!Sub \"{TABLE_ARN}\"")),
            "index_arn" => of_table("!Sub \"${Table.Arn}/index/index\"", &format!("!Sub \"{TABLE_ARN}/index/index\"")),
            "data" => of_table(
                "Both survive the deletion of the stack, which must not delete stored data.",
                "The table is of another stack. The bucket survives the deletion of this one, which must not delete guests.",
            ),
            "user_pool" => match authorizer {
                Authorizer::Cognito { user_pool, .. } => format!("Default: {}", quoted(user_pool)),
                _ => String::new(),
            },
            "authorizer" => match authorizer {
                Authorizer::Lambda { function } => format!("Default: {}", quoted(function)),
                _ => String::new(),
            },
            "issuer" => self.of_issuer(|issuer, _| quoted(&issuer)),
            "audience" => self.of_issuer(|_, audience| quoted(&audience.join(","))),
            "auth_type" => if self.is_open() { "NONE" } else { "AWS_IAM" }.to_owned(),
            "methods_are" => self.methods_are(),
            "open_methods" => self.open_methods(),
            "open_settings" => self.surface.open_settings(),
            "paths" => self.surface.definition(),
            "api_namespace" => self.of_api(["AWS/ApiGateway", "AWS/ApiGateway"], "AWS/Lambda"),
            "api_5xx" => self.of_api(["5XXError", "5xx"], "Url5xxCount"),
            "api_4xx" => self.of_api(["4XXError", "4xx"], "Url4xxCount"),
            "api_count" => self.of_api(["Count", "Count"], "UrlRequestCount"),
            "api_count_statistic" => self.of_api(["SampleCount", "SampleCount"], "Sum"),
            "api_latency" => self.of_api(["Latency", "Latency"], "UrlRequestLatency"),
            "api_dimensions" => self.of_api(
                [
                    "[{Name: ApiName, Value: !Sub \"${AWS::StackName}-api\"}, {Name: Stage, Value: live}]",
                    "[{Name: ApiId, Value: !Ref Api}, {Name: Stage, Value: $default}]",
                ],
                "[{Name: FunctionName, Value: !Ref Host}, {Name: Resource, Value: !Sub \"${Host}:live\"}]",
            ),
            "api_dimension_list" => self.of_api(
                [
                    "\"ApiName\", \"${AWS::StackName}-api\", \"Stage\", \"live\"",
                    "\"ApiId\", \"${Api}\", \"Stage\", \"$default\"",
                ],
                "\"FunctionName\", \"${Host}\", \"Resource\", \"${Host}:live\"",
            ),
            // Not by the name `$default`, which would not wait for the stage.
            "stage_reference" => self.of_api(["!Ref Api.Stage", "!Ref Api.Stage"], ""),
            "url" => self.of_api(
                [
                    "!Sub https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Api.Stage}",
                    "!Sub https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}",
                ],
                "!GetAtt HostUrl.FunctionUrl",
            ),
            _ => return None,
        })
    }
}

/// The ARN of a table that is named by a parameter.
const TABLE_ARN: &str =
    "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}";
