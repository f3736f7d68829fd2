//! Requests with the responses that are expected: one pair a line in `expected.jsonl`, recorded from `wasmtime serve` 48.0.2.

use super::http::{self, Request, Response};
use crate::{apps, run::root};
use anyhow::{Context, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{fs, net::SocketAddr};

/// Header fields that are a host's or a gateway's own.
const OF_HOSTS: [&str; 7] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
    "x-request-id",
];

/// A request, and what is expected of its response.
pub struct Pair {
    request: Request,
    response: Value,
    /// The body differs from run to run.
    varies: bool,
    /// The component fails, and the host answers 500 in its own words.
    fails: bool,
}

/// The pairs of an application.
pub fn read(app: &str) -> anyhow::Result<Vec<Pair>> {
    let file = root().join(apps::FOLDER).join(app).join("expected.jsonl");
    let text = fs::read_to_string(&file)?;
    let pairs = (1..).zip(text.lines()).map(|(number, line)| {
        let pair = serde_json::from_str(line).map_err(anyhow::Error::from);
        pair.and_then(|pair| pair_of(&pair))
            .with_context(|| format!("{}:{number}", file.display()))
    });
    pairs.collect()
}

fn pair_of(pair: &Value) -> anyhow::Result<Pair> {
    let request = &pair["request"];
    let text = |name: &str| request[name].as_str().map(str::to_owned);
    Ok(Pair {
        request: Request {
            method: text("method").context("no method")?,
            target: text("path").context("no path")?,
            headers: headers(request)?,
            body: content(request)?,
        },
        response: pair["response"].clone(),
        varies: pair["varies"] == true,
        fails: pair["fails"] == true,
    })
}

fn headers(message: &Value) -> anyhow::Result<Vec<(String, String)>> {
    let fields = message["headers"].as_array().context("no headers")?;
    let fields = fields.iter().map(|field| {
        let text = |place: usize| field[place].as_str().map(str::to_owned);
        text(0).zip(text(1)).context("a header without its value")
    });
    fields.collect()
}

/// `body` is text, `bytes` anything else, and `repeat` a text and how often it stands there.
fn content(message: &Value) -> anyhow::Result<Vec<u8>> {
    if let Some(bytes) = message["bytes"].as_array() {
        let bytes = bytes.iter().map(|byte| byte.as_u64()?.try_into().ok());
        return bytes.collect::<Option<_>>().context("not a byte");
    }
    let repeated = &message["repeat"];
    if let Some((text, times)) = repeated[0].as_str().zip(repeated[1].as_u64()) {
        return Ok(text.repeat(times.try_into()?).into_bytes());
    }
    Ok(message["body"].as_str().unwrap_or_default().into())
}

impl Pair {
    /// Sends the request, and fails if the response is another.
    pub fn check(&self, address: SocketAddr) -> anyhow::Result<()> {
        let Request { method, target, .. } = &self.request;
        http::send(address, &self.request)
            .and_then(|response| self.compare(&response))
            .with_context(|| format!("{method} {target}"))
    }

    fn compare(&self, response: &Response) -> anyhow::Result<()> {
        let status = self.response["status"].as_u64().context("no status")?;
        ensure!(
            status == u64::from(response.status),
            "expected status {status}, got {}",
            response.status
        );
        if self.fails {
            return Ok(());
        }
        let mut wanted = headers(&self.response)?;
        wanted.sort();
        let names_type = wanted.iter().any(|(name, _)| name == "content-type");
        let mut found = response.headers.clone();
        // A gateway adds a type where there is none.
        found.retain(|(name, _)| {
            !OF_HOSTS.contains(&&**name) && (names_type || name != "content-type")
        });
        found.sort();
        ensure!(wanted == found, "expected {wanted:?}, got {found:?}");
        if !self.varies {
            self.compare_body(&response.body)?;
        }
        Ok(())
    }

    /// A long body is known by its `length` and its `sha256`.
    fn compare_body(&self, body: &[u8]) -> anyhow::Result<()> {
        let shown = || String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
        match self.response["sha256"].as_str() {
            Some(digest) => {
                let found: String = Sha256::digest(body)
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                let length = self.response["length"].as_u64();
                ensure!(length == Some(body.len() as u64), "{} bytes", body.len());
                ensure!(digest == found, "another body: {}", shown());
            }
            None => ensure!(content(&self.response)? == body, "got {}", shown()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(headers: &[(&str, &str)], body: &[u8]) -> Response {
        let owned = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Response {
            status: 200,
            headers: owned.collect(),
            body: body.to_vec(),
        }
    }

    fn pair(response: &str) -> Pair {
        let request = r#"{"method":"GET","path":"/","headers":[]}"#;
        let text = format!(r#"{{"request":{request},"response":{response}}}"#);
        pair_of(&serde_json::from_str(&text).unwrap()).unwrap()
    }

    #[test]
    fn what_hosts_add_is_no_difference_and_everything_else_is() {
        let bare = pair(r#"{"status":200,"headers":[["x-app","a"]],"body":"hi"}"#);
        let own = [("x-app", "a"), ("date", "today"), ("content-type", "b")];
        assert!(bare.compare(&response(&own, b"hi")).is_ok());
        for (headers, body) in [
            (&own[1..], &b"hi"[..]),
            (&own[..], b"ho"),
            (&[own[0], ("x-more", "c")], b"hi"),
        ] {
            assert!(bare.compare(&response(headers, body)).is_err());
        }
    }

    #[test]
    fn every_pair_can_be_read() {
        for app in ["hono", "python"] {
            assert!(read(app).unwrap().len() > 20, "{app}");
        }
    }
}
