//! Who decides about callers before the function runs.

use crate::api_kind::ApiKind;

/// Who decides about callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorizer {
    /// Nobody: every route is open.
    None,
    /// API keys with a usage plan, which count and bound calls; AWS advises not to take them as proof of who calls.
    ApiKey,
    /// Signatures of AWS (Version 4).
    Iam,
    /// Tokens of a Cognito user pool.
    Cognito {
        /// ARN of the pool.
        user_pool: String,
        /// Ids of its app clients, which HTTP APIs compare with the token's audience.
        clients: Vec<String>,
    },
    /// Tokens of an OpenID provider.
    Jwt {
        /// As in the claim `iss`.
        issuer: String,
        /// One of these is in the claim `aud`.
        audience: Vec<String>,
    },
    /// A Lambda function.
    Lambda {
        /// ARN of the function, or of its alias.
        function: String,
    },
}

/// The kinds of authorizers, without their settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // as `Authorizer`
pub enum AuthorizerKind {
    None,
    ApiKey,
    Iam,
    Cognito,
    Jwt,
    Lambda,
}

impl AuthorizerKind {
    /// As `tenon.toml` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ApiKey => "api-key",
            Self::Iam => "iam",
            Self::Cognito => "cognito",
            Self::Jwt => "jwt",
            Self::Lambda => "lambda",
        }
    }

    /// Whether a kind of API has it (AWS: "Choose between REST APIs and HTTP APIs"; Lambda function URLs, "Control access").
    pub fn is_of(self, api: ApiKind) -> bool {
        match (api, self) {
            (ApiKind::Rest, Self::Jwt) => false,
            (ApiKind::Rest, _) => true,
            (ApiKind::Http, Self::ApiKey) => false,
            (ApiKind::Http, _) => true,
            (ApiKind::FunctionUrl, kind) => matches!(kind, Self::None | Self::Iam),
        }
    }
}

impl Authorizer {
    /// Its kind.
    pub fn kind(&self) -> AuthorizerKind {
        match self {
            Self::None => AuthorizerKind::None,
            Self::ApiKey => AuthorizerKind::ApiKey,
            Self::Iam => AuthorizerKind::Iam,
            Self::Cognito { .. } => AuthorizerKind::Cognito,
            Self::Jwt { .. } => AuthorizerKind::Jwt,
            Self::Lambda { .. } => AuthorizerKind::Lambda,
        }
    }

    /// What a value lacks.
    pub fn check(&self, api: ApiKind) -> Result<(), &'static str> {
        match self {
            Self::None | Self::ApiKey | Self::Iam => Ok(()),
            Self::Cognito { user_pool, clients } => match pool(user_pool) {
                None => Err(
                    "`user_pool` is the ARN of a pool: arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID",
                ),
                Some(_) if api == ApiKind::Http && clients.is_empty() => Err(
                    "an HTTP API wants `clients`, the ids of app clients whose tokens it accepts",
                ),
                // It would accept the tokens of all others as well.
                Some(_) if api == ApiKind::Rest && !clients.is_empty() => Err(
                    "a REST API accepts the tokens of every app client of the pool; leave out `clients`, or choose `api = \"http\"`",
                ),
                Some(_) if !clients.iter().all(|client| is_listed(client)) => {
                    Err("each of `clients` is an id, without blanks and commas")
                }
                Some(_) => Ok(()),
            },
            Self::Jwt { issuer, audience } => {
                let is_host = |address: &str| !address.is_empty() && is_listed(address);
                match issuer.strip_prefix("https://").is_some_and(is_host) && !audience.is_empty() {
                    true if audience.iter().all(|value| is_listed(value)) => Ok(()),
                    true => Err("each value of `audience` is a text without blanks and commas"),
                    false => Err(
                        "`issuer` is an address with https://, and `audience` has at least one value",
                    ),
                }
            }
            Self::Lambda { function } => match arn(function, "lambda", "function:") {
                true => Ok(()),
                false => Err(
                    "`lambda` is the ARN of a function: arn:aws:lambda:REGION:ACCOUNT:function:NAME",
                ),
            },
        }
    }

    /// Issuer and audience for a gateway that verifies tokens itself, as HTTP APIs do.
    pub fn issuer(&self) -> Option<(String, &[String])> {
        match self {
            Self::Cognito { user_pool, clients } => {
                let (region, id) = pool(user_pool)?;
                let issuer = format!("https://cognito-idp.{region}.amazonaws.com/{id}");
                Some((issuer, clients))
            }
            Self::Jwt { issuer, audience } => Some((issuer.clone(), audience)),
            Self::None | Self::ApiKey | Self::Iam | Self::Lambda { .. } => None,
        }
    }
}

