//! Every name that the template uses exists, and every name that it declares is used.

use super::Template;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The names in use, each with a place that uses it.
#[derive(Default)]
struct Uses {
    /// Parameters, resources and their attributes.
    values: BTreeMap<String, String>,
    conditions: BTreeMap<String, String>,
    mappings: BTreeMap<String, String>,
}

pub fn findings(template: &Template<'_>) -> Vec<String> {
    let uses = uses(template);
    let mut findings = Vec::new();
    for (name, place) in &uses.values {
        if !is_value(template, name) {
            findings.push(format!(
                "`{place}` refers to `{name}`, which is neither a parameter nor a resource"
            ));
        }
    }
    for (section, what, used) in [
        ("Conditions", "condition", &uses.conditions),
        ("Mappings", "mapping", &uses.mappings),
    ] {
        let there: BTreeSet<_> = template.section(section).map(|(name, _)| name).collect();
        for (name, place) in used {
            if !there.contains(name.as_str()) {
                findings.push(format!(
                    "`{place}` refers to {what} `{name}`, which does not exist"
                ));
            }
        }
        let unused = there.into_iter().filter(|name| !used.contains_key(*name));
        findings.extend(unused.map(|name| format!("{what} `{name}` is used nowhere")));
    }
    for (name, _) in template.section("Parameters") {
        if !uses.values.contains_key(name) {
            findings.push(format!("parameter `{name}` is used nowhere"));
        }
    }
    findings
}

/// Whether a name is one that `Ref`, `Fn::GetAtt` or `Fn::Sub` may have. Whether a resource has an attribute is CloudFormation's to know.
fn is_value(template: &Template<'_>, name: &str) -> bool {
    let resource = name.split('.').next().unwrap_or_default();
    name.starts_with("AWS::")
        || template.type_of(resource).is_some()
        || (resource == name
            && template
                .section("Parameters")
                .any(|(parameter, _)| parameter == name))
        || is_of_sam(template, name)
}

/// What SAM makes of a function with an alias: a resource named after both.
fn is_of_sam(template: &Template<'_>, name: &str) -> bool {
    let mut functions = template.resources("AWS::Serverless::Function");
    functions.any(|(function, resource)| {
        let alias = resource["Properties"]["AutoPublishAlias"].as_str();
        alias.is_some_and(|alias| name == format!("{function}Alias{alias}"))
    })
}

fn uses(template: &Template<'_>) -> Uses {
    let mut uses = Uses::default();
    for section in ["Rules", "Conditions", "Resources", "Outputs"] {
        for (name, part) in template.section(section) {
            let place = format!("{section}.{name}");
            // In other places `Condition` is part of a policy.
            if let (true, Some(condition)) = (section != "Conditions", part["Condition"].as_str()) {
                uses.conditions
                    .entry(condition.to_owned())
                    .or_insert_with(|| place.clone());
            }
            for other in super::elements(&part["DependsOn"])
                .iter()
                .filter_map(Value::as_str)
            {
                uses.values
                    .entry(other.to_owned())
                    .or_insert_with(|| place.clone());
            }
            walk(part, &place, &mut uses);
        }
    }
    uses
}

fn walk(value: &Value, place: &str, uses: &mut Uses) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                note(name, member, members.len() == 1, place, uses);
                walk(member, place, uses);
            }
        }
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| walk(element, place, uses)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Notes what a member uses, if it is a call of a function.
fn note(name: &str, argument: &Value, is_alone: bool, place: &str, uses: &mut Uses) {
    let mut value = |name: &str| {
        uses.values
            .entry(name.to_owned())
            .or_insert_with(|| place.to_owned());
    };
    let first = argument
        .as_array()
        .and_then(|list| list.first())
        .and_then(Value::as_str);
    match (name, argument) {
        ("Ref", Value::String(name)) => value(name),
        ("Fn::GetAtt", Value::String(name)) => value(name),
        ("Fn::GetAtt", Value::Array(path)) => {
            let path: Vec<_> = path.iter().filter_map(Value::as_str).collect();
            value(&path.join("."));
        }
        ("Fn::Sub", Value::String(text)) => variables(text).for_each(value),
        ("Fn::Sub", Value::Array(parts)) => {
            let text = first.unwrap_or_default();
            let own = parts.get(1).cloned().unwrap_or_default();
            variables(text)
                .filter(|name| own.get(name).is_none())
                .for_each(value);
        }
        ("Fn::If", _) => {
            let condition = first.unwrap_or_default();
            uses.conditions
                .entry(condition.to_owned())
                .or_insert_with(|| place.to_owned());
        }
        ("Condition", Value::String(name)) if is_alone => {
            uses.conditions
                .entry(name.clone())
                .or_insert_with(|| place.to_owned());
        }
        ("Fn::FindInMap", _) => {
            let mapping = first.unwrap_or_default();
            uses.mappings
                .entry(mapping.to_owned())
                .or_insert_with(|| place.to_owned());
        }
        _ => {}
    }
}

/// The names in a text of `Fn::Sub`.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name.trim()))
        .filter(|name| !name.starts_with('!'))
}
