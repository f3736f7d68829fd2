//! What a tape reveals about the store before the request: which items existed, which did not, which parts of which lists were seen
//! completely, and which cursors and failures the guest got.
//!
//! The calls are processed in order. What was read of an item before the request wrote it is its previous state; a page of a query covers
//! everything between its first and its last entry, including what does not exist.

use super::{
    list::{List, Position, after, from_first, narrowed, next, position, upper_order, whole},
    recording_error::RecordingError,
    subject::Subject,
};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use storage::{
    Direction, Item, Key, Operation, Page, Precondition, QueryOptions, Revision, SortRange, Span,
    StorageError, StorageRequest, StorageResponse,
};
use tape::{CallRecord, Exchange, RecordedArguments, call::read::ResultError, read_arguments};

/// The state of an item before the request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    Absent,
    Present(Item),
    /// It existed with unknown content. Its revision, if a precondition named it.
    Exists(Option<Revision>),
}

/// A query, to recognise the same query again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct QueryKey {
    list: List,
    range: SortRange,
    is_descending: bool,
    cursor: Option<String>,
    limit: u32,
}

impl QueryKey {
    pub(super) fn new(list: &List, options: &QueryOptions) -> Self {
        Self {
            list: list.clone(),
            range: options.range.clone(),
            is_descending: options.direction == Direction::Descending,
            cursor: options.cursor.clone(),
            limit: options.limit,
        }
    }
}

/// The end of a page that was not the last one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PageEnd {
    /// `None` if the page was empty.
    pub(super) last: Option<Position>,
    pub(super) cursor: String,
}

/// A call that failed.
#[derive(Debug)]
struct Failed {
    subject: Subject,
    error: StorageError,
}

/// Everything that a tape reveals.
#[derive(Debug, Default)]
pub(super) struct RecordedState {
    pub(super) items: BTreeMap<Key, Known>,
    covered: HashMap<List, Vec<Span<Position>>>,
    /// Written without having been read: later lists do not reveal their previous state.
    blind: HashSet<Key>,
    written: HashSet<Key>,
    /// The part of a list that follows a cursor, by list, direction and cursor.
    resumes: HashMap<(List, bool, String), Span<Position>>,
    /// Cursors by list, direction and the position after which they continue.
    cursors: HashMap<(List, bool, Position), String>,
    pub(super) ends: HashMap<QueryKey, PageEnd>,
    /// The revisions of each item's writes, in order.
    pub(super) revisions: HashMap<Key, VecDeque<Revision>>,
    /// Calls that failed.
    failures: Vec<Failed>,
}

impl RecordedState {
    /// What the calls of a request reveal; the reason if one cannot be read.
    pub(super) fn of(exchange: &Exchange<'_>) -> Result<Self, RecordingError> {
        let mut recorded_state = Self::default();
        for (number, call) in (1..).zip(&exchange.calls) {
            recorded_state
                .learn(call)
                .map_err(|error| RecordingError::Call { number, error })?;
        }
        Ok(recorded_state)
    }

    fn learn(&mut self, call: &CallRecord<'_>) -> Result<(), ResultError> {
        let request = read_arguments(call.call, call.arguments)?;
        let Some(result) = call.result()? else {
            return Ok(());
        };
        match (result.read(call.call), &request) {
            (Ok(Ok(response)), _) => self.learn_response(request, response),
            (Ok(Err(error)), _) => {
                // Violations of rules are found again by themselves, except those about cursors.
                let is_rule = matches!(error, StorageError::Invalid(_) | StorageError::TooLarge(_));
                if !is_rule || has_cursor(&request) {
                    self.failures.push(Failed {
                        subject: Subject::of(&request),
                        error,
                    });
                }
            }
            (Err(ResultError::Omitted), StorageRequest::Get { key, .. }) => {
                self.initially(key, Known::Exists(None));
            }
            (Err(error), _) => return Err(error),
        }
        Ok(())
    }

    fn learn_response(&mut self, request: RecordedArguments, response: StorageResponse) {
        let findings = request.findings(response);
        for (key, precondition) in &findings.held {
            self.held(key, precondition);
        }
        for (key, item) in findings.read {
            self.saw(&key, item);
        }
        for (operation, revision) in findings.applied {
            self.held(operation.key(), operation.precondition());
            match &operation {
                Operation::Put { key, .. } => self.wrote(key, revision),
                Operation::Delete { key, .. } => self.wrote(key, None),
                Operation::Check { .. } => {}
            }
        }
        if let Some(found) = findings.page {
            let list = List {
                is_index: found.is_index,
                partition: found.partition,
            };
            self.saw_page(list, &found.options, found.page);
        }
    }

    /// Adds an item that was read.
    fn saw(&mut self, key: &Key, item: Option<Item>) {
        self.initially(key, item.map_or(Known::Absent, Known::Present));
    }

    /// Adds a completed conditional write.
    fn held(&mut self, key: &Key, precondition: &Precondition) {
        match precondition {
            Precondition::None => {}
            Precondition::Absent => self.initially(key, Known::Absent),
            Precondition::Present => self.initially(key, Known::Exists(None)),
            Precondition::Revision(revision) => {
                self.initially(key, Known::Exists(Some(revision.clone())));
            }
        }
    }

