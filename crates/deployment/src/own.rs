//! A project's own parts of the stack: a file with sections of a template, which is put into the generated one as it is written.

use crate::yaml::{self, YamlError};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The sections that the file may have, which are those of a template that name things.
pub const SECTIONS: [&str; 5] = [
    "Parameters",
    "Mappings",
    "Conditions",
    "Resources",
    "Outputs",
];

/// The file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnResources {
    /// Its name, for the comments in the template and for messages.
    pub file: String,
    /// The lines of each section, indented by two blanks.
    sections: BTreeMap<&'static str, String>,
    /// What each section has: its name, and the name and value of each part.
    parts: Vec<(&'static str, String, Value)>,
}

/// The file cannot be put into a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnError {
    /// It is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// It has no sections.
    #[error("it has no sections; it may have {}", SECTIONS.join(", "))]
    NoSections,
    /// A section that cannot be put into the template.
    #[error("`{name}` is no section that it may have; these are {}", SECTIONS.join(", "))]
    Section {
        /// Its name.
        name: String,
    },
    /// A section that is not written as a block.
    #[error(
        "section `{name}` is written as a block: `{name}:` alone on its line, and its members indented below"
    )]
    Form {
        /// Its name.
        name: String,
    },
}

impl OwnResources {
    /// Reads a file.
    pub fn read(file: &str, text: &str) -> Result<Self, OwnError> {
        let text = text.replace("\r\n", "\n");
        let Value::Object(document) = yaml::parse(&text)? else {
            return Err(OwnError::NoSections);
        };
        let mut own = Self {
            file: file.to_owned(),
            sections: BTreeMap::new(),
            parts: Vec::new(),
        };
        for (name, members) in &document {
            let section = SECTIONS.into_iter().find(|section| section == name);
            let section = section.ok_or_else(|| OwnError::Section { name: name.clone() })?;
            let form = || OwnError::Form { name: name.clone() };
            let members = members.as_object().ok_or_else(form)?;
            let lines = block(&text, section).ok_or_else(form)?;
            own.parts.extend(parts(section, members));
            own.sections.insert(section, lines);
        }
        Ok(own)
    }

    /// The lines of a section.
    pub fn section(&self, name: &str) -> Option<&str> {
        self.sections.get(name).map(String::as_str)
    }

    /// Section and name of each of its parts.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts().map(|(section, name, _)| (section, name))
    }

    /// Section, name and value of each of its parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.parts
            .iter()
            .map(|(section, name, part)| (*section, name.as_str(), part))
    }
}

fn parts(
    section: &'static str,
    members: &Map<String, Value>,
) -> impl Iterator<Item = (&'static str, String, Value)> {
    members
        .iter()
        .map(move |(name, part)| (section, name.clone(), part.clone()))
}

/// The lines below a section's name, up to the next one, with an indentation of two.
fn block(text: &str, section: &str) -> Option<String> {
    let is_head = |line: &&str| {
        line.strip_prefix(section)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|rest| rest.trim().is_empty() || rest.trim().starts_with('#'))
    };
    let mut lines = text.lines().skip_while(|line| !is_head(line));
    lines.next()?;
    let is_inside = |line: &&str| line.is_empty() || line.starts_with([' ', '#']);
    let lines: Vec<_> = lines.take_while(is_inside).collect();
    let indentation = |line: &&str| line.len() - line.trim_start().len();
    let is_member = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let least = lines
        .iter()
        .copied()
        .filter(is_member)
        .map(|line| indentation(&line))
        .min()?;
    let mut out = String::new();
    for line in lines {
        let kept = line
            .get(least.min(indentation(&line))..)
            .unwrap_or_default();
        if !kept.trim().is_empty() {
            out.push_str("  ");
            out.push_str(kept.trim_end_matches('\r'));
        }
        out.push('\n');
    }
    Some(format!("{}\n", out.trim_end_matches('\n')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_taken_as_they_are_written() {
        let text = "# ours\nResources: # all\n    # a queue\n    Queue:\n        Type: AWS::SQS::Queue\n\nOutputs:\n  Queue:\n    Value: !Ref Queue\n";
        let own = OwnResources::read("own.yaml", text).unwrap();
        assert_eq!(
            own.section("Resources").unwrap(),
            "  # a queue\n  Queue:\n      Type: AWS::SQS::Queue\n"
        );
        assert_eq!(
            own.section("Outputs").unwrap(),
            "  Queue:\n    Value: !Ref Queue\n"
        );
        assert_eq!(own.section("Parameters"), None);
        let names: Vec<_> = own.names().collect();
        assert_eq!(names, [("Outputs", "Queue"), ("Resources", "Queue")]);
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        for (text, expected) in [
            (
                "- a\n",
                "it has no sections; it may have Parameters, Mappings, Conditions, Resources, Outputs",
            ),
            (
                "Transform: x\n",
                "`Transform` is no section that it may have; these are Parameters, Mappings, Conditions, Resources, Outputs",
            ),
            (
                "Resources: {A: {Type: B}}\n",
                "section `Resources` is written as a block: `Resources:` alone on its line, and its members indented below",
            ),
            (
                "Resources:\n",
                "section `Resources` is written as a block: `Resources:` alone on its line, and its members indented below",
            ),
            (
                "Resources: [\n",
                "line 2, column 1: while parsing a node, did not find expected node content",
            ),
        ] {
            assert_eq!(
                OwnResources::read("own.yaml", text)
                    .unwrap_err()
                    .to_string(),
                expected
            );
        }
    }
}
