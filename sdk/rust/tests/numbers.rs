//! Types with floats that serde buffers while it reads them, as a user's program has them.

#![allow(missing_docs, reason = "a test")]

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tenon::{
    App, Json, Path, Problem, Store,
    store::{Item, Partition},
};

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Shape {
    Circle { radius: f64 },
    Square { side: f64 },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Amount {
    Number(f64),
    Text(String),
}

#[derive(Serialize, Deserialize)]
struct Size {
    width: f64,
}

#[derive(Serialize, Deserialize)]
struct Drawing {
    shape: Shape,
    amount: Amount,
    #[serde(flatten)]
    size: Size,
    #[serde(flatten)]
    others: BTreeMap<String, f64>,
}

const DRAWINGS: Partition<Drawing> = Partition::new("drawings");

fn write(
    Path(id): Path<String>,
    Json(drawing): Json<Drawing>,
    store: Store,
) -> Result<Item<Drawing>, Problem> {
    Ok(store.put(&DRAWINGS.key(id), drawing).send()?)
}

fn read(Path(id): Path<String>, store: Store) -> Result<Option<Item<Drawing>>, Problem> {
    Ok(store.get(&DRAWINGS.key(id))?)
}

#[test]
fn floats_in_tagged_untagged_and_flattened_types_are_read_and_stored() {
    let client = App::new().put("/{id}", write).get("/{id}", read).test();
    for drawing in [
        json!({"shape": {"type": "circle", "radius": 1.5}, "amount": 0.1, "width": 2.5, "x": 3.25}),
        json!({"shape": {"type": "square", "side": 1e-9}, "amount": "7", "width": 1e20, "x": -0.5}),
        json!({"shape": {"type": "circle", "radius": 1}, "amount": 7, "width": 2, "x": 3}),
    ] {
        let written = client.put("/a").json(&drawing).send();
        assert_eq!(written.status(), 200, "{drawing}: {}", written.text());
        let read = client.get("/a").send();
        assert_eq!(read.status(), 200, "{drawing}: {}", read.text());
        let pointers = ["/shape/radius", "/shape/side", "/amount", "/width", "/x"];
        let numbers =
            |value: &Value| pointers.map(|pointer| value.pointer(pointer).and_then(Value::as_f64));
        assert_eq!(numbers(&read.value()), numbers(&drawing));
    }
}
