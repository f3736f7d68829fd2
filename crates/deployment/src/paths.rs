//! The `paths` of an API's definition, and the settings of single routes.

use crate::{
    api_kind::ApiKind,
    authorizer::Authorizer,
    route::{Content, Method, RouteKey},
    settings::{Deployment, Routes},
    text::quoted,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// How the gateway calls the function, up to what differs between kinds of APIs.
const INTEGRATION: &str = include_str!("parts/integration.yaml");

/// All further segments of a path.
const REST_OF_PATH: &str = "/{proxy+}";

/// A method, or all that a path does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verb {
    One(Method),
    Any,
}

impl Verb {
    fn member(self) -> &'static str {
        match self {
            Self::One(method) => method.member(),
            Self::Any => "x-amazon-apigateway-any-method",
        }
    }
}

/// Operations that are written the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Class {
    is_open: bool,
    /// Whether the gateway checks that the body is an object.
    is_checked: bool,
}

impl Class {
    /// The anchor in the template.
    fn anchor(self) -> &'static str {
        match (self.is_open, self.is_checked) {
            (false, false) => "read",
            (false, true) => "write",
            (true, false) => "open",
            (true, true) => "open_write",
        }
    }
}

/// What the API consists of.
pub struct Surface<'a> {
    deployment: &'a Deployment,
    paths: BTreeMap<&'a str, BTreeMap<Verb, Class>>,
    /// Media types of bodies that are checked.
    media_types: BTreeSet<&'a str>,
}

impl<'a> Surface<'a> {
    pub fn of(deployment: &'a Deployment) -> Self {
        let mut surface = Self {
            deployment,
            paths: BTreeMap::new(),
            media_types: BTreeSet::new(),
        };
        match &deployment.routes {
            Routes::Proxy => surface.add_proxy(),
            Routes::Listed { routes, .. } => {
                for route in routes {
                    surface.add(&route.key, &route.content);
                }
            }
        }
        // Without authorization, because browsers send none with preflight requests.
        let is_checked = false;
        for verbs in surface.paths.values_mut() {
            let options = Verb::One(Method::Options);
            verbs.insert(
                options,
                Class {
                    is_open: true,
                    is_checked,
                },
            );
        }
        surface
    }

    fn add_proxy(&mut self) {
        let is_open = self.deployment.authorizer == Authorizer::None;
        let any = Class {
            is_open,
            is_checked: false,
        };
        let deployment = self.deployment;
        let named = deployment.open.iter().map(|key| key.path.as_str());
        let is_tree = deployment.api == ApiKind::Rest;
        // In a REST API, the resources above a route take requests from the proxy route, so that they need methods.
        let above = named
            .clone()
            .filter(|_| is_tree)
            .flat_map(|path| path.match_indices('/').map(|(end, _)| &path[..end]))
            .filter(|path| !path.is_empty());
        for path in named.clone().chain(above).chain(["/", REST_OF_PATH]) {
            self.paths.entry(path).or_default().insert(Verb::Any, any);
        }
        for key in &deployment.open {
            self.add(key, &Content::Unchecked);
        }
    }

    fn add(&mut self, key: &'a RouteKey, content: &'a Content) {
        let deployment = self.deployment;
        let is_open = deployment.authorizer == Authorizer::None || deployment.open.contains(key);
        let mut is_checked = false;
        // HTTP APIs have no validation of bodies.
        if let (Content::Objects(types), ApiKind::Rest) = (content, deployment.api) {
            is_checked = true;
            self.media_types.extend(types.iter().map(String::as_str));
        }
        let verbs = self.paths.entry(&key.path).or_default();
        verbs.insert(
            Verb::One(key.method),
            Class {
                is_open,
                is_checked,
            },
        );
    }

    /// Whether a body is checked anywhere.
    pub fn is_checked(&self) -> bool {
        !self.media_types.is_empty()
    }

    /// `paths` of the definition, without indentation.
    pub fn definition(&self) -> String {
        let mut out = String::new();
        let mut written = BTreeSet::new();
        for (path, verbs) in &self.paths {
            let _ = writeln!(out, "{}:", key(path));
            for (verb, class) in verbs {
                let (member, anchor) = (verb.member(), class.anchor());
                if written.contains(class) {
                    let _ = writeln!(out, "  {member}: *{anchor}");
                    continue;
                }
                if class.is_open && *verb == Verb::One(Method::Options) {
                    out.push_str("  # Open to everybody, because browsers send no credentials with preflight requests.\n");
                }
                let _ = writeln!(out, "  {member}: &{anchor}");
                let body = self.operation(*class, written.is_empty());
                for line in body.lines() {
                    let _ = writeln!(out, "    {line}");
                }
                written.insert(*class);
            }
        }
        out
    }

