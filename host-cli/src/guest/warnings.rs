//! What will not work of a guest's secrets and grants, said when a server starts. None of it is an error: other routes work without.

use super::HostedGuest;
use contract::origin::{Host, Origin};
use outgoing::{Grant, Grants};
use secrets::{LocalSources, SecretDeclarations, Source};
use std::{
    env,
    net::{IpAddr, Ipv4Addr},
};

impl HostedGuest {
    /// What the person who starts a server should know, each in one line.
    pub fn warnings(&self) -> Vec<String> {
        let sources = LocalSources::new(|name| env::var_os(name));
        let unusable = unusable(&self.secrets, &sources);
        let ungranted = ungranted(&self.secrets, &self.grants);
        let closed = self.grants.iter().filter_map(closed);
        unusable
            .into_iter()
            .chain(ungranted)
            .chain(closed)
            .collect()
    }
}

/// Secrets of this machine that are not there, or cannot be used as they are declared. Those of AWS are read at their first use.
fn unusable(declarations: &SecretDeclarations, sources: &LocalSources) -> Vec<String> {
    let local = declarations.iter().filter(|(_, secret)| match secret.from {
        Source::Environment(_) | Source::File(_) => true,
        Source::Parameter(_) | Source::SecretsManager { .. } => false,
    });
    local
        .filter_map(|(name, secret)| {
            let words = match sources.value(secret) {
                Ok(value) => secret.why_not_filled(name, &value)?,
                Err(error) => format!("secret `{name}` cannot be read: {error}"),
            };
            Some(format!("warning: {words}; whatever needs it fails"))
        })
        .collect()
}

/// Secrets for origins to which no request is sent.
fn ungranted(declarations: &SecretDeclarations, grants: &Grants) -> Vec<String> {
    let is_granted = |origin: &str| {
        grants
            .iter()
            .any(|grant| grant.origin().to_string() == origin)
    };
    let mut warnings = Vec::new();
    for (name, secret) in declarations.iter() {
        let origins = secret.origins.iter().map(ToString::to_string);
        for origin in origins.filter(|origin| !is_granted(origin)) {
            warnings.push(format!(
                "warning: secret `{name}` is for `{origin}`, to which no request is granted: add it to `outgoing`"
            ));
        }
    }
    warnings
}

/// A grant that no request can use, because its host is an address of this machine or of a private network.
fn closed(grant: &Grant) -> Option<String> {
    let address = address(grant.origin())?;
    let class = grant.addresses().check(address).err()?;
    let what = match grant
        .clone()
        .with_private_addresses()
        .addresses()
        .check(address)
    {
        Ok(()) => {
            format!("write `{{ origin = \"{grant}\", private_addresses = true }}` if that is meant")
        }
        Err(_) => "no grant allows such an address".to_owned(),
    };
    Some(format!(
        "warning: no request to `{grant}` is sent, because it leads to {class}: {what}"
    ))
}

/// The address that a host's name is, or always leads to (RFC 6761, 6.3).
fn address(origin: &Origin) -> Option<IpAddr> {
    match &origin.host {
        Host::Address(address) => Some(*address),
        Host::Name(name) if name == "localhost" || name.ends_with(".localhost") => {
            Some(Ipv4Addr::LOCALHOST.into())
        }
        Host::Name(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(json: &str) -> Grants {
        json::read(json.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_not_there_is_said_by_the_name_of_its_secret() {
        let declarations = SecretDeclarations::from_json(
            r#"{
                "set": {"from": "env:SET", "hmac": true},
                "unset": {"from": "env:PLANTED", "hmac": true},
                "lost": {"from": "file:/planted", "hmac": true},
                "remote": {"from": "ssm:/a", "hmac": true}
            }"#,
        );
        let sources = LocalSources::new(|name| (name == "SET").then(|| "value".into()));
        assert_eq!(
            unusable(&declarations.unwrap(), &sources),
            [
                "warning: secret `lost` cannot be read: not found at its source: the file that its `from` names does not exist; whatever needs it fails",
                "warning: secret `unset` cannot be read: not found at its source: the variable that its `from` names is not set; whatever needs it fails",
            ]
        );
    }

    #[test]
    fn a_value_that_cannot_be_used_is_said_at_the_start_and_never_repeated() {
        let declarations = SecretDeclarations::from_json(
            r#"{
                "short": {"from": "env:PLANTED", "for": ["https://a.example"]},
                "signs": {"from": "env:PLANTED", "hmac": true},
                "coded": {"from": "env:PLANTED", "hmac": true, "encoding": "base64"},
                "empty": {"from": "env:EMPTY", "hmac": true}
            }"#,
        );
        let sources =
            LocalSources::new(|name| Some(if name == "EMPTY" { "" } else { "no-key" }.into()));
        let warnings = unusable(&declarations.unwrap(), &sources);
        assert_eq!(
            warnings,
            [
                "warning: secret `coded` cannot be read: its value is unusable: `env:PLANTED`: the value is not base64 with padding; whatever needs it fails",
                "warning: secret `empty` cannot be read: its value is unusable: `env:EMPTY`: the value is empty; whatever needs it fails",
                "warning: secret `short` is shorter than 8 bytes, so that it could not be told from other text of a response; whatever needs it fails",
            ]
        );
        assert!(!warnings.concat().contains("no-key"));
    }

    #[test]
    fn a_secret_for_what_is_not_granted_is_named() {
        let declarations = SecretDeclarations::from_json(
            r#"{"key": {"from": "env:A", "for": ["https://a.example", "https://b.example:8443"]}}"#,
        )
        .unwrap();
        let some = grants(r#"["https://a.example/v1"]"#);
        assert_eq!(
            ungranted(&declarations, &some),
            [
                "warning: secret `key` is for `https://b.example:8443`, to which no request is granted: add it to `outgoing`"
            ]
        );
        let all = grants(r#"["https://A.example:443/v1", "https://b.example:8443"]"#);
        assert!(ungranted(&declarations, &all).is_empty());
    }

    #[test]
    fn a_grant_that_no_request_can_use_is_named() {
        let warnings = |json: &str| grants(json).iter().filter_map(closed).collect::<Vec<_>>();
        assert_eq!(
            warnings(
                r#"["http://127.0.0.1:9/v1", "http://localhost:9", "http://169.254.169.254"]"#
            ),
            [
                "warning: no request to `http://127.0.0.1:9/v1` is sent, because it leads to a loopback address: write `{ origin = \"http://127.0.0.1:9/v1\", private_addresses = true }` if that is meant",
                "warning: no request to `http://localhost:9` is sent, because it leads to a loopback address: write `{ origin = \"http://localhost:9\", private_addresses = true }` if that is meant",
                "warning: no request to `http://169.254.169.254` is sent, because it leads to a link-local address: no grant allows such an address",
            ]
        );
        let open = r#"["https://a.example", "http://1.1.1.1", {"origin": "http://[::1]:9", "private_addresses": true}]"#;
        assert!(warnings(open).is_empty());
    }
}
