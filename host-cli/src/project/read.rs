//! Reading `tenon.toml`: every error has its position, and an unknown member the nearest known one.

use super::{
    deploy::DeploySection,
    members,
    sections::{GuestSection, ProjectFile, ReleaseSection, ServeSection, TestSection},
};
use crate::{exit::CommandError, nearest::nearest};
use contract::limits::LIMITS;
use serde::Deserialize;
use std::{ops::Range, path::Path};
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct ProjectError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    pub message: String,
    pub hint: Option<String>,
}

impl ProjectError {
    fn new(text: &str, span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        let start = span.map_or(0, |span| span.start).min(text.len());
        let before = text.get(..start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            message: message.into(),
            hint: None,
        }
    }

    /// The failure, with the name of the file.
    pub fn in_file(self, path: &Path) -> CommandError {
        let Self {
            line,
            column,
            message,
            hint,
        } = self;
        let shown = path.display();
        CommandError::environment(format_args!("{shown}:{line}:{column}: {message}"))
            .hint(hint.unwrap_or_else(|| "docs/tenon-toml.md describes each member".to_owned()))
    }
}

/// Parses a file.
pub fn parse(bytes: &[u8]) -> Result<ProjectFile, ProjectError> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        let end = valid.len();
        ProjectError::new(&valid, Some(end..end), "the text is not valid UTF-8")
    })?;
    let failed = |error: &toml::de::Error| {
        ProjectError::new(text, error.span(), error.message().replace('\n', ", "))
    };
    let table = DeTable::parse(text).map_err(|error| failed(&error))?;
    check_members(text, table.get_ref())?;
    let file = ProjectFile::deserialize(Deserializer::from(table.clone())).map_err(|error| {
        let place = error.span().unwrap_or_default();
        let mut failure = failed(&error);
        if is_sensitive(table.get_ref(), place.start) {
            failure = without_input(text, place.clone(), failure);
        }
        if let Some(member) = member_at(table.get_ref(), place.start) {
            failure.message = format!("`{member}`: {}", failure.message);
        }
        failure
    })?;
    check_secrets(text, table.get_ref(), &file)?;
    Ok(file)
}

/// Checks what the members of a secret mean together.
fn check_secrets(text: &str, table: &DeTable<'_>, file: &ProjectFile) -> Result<(), ProjectError> {
    file.secrets.0.check().map_err(|error| {
        let secrets = section(text, table, &["secrets"]).ok().flatten();
        let mut names = secrets.into_iter().flat_map(|secrets| secrets.keys());
        let wrong = error.secret().map(|name| name.as_str());
        let key = names.find(|key| Some(key.get_ref().as_ref()) == wrong);
        ProjectError::new(text, key.map(|key| key.span()), error.to_string())
    })
}

/// Whether a place is in a part of the file in which somebody may have written a secret by mistake.
fn is_sensitive(file: &DeTable<'_>, place: usize) -> bool {
    file.iter()
        .filter(|(key, _)| ["secrets", "outgoing"].contains(&key.get_ref().as_ref()))
        .any(|(_, section)| contains(section, place))
}

/// Whether a value contains a place. The span of a table may be that of its head alone.
fn contains(value: &Spanned<DeValue<'_>>, place: usize) -> bool {
    value.span().contains(&place)
        || match value.get_ref() {
            DeValue::Table(table) => table
                .iter()
                .any(|(key, value)| key.span().contains(&place) || contains(value, place)),
            DeValue::Array(values) => values.iter().any(|value| contains(value, place)),
            _ => false,
        }
}

