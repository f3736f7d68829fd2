//! `event`: writes a gateway event as the gateway would have sent it.

use crate::{
    args::{EventArgs, KindName},
    exit::{CommandError, Outcome},
    identity, input, output,
    project::{self, Project},
    seed, time,
};
use contract::{
    http::{Scheme, is_field_value, is_token},
    limits::LAMBDA_PAYLOAD_BYTES_MAX,
    seed::Seed,
};
use gateway::{
    Origin,
    compose::{Authorization, Incoming, compose_for, refused},
};
use std::path::Path;

/// From the addresses reserved for documentation (RFC 5737).
const CLIENT_ADDRESS: &str = "203.0.113.7";

/// The standard methods, which are upper-case (RFC 9110, 9.1). Other methods may have any case.
const METHODS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// A validated request.
pub struct Configuration {
    origin: Origin,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    received_at_ms: u64,
    seed: Seed,
    pretty: bool,
    caller: Option<Authorization>,
}

/// Checks that the request is valid.
pub fn resolve(
    arguments: &EventArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    let (kind, method, target) = request(&arguments.request)?;
    let kind = project::event_kind(kind.map(|kind| kind.0), project);
    if !is_token(&method) {
        return Err(CommandError::usage(format_args!(
            "`{method}` is not an HTTP method"
        )));
    }
    let meant = method.to_ascii_uppercase();
    if method != meant && METHODS.contains(&meant.as_str()) {
        return Err(CommandError::usage(format_args!(
            "`{method}` is not `{meant}`: methods are case-sensitive"
        ))
        .hint(format_args!("write `{meant}`")));
    }
    let is_target = target.starts_with('/')
        && target
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !is_target {
        return Err(
            CommandError::usage(format_args!("`{target}` is not a valid request target"))
                .hint("begin with `/` and percent-encode: `/items/two%20words?limit=2`"),
        );
    }
    let origin = Origin::new(kind);
    if refused(origin.kind, &target).is_some() {
        return Err(CommandError::usage(format_args!(
            "`{target}` is a path that an HTTP API refuses with 400: after one decoding, it contains a `%` that is not followed by two hexadecimal digits"
        )));
    }
    let mut headers = arguments
        .header
        .iter()
        .map(|line| header(line))
        .collect::<Result<Vec<_>, _>>()?;
    let body = body(arguments.body.as_deref())?;
    for (name, value) in [
        ("host", "api.example.com".to_owned()),
        (
            "user-agent",
            concat!("host-cli/", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
        ("content-length", body.len().to_string()),
    ] {
        let is_missing = !headers
            .iter()
            .any(|(given, _)| given.eq_ignore_ascii_case(name));
        if is_missing && (name != "content-length" || !body.is_empty()) {
            headers.push((name.to_owned(), value));
        }
    }
    Ok(Configuration {
        origin,
        method,
        target,
        headers,
        body,
        received_at_ms: time::resolve(arguments.at.as_deref())?,
        seed: seed::unpredictable()?,
        pretty: arguments.pretty,
        caller: identity::claims(&arguments.claims, kind)?,
    })
}

/// Prints the event.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration {
        origin,
        method,
        target,
        headers,
        body,
        received_at_ms,
        seed,
        pretty,
        caller,
    } = configuration;
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut event = compose_for(
        origin,
        &Incoming {
            method: &method,
            target: &target,
            headers: &headers,
            body: &body,
            client_address: CLIENT_ADDRESS,
            scheme: Scheme::Https,
            request_id: &seed.request_id(),
            received_at_ms,
        },
        caller.as_ref(),
    )
    .to_json();
    if pretty {
        let value = json::value(&event).map_err(|error| {
            CommandError::environment(format_args!("failed to indent the event: {error}"))
        })?;
        event = format!("{value:#}").into_bytes();
    }
    event.push(b'\n');
    output::result(&event)?;
    Ok(Outcome::Same)
}

/// `[KIND] METHOD PATH`
fn request(words: &[String]) -> Result<(Option<KindName>, String, String), CommandError> {
    match words {
        [kind, method, path] => {
            let kind = kind.parse().map_err(|error| {
                CommandError::usage(error).hint("write `host-cli event rest GET /items`")
            })?;
            Ok((Some(KindName(kind)), method.clone(), path.clone()))
        }
        [method, path] => Ok((None, method.clone(), path.clone())),
        _ => Err(CommandError::usage("an event needs a method and a path")
            .hint("write `host-cli event GET /items`")),
    }
}

fn header(line: &str) -> Result<(String, String), CommandError> {
    let field = line
        .split_once(':')
        .map(|(name, value)| (name.trim(), value.trim()));
    match field {
        Some((name, value)) if is_token(name) && is_field_value(value) => {
            Ok((name.to_owned(), value.to_owned()))
        }
        Some(_) | None => Err(
            CommandError::usage(format_args!("`{line}` is not a header field"))
                .hint("write `--header 'name: value'`"),
        ),
    }
}

fn body(text: Option<&str>) -> Result<Vec<u8>, CommandError> {
    let bytes_max = LAMBDA_PAYLOAD_BYTES_MAX as u64;
    match text {
        None => Ok(Vec::new()),
        Some("-") => input::read_stdin("body", bytes_max),
        Some(text) => match text.strip_prefix('@') {
            Some(path) => input::read_file(Path::new(path), "body", bytes_max),
            None => Ok(text.as_bytes().to_vec()),
        },
    }
}
