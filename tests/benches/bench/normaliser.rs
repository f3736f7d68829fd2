//! Reading events of an HTTP API and writing responses, compared with `lambda_http`, which does the same for functions without a guest. It
//! accepts one kind of event here, so it tries no others first; ours recognises all kinds.

use crate::{
    report::{self, Samples},
    turns::in_turns,
    workload,
};
use anyhow::{Context, ensure};
use contract::{http::Response, limits::Limits, seed::Seed};
use lambda_http::{
    Adapter, LambdaEvent, Service,
    http::{self, HeaderValue, header::HeaderName},
    request::LambdaRequest,
    service_fn,
};
use serde_json::Value;
use std::{
    convert::Infallible,
    hint::black_box,
    time::{Duration, Instant},
};

/// Consecutive requests of one subject.
const BATCH: u64 = 500;
const ROUNDS: u64 = 60;
/// Size of the content of POST and its response.
const BODY_BYTES: usize = 1_000;

/// Headers of the reference guest's response with an item.
const HEADERS: [(&str, &str); 5] = [
    ("access-control-allow-origin", "*"),
    ("cache-control", "no-cache"),
    ("content-type", "application/json"),
    ("etag", "\"0123456789abcdef01234567\""),
    ("x-content-type-options", "nosniff"),
];

pub fn run() -> anyhow::Result<()> {
    report::heading("events and answers of an HTTP API: ours against `lambda_http`, us");
    let items = workload::ITEM.repeat(BODY_BYTES / workload::ITEM.len() + 1);
    let body = &items[..BODY_BYTES];
    for (method, path, sent, answered) in [
        ("GET", workload::ITEM_PATH, "", workload::ITEM),
        ("POST", "/items", body, body),
    ] {
        let event = workload::event(method, path, sent);
        compare(&event, answered).with_context(|| method.to_owned())?;
        workload::block_on(measure(method, &event, answered))?;
    }
    Ok(())
}

async fn measure(label: &str, event: &[u8], body: &str) -> anyhow::Result<()> {
    let seed = workload::seed(0);
    let [ours, theirs, ours_both, theirs_both] =
        in_turns(ROUNDS, BATCH, async |subject, _| match subject {
            0 => {
                let started = Instant::now();
                let event = black_box(read(event, &seed)?);
                let elapsed = started.elapsed();
                drop(event);
                Ok(elapsed)
            }
            1 => {
                let started = Instant::now();
                let request = black_box(read_by_lambda_http(event)?);
                let elapsed = started.elapsed();
                drop(request);
                Ok(elapsed)
            }
            2 => Ok(answer(event, &seed, response(body))?.0),
            _ => Ok(answer_by_lambda_http(event, http_response(body)?).await?.0),
        })
        .await?;
    row(&format!("{label}, event to request"), &ours, &theirs);
    row(&format!("{label}, and answer"), &ours_both, &theirs_both);
    Ok(())
}

fn row(label: &str, ours: &Samples, theirs: &Samples) {
    report::row(
        label,
        &[
            ("ours", format!("{:.2}", ours.median_us())),
            ("lambda_http", format!("{:.2}", theirs.median_us())),
            (
                "ratio",
                format!("{:.2}", ours.median_us() / theirs.median_us()),
            ),
        ],
    );
}

/// Both must produce the same request and the same response.
fn compare(event: &[u8], body: &str) -> anyhow::Result<()> {
    let seed = workload::seed(0);
    let ours = read(event, &seed)?.request;
    let theirs = read_by_lambda_http(event)?;
    ensure!(
        ours.method == theirs.method().as_str()
            && ours.path == theirs.uri().path()
            && ours.body == **theirs.body(),
        "requests differ: {ours:?} and {theirs:?}"
    );
    for (name, value) in theirs.headers() {
        ensure!(
            ours.headers.get(name.as_str()) == Some(value.to_str()?),
            "`{name}` differs"
        );
    }
    ensure!(
        ours.headers.iter().count() == theirs.headers().len(),
        "headers are missing"
    );
    let (_, ours) = answer(event, &seed, response(body))?;
    let by_lambda_http = answer_by_lambda_http(event, http_response(body)?);
    let (_, theirs) = workload::block_on(by_lambda_http)?;
    let [ours, theirs] = [ours, theirs].map(|answer| serde_json::from_slice::<Value>(&answer));
    let (ours, theirs) = (ours?, theirs?);
    for member in ["statusCode", "headers", "body", "isBase64Encoded"] {
        ensure!(
            ours[member] == theirs[member],
            "answers differ: {ours} and {theirs}"
        );
    }
    Ok(())
}

fn read(event: &[u8], seed: &Seed) -> anyhow::Result<gateway::Event> {
    let context = gateway::ParseContext {
        received_at_ms: workload::RECEIVED_AT_MS,
        seed,
        base_path: None,
    };
    Ok(gateway::parse(event, &context, &Limits::default())?)
}

fn read_by_lambda_http(event: &[u8]) -> anyhow::Result<lambda_http::Request> {
    Ok(serde_json::from_slice::<LambdaRequest>(event)?.into())
}

/// From an event to `response`, encoded.
fn answer(event: &[u8], seed: &Seed, response: Response) -> anyhow::Result<(Duration, Vec<u8>)> {
    let started = Instant::now();
    let event = read(event, seed)?;
    let answer = gateway::respond(&event.origin, response)?;
    black_box(event.request);
    Ok((started.elapsed(), answer))
}

/// The same with what `lambda_http::run` passes to its runtime: nothing else writes its responses.
async fn answer_by_lambda_http(
    event: &[u8],
    response: http::Response<String>,
) -> anyhow::Result<(Duration, Vec<u8>)> {
    let mut response = Some(response);
    let mut function = Adapter::from(service_fn(move |request| {
        black_box(request);
        let response = response.take().unwrap_or_default();
        async move { Ok::<_, Infallible>(response) }
    }));
    let started = Instant::now();
    let event = LambdaEvent::new(
        serde_json::from_slice::<LambdaRequest>(event)?,
        lambda_http::Context::default(),
    );
    let answer = serde_json::to_vec(&function.call(event).await?)?;
    Ok((started.elapsed(), answer))
}

fn response(body: &str) -> Response {
    Response {
        status: 200,
        headers: HEADERS
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        body: body.into(),
    }
}

fn http_response(body: &str) -> anyhow::Result<http::Response<String>> {
    let mut response = http::Response::new(body.to_owned());
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}