/// The failure in plain words, without what was found.
fn without_input(text: &str, place: Range<usize>, failure: ProjectError) -> ProjectError {
    const PLAIN: [(&str, &str); 5] = [
        ("a boolean", "`true` or `false`"),
        ("a sequence", "a list"),
        ("a map", "a table"),
        ("field", "member"),
        ("a string", "text"),
    ];
    let is_name = failure.message.starts_with("unknown field");
    let mut message = json::without_input(&failure.message);
    // In quotes are names.
    let names: Vec<_> = message.split('`').skip(1).step_by(2).collect();
    let hint = is_name
        .then(|| nearest(text.get(place).unwrap_or_default(), &names))
        .flatten()
        .map(|name| format!("did you mean `{name}`?"));
    if is_name {
        message = format!("unknown member, {message}");
    }
    let is_of_serde = ["invalid", "unknown", "missing", "duplicate"]
        .iter()
        .any(|start| failure.message.starts_with(start));
    for (words, plain) in PLAIN.iter().filter(|_| is_of_serde) {
        message = message.replace(words, plain);
    }
    ProjectError {
        message,
        hint: hint.or(failure.hint),
        ..failure
    }
}

/// The member whose value contains this place in the text.
fn member_at(table: &DeTable<'_>, place: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref();
        match value.get_ref() {
            DeValue::Table(inner) => {
                member_at(inner, place).map(|member| format!("{name}.{member}"))
            }
            _ => value.span().contains(&place).then(|| name.to_string()),
        }
    })
}

/// A section, by its path, and the names of its members.
fn sections() -> Vec<(&'static [&'static str], Vec<&'static str>)> {
    vec![
        (&[][..], members::of::<ProjectFile>().to_vec()),
        (&["guest"], members::of::<GuestSection>().to_vec()),
        (&["serve"], members::of::<ServeSection>().to_vec()),
        (
            &["serve", "limits"],
            LIMITS.iter().map(|limit| limit.name).collect(),
        ),
        (&["test"], members::of::<TestSection>().to_vec()),
        (&["release"], members::of::<ReleaseSection>().to_vec()),
        (&["deploy"], members::of::<DeploySection>().to_vec()),
    ]
}

fn check_members(text: &str, file: &DeTable<'_>) -> Result<(), ProjectError> {
    let sections = sections();
    for (path, members) in &sections {
        let Some(table) = section(text, file, path)? else {
            continue;
        };
        let mut unknown: Vec<_> = table
            .keys()
            .filter(|key| !members.contains(&key.get_ref().as_ref()))
            .collect();
        unknown.sort_by_key(|key| key.span().start);
        if let Some(key) = unknown.first() {
            let name = key.get_ref().as_ref();
            let place = match path.is_empty() {
                true => String::new(),
                false => format!(" in `[{}]`", path.join(".")),
            };
            let mut error = ProjectError::new(
                text,
                Some(key.span()),
                format!("unknown member `{name}`{place}"),
            );
            error.hint = Some(suggestion(name, members, &sections));
            return Err(error);
        }
    }
    Ok(())
}

/// The section of a file, if it is there.
fn section<'a, 'i>(
    text: &str,
    file: &'a DeTable<'i>,
    path: &[&str],
) -> Result<Option<&'a DeTable<'i>>, ProjectError> {
    let mut table = file;
    for name in path {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == name) else {
            return Ok(None);
        };
        let DeValue::Table(inner) = value.get_ref() else {
            let mut error =
                ProjectError::new(text, Some(key.span()), format!("`{name}` is not a section"));
            error.hint = Some(format!("write `[{}]` above its members", path.join(".")));
            return Err(error);
        };
        table = inner;
    }
    Ok(Some(table))
}

/// What was probably meant.
fn suggestion(name: &str, members: &[&str], sections: &[(&[&str], Vec<&str>)]) -> String {
    if let Some(member) = nearest(name, members) {
        return format!("did you mean `{member}`?");
    }
    let elsewhere = sections
        .iter()
        .find(|(path, members)| !path.is_empty() && members.contains(&name));
    if let Some((path, _)) = elsewhere {
        return format!("`{name}` belongs in `[{}]`", path.join("."));
    }
    let is_of_file =
        |(path, members): &&(&[&str], Vec<&str>)| path.is_empty() && members.contains(&name);
    if sections.iter().any(|section| is_of_file(&section)) {
        return format!("`{name}` belongs above the first section");
    }
    format!("known are `{}`", members.join("`, `"))
}
