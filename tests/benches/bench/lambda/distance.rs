//! A distant store: a proxy that passes requests on at once and delays responses.

use anyhow::Context;
use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// The proxy in front of a store.
pub struct Distant {
    endpoint: String,
}

impl Distant {
    /// The store at `endpoint`, with responses that are delayed by `delay`.
    pub fn new(endpoint: &str, delay: Duration) -> anyhow::Result<Self> {
        let store = endpoint.strip_prefix("http://");
        let store = store.context("not an endpoint")?.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        // Threads end with their connections, this one with the process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A connection that cannot be established is closed, which makes its start fail.
                connect(client, &store, delay).ok();
            }
        });
        Ok(Self { endpoint })
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

fn connect(client: TcpStream, store: &str, delay: Duration) -> io::Result<()> {
    let store = TcpStream::connect(store)?;
    client.set_nodelay(true)?;
    store.set_nodelay(true)?;
    let (to_store, to_client) = (store.try_clone()?, client.try_clone()?);
    thread::spawn(move || pass_on(client, to_store, Duration::ZERO));
    thread::spawn(move || pass_on(store, to_client, delay));
    Ok(())
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, delay: Duration) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        thread::sleep(delay);
        to.write_all(&buffer[..length])?;
    }
}
