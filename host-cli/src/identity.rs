//! Who calls: claims for all requests, or those of each request's bearer token.

mod fetch;
mod tokens;

pub use self::tokens::Tokens;
use crate::{
    args::identity::{ClaimsOptions, IdentityOptions},
    exit::CommandError,
    input,
};
use gateway::{
    EventKind,
    compose::{Authorization, Authorizer, ClaimsError},
};
use std::path::Path;

/// Largest file of claims. A request's event has to hold them.
const CLAIMS_BYTES_MAX: u64 = 64 << 10;

/// Who calls a server, before anything is fetched.
#[derive(Clone, Debug)]
pub enum CallerSpec {
    /// Nobody is known.
    Nobody,
    /// The same caller for all requests.
    One(Authorization),
    /// Whoever a request's token names.
    Tokens(TokenSpec),
}

/// How callers are taken from tokens.
#[derive(Clone, Debug)]
pub struct TokenSpec {
    /// Where the keys that verify tokens are; without keys, tokens are believed.
    keys: Option<String>,
    /// Whether a request without a token is answered, without a caller.
    is_optional: bool,
}

/// Who calls a server.
#[derive(Debug)]
pub enum Callers {
    /// Nobody is known.
    Nobody,
    /// The same caller for all requests.
    One(Authorization),
    /// Whoever a request's token names.
    Tokens(Tokens),
}

/// Reads the options of a server; nothing is fetched yet.
pub fn resolve(options: &IdentityOptions, kind: EventKind) -> Result<CallerSpec, CommandError> {
    if !options.jwt {
        return Ok(claims(&options.claims, kind)?.map_or(CallerSpec::Nobody, CallerSpec::One));
    }
    if !Authorizer::takes_tokens(kind) {
        return Err(CommandError::usage(format_args!(
            "`--jwt` is not for events of kind `{kind}`: this gateway takes no bearer tokens"
        ))
        .hint("give the caller with `--claims`, or choose another `--event-kind`"));
    }
    if options.jwks.as_deref().is_some_and(fetch::has_user) {
        return Err(CommandError::usage(
            "the address of `--jwks` contains a user or password, which would be sent to nobody",
        )
        .hint("leave it out: the keys of an issuer are public"));
    }
    Ok(CallerSpec::Tokens(TokenSpec {
        keys: options.jwks.clone(),
        is_optional: options.jwt_optional,
    }))
}

/// The caller that `--claims` gives.
pub fn claims(
    options: &ClaimsOptions,
    kind: EventKind,
) -> Result<Option<Authorization>, CommandError> {
    let Some(given) = &options.claims else {
        return Ok(None);
    };
    let usual = Authorizer::of(kind).first().copied();
    let authorizer = options
        .authorizer
        .map(|name| name.0)
        .or(usual)
        .unwrap_or(Authorizer::Jwt);
    let is_json = given.trim_start().starts_with(['{', '[', '"']);
    let text = if is_json {
        given.clone()
    } else {
        let path = Path::new(given);
        if !path.exists() {
            let message = format_args!("claims `{given}` are neither a JSON object nor a file");
            return Err(CommandError::environment(message).hint(
                r#"for example `--claims '{"sub":"ann"}'`, or the name of a file that contains it"#,
            ));
        }
        let bytes = input::read_file(path, "claims", CLAIMS_BYTES_MAX)?;
        String::from_utf8(bytes).map_err(|_| {
            CommandError::environment(format_args!("claims `{given}` are not UTF-8"))
        })?
    };
    match Authorization::new(kind, authorizer, &text, &options.scope) {
        Ok(authorization) => Ok(Some(authorization)),
        Err(error) => Err(unusable(
            &error,
            authorizer,
            kind,
            (!is_json).then_some(given),
        )),
    }
}

/// What is wrong with claims, and how they are written.
fn unusable(
    error: &ClaimsError,
    authorizer: Authorizer,
    kind: EventKind,
    file: Option<&String>,
) -> CommandError {
    let message = match file {
        Some(file) => format!("`{file}`: {error}"),
        None => error.to_string(),
    };
    // A file is part of the environment, a text part of the command line.
    let failure = match file {
        Some(_) => CommandError::environment(message),
        None => CommandError::usage(message),
    };
    let example = match (authorizer, kind) {
        (Authorizer::Iam, _) => r#"{"userArn":"arn:aws:iam::123456789012:user/ann"}"#,
        (Authorizer::Lambda, EventKind::Rest) => r#"{"principalId":"ann"}"#,
        (_, _) => r#"{"sub":"ann"}"#,
    };
    match error {
        ClaimsError::NotOfKind { .. } => failure.hint("choose another `--authorizer` or kind"),
        ClaimsError::NotJson(_)
        | ClaimsError::NotAnObject(_)
        | ClaimsError::Repeated(_)
        | ClaimsError::UnknownMember { .. }
        | ClaimsError::Type { .. }
        | ClaimsError::Missing(..) => {
            failure.hint(format_args!("for example `--claims '{example}'`"))
        }
    }
}

impl CallerSpec {
    /// Reads or fetches the keys.
    pub async fn open(&self, kind: EventKind) -> Result<Callers, CommandError> {
        Ok(match self {
            Self::Nobody => Callers::Nobody,
            Self::One(authorization) => Callers::One(authorization.clone()),
            Self::Tokens(TokenSpec { keys, is_optional }) => {
                Callers::Tokens(Tokens::open(kind, keys.as_deref(), *is_optional).await?)
            }
        })
    }

    /// A warning for the person who starts the server.
    pub fn warning(&self) -> Option<&'static str> {
        match self {
            Self::Tokens(TokenSpec { keys: None, .. }) => Some(
                "warning: tokens are not verified: anybody can name themselves any caller; `--jwks FILE|URL` verifies them",
            ),
            Self::Tokens(_) | Self::Nobody | Self::One(_) => None,
        }
    }

    /// A line of the greeting.
    pub fn describe(&self) -> String {
        match self {
            Self::Nobody => String::new(),
            Self::One(_) => "caller: as `--claims` says, for every request\n".to_owned(),
            Self::Tokens(TokenSpec { keys, is_optional }) => {
                let whose = match is_optional {
                    true => "a request's bearer token, if it has one",
                    false => "each request's bearer token",
                };
                match keys {
                    None => format!("caller: from {whose}, not verified\n"),
                    Some(keys) => format!("caller: from {whose}, verified with {keys}\n"),
                }
            }
        }
    }
}
