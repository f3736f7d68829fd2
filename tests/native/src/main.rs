//! The reference guest as a plain function on Lambda: the same events, logic, store and log lines as `host-lambda`, without a component.

use anyhow::{Context, anyhow};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use contract::{limits::Limits, log::LogLevel, outcome::Summary, seed::Seed};
use gateway::{self, Event, ParseContext};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;
use std::{
    env,
    io::{self, Write},
    rc::Rc,
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use storage::{Call, Storage, Tenant};
use storage_dynamodb::{DynamoDbOptions, DynamoDbStorage};
use telemetry::{Report, Telemetry, Trace};
use tokio::{runtime::Handle, task};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let storage = storage().await?;
    let telemetry = Arc::new(Telemetry {
        level: LogLevel::Info,
        metrics_namespace: "Native".to_owned(),
        function: variable("AWS_LAMBDA_FUNCTION_NAME")?,
    });
    let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let (storage, telemetry) = (storage.clone(), telemetry.clone());
        async move { Ok::<_, lambda_runtime::Error>(answer(event, storage, &telemetry).await?) }
    });
    Runtime::new(service)
        .run()
        .await
        .map_err(|error| anyhow!("lost the connection to Lambda's runtime API: {error}"))
}

fn variable(name: &str) -> anyhow::Result<String> {
    env::var(name).with_context(|| format!("`{name}` is not set"))
}

/// The guest's view of the table, as `host-lambda` makes it.
async fn storage() -> anyhow::Result<Arc<dyn Storage>> {
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let backend = DynamoDbStorage::new(&DynamoDbOptions {
        table: variable("TENON_TABLE")?,
        region: variable("AWS_REGION")?,
        endpoint: env::var("AWS_ENDPOINT_URL_DYNAMODB").ok(),
        credentials: SharedCredentialsProvider::new(credentials),
    });
    let cursor_key = backend.cursor_key(None).await?;
    Ok(Arc::new(Tenant::new(
        Arc::new(backend),
        "default".parse()?,
        cursor_key,
    )))
}

async fn answer(
    event: LambdaEvent<Box<RawValue>>,
    storage: Arc<dyn Storage>,
    telemetry: &Telemetry,
) -> anyhow::Result<Box<RawValue>> {
    let started = Instant::now();
    let received_at_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let seed = Seed::new(seed);
    let parse_context = ParseContext {
        received_at_ms,
        seed: &seed,
        base_path: None,
    };
    let LambdaEvent { payload, context } = event;
    let trace = context.xray_trace_id.as_deref().and_then(Trace::parse);
    let Event {
        request,
        origin,
        route,
        ..
    } = gateway::parse(payload.get().as_bytes(), &parse_context, &Limits::default())?;
    let mut summary = Summary::of_request(&request, route);
    let call = Call::new(received_at_ms, &seed, None)
        .with_trace_header(trace.as_ref().map(|trace| trace.header().to_owned()));
    let runtime = Handle::current();
    let (response, report) = task::spawn_blocking(move || {
        let call = Rc::new(call);
        let response = native::handle_waiting(request, storage, &call, seed, runtime);
        (response, Rc::into_inner(call).map(Call::into_report))
    })
    .await?;
    summary.status = response.status;
    summary.storage = report.unwrap_or_default();
    let answer = String::from_utf8(gateway::respond(&origin, response)?)?;
    let lines = telemetry.request(&Report {
        summary: &summary,
        request_id: &context.request_id,
        trace: trace.as_ref(),
        received_at_ms,
        total_duration: started.elapsed(),
        is_cold_start: false,
        channel: None,
    });
    io::stdout().write_all(&lines)?;
    Ok(RawValue::from_string(answer)?)
}
