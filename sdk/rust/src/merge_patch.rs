//! JSON Merge Patch (RFC 7396, which replaces RFC 7386).

use crate::{
    Context, FromRequest, Problem,
    json::{FromJson, Object, ToJson, Value},
    negotiation::{self, MERGE_PATCH},
};
use alloc::{format, string::String};

/// A change to a document: `null` removes a member, an object merges, anything else replaces. Content of another type is answered with 415.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tenon::{App, Conditions, MergePatch, Path, Problem, Store, store::{Item, Partition}};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Room {
///     beds: u8,
///     #[serde(skip_serializing_if = "Option::is_none")]
///     view: Option<String>,
/// }
///
/// const ROOMS: Partition<Room> = Partition::new("rooms");
///
/// fn update(
///     Path(id): Path<String>,
///     conditions: Conditions,
///     patch: MergePatch,
///     store: Store,
/// ) -> Result<Item<Room>, Problem> {
///     store.update(&ROOMS.key(id), &conditions, |room| patch.apply(&room))
/// }
///
/// let client = App::new().patch("/rooms/{id}", update).test();
/// client.store().put(&ROOMS.key("a"), Room { beds: 2, view: Some("sea".into()) }).send().unwrap();
/// let patch = |json| client.patch("/rooms/a").content("application/merge-patch+json", json).send();
/// assert_eq!(patch(r#"{"view": null}"#).value(), serde_json::json!({"beds": 2}));
/// let refused = patch(r#"{"beds": "many"}"#);
/// assert_eq!(refused.status(), 422);
/// assert_eq!(refused.value()["errors"][0]["pointer"], "/beds");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergePatch(Value);

impl MergePatch {
    /// What `target` is with the change; 422 with a pointer if that is no `T`.
    pub fn apply<T: ToJson + FromJson>(&self, target: &T) -> Result<T, Problem> {
        let unreadable =
            |error: String| Problem::internal(format!("a document is not JSON: {error}"));
        let mut value =
            Value::from_document(target.to_json().map_err(unreadable)?).map_err(unreadable)?;
        apply(&mut value, self.0.clone());
        // As text, because only a text has places that an error can point to.
        T::from_content(value.to_json().map_err(unreadable)?.as_bytes())
    }

    /// Changes `target`. The change is consumed, because a copy would double the memory for a large one.
    pub fn merge_into(self, target: &mut Value) {
        apply(target, self.0);
    }

    /// The change itself.
    pub fn as_value(&self) -> &Value {
        &self.0
    }
}

impl FromRequest for MergePatch {
    const CONTENT_TYPE: Option<&'static str> = Some(MERGE_PATCH);

    fn from_request(context: &Context) -> Result<Self, Problem> {
        negotiation::check_content_type(context, MERGE_PATCH, "accept-patch")?;
        Value::from_content(&context.body).map(Self)
    }
}

fn apply(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(members), Value::Object(changes)) => merge(members, changes),
        (target, mut patch) => {
            remove_nulls(&mut patch);
            *target = patch;
        }
    }
}

fn merge(members: &mut Object, changes: Object) {
    for (name, change) in changes {
        match change {
            Value::Null => {
                members.remove(&name);
            }
            change => apply(members.entry(name).or_insert(Value::Null), change),
        }
    }
}

/// The result of merging an object into nothing.
fn remove_nulls(patch: &mut Value) {
    if let Value::Object(members) = patch {
        members.retain(|_, change| *change != Value::Null);
        members.values_mut().for_each(remove_nulls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_7396_appendix_a() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (
                r#"{"a":{"b":"c"}}"#,
                r#"{"a":{"b":"d","c":null}}"#,
                r#"{"a":{"b":"d"}}"#,
            ),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let read = |text: &str| Value::parse(text.as_bytes()).unwrap();
            let mut value = read(target);
            apply(&mut value, read(patch));
            assert_eq!(value, read(result), "{target} {patch}");
        }
    }
}