    fn operation(&self, class: Class, is_first: bool) -> String {
        let mut out = format!("security: {}\n", self.security(class));
        if class.is_checked {
            out.push_str(
                "x-amazon-apigateway-request-validator: content\nrequestBody:\n  content:\n",
            );
            for media_type in &self.media_types {
                let _ = writeln!(
                    out,
                    "    {}: {{schema: {{$ref: \"#/components/schemas/Content\"}}}}",
                    key(media_type)
                );
            }
        }
        out.push_str("responses: {default: {description: What the guest answers}}\n");
        match is_first {
            false => out.push_str("x-amazon-apigateway-integration: *host\n"),
            true => {
                out.push_str(INTEGRATION);
                if self.deployment.api == ApiKind::Http {
                    out.push_str("  payloadFormatVersion: \"2.0\"\n");
                }
                out.push_str("  timeoutInMillis: 15000\n");
                out.push_str(self.uri());
            }
        }
        out
    }

    /// What an operation calls. An HTTP API names the alias in place of referring to it: its alarms refer to the API, and the alias to alarms.
    fn uri(&self) -> &'static str {
        match self.deployment.api {
            ApiKind::Rest | ApiKind::FunctionUrl => {
                "  uri: !Sub\n    - arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Alias}/invocations\n    - {Alias: !Ref Host.Alias}\n"
            }
            ApiKind::Http => {
                "  # The alias by its name, because its canary watches alarms that refer to the API.\n  uri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Host.Arn}:live/invocations\n"
            }
        }
    }

    fn security(&self, class: Class) -> &'static str {
        if class.is_open {
            return "[]";
        }
        match (&self.deployment.authorizer, self.deployment.api) {
            (Authorizer::None, _) => "[]",
            (Authorizer::ApiKey, _) => "!If [KeyRequired, [{api_key: []}], []]",
            (Authorizer::Iam, _) => "[{iam: []}]",
            (Authorizer::Cognito { .. }, ApiKind::Rest | ApiKind::FunctionUrl) => "[{cognito: []}]",
            (Authorizer::Cognito { .. }, ApiKind::Http) | (Authorizer::Jwt { .. }, _) => {
                "[{jwt: []}]"
            }
            (Authorizer::Lambda { .. }, _) => "[{function: []}]",
        }
    }

    /// Settings of each open route, without indentation.
    pub fn open_settings(&self) -> String {
        let mut out = String::new();
        for (path, verbs) in &self.paths {
            for (verb, class) in verbs {
                let Verb::One(method) = verb else { continue };
                if class.is_open {
                    match self.deployment.api {
                        ApiKind::Rest => rest_setting(&mut out, path, *method),
                        ApiKind::Http => http_setting(&mut out, path, *method),
                        ApiKind::FunctionUrl => {}
                    }
                }
            }
        }
        out
    }
}

fn rest_setting(out: &mut String, path: &str, method: Method) {
    let path = format!("/{}", path.replace('/', "~1"));
    let _ = writeln!(
        out,
        "- {{ResourcePath: {}, HttpMethod: {method}, ThrottlingRateLimit: !Ref OpenRequestsPerSecond, ThrottlingBurstLimit: !Ref OpenRequestsBurst,",
        key(&path)
    );
    out.push_str(
        "   MetricsEnabled: !Ref MethodMetrics, LoggingLevel: ERROR, DataTraceEnabled: false}\n",
    );
}

fn http_setting(out: &mut String, path: &str, method: Method) {
    let _ = writeln!(
        out,
        "{}: {{ThrottlingRateLimit: !Ref OpenRequestsPerSecond, ThrottlingBurstLimit: !Ref OpenRequestsBurst, DetailedMetricsEnabled: !Ref MethodMetrics}}",
        quoted(&format!("{method} {path}"))
    );
}

/// A text that YAML reads as it is, in quotes where a flow mapping would end in it.
fn key(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_.~+-".contains(&byte);
    let starts_plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    match starts_plain && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => quoted(text),
    }
}
