//! Documents as their text.

use super::{FromJson, ToJson, Value, read};
use crate::{Problem, response::Text};
use alloc::string::{String, ToString};

/// JSON as its exact text, which is neither read nor written anew: for what is only passed on, such as a stored document that a client gets as it
/// is. A read of it costs nothing, however large it is.
///
/// Nothing checks that it is JSON, except the store.
///
/// ```
/// use tenon::{App, Page, Pagination, Path, Problem, Store, json::Document, store::{Item, Partition}};
///
/// const ROOMS: Partition<Document> = Partition::new("rooms");
///
/// fn read(Path(id): Path<String>, store: Store) -> Result<Option<Item<Document>>, Problem> {
///     Ok(store.get(&ROOMS.key(id))?)
/// }
///
/// fn list(page: Pagination, store: Store) -> Result<Page<Document>, Problem> {
///     Ok(store.query(&ROOMS).paged(&page).page()?.values())
/// }
///
/// let client = App::new()
///     .get("/rooms", list)
///     .get("/rooms/{id}", read)
///     .get("/health", || Document::new(r#"{"status":"ok"}"#))
///     .test();
/// for id in ["a", "b"] {
///     client.store().put(&ROOMS.key(id), Document::new(r#"{"beds":2}"#)).send().unwrap();
/// }
/// assert_eq!(client.get("/rooms/a").send().text(), r#"{"beds":2}"#);
/// assert_eq!(client.get("/rooms").send().text(), r#"{"items":[{"beds":2},{"beds":2}]}"#);
/// assert_eq!(client.get("/health").send().header("content-type"), Some("application/json"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document(Text);

impl Document {
    /// This text.
    pub fn new(text: impl Into<Text>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text of a string member of a stored object, without reading the others; `None` if it has none.
    ///
    /// ```
    /// let document = tenon::json::Document::new(r#"{"beds":2,"name":"a"}"#);
    /// assert_eq!(document.string_member("name").as_deref(), Some("a"));
    /// assert_eq!(document.string_member("beds"), None);
    /// ```
    pub fn string_member(&self, name: &str) -> Option<String> {
        read::string_member(&self.0, name)
    }
}

impl From<&Value> for Document {
    fn from(value: &Value) -> Self {
        let mut text = String::new();
        value.write(&mut text);
        Self::new(text)
    }
}

impl FromJson for Document {
    fn from_content(content: &[u8]) -> Result<Self, Problem> {
        Value::from_content(content).map(|value| Self::from(&value))
    }

    fn from_document(text: String) -> Result<Self, String> {
        Ok(Self::new(text))
    }
}

impl ToJson for Document {
    fn to_json(&self) -> Result<String, String> {
        Ok(self.0.to_string())
    }

    fn into_json(self) -> Result<String, String> {
        Ok(self.0.into_owned())
    }
}
