//! Follows the release channel, if one is configured, and reports about it.

use crate::{
    config::{Artifacts, ChannelConfig},
    invocation::now_ms,
    output::Output,
};
use anyhow::Context;
use contract::{log::LogLevel, seed::Seed};
use outgoing::Services;
use release::{ArtifactStore, FolderArtifacts};
use release_aws::{S3Artifacts, TableChannels};
use rollout::{ChannelReport, Follower, Following, HostContext, Look, NamespaceStores};
use runtime::{
    RuntimeOptions,
    engine::{Engine, Guest},
};
use secrets::ProvideSecrets;
use serde_json::json;
use std::sync::Arc;
use storage::Namespace;
use storage_dynamodb::{DynamoDbOptions, DynamoDbStorage, LazyTenant};
use telemetry::Channel;

/// What the guests of the channel share.
pub struct ChannelContext {
    pub engine: Engine,
    pub backend: Arc<DynamoDbStorage>,
    /// The namespace of routes that name none.
    pub namespace: Namespace,
    pub services: Services,
    pub secrets: Arc<dyn ProvideSecrets>,
    pub options: RuntimeOptions,
    /// Serves if a store cannot be reached at the start, until it can.
    pub bundled: Option<Guest>,
}

/// Reads the channel for the first time.
pub async fn follow(
    config: &ChannelConfig,
    table: &DynamoDbOptions,
    context: ChannelContext,
) -> anyhow::Result<Follower> {
    let artifacts: Arc<dyn ArtifactStore> = match &config.artifacts {
        Artifacts::S3(location) => Arc::new(S3Artifacts::new(location.clone())),
        Artifacts::Folder(path) => Arc::new(FolderArtifacts::new(path)),
    };
    let backend = context.backend;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("failed to get random numbers from the operating system")?;
    let following = Following {
        channel: config.name.clone(),
        keys: config.keys.clone(),
        channels: Arc::new(TableChannels::new(table)),
        artifacts,
        interval: config.interval,
        generation_min: config.generation_min,
        host: HostContext {
            engine: context.engine,
            // Each store opens the table by itself if it is not open yet.
            stores: NamespaceStores::new(move |namespace| {
                Arc::new(LazyTenant::new(backend.clone(), namespace))
            }),
            namespace: context.namespace,
            services: Arc::new(context.services),
            secrets: context.secrets,
            options: context.options,
        },
        bundled: context.bundled,
        seed: Seed::new(seed),
    };
    Ok(Follower::start(following, now_ms()).await?)
}

/// Writes the reports since the last request, and counts failures.
pub fn report(follower: &Follower, output: &Output, now_ms: u64) -> Channel {
    let reports = follower.take_reports();
    let failures = reports.iter().filter(|report| report.is_failure()).count();
    for report in &reports {
        write(report, output);
    }
    Channel {
        age: follower.age(now_ms),
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
    }
}

fn write(report: &ChannelReport, output: &Output) {
    let duration = ("durationMs", json!(report.duration.as_millis() as u64));
    match &report.result {
        Ok(Look::Unchanged) => {}
        Ok(Look::Swapped {
            from,
            to,
            rollback,
            by,
        }) => {
            let members = [
                ("generation", json!(to)),
                ("replaces", json!(from)),
                ("rollback", json!(rollback)),
                ("by", json!(by)),
                duration,
            ];
            output.note(LogLevel::Info, "guests changed", &members);
        }
        Err(error) => {
            let members = [
                ("error", json!(error.to_string())),
                ("generation", json!(report.serves.generation())),
                duration,
            ];
            output.note(LogLevel::Error, "channel not followed", &members);
        }
    }
}
