//! Secrets in SSM Parameter Store (`GetParameters`) and AWS Secrets Manager (`GetSecretValue`).

mod answers;

use super::{
    error::{FetchError, FetchErrorClass},
    port::SecretSources,
};
use crate::{source::Source, value::SecretValue};
use answers::{Fetched, ParametersAnswer, SecretAnswer, classify, unreadable};
use aws_requests::{AwsService, JsonService};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

/// Parameters of one call (AWS: `GetParameters`).
const PARAMETERS_PER_CALL_MAX: usize = 10;
/// The response: ten parameters of at most 8 KiB each, escaped, and what is said about them.
const PARAMETERS_BYTES_MAX: usize = 1024 * 1024;
/// The response: a secret of at most 64 KiB, escaped or in base64, and what is said about it.
const SECRET_BYTES_MAX: usize = 512 * 1024;
/// Secrets that are read at the same time, each by a call of its own.
const SECRETS_AT_ONCE_MAX: usize = 8;
/// Number of attempts of one call, because a request of a client may wait for it.
const ATTEMPTS_MAX: u32 = 3;
/// Time for the head of a response.
const HEAD_DURATION_MAX: Duration = Duration::from_secs(3);

/// Reads parameters and secrets of one account and region.
#[derive(Debug)]
pub struct AwsSources {
    region: String,
    parameters: JsonService,
    secrets: Arc<JsonService>,
}

impl AwsSources {
    /// The IAM actions that reading `ssm:` needs.
    pub const PARAMETER_ACTIONS: [&str; 1] = ["ssm:GetParameters"];
    /// The IAM actions that reading `secretsmanager:` needs.
    pub const SECRET_ACTIONS: [&str; 1] = ["secretsmanager:GetSecretValue"];

    /// `service` makes the client of the service that it gets the name of: `AwsService::new(name, region, endpoint, credentials)`, whose endpoint
    /// may be an emulator's. The role needs `ssm:GetParameters` and `secretsmanager:GetSecretValue` for what is declared, and `kms:Decrypt` for
    /// keys of one's own.
    pub fn new(service: impl Fn(&'static str) -> AwsService) -> Self {
        let json = |name, prefix| {
            JsonService::new(service(name), prefix).bounded(ATTEMPTS_MAX, HEAD_DURATION_MAX)
        };
        Self {
            region: service("ssm").region().to_owned(),
            parameters: json("ssm", "AmazonSSM"),
            secrets: Arc::new(json("secretsmanager", "secretsmanager")),
        }
    }

    /// One access that is denied fails a whole call, so that its parameters are then asked for one by one.
    async fn parameters(&self, names: &[&str]) -> BTreeMap<String, Fetched<Zeroizing<Vec<u8>>>> {
        let mut found = BTreeMap::new();
        for chunk in names.chunks(PARAMETERS_PER_CALL_MAX) {
            match self.call_for_parameters(chunk).await {
                Ok(answer) => found.extend(answer.by_name(chunk)),
                Err(error) if error.class == FetchErrorClass::Denied && chunk.len() > 1 => {
                    for name in chunk {
                        let one = [*name];
                        match self.call_for_parameters(&one).await {
                            Ok(answer) => found.extend(answer.by_name(&one)),
                            Err(error) => found.extend([((*name).to_owned(), Err(error))]),
                        }
                    }
                }
                Err(error) => {
                    found.extend(
                        chunk
                            .iter()
                            .map(|name| ((*name).to_owned(), Err(error.clone()))),
                    );
                }
            }
        }
        found
    }

    async fn call_for_parameters(&self, names: &[&str]) -> Fetched<ParametersAnswer> {
        let mut body = br#"{"WithDecryption":true,"Names":"#.to_vec();
        json::write_array(&mut body, names, |out, name| json::write_string(out, name));
        body.push(b'}');
        let answer = self
            .parameters
            .call("GetParameters", &body, PARAMETERS_BYTES_MAX)
            .await;
        let answer = Zeroizing::new(answer.map_err(|error| classify("ssm", &error))?);
        json::read(&answer).map_err(|_| unreadable("ssm"))
    }

    async fn secrets(&self, ids: &[&str]) -> BTreeMap<String, Fetched<SecretAnswer>> {
        let mut found = BTreeMap::new();
        for chunk in ids.chunks(SECRETS_AT_ONCE_MAX) {
            let mut calls = JoinSet::new();
            for id in chunk {
                let (service, id) = (self.secrets.clone(), (*id).to_owned());
                calls.spawn(async move { (call_for_secret(&service, &id).await, id) });
            }
            while let Some(called) = calls.join_next().await {
                // A call that panicked has no result, and its secret is reported as such.
                found.extend(called.ok().map(|(answer, id)| (id, answer)));
            }
        }
        found
    }

    /// Another region's service does not answer for it, and its error would not say so.
    fn check_region(&self, source: &Source) -> Fetched<()> {
        match source.region() {
            Some(region) if region != self.region => Err(FetchError::new(
                FetchErrorClass::Unsupported,
                format!("this host reads from `{}` only", self.region),
            )),
            Some(_) | None => Ok(()),
        }
    }
}

async fn call_for_secret(service: &JsonService, id: &str) -> Fetched<SecretAnswer> {
    let mut body = br#"{"SecretId":"#.to_vec();
    json::write_string(&mut body, id);
    body.push(b'}');
    let answer = service
        .call("GetSecretValue", &body, SECRET_BYTES_MAX)
        .await;
    let answer = Zeroizing::new(answer.map_err(|error| classify("secretsmanager", &error))?);
    json::read(&answer).map_err(|_| unreadable("secretsmanager"))
}

#[async_trait::async_trait]
impl SecretSources for AwsSources {
    async fn fetch(&self, sources: &[Source]) -> Vec<Fetched<SecretValue>> {
        let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for source in sources
            .iter()
            .filter(|source| self.check_region(source).is_ok())
        {
            match source {
                Source::Parameter(name) => names.insert(name.as_str()),
                Source::SecretsManager { id, .. } => ids.insert(id.as_str()),
                Source::Environment(_) | Source::File(_) => false,
            };
        }
        let names: Vec<_> = names.into_iter().collect();
        let ids: Vec<_> = ids.into_iter().collect();
        // One after the other: callers that wait ask for one kind at a time.
        let parameters = self.parameters(&names).await;
        let secrets = self.secrets(&ids).await;
        let fetch = |source: &Source| {
            self.check_region(source)?;
            let absent =
                || FetchError::new(FetchErrorClass::Unusable, "the answer does not contain it");
            let bytes = match source {
                Source::Parameter(name) => {
                    let mut bytes = parameters.get(name).ok_or_else(absent)?.clone()?;
                    std::mem::take(&mut *bytes)
                }
                Source::SecretsManager { id, member } => match secrets.get(id) {
                    Some(Ok(answer)) => answer.value(member.as_deref())?,
                    Some(Err(error)) => return Err(error.clone()),
                    None => return Err(absent()),
                },
                Source::Environment(_) | Source::File(_) => {
                    return Err(FetchError::new(
                        FetchErrorClass::Unsupported,
                        "it is not in AWS",
                    ));
                }
            };
            Ok(SecretValue::new(bytes)?)
        };
        sources
            .iter()
            .map(|source| fetch(source).map_err(|error| error.about(source)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
