//! `host-cli serve` compared with other hosts of `wasi:http` components: the same components, each host as it is by default, which is a fresh
//! instance for each request everywhere.

use crate::{
    load::{self, Load},
    report::{self, median},
};
use anyhow::{Context, bail, ensure};
use std::{
    env,
    ffi::OsString,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

const ROUND: Duration = Duration::from_secs(1);
const ROUNDS: usize = 9;
/// Starts of each host, of which the median is reported.
const STARTS: usize = 5;
/// How long a host may take to answer for the first time: some compile the component first.
const START_DURATION_MAX: Duration = Duration::from_secs(60);
const CONNECTIONS: [usize; 3] = [1, 8, 64];
/// How often, and for how long under load, memory is measured.
const SAMPLES_EVERY: Duration = Duration::from_millis(20);
const LOAD_WITH_SAMPLES: Duration = Duration::from_secs(3);

/// A host, and how it is started for a component at an address.
struct Host {
    name: &'static str,
    command: Box<dyn Fn(SocketAddr) -> Command>,
}

/// A host that runs.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The programs of the other hosts.
struct Peers {
    wasmtime: PathBuf,
    wash: PathBuf,
    /// Where projects for `wash` are written.
    folder: PathBuf,
}

pub fn run(host_cli: &Path) -> anyhow::Result<()> {
    let variable = |name: &str| {
        let value: OsString = env::var_os(name).with_context(|| format!("no `{name}`"))?;
        Ok::<_, anyhow::Error>(PathBuf::from(value))
    };
    let example = variable("TENON_BENCH_COMPONENT")?;
    let peers = Peers {
        wasmtime: variable("TENON_BENCH_WASMTIME")?,
        wash: variable("TENON_BENCH_WASH")?,
        folder: example.with_file_name("wash-projects"),
    };
    compare("the example of wstd", host_cli, &peers, &example)?;
    let hono = variable("TENON_BENCH_HONO")?;
    compare("an application of Hono", host_cli, &peers, &hono)
}

fn compare(name: &str, host_cli: &Path, peers: &Peers, component: &Path) -> anyhow::Result<()> {
    report::heading(&format!(
        "hosts of `wasi:http` components, a fresh instance for each request: {name}"
    ));
    let hosts = hosts(host_cli, peers, component)?;
    starts(&hosts)?;
    let running: Vec<_> = hosts.iter().map(start).collect::<anyhow::Result<_>>()?;
    for connections in CONNECTIONS {
        rounds(&hosts, &running, connections)?;
    }
    for (host, running) in hosts.iter().zip(&running) {
        memory(host, running)?;
    }
    Ok(())
}

/// The memory of a host that has run all rounds: its peak as the kernel counts it, where a page counts as often as it is mapped, and the most
/// of its own share during a load.
fn memory(host: &Host, running: &Running) -> anyhow::Result<()> {
    let process = running.child.id().to_string();
    let connections = CONNECTIONS[CONNECTIONS.len() - 1];
    let is_done = AtomicBool::new(false);
    let share = thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut most = share_kib(&process)?;
            while !is_done.load(Ordering::Relaxed) {
                thread::sleep(SAMPLES_EVERY);
                most = most.max(share_kib(&process)?);
            }
            Ok::<_, anyhow::Error>(most)
        });
        let load = load::run(running.address, &request(), connections, LOAD_WITH_SAMPLES);
        is_done.store(true, Ordering::Relaxed);
        load?;
        sampler.join().expect("the sampler does not panic")
    })?;
    let megabytes = |kib: u64| format!("{:.1} MB", kib as f64 * 1024.0 / 1e6);
    report::row(
        "memory of the process",
        &[
            ("host", host.name.to_owned()),
            ("most of its own share", megabytes(share)),
            (
                "peak, each page as often as it is mapped",
                megabytes(report::memory_kib(&process, "VmHWM")?),
            ),
        ],
    );
    Ok(())
}

