//! Redacts events and responses: their members, according to their meaning, and their bodies.

use super::{
    Marks, Part, Redaction, Secrets, Sweep,
    body::{self, Description, Form, Sender},
    harvest::harvest,
    json_string,
    marks::Place,
    names,
    text::{self, Hides as _},
    walk::{self, Section, Walk},
    words::words,
};
use crate::splices::{Splices, span};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use copies::LENIENT;
use gateway::message::{BODY, Member, MemberKind, Members, Message};
use json::{Pointer, join, rewrite, string};
use std::borrow::Cow;

impl Redaction {
    /// The redacted event or response, `None` if it could not be parsed.
    pub fn message<'a>(
        &self,
        json: &'a str,
        message: Message,
        marks: &mut Marks,
        mut secrets: Option<&mut Secrets>,
    ) -> Option<Cow<'a, str>> {
        let members = message.members(json).ok()?;
        let mut splices = Splices::default();
        for Member {
            name,
            json: value,
            kind,
        } in members.iter()
        {
            if kind == MemberKind::Body {
                continue;
            }
            let mut walk = Walk {
                rules: self,
                section: Section::Member(kind),
                base: &join(place_of(message), name),
                parent: Some(name),
                marks,
                secrets: secrets.as_deref_mut(),
                renamed: walk::Renamed::default(),
            };
            if let Cow::Owned(redacted) = rewrite(value, &mut walk).ok()? {
                splices.replace(span(json, value), redacted);
            }
        }
        let description = description(&members);
        let place = body_place(message);
        for value in members.bodies() {
            let body = Body {
                json: value,
                is_base64: members.is_base64(),
                description: &description,
                sender: sender_of(message),
                place: &place,
            };
            if let Some(redacted) = self.body(&body, marks, secrets.as_deref_mut()) {
                splices.replace(span(json, value), redacted);
            }
        }
        Some(splices.apply(json))
    }

    /// The replacement of a body; `None` if it is kept.
    pub(super) fn body(
        &self,
        body: &Body<'_>,
        marks: &mut Marks,
        mut secrets: Option<&mut Secrets>,
    ) -> Option<String> {
        if matches!(body.json, "null" | "\"\"") {
            return None;
        }
        let text = string(body.json).ok();
        // A body that is not text may still contain some.
        let mut lossy = None;
        let decoded = match (&text, body.is_base64) {
            (Some(text), true) => LENIENT
                .decode(text.as_bytes())
                .ok()
                .map(String::from_utf8)
                .and_then(|decoded| match decoded {
                    Ok(decoded) => Some(Cow::Owned(decoded)),
                    Err(error) => {
                        lossy = Some(String::from_utf8_lossy(error.as_bytes()).into_owned());
                        None
                    }
                }),
            (Some(text), false) => Some(Cow::Borrowed(&**text)),
            (None, _) => None,
        };
        let form = decoded.as_deref().map_or(Form::Opaque, |decoded| {
            body::form(decoded, body.description, body.sender)
        });
        let is_left_out = self.leaves_out
            && match form {
                Form::Opaque => true,
                // The rules of a tape are those that matched when it was recorded: there, every such body was left out.
                Form::Unknown => !self.is_by_pattern || self.may_be_named_in(decoded.as_deref()?),
                Form::Empty | Form::Json | Form::Lines | Form::Pairs | Form::Prose => false,
            };
        let redacted = match (is_left_out, decoded.as_deref()) {
            (false, Some(decoded)) => {
                self.readable_body(decoded, form, body.place, marks, secrets.as_deref_mut())
            }
            (false, None) => return None,
            (true, _) => Err(Unreadable),
        };
        let Ok(redacted) = redacted else {
            if let Some(secrets) = secrets {
                let texts = [decoded.as_deref(), lossy.as_deref(), text.as_deref()];
                for text in texts.into_iter().flatten() {
                    self.harvest(text, secrets);
                }
            }
            marks.left_out(body.place);
            return Some("null".to_owned());
        };
        let redacted = redacted?;
        Some(json_string(&if body.is_base64 {
            STANDARD.encode(redacted)
        } else {
            redacted
        }))
    }

    /// A body whose names can be recognised, without their values; `None` if nothing changes.
    fn readable_body(
        &self,
        body: &str,
        form: Form,
        place: &str,
        marks: &mut Marks,
        mut secrets: Option<&mut Secrets>,
    ) -> Result<Option<String>, Unreadable> {
        let at = format!("{place}#");
        match form {
            Form::Json => self.json(body, &at, marks, secrets).map_err(|_| Unreadable),
            Form::Lines => {
                let mut is_changed = false;
                let mut lines = Vec::new();
                for line in body.split('\n') {
                    let redacted = match line.trim().is_empty() {
                        true => None,
                        false => self
                            .json(line, &at, marks, secrets.as_deref_mut())
                            .map_err(|_| Unreadable)?,
                    };
                    is_changed |= redacted.is_some();
                    lines.push(redacted.map_or(Cow::Borrowed(line), Cow::Owned));
                }
                Ok(is_changed.then(|| lines.join("\n")))
            }
            Form::Unknown | Form::Opaque => Ok(None),
            Form::Empty | Form::Pairs | Form::Prose => {
                let mut walk = Walk {
                    rules: self,
                    section: Section::Json,
                    base: &at,
                    parent: None,
                    marks,
                    secrets,
                    renamed: walk::Renamed::default(),
                };
                Ok(walk.text(body, form.kind(), &[]))
            }
        }
    }

    /// Whether a text of unknown format may contain a name whose value is hidden, with separators or in an encoding.
    pub fn may_be_named_in(&self, text: &str) -> bool {
        let decoded = names::decoded(text);
        let letters = names::normalised(&decoded);
        let configured = self.headers.iter().chain(&self.query).chain(&self.names);
        let fields = self.fields.iter().map(Pointer::last_name);
        text::may_hide_names(&decoded)
            || names::is_credential(&letters)
            || configured.into_iter().any(|name| letters.contains(name))
            || fields
                .into_iter()
                .any(|name| name.is_none_or(|name| letters.contains(&names::normalised(name))))
            || words(&decoded).any(|word| self.parameter(word))
    }

    /// Collects what follows names of credentials in a text that is left out.
    pub fn harvest(&self, text: &str, secrets: &mut Secrets) {
        let hides = |name: &str| {
            let is_field = |pointer: &Pointer| pointer.last_name() == Some(name);
            self.parameter(name) || self.fields.iter().any(is_field)
        };
        harvest(text, &hides, &mut |_, value| secrets.add(value));
    }
}

