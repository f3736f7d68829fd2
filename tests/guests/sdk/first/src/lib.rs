//! A notes API as users wrote it in November 2026 for version 0.1.0 of the SDK. `docs/compatibility.md` promises that it compiles with every later
//! 0.1.x: a change that needs a change here breaks theirs.

use serde::{Deserialize, Serialize};
use tenon::{
    App, Context, Created, IntoResponse, Json, Page, Pagination, Path, Problem, Store, Violation,
    secrets::placeholder,
    store::{Item, Partition},
};

const TEXT_CHARACTERS_MAX: usize = 1000;

/// All notes, in the order of their ids, which is the order of their creation.
const NOTES: Partition<Note> = Partition::new("notes");

/// What a client sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    text: String,
}

/// What is stored, and what a client gets.
#[derive(Serialize, Deserialize)]
struct Note {
    id: String,
    text: String,
    created_at: String,
}

fn app() -> App {
    App::new()
        .get("/notes", list)
        .post("/notes", create)
        .get("/notes/{id}", read)
        .get("/balance", balance)
}

tenon::main!(app);

fn list(page: Pagination, store: Store) -> Result<Page<Note>, Problem> {
    Ok(store.query(&NOTES).paged(&page).page()?.values())
}

fn create(context: Context, Json(draft): Json<Draft>) -> Result<impl IntoResponse, Problem> {
    if !(1..=TEXT_CHARACTERS_MAX).contains(&draft.text.chars().count()) {
        let rule = format!("must have 1 to {TEXT_CHARACTERS_MAX} characters");
        return Err(Problem::invalid_content([Violation::new("/text", rule)]));
    }
    let note = Note {
        id: context.uuid(),
        text: draft.text,
        created_at: context.now().to_string(),
    };
    let key = NOTES.key(&note.id);
    let created = context.store().put(&key, note).if_absent().send()?;
    context
        .log()
        .info("note created")
        .with("id", key.sort())
        .write();
    Ok(Created::at(["notes", key.sort()], created))
}

fn read(Path(id): Path<String>, store: Store) -> Result<Item<Note>, Problem> {
    let missing = || Problem::not_found(format!("there is no note `{id}`"));
    store.get(&NOTES.key(&id))?.ok_or_else(missing)
}

fn balance(context: Context) -> Result<String, Problem> {
    let response = context
        .outgoing()
        .get("https://api.example.com/v1/balance")
        .header("authorization", format!("Bearer {}", placeholder("key")))
        .send()?;
    Ok(response.text())
}
