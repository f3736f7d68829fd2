//! Where a host finds a secret.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Bytes of a variable's name.
const VARIABLE_BYTES_MAX: usize = 256;
/// Bytes of a path (Linux: `PATH_MAX`).
const PATH_BYTES_MAX: usize = 4096;
/// Characters of a parameter's name (AWS: `PutParameter`).
const PARAMETER_BYTES_MAX: usize = 1011;
/// Characters of the name or ARN of a secret in Secrets Manager (AWS: `GetSecretValue`).
const SECRET_ID_BYTES_MAX: usize = 2048;
/// Bytes of the name of a member of a secret that is a JSON object.
const MEMBER_BYTES_MAX: usize = 256;

/// Where a host finds a secret. Its text form is `env:NAME`, `file:PATH`, `ssm:/PATH`, `ssm:ARN`, `secretsmanager:NAME` or
/// `secretsmanager:ARN`; the last two may end with `#MEMBER` if the secret is a JSON object, of which only the string with this name is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Source {
    /// A variable of the host's environment.
    Environment(String),
    /// A file; a relative path is relative to the project's file, or to the working folder of a host without one.
    File(PathBuf),
    /// A parameter of SSM Parameter Store: an absolute path, or an ARN.
    Parameter(String),
    /// A secret of AWS Secrets Manager.
    SecretsManager {
        /// Its name or ARN.
        id: String,
        /// The member of its JSON object; the whole text if there is none.
        member: Option<String>,
    },
}

/// What reads a source. Sources of the same kind are read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // as `Source`
pub enum SourceKind {
    Environment,
    File,
    Parameter,
    SecretsManager,
}

/// A text names no source. Messages do not repeat it, because somebody may have written the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It begins with no known kind.
    #[error(
        "a source is `env:NAME`, `file:PATH`, `ssm:/PATH`, `ssm:ARN`, `secretsmanager:NAME` or `secretsmanager:ARN`"
    )]
    Kind,
    /// After `env:`.
    #[error(
        "`env:` is followed by the name of a variable: letters, digits and `_`, not beginning with a digit"
    )]
    Environment,
    /// After `file:`.
    #[error("`file:` is followed by a path of at most {PATH_BYTES_MAX} bytes")]
    File,
    /// After `ssm:`.
    #[error(
        "`ssm:` is followed by a parameter's path, which begins with `/`, or by its ARN, without version or label"
    )]
    Parameter,
    /// After `secretsmanager:`.
    #[error(
        "`secretsmanager:` is followed by a secret's name or ARN, and `#MEMBER` if it is a JSON object"
    )]
    SecretsManager,
}

impl Source {
    /// What reads it.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Environment(_) => SourceKind::Environment,
            Self::File(_) => SourceKind::File,
            Self::Parameter(_) => SourceKind::Parameter,
            Self::SecretsManager { .. } => SourceKind::SecretsManager,
        }
    }

    /// The region that an ARN names.
    pub fn region(&self) -> Option<&str> {
        let (arn, service) = match self {
            Self::Parameter(name) => (name, "ssm"),
            Self::SecretsManager { id, .. } => (id, "secretsmanager"),
            Self::Environment(_) | Self::File(_) => return None,
        };
        arn_of(arn, service).map(|(region, _)| region)
    }

    /// The same source with a relative path of a file made one below `folder`.
    #[must_use]
    pub fn below(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            Self::Environment(_) | Self::Parameter(_) | Self::SecretsManager { .. } => self,
        }
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let (kind, rest) = text.split_once(':').ok_or(SourceError::Kind)?;
        match kind {
            "env" => is_variable(rest)
                .then(|| Self::Environment(rest.to_owned()))
                .ok_or(SourceError::Environment),
            "file" => is_path(rest)
                .then(|| Self::File(rest.into()))
                .ok_or(SourceError::File),
            "ssm" => is_parameter(rest)
                .then(|| Self::Parameter(rest.to_owned()))
                .ok_or(SourceError::Parameter),
            "secretsmanager" => secrets_manager(rest).ok_or(SourceError::SecretsManager),
            _ => Err(SourceError::Kind),
        }
    }
}

fn is_variable(text: &str) -> bool {
    let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= VARIABLE_BYTES_MAX
        && text.starts_with(|first: char| !first.is_ascii_digit())
        && text.bytes().all(is_of_names)
}

fn is_path(text: &str) -> bool {
    (1..=PATH_BYTES_MAX).contains(&text.len()) && !text.contains('\0')
}

fn is_parameter(text: &str) -> bool {
    let path = match arn_of(text, "ssm") {
        Some((_, resource)) => match resource.strip_prefix("parameter") {
            Some(path) => path,
            None => return false,
        },
        None => text,
    };
    let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    text.len() <= PARAMETER_BYTES_MAX
        && path.strip_prefix('/').is_some_and(|path| {
            path.split('/')
                .all(|level| !level.is_empty() && level.bytes().all(is_of_names))
        })
}

