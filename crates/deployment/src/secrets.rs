//! Where a guest's secrets are kept on AWS, and what the role may therefore read.

/// A place that keeps a secret: its name, or its ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretSource {
    /// SSM Parameter Store: an absolute path, or an ARN.
    Parameter(String),
    /// Secrets Manager.
    SecretsManager(String),
}

/// The secrets of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackSecrets {
    /// The declarations as the host reads them (`TENON_SECRETS`): a JSON object.
    pub declarations: String,
    /// Where they are kept.
    pub sources: Vec<SecretSource>,
    /// Whether the role may also read what begins with the stack's name, or what parameters of the stack name, for guests that come later.
    pub of_stack: bool,
}

impl SecretSource {
    /// The resource in a policy, in YAML: one or two, because Amazon adds six characters to the name of a secret.
    pub fn resources(&self) -> Vec<String> {
        const ACCOUNT: &str = "${AWS::Region}:${AWS::AccountId}";
        match self {
            Self::Parameter(name) if name.starts_with("arn:") => vec![name.clone()],
            Self::Parameter(name) => {
                let name = name.trim_start_matches('/');
                vec![format!(
                    "!Sub \"arn:${{AWS::Partition}}:ssm:{ACCOUNT}:parameter/{name}\""
                )]
            }
            Self::SecretsManager(id) if id.starts_with("arn:") => {
                vec![id.clone(), format!("{id}-??????")]
            }
            Self::SecretsManager(name) => vec![format!(
                "!Sub \"arn:${{AWS::Partition}}:secretsmanager:{ACCOUNT}:secret:{name}-??????\""
            )],
        }
    }
}

impl StackSecrets {
    /// Resources of parameters in YAML, one a line, as the elements of a list.
    pub fn parameters(&self) -> String {
        self.lines(|source| matches!(source, SecretSource::Parameter(_)))
    }

    /// The same for Secrets Manager.
    pub fn managed(&self) -> String {
        self.lines(|source| matches!(source, SecretSource::SecretsManager(_)))
    }

    fn lines(&self, is_wanted: fn(&SecretSource) -> bool) -> String {
        let mut lines: Vec<String> = self
            .sources
            .iter()
            .filter(|source| is_wanted(source))
            .flat_map(SecretSource::resources)
            .map(|resource| format!("- {resource}\n"))
            .collect();
        lines.sort();
        lines.dedup();
        lines.concat()
    }
}