fn hosts(host_cli: &Path, peers: &Peers, component: &Path) -> anyhow::Result<Vec<Host>> {
    let host_cli = host_cli.to_owned();
    let (wasmtime, wash) = (peers.wasmtime.clone(), peers.wash.clone());
    let (ours, theirs) = (component.to_owned(), component.to_owned());
    let project = wash_project(&peers.folder, component)?;
    Ok(vec![
        Host {
            name: "host-cli serve",
            command: Box::new(move |address| {
                let mut command = Command::new(&host_cli);
                command.args(["serve", "--store", "memory", "--event-kind", "http"]);
                command.args(["--listen", &address.to_string()]);
                command.arg("--guest").arg(&ours);
                command
            }),
        },
        Host {
            name: "wasmtime serve",
            command: Box::new(move |address| {
                let mut command = Command::new(&wasmtime);
                command.args(["serve", "-Scli", "--addr", &address.to_string()]);
                command.arg(&theirs);
                command
            }),
        },
        Host {
            name: "wash dev",
            command: Box::new(move |address| {
                // A file that was written a moment ago can be read.
                let _ = fs::write(project.join(".wash/config.yaml"), wash_config(address));
                let mut command = Command::new(&wash);
                command.args(["dev", "--non-interactive"]);
                command.current_dir(&project);
                command
            }),
        },
    ])
}

/// A project whose build does nothing.
fn wash_project(folder: &Path, component: &Path) -> anyhow::Result<PathBuf> {
    let folder = folder.join(
        component
            .file_stem()
            .context("a component without a name")?,
    );
    fs::create_dir_all(folder.join(".wash"))?;
    fs::copy(component, folder.join("component.wasm"))?;
    Ok(folder)
}

fn wash_config(address: SocketAddr) -> String {
    format!(
        "build:\n  command: \"true\"\n  component_path: component.wasm\ndev:\n  address: \"{address}\"\n"
    )
}

/// Starts a host and waits until it answers.
fn start(host: &Host) -> anyhow::Result<Running> {
    // Free a moment ago.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let child = (host.command)(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("failed to start {}", host.name))?;
    let mut running = Running { child, address };
    let until = Instant::now() + START_DURATION_MAX;
    while Instant::now() < until {
        if load::once(address, &request()).is_ok_and(|status| status == 200) {
            return Ok(running);
        }
        if let Some(status) = running.child.try_wait()? {
            bail!("{} ended: {status}", host.name);
        }
        thread::sleep(Duration::from_micros(500));
    }
    bail!("{} does not answer", host.name)
}

fn starts(hosts: &[Host]) -> anyhow::Result<()> {
    let mut durations: Vec<Vec<f64>> = vec![Vec::new(); hosts.len()];
    for _ in 0..STARTS {
        for (host, durations) in hosts.iter().zip(&mut durations) {
            let started = Instant::now();
            drop(start(host)?);
            durations.push(started.elapsed().as_secs_f64() * 1e3);
        }
    }
    for (host, durations) in hosts.iter().zip(durations) {
        let duration = format!("{:.0} ms", median(durations));
        report::row(
            "process start to the first answer",
            &[("host", host.name.to_owned()), ("median", duration)],
        );
    }
    Ok(())
}

/// The same load on one host after the other, several times.
fn rounds(hosts: &[Host], running: &[Running], connections: usize) -> anyhow::Result<()> {
    let mut loads: Vec<Vec<Load>> = hosts.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (running, loads) in running.iter().zip(&mut loads) {
            loads.push(load::run(running.address, &request(), connections, ROUND)?);
        }
    }
    let of = |loads: &[Load], figure: fn(&Load) -> f64| median(loads.iter().map(figure).collect());
    let ours = of(&loads[0], Load::rate);
    ensure!(ours > 0.0, "no request was answered");
    for (host, loads) in hosts.iter().zip(&loads) {
        let rate = of(loads, Load::rate);
        report::row(
            "requests a second",
            &[
                ("connections", connections.to_string()),
                ("host", host.name.to_owned()),
                ("rate", format!("{rate:.0}")),
                (
                    "p50 ms",
                    format!("{:.2}", of(loads, |load| load.percentile_ms(0.5))),
                ),
                (
                    "p99 ms",
                    format!("{:.2}", of(loads, |load| load.percentile_ms(0.99))),
                ),
                ("ours is", format!("{:.2} times", ours / rate)),
            ],
        );
    }
    Ok(())
}

fn request() -> Vec<u8> {
    b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\nuser-agent: bench\r\n\r\n".to_vec()
}

/// What a process takes of the machine's memory now: a page once, and of a shared one its share (proc(5), `Pss`).
fn share_kib(process: &str) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let value = line.and_then(|line| line.split_whitespace().next());
    Ok(value.context("no `Pss` in `smaps_rollup`")?.parse()?)
}
