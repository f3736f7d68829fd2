//! `store`: a look into a store, and changes to it.

mod items;
mod list;
mod transfer;

use crate::{
    args::store::{KeyArgs, PutArgs, QueryArgs, StoreArgs, StoreCommand, StoreFormat},
    executor,
    exit::{CommandError, Outcome},
    input,
    project::{self, Project},
    store::{
        STATE_FOLDER, StoreSpec,
        protocol::{Condition, KeyText, Query, Range, Response},
        remote::{Reached, Use},
    },
};
use contract::limits::DOCUMENT_TEXT_BYTES_MAX;
use std::path::{Path, PathBuf};
use storage::{Document, Entry, Item, Key, Namespace, Revision};

/// A store, and what to do with it.
pub struct Configuration {
    store: StoreSpec,
    /// The namespace, unless it is that of guests that have no other.
    namespace: Option<Namespace>,
    /// Where the project keeps its local state.
    state: Option<PathBuf>,
    format: StoreFormat,
    task: Task,
}

enum Task {
    List,
    Get(KeyText),
    Put(Entry, Condition),
    Delete(KeyText, Condition),
    Query(Query),
    Export(Option<PathBuf>),
    Import(PathBuf),
}

/// Checks the arguments; nothing is opened yet.
pub fn resolve(
    arguments: &StoreArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    Ok(Configuration {
        store: project::store(arguments.store.as_deref(), project)?,
        namespace: namespace(arguments.namespace.as_deref())?,
        state: project.map(|project| project.path(STATE_FOLDER)),
        format: arguments.format,
        task: task(&arguments.command)?,
    })
}

fn namespace(text: Option<&str>) -> Result<Option<Namespace>, CommandError> {
    let namespace = text.map(str::parse).transpose();
    namespace.map_err(|error| CommandError::usage(format_args!("`--namespace`: {error}")))
}

fn task(command: &StoreCommand) -> Result<Task, CommandError> {
    let key = |arguments: &KeyArgs| KeyText {
        partition: arguments.partition.clone(),
        sort: arguments.sort.clone(),
    };
    let condition = |if_absent: bool, if_revision: &Option<String>| match if_revision {
        Some(revision) => Condition::Revision(revision.clone()),
        None if if_absent => Condition::Absent,
        None => Condition::Any,
    };
    Ok(match command {
        StoreCommand::List => Task::List,
        StoreCommand::Get(arguments) => Task::Get(key(arguments)),
        StoreCommand::Put(arguments) => Task::Put(
            entry(arguments)?,
            condition(arguments.if_absent, &arguments.if_revision),
        ),
        StoreCommand::Delete(arguments) => Task::Delete(
            key(&arguments.key),
            condition(false, &arguments.if_revision),
        ),
        StoreCommand::Query(arguments) => Task::Query(Query {
            partition: arguments.partition.clone(),
            is_index: arguments.index,
            range: range(arguments),
            is_descending: arguments.descending,
            limit: arguments.limit,
            cursor: None,
        }),
        StoreCommand::Export(arguments) => Task::Export(arguments.file.clone()),
        StoreCommand::Import(arguments) => Task::Import(arguments.file.clone()),
    })
}

fn range(arguments: &QueryArgs) -> Range {
    match (&arguments.prefix, &arguments.from, &arguments.to) {
        (Some(prefix), _, _) => Range::Prefix(prefix.clone()),
        (None, None, None) => Range::All,
        (None, Some(from), None) => Range::AtLeast(from.clone()),
        (None, None, Some(to)) => Range::AtMost(to.clone()),
        (None, Some(from), Some(to)) => Range::Between(from.clone(), to.clone()),
    }
}

/// The entry that a put writes; its revision is made by the store.
fn entry(arguments: &PutArgs) -> Result<Entry, CommandError> {
    let bytes_max = DOCUMENT_TEXT_BYTES_MAX as u64;
    let bytes = match (
        arguments.document.as_str(),
        arguments.document.strip_prefix('@'),
    ) {
        ("-", _) => input::read_stdin("document", bytes_max)?,
        (_, Some(path)) => input::read_file(Path::new(path), "document", bytes_max)?,
        (text, None) => text.as_bytes().to_vec(),
    };
    let text =
        str::from_utf8(&bytes).map_err(|_| CommandError::usage("the document is not UTF-8"))?;
    let document = Document::parse(text).map_err(|error| {
        CommandError::usage(format_args!("the document cannot be stored: {error}"))
            .hint("write a JSON object, in a shell between single quotes: `'{\"name\":\"lamp\"}'`")
    })?;
    let index = match arguments.index.as_deref() {
        Some([partition, sort]) => Some(Key {
            partition: partition.clone(),
            sort: sort.clone(),
        }),
        Some(_) | None => None,
    };
    Ok(Entry {
        key: Key {
            partition: arguments.key.partition.clone(),
            sort: arguments.key.sort.clone(),
        },
        item: Item {
            document,
            revision: Revision::from("new".to_owned()),
            index,
            expires_at: arguments.expires_at,
        },
    })
}

/// Carries it out, and prints what was found or done.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration {
        store,
        namespace,
        state,
        format,
        task,
    } = configuration;
    executor::workers(1)?.block_on(async {
        let usage = match task {
            Task::Put(..) | Task::Import(_) => Use::Write,
            Task::List | Task::Get(_) | Task::Delete(..) | Task::Query(_) | Task::Export(_) => {
                Use::Read
            }
        };
        let store = Reached::open(&store, namespace, state.as_deref(), usage).await?;
        match task {
            Task::List => list::list(&store, format).await,
            Task::Get(key) => items::get(&store, key, format).await,
            Task::Put(entry, condition) => items::put(&store, entry, condition, format).await,
            Task::Delete(key, condition) => items::delete(&store, key, condition, format).await,
            Task::Query(query) => items::query(&store, query, format).await,
            Task::Export(file) => transfer::export(&store, file.as_deref()).await,
            Task::Import(file) => transfer::import(&store, &file, format).await,
        }
    })
}

/// The failure for an answer that no request of the command has.
fn unexpected(response: Response) -> CommandError {
    match response {
        Response::Invalid(message) => CommandError::usage(message),
        Response::Failed(message) => CommandError::environment(message),
        Response::Entry(_)
        | Response::Written { .. }
        | Response::Deleted
        | Response::Conflict(_)
        | Response::Page { .. }
        | Response::Part { .. }
        | Response::Loaded { .. }
        | Response::Namespaces(_) => {
            CommandError::environment("the server that has the store open answered something else")
                .hint("it may be another version of this program")
        }
    }
}