    fn initially(&mut self, key: &Key, known: Known) {
        if !self.written.contains(key) {
            let slot = self.items.entry(key.clone());
            slot.and_modify(|before| {
                if let (Known::Exists(_), Known::Present(_)) = (&before, &known) {
                    *before = known.clone();
                }
            })
            .or_insert(known);
        }
    }

    fn wrote(&mut self, key: &Key, revision: Option<Revision>) {
        if !self.items.contains_key(key) {
            self.blind.insert(key.clone());
        }
        self.written.insert(key.clone());
        self.revisions
            .entry(key.clone())
            .or_default()
            .extend(revision);
    }

    fn saw_page(&mut self, list: List, options: &QueryOptions, page: Page) {
        let is_descending = options.direction == Direction::Descending;
        let positions: Vec<Position> = page
            .entries
            .iter()
            .map(|entry| position(&list, &entry.key, &entry.item))
            .collect();
        let mut span = whole(&options.range);
        if let Some(cursor) = &options.cursor {
            let resume = self.resume(&list, is_descending, cursor).cloned();
            // A cursor from outside: what follows it begins with what was found.
            let resume = resume.unwrap_or_else(|| from_first(positions.first(), is_descending));
            span = narrowed(span, &resume);
            self.resumes
                .insert((list.clone(), is_descending, cursor.clone()), resume);
        }
        let mut seen = span;
        if let Some(cursor) = &page.cursor {
            let last = positions.last().cloned();
            match &last {
                Some(last) => {
                    let rest = after(last, is_descending);
                    if is_descending {
                        seen.lower = last.clone();
                    } else {
                        seen.upper = Some(next(last));
                    }
                    self.give_cursor(&list, is_descending, last.clone(), cursor.clone());
                    self.resumes
                        .insert((list.clone(), is_descending, cursor.clone()), rest);
                }
                None => seen.upper = Some(seen.lower.clone()),
            }
            let end = PageEnd {
                last,
                cursor: cursor.clone(),
            };
            self.ends.insert(QueryKey::new(&list, options), end);
        }
        if !seen.is_empty() {
            self.covered.entry(list).or_default().push(seen);
        }
        for entry in page.entries {
            self.saw(&entry.key, Some(entry.item));
        }
    }

    /// The part of a list that follows a cursor.
    pub(super) fn resume(
        &self,
        list: &List,
        is_descending: bool,
        cursor: &str,
    ) -> Option<&Span<Position>> {
        let key = (list.clone(), is_descending, cursor.to_owned());
        self.resumes.get(&key)
    }

    /// The cursor that continues after a position: the recorded one, or a made-up one.
    pub(super) fn cursor_after(
        &mut self,
        list: &List,
        is_descending: bool,
        position: &Position,
    ) -> String {
        let key = (list.clone(), is_descending, position.clone());
        if let Some(cursor) = self.cursors.get(&key) {
            return cursor.clone();
        }
        let cursor = format!("replay-{}", self.cursors.len());
        self.give_cursor(list, is_descending, position.clone(), cursor.clone());
        let rest = after(position, is_descending);
        self.resumes
            .insert((list.clone(), is_descending, cursor.clone()), rest);
        cursor
    }

    fn give_cursor(
        &mut self,
        list: &List,
        is_descending: bool,
        position: Position,
        cursor: String,
    ) {
        self.cursors
            .entry((list.clone(), is_descending, position))
            .or_insert(cursor);
    }

    /// Whether everything in a part of a list is known, including what does not exist.
    pub(super) fn covers(&self, list: &List, span: &Span<Position>) -> bool {
        let spans = self
            .covered
            .get(list)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut reached = span.lower.clone();
        loop {
            if span.upper.as_ref().is_some_and(|upper| reached >= *upper) {
                return true;
            }
            let further = spans
                .iter()
                .filter(|seen| seen.lower <= reached)
                .filter(|seen| seen.upper.as_ref().is_none_or(|upper| *upper > reached))
                .max_by(|one, other| upper_order(one, other));
            match further.map(|seen| seen.upper.clone()) {
                None => return false,
                Some(None) => return true,
                Some(Some(upper)) => reached = upper,
            }
        }
    }

    /// Marks a part of a list as known.
    pub(super) fn cover(&mut self, list: &List, span: Span<Position>) {
        self.covered.entry(list.clone()).or_default().push(span);
    }

    /// The previous state of an item; `None` if the tape does not reveal it.
    pub(super) fn initial(&self, key: &Key) -> Option<Known> {
        if let Some(known) = self.items.get(key) {
            return Some(known.clone());
        }
        let list = List {
            is_index: false,
            partition: key.partition.clone(),
        };
        let at = (key.sort.clone(), String::new(), String::new());
        let place = Span {
            upper: Some(next(&at)),
            lower: at,
        };
        (!self.blind.contains(key) && self.covers(&list, &place)).then_some(Known::Absent)
    }

    /// The recorded failure of a call like this, which is returned only once.
    pub(super) fn take_failure(&mut self, request: &StorageRequest) -> Option<StorageError> {
        if self.failures.is_empty() {
            return None;
        }
        let subject = Subject::of(request);
        let is_like = |failed: &Failed| failed.subject == subject;
        let position = self.failures.iter().position(is_like)?;
        Some(self.failures.remove(position).error)
    }
}

fn has_cursor<D>(request: &StorageRequest<D>) -> bool {
    match request.subject() {
        storage::Subject::Part { cursor, .. } => cursor.is_some(),
        storage::Subject::Items(_) => false,
    }
}