/// Whether a text can be in the list of a parameter, which commas separate.
fn is_listed(text: &str) -> bool {
    let is_other =
        |character: char| character == ',' || character.is_whitespace() || character.is_control();
    !text.is_empty() && !text.contains(is_other)
}

/// Region and id of a user pool.
fn pool(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.splitn(6, ':');
    let is_arn = arn(text, "cognito-idp", "userpool/");
    let region = parts.nth(3).filter(|_| is_arn)?;
    let id = text.split_once("userpool/")?.1;
    let is_of_ids = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let is_id = !id.is_empty() && id.bytes().all(is_of_ids);
    is_id.then_some((region, id))
}

/// Whether a text is the ARN of a service's resource.
fn arn(text: &str, service: &str, resource: &str) -> bool {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, of, region, account, of_service] => {
            partition.starts_with("aws")
                && *of == service
                && !region.is_empty()
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && of_service.len() > resource.len()
                && of_service.starts_with(resource)
                && !text.contains(['"', '\'', '\\', '\n', ' '])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked() {
        let pool = |user_pool: &str, clients: &[&str]| Authorizer::Cognito {
            user_pool: user_pool.to_owned(),
            clients: clients.iter().map(|client| (*client).to_owned()).collect(),
        };
        let good = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_Ab1";
        pool(good, &[]).check(ApiKind::Rest).unwrap();
        assert!(pool(good, &[]).check(ApiKind::Http).is_err());
        assert!(
            pool("eu-central-1_Ab1", &["a"])
                .check(ApiKind::Http)
                .is_err()
        );
        assert_eq!(
            pool(good, &["a"]).issuer().unwrap().0,
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1"
        );
        // It would be ignored.
        assert!(pool(good, &["a"]).check(ApiKind::Rest).is_err());
        assert!(pool(good, &["a,b"]).check(ApiKind::Http).is_err());
        let jwt = |issuer: &str, audience: &str| Authorizer::Jwt {
            issuer: issuer.to_owned(),
            audience: vec![audience.to_owned()],
        };
        jwt("https://a.example/", "shop")
            .check(ApiKind::Http)
            .unwrap();
        for (issuer, audience) in [
            ("http://a.example", "shop"),
            ("https://", "shop"),
            ("https://a.example/ b", "shop"),
            ("https://a.example", ""),
            ("https://a.example", "a,b"),
        ] {
            assert!(
                jwt(issuer, audience).check(ApiKind::Http).is_err(),
                "{issuer} {audience}"
            );
        }
        let function = |function: &str| Authorizer::Lambda {
            function: function.to_owned(),
        };
        let named = function("arn:aws:lambda:eu-central-1:123456789012:function:auth:live");
        named.check(ApiKind::Http).unwrap();
        assert!(function("auth").check(ApiKind::Rest).is_err());
    }

    #[test]
    fn each_kind_of_api_has_its_authorizers() {
        use AuthorizerKind::{ApiKey, Cognito, Iam, Jwt, Lambda, None};
        let of = |api| [None, ApiKey, Iam, Cognito, Jwt, Lambda].map(|kind| kind.is_of(api));
        assert_eq!(of(ApiKind::Rest), [true, true, true, true, false, true]);
        assert_eq!(of(ApiKind::Http), [true, false, true, true, true, true]);
        assert_eq!(
            of(ApiKind::FunctionUrl),
            [true, false, true, false, false, false]
        );
    }
}