impl Secrets {
    /// The text of an event or response without copies of these values; `None` if it cannot be searched for them.
    pub fn removed_from_message(
        &self,
        json: &str,
        message: Message,
        marks: &mut Marks,
    ) -> Option<String> {
        let swept = without_copies(json, &self.sweep()?, message, marks)?;
        Some(swept.into_owned())
    }
}

/// The text of an event or response without copies of redacted values; `None` if they cannot be found.
pub(crate) fn without_copies<'a>(
    json: &'a str,
    sweep: &Sweep,
    message: Message,
    marks: &mut Marks,
) -> Option<Cow<'a, str>> {
    let swept = sweep
        .json(json, Part::Message(message), place_of(message), marks)
        .ok()?;
    let Ok(members) = message.members(&swept) else {
        return Some(swept); // the response is `null` if there is none
    };
    if !members.is_base64() {
        drop(members);
        return Some(swept);
    }
    let mut splices = Splices::default();
    for value in members.bodies() {
        let body = string(value).ok();
        if let Some(body) = body.and_then(|body| sweep.base64(&body)) {
            splices.replace(span(&swept, value), json_string(&body));
            marks.at(Place::of(&format!("{}#", body_place(message))));
        }
    }
    Some(Cow::Owned(splices.apply(&swept).into_owned()))
}

/// The place of an event or response in a line.
pub fn place_of(message: Message) -> &'static str {
    match message {
        Message::Event => "/event",
        Message::Response => "/response",
    }
}

/// The place of the body of an event or response in a line.
pub fn body_place(message: Message) -> String {
    join(place_of(message), BODY)
}

fn sender_of(message: Message) -> Sender {
    match message {
        Message::Event => Sender::Foreign,
        Message::Response => Sender::Guest,
    }
}

/// What the headers of an event or response say about its body.
fn description(members: &Members<'_>) -> Description {
    let mut description = Description::default();
    members.each_header(|name, value| description.add(name, value));
    description
}

/// A body whose names cannot be recognised, or has too many of them.
struct Unreadable;

/// A body in an event, in a response, or in an exchange with another service.
pub(super) struct Body<'a> {
    pub(super) json: &'a str,
    pub(super) is_base64: bool,
    pub(super) description: &'a Description,
    pub(super) sender: Sender,
    /// Its place in the line.
    pub(super) place: &'a str,
}
