//! `host-cli serve` is killed under write load, repeatedly: no acknowledged write is lost, and none is stored in part.

use crate::support::{
    fresh_folder,
    host_cli::Server,
    http_client::{Answer, Connection},
};
use serde_json::{Value, json};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const KILLS: u32 = 20;
const WRITERS: usize = 4;
/// Acknowledged writes to wait for before a kill, so that the load has started.
const WRITES_BEFORE_KILL_MIN: u64 = 20;
const ROUND_DURATION_MAX: Duration = Duration::from_secs(15);

/// One client. It replaces its own item, whose members all contain the same number, and creates items under idempotency keys, each of which
/// is two writes in one transaction. It remembers what was acknowledged.
struct Writer {
    name: String,
    /// The number of the last attempt.
    attempted: u64,
    /// The last number that was acknowledged, or found after a kill.
    known: u64,
    /// Numbers of acknowledged creations, with the new ids.
    created: Vec<(u64, String)>,
    /// A creation without a response.
    unanswered: Option<u64>,
}

#[test]
fn no_acknowledged_write_is_lost_and_none_is_half_there() {
    let store = format!(
        "redb:{}",
        fresh_folder("crash").join("items.redb").display()
    );
    let mut writers: Vec<_> = (0..WRITERS).map(Writer::new).collect();
    for round in 0..KILLS {
        let mut server = Server::start(&["--store", &store]);
        for writer in &mut writers {
            writer.check(&mut server.connect());
        }
        writers = write_until_killed(&mut server, writers, round);
    }
    let server = Server::start(&["--store", &store]);
    let mut created = 0;
    for writer in &mut writers {
        writer.check(&mut server.connect());
        writer.check_every_creation(&mut server.connect());
        created += writer.created.len();
    }
    assert!(
        created > KILLS as usize,
        "the load was too small to show anything: {created} creations"
    );
}

/// Starts all writers, kills the server meanwhile, and returns them once they have noticed.
fn write_until_killed(server: &mut Server, writers: Vec<Writer>, round: u32) -> Vec<Writer> {
    let acknowledged = Arc::new(AtomicU64::new(0));
    let threads: Vec<_> = writers
        .into_iter()
        .map(|mut writer| {
            let (mut connection, acknowledged) = (server.connect(), acknowledged.clone());
            thread::spawn(move || {
                while writer.write(&mut connection).is_ok() {
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                writer
            })
        })
        .collect();
    let start = Instant::now();
    while acknowledged.load(Ordering::Relaxed) < WRITES_BEFORE_KILL_MIN {
        assert!(
            start.elapsed() < ROUND_DURATION_MAX,
            "the server acknowledges next to nothing"
        );
        thread::sleep(Duration::from_millis(1));
    }
    // At a different moment in each round.
    thread::sleep(Duration::from_micros(u64::from(round) * 7_919 % 50_000));
    server.kill();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect()
}

impl Writer {
    fn new(number: usize) -> Self {
        Self {
            name: format!("writer-{number}"),
            attempted: 0,
            known: 0,
            created: Vec::new(),
            unanswered: None,
        }
    }

    /// One attempt; fails when the connection breaks.
    fn write(&mut self, connection: &mut Connection) -> io::Result<()> {
        self.attempted += 1;
        let number = self.attempted;
        if number.is_multiple_of(2) {
            let answer =
                connection.send("PUT", &self.own_item(), &[], Some(&self.content(number)))?;
            assert!(matches!(answer.status, 200 | 201), "{answer:?}");
            self.known = number;
        } else {
            self.unanswered = Some(number);
            let answer = self.create(connection, number)?;
            self.unanswered = None;
            self.created.push((number, id_of(&answer)));
        }
        Ok(())
    }

    /// Compares the contents after a kill with what was acknowledged before.
    fn check(&mut self, connection: &mut Connection) {
        let answer = connection.send("GET", &self.own_item(), &[], None).unwrap();
        if answer.status == 200 {
            let item = answer.json();
            let number = item["attributes"]["number"].as_u64().unwrap();
            self.assert_content(&item, number);
            assert!(
                (self.known..=self.attempted).contains(&number),
                "{} is at {number}, not {}",
                self.name,
                self.known
            );
            self.known = number;
        } else {
            assert_eq!(
                (answer.status, self.known),
                (404, 0),
                "{} is gone",
                self.name
            );
        }
        // Whether or not it happened: after it is sent again there is one item, the one that the record names.
        if let Some(number) = self.unanswered.take() {
            let id = id_of(&self.create(connection, number).unwrap());
            self.created.push((number, id));
        }
        if let Some(last) = self.created.last() {
            self.check_creation(connection, last);
        }
    }

    fn check_every_creation(&self, connection: &mut Connection) {
        for creation in &self.created {
            self.check_creation(connection, creation);
        }
    }

    fn check_creation(&self, connection: &mut Connection, (number, id): &(u64, String)) {
        let again = self.create(connection, *number).unwrap();
        assert_eq!(
            &id_of(&again),
            id,
            "the idempotency record of {number} is lost"
        );
        assert_eq!(
            again.header("idempotency-replayed"),
            Some("true"),
            "{again:?}"
        );
        let answer = connection
            .send(
                "GET",
                &format!("/items?category={}-{number}", self.name),
                &[],
                None,
            )
            .unwrap();
        let items = answer.json();
        let items = items["items"].as_array().unwrap();
        assert_eq!(
            items.len(),
            1,
            "creation {number} of {} happened {} times",
            self.name,
            items.len()
        );
        assert_eq!(items[0]["id"], id.as_str());
        self.assert_content(&items[0], *number);
    }

    fn create(&self, connection: &mut Connection, number: u64) -> io::Result<Answer> {
        let key = format!("\"{}-{number}\"", self.name);
        let answer = connection.send(
            "POST",
            "/items",
            &[("idempotency-key", &key)],
            Some(&self.content(number)),
        )?;
        assert_eq!(answer.status, 201, "{answer:?}");
        Ok(answer)
    }

    fn own_item(&self) -> String {
        format!("/items/{}", self.name)
    }

    /// Large enough to span several pages of the store's file.
    fn content(&self, number: u64) -> Value {
        let filler = format!("{number} ").repeat(2_000);
        json!({
            "name": format!("{} {number}", self.name),
            "price": number,
            "category": format!("{}-{number}", self.name),
            "attributes": { "number": number, "filler": filler },
        })
    }

    fn assert_content(&self, item: &Value, number: u64) {
        for (member, value) in self.content(number).as_object().unwrap() {
            assert_eq!(
                &item[member], value,
                "{} has parts of several writes",
                self.name
            );
        }
    }
}

fn id_of(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}