fn secrets_manager(text: &str) -> Option<Source> {
    let (id, member) = match text.split_once('#') {
        Some((id, member)) => (id, Some(member)),
        None => (text, None),
    };
    let name = match arn_of(id, "secretsmanager") {
        Some((_, resource)) => resource.strip_prefix("secret:")?,
        None => id,
    };
    let is_of_names = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'/' | b'_' | b'+' | b'=' | b'.' | b'@' | b'-')
    };
    let is_id =
        !name.is_empty() && id.len() <= SECRET_ID_BYTES_MAX && name.bytes().all(is_of_names);
    let is_member = member.is_none_or(|member| {
        (1..=MEMBER_BYTES_MAX).contains(&member.len()) && !member.contains(char::is_control)
    });
    (is_id && is_member).then(|| Source::SecretsManager {
        id: id.to_owned(),
        member: member.map(str::to_owned),
    })
}

/// Region and resource of an ARN of a service: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
fn arn_of<'a>(text: &'a str, service: &str) -> Option<(&'a str, &'a str)> {
    let mut parts = text.splitn(6, ':');
    let (arn, partition) = (parts.next()?, parts.next()?);
    let (of, region) = (parts.next()?, parts.next()?);
    let (account, resource) = (parts.next()?, parts.next()?);
    let is_plain = |text: &str| {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        !text.is_empty() && text.bytes().all(is_plain)
    };
    let is_arn =
        arn == "arn" && of == service && [partition, region, account].into_iter().all(is_plain);
    is_arn.then_some((region, resource))
}

impl TryFrom<String> for Source {
    type Error = SourceError;

    fn try_from(text: String) -> Result<Self, SourceError> {
        text.parse()
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(formatter, "env:{name}"),
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            Self::Parameter(name) => write!(formatter, "ssm:{name}"),
            Self::SecretsManager { id, member: None } => write!(formatter, "secretsmanager:{id}"),
            Self::SecretsManager {
                id,
                member: Some(member),
            } => write!(formatter, "secretsmanager:{id}#{member}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_and_written_alike() {
        for text in [
            "env:STRIPE_KEY",
            "env:_a1",
            "file:key.txt",
            "file:/run/secrets/a b:c",
            "ssm:/prod/stripe-key",
            "ssm:/a",
            "ssm:arn:aws:ssm:eu-central-1:123456789012:parameter/prod/stripe-key",
            "ssm:arn:aws-cn:ssm:cn-north-1:123456789012:parameter/a",
            "secretsmanager:prod/stripe",
            "secretsmanager:prod/stripe#key",
            "secretsmanager:a#b#c",
            "secretsmanager:arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/stripe-AbCdEf#key",
        ] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
        let member = "secretsmanager:prod/stripe#key".parse::<Source>().unwrap();
        let parts = Source::SecretsManager {
            id: "prod/stripe".into(),
            member: Some("key".into()),
        };
        assert_eq!(member, parts);
        assert_eq!(member.region(), None);
        let arn = "ssm:arn:aws:ssm:eu-central-1:123456789012:parameter/a".parse::<Source>();
        assert_eq!(arn.unwrap().region(), Some("eu-central-1"));
    }

    #[test]
    fn other_texts_are_refused_and_not_repeated() {
        use SourceError as Error;
        for (text, expected) in [
            ("", Error::Kind),
            ("sk_live_planted", Error::Kind),
            ("ENV:A", Error::Kind),
            ("https://planted", Error::Kind),
            ("env:", Error::Environment),
            ("env:1A", Error::Environment),
            ("env:A B", Error::Environment),
            ("env:A=planted", Error::Environment),
            ("file:", Error::File),
            ("file:a\0b", Error::File),
            ("ssm:", Error::Parameter),
            ("ssm:planted", Error::Parameter),
            ("ssm:/", Error::Parameter),
            ("ssm:/a//b", Error::Parameter),
            ("ssm:/a/", Error::Parameter),
            ("ssm:/a:3", Error::Parameter),
            (
                "ssm:arn:aws:ssm:eu-central-1:1:document/a",
                Error::Parameter,
            ),
            (
                "ssm:arn:aws:s3:eu-central-1:1:parameter/a",
                Error::Parameter,
            ),
            ("ssm:arn:aws:ssm::1:parameter/a", Error::Parameter),
            ("secretsmanager:", Error::SecretsManager),
            ("secretsmanager:#a", Error::SecretsManager),
            ("secretsmanager:a#", Error::SecretsManager),
            ("secretsmanager:a b", Error::SecretsManager),
            (
                "secretsmanager:arn:aws:secretsmanager:eu-central-1:1:secret:",
                Error::SecretsManager,
            ),
            (
                "secretsmanager:arn:aws:ssm:eu-central-1:1:secret:a",
                Error::SecretsManager,
            ),
        ] {
            let error = text.parse::<Source>().unwrap_err();
            assert_eq!(error, expected, "{text:?}");
            assert!(!error.to_string().contains("planted"));
        }
    }

    #[test]
    fn only_relative_paths_of_files_depend_on_a_folder() {
        let below = |text: &str| {
            text.parse::<Source>()
                .unwrap()
                .below(Path::new("/project"))
                .to_string()
        };
        assert_eq!(below("file:key.txt"), "file:/project/key.txt");
        assert_eq!(below("file:/run/key"), "file:/run/key");
        assert_eq!(below("env:KEY"), "env:KEY");
    }
}
