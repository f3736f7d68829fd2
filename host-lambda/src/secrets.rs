//! Secrets of guests, from SSM Parameter Store and Secrets Manager.

use crate::{config::Config, output::Output};
use aws_requests::AwsService;
use contract::log::LogLevel;
use secrets::{AwsSources, ProvideSecrets, RefreshFailure, SecretKeeper, SecretOptions};
use serde_json::{Value, json};
use std::sync::Arc;

/// What gives each guest its secrets. Nothing is read before a guest uses one. Guests without any
/// have it, too, since it refuses placeholders of unknown secrets.
pub fn provider(config: &Config, output: Arc<Output>) -> Arc<dyn ProvideSecrets> {
    let table = &config.table;
    let sources = AwsSources::new(|service| {
        let endpoint = config.endpoint_of(service);
        AwsService::new(service, &table.region, endpoint, &table.credentials)
    });
    let options = SecretOptions {
        on_failure: Arc::new(move |failure| note(failure, &output)),
        ..SecretOptions::default()
    };
    Arc::new(SecretKeeper::new(Arc::new(sources), options))
}

/// Says which secret could not be read, and whether an old value is used meanwhile.
fn note(failure: &RefreshFailure, output: &Output) {
    let age = failure.age.map(|age| json!(age.as_secs()));
    let members: Vec<(&str, Value)> = [
        Some(("secret", json!(failure.name.to_string()))),
        Some(("error", json!(failure.error.to_string()))),
        age.map(|age| ("ageSeconds", age)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let level = match failure.age {
        Some(_) => LogLevel::Warn,
        None => LogLevel::Error,
    };
    output.note(level, "a secret cannot be read", &members);
}
