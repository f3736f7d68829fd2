//! `host-cli serve` compared with a bare hyper server with the same native logic, under the same load.

use crate::{
    load,
    report::{self, median},
    workload,
};
use anyhow::{Context, ensure};
use contract::http::{Context as RequestContext, FieldLines, PathFidelity, Request, Scheme};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use storage::Storage;

const ROUND: Duration = Duration::from_millis(700);
const ROUNDS: usize = 15;

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().context("no output")?;
        // Both servers print their address first.
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let at = line
            .find("127.0.0.1:")
            .with_context(|| format!("no address in `{}`", line.trim()))?;
        let address = line[at..]
            .split(|byte: char| byte.is_whitespace() || byte == '/')
            .next()
            .unwrap_or_default();
        Ok(Self {
            child,
            address: address.parse()?,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn run(host_cli: &Path) -> anyhow::Result<()> {
    report::heading("over HTTP, keep-alive, memory store, requests a second");
    let native = Server::start(Command::new(env::current_exe()?).arg("native-server"))?;
    let component = Server::start(Command::new(host_cli).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--store",
        "memory",
        "--guest",
        "embedded",
        "--event-kind",
        "http",
    ]))?;
    let put = message("PUT", workload::ITEM_PATH, workload::ITEM);
    for server in [&native, &component] {
        ensure!(
            load::once(server.address, &put)? == 201,
            "the item was not created"
        );
    }
    let get = message("GET", workload::ITEM_PATH, "");
    let post = message("POST", "/items", workload::ITEM);
    for (label, message, connections) in [
        ("GET /items/{id}", &get, 1),
        ("GET /items/{id}", &get, 8),
        ("GET /items/{id}", &get, 64),
        ("POST /items", &post, 8),
    ] {
        let (mut natives, mut components) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let rate = |server: &Server| load::rate(server.address, message, connections, ROUND);
            natives.push(rate(&native)?);
            components.push(rate(&component)?);
        }
        let (native, component) = (median(natives), median(components));
        report::row(
            label,
            &[
                ("connections", connections.to_string()),
                ("hyper native", format!("{native:.0}")),
                ("host-cli serve", format!("{component:.0}")),
                ("ratio", format!("{:.2}", component / native)),
            ],
        );
    }
    Ok(())
}

fn message(method: &str, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\nuser-agent: bench\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The bare server: hyper, and the logic called directly.
pub fn native_server() -> anyhow::Result<()> {
    let storage = workload::storage()?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            println!("http://{}", listener.local_addr()?);
            let numbers = Arc::new(AtomicU64::new(0));
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let (storage, numbers) = (storage.clone(), numbers.clone());
                let service = service_fn(move |request| {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    let storage = storage.clone();
                    async move { answer(request, &storage, number).await }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        })
}

async fn answer(
    request: hyper::Request<Incoming>,
    storage: &Arc<dyn Storage>,
    number: u64,
) -> anyhow::Result<hyper::Response<Full<bytes::Bytes>>> {
    let (parts, body) = request.into_parts();
    let mut headers = FieldLines::with_capacity(512);
    for (name, value) in &parts.headers {
        headers.push(name.as_str(), value.to_str()?)?;
    }
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.collect().await?.to_bytes().to_vec(),
        context: RequestContext {
            request_id: format!("{number:032x}"),
            received_at_ms: workload::RECEIVED_AT_MS,
            scheme: Scheme::Http,
            authority: String::new(),
            client_address: None,
            base_path: String::new(),
            path_fidelity: PathFidelity::Encoded,
            identity: None,
        },
    };
    let response = native::handle(request, storage, &workload::seed(number));
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    Ok(builder.body(Full::from(response.body))?)
}
