//! An expanded template, and the values that a stack created from it has.

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// The name of the stack.
pub const STACK: &str = "tenon";
/// CloudFormation's pseudo parameters.
const PSEUDO_PARAMETERS: [(&str, &str); 5] = [
    ("AWS::AccountId", "123456789012"),
    ("AWS::Partition", "aws"),
    ("AWS::Region", "us-east-1"),
    ("AWS::StackName", STACK),
    ("AWS::URLSuffix", "amazonaws.com"),
];

/// CloudFormation, after SAM.
pub struct Template {
    document: Value,
    parameters: BTreeMap<String, Value>,
}

impl Template {
    /// Reads an expanded template. Parameters have their defaults, unless `settings` says otherwise.
    pub fn load(file: &Path, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let text =
            fs::read(file).with_context(|| format!("failed to read `{}`", file.display()))?;
        let document: Value = serde_json::from_slice(&text)
            .with_context(|| format!("`{}` is not JSON", file.display()))?;
        Self::new(document, settings)
    }

    /// A template with some of its parameters set.
    pub(super) fn new(document: Value, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut parameters: BTreeMap<_, _> = members(&document["Parameters"])
            .map(|(name, parameter)| (name.clone(), parameter["Default"].clone()))
            .collect();
        for (name, value) in settings {
            let Some(parameter) = parameters.get_mut(*name) else {
                bail!("there is no parameter `{name}`");
            };
            *parameter = json!(value);
        }
        Ok(Self {
            document,
            parameters,
        })
    }

    /// The value of a parameter; empty if there is no such parameter.
    pub fn value(&self, parameter: &str) -> String {
        self.parameters
            .get(parameter)
            .map(plain)
            .unwrap_or_default()
    }

    /// One parameter's declaration.
    pub fn parameter(&self, name: &str) -> &Value {
        &self.document["Parameters"][name]
    }

    /// Resources of one type whose conditions hold, with their properties resolved.
    pub fn resources(&self, kind: &str) -> BTreeMap<String, Value> {
        members(&self.document["Resources"])
            .filter(|(_, resource)| resource["Type"] == kind)
            .filter(|(_, resource)| self.holds(&resource["Condition"]))
            .map(|(name, resource)| (name.clone(), self.resolve(&resource["Properties"])))
            .collect()
    }

    /// The one resource of a type.
    pub fn resource(&self, kind: &str) -> anyhow::Result<(String, Value)> {
        let mut found = self.resources(kind).into_iter();
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => bail!("there is no `{kind}`"),
            (Some(_), Some(_)) => bail!("there is more than one `{kind}`"),
        }
    }

    /// Names of the outputs.
    pub fn outputs(&self) -> impl Iterator<Item = &String> {
        members(&self.document["Outputs"]).map(|(name, _)| name)
    }

    /// A value with its intrinsic functions replaced by their results. A reference to a resource becomes its name.
    pub fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Object(object) => match function(object) {
                Some((name, argument)) => self.call(name, argument),
                None => object
                    .iter()
                    .filter(|(_, member)| !self.is_nothing(member))
                    .map(|(name, member)| (name.clone(), self.resolve(member)))
                    .collect(),
            },
            Value::Array(elements) => elements
                .iter()
                .filter(|element| !self.is_nothing(element))
                .map(|element| self.resolve(element))
                .collect(),
            other => other.clone(),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Value {
        match name {
            "Ref" => self.reference(text(argument)),
            "Fn::GetAtt" => match argument {
                Value::Array(path) => {
                    let path: Vec<_> = path.iter().map(text).collect();
                    self.attribute(&path.join("."))
                }
                other => self.attribute(text(other)),
            },
            "Fn::Sub" => match argument {
                Value::Array(parts) => self.substitute(text(&parts[0]), &parts[1]),
                other => self.substitute(text(other), &Value::Null),
            },
            "Fn::If" => {
                let branch = if self.holds(&argument[0]) { 1 } else { 2 };
                self.resolve(&argument[branch])
            }
            "Fn::Join" => {
                let parts = self.resolve(&argument[1]);
                let parts: Vec<_> = elements(&parts).map(text).collect();
                json!(parts.join(text(&argument[0])))
            }
            other => json!(format!("<{other}>")),
        }
    }

    fn reference(&self, name: &str) -> Value {
        if let Some((_, value)) = PSEUDO_PARAMETERS.iter().find(|(pseudo, _)| *pseudo == name) {
            return json!(value);
        }
        match self.parameters.get(name) {
            Some(value) => value.clone(),
            None => json!(name),
        }
    }

    /// `Resource.Attribute`; only the form of ARNs matters here.
    fn attribute(&self, path: &str) -> Value {
        let (resource, attribute) = path.split_once('.').unwrap_or((path, ""));
        let (region, account) = ("us-east-1", "123456789012");
        let arn = match text(&self.document["Resources"][resource]["Type"]) {
            "AWS::DynamoDB::Table" => {
                format!("arn:aws:dynamodb:{region}:{account}:table/{resource}")
            }
            "AWS::S3::Bucket" => format!("arn:aws:s3:::{resource}"),
            "AWS::Logs::LogGroup" => {
                format!("arn:aws:logs:{region}:{account}:log-group:{resource}:*")
            }
            "AWS::IAM::Role" => format!("arn:aws:iam::{account}:role/{resource}"),
            _ => return json!(path),
        };
        if attribute == "Arn" {
            json!(arn)
        } else {
            json!(path)
        }
    }

    fn substitute(&self, text_with_names: &str, own: &Value) -> Value {
        let mut result = String::new();
        let mut rest = text_with_names;
        while let Some((before, after)) = rest.split_once("${") {
            result += before;
            let (name, behind) = after.split_once('}').unwrap_or((after, ""));
            rest = behind;
            let value = match (name.strip_prefix('!'), own.get(name)) {
                (Some(literal), _) => json!(format!("${{{literal}}}")),
                (None, Some(value)) => self.resolve(value),
                (None, None) if name.contains('.') => self.attribute(name),
                (None, None) => self.reference(name),
            };
            result += &plain(&value);
        }
        result += rest;
        json!(result)
    }

    /// Whether a condition, given by name, holds; true without a condition.
    fn holds(&self, name: &Value) -> bool {
        match name.as_str() {
            Some(name) => self.test(&self.document["Conditions"][name]),
            None => true,
        }
    }

    fn test(&self, expression: &Value) -> bool {
        let Some((name, argument)) = expression.as_object().and_then(function) else {
            return false;
        };
        match name {
            "Fn::Equals" => {
                plain(&self.resolve(&argument[0])) == plain(&self.resolve(&argument[1]))
            }
            "Fn::Not" => !self.test(&argument[0]),
            "Fn::And" => elements(argument).all(|part| self.test(part)),
            "Fn::Or" => elements(argument).any(|part| self.test(part)),
            "Condition" => self.holds(argument),
            _ => false,
        }
    }

    /// Whether a value is `AWS::NoValue`, which removes the member.
    fn is_nothing(&self, value: &Value) -> bool {
        match value.as_object().and_then(function) {
            Some(("Ref", name)) => name == "AWS::NoValue",
            Some(("Fn::If", parts)) => {
                let branch = if self.holds(&parts[0]) { 1 } else { 2 };
                self.is_nothing(&parts[branch])
            }
            _ => false,
        }
    }
}

/// An object that is a call of an intrinsic function: its name and argument.
fn function(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut members = object.iter();
    let (name, argument) = members.next()?;
    let is_function = name.starts_with("Fn::") || name == "Ref" || name == "Condition";
    // A policy's `Condition` contains objects.
    let is_call =
        is_function && members.next().is_none() && (name != "Condition" || argument.is_string());
    is_call.then_some((name, argument))
}

/// Members of an object; none for any other value.
pub fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Elements of a list; a single value counts as a list of itself, as in policies.
pub fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(elements) => elements.iter(),
        Value::Null => [].iter(),
        single => std::slice::from_ref(single).iter(),
    }
}

/// The text of a string; empty for any other value.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The text of a string, and anything else as JSON: CloudFormation does not distinguish numbers and texts.
pub fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(settings: &[(&str, &str)]) -> Template {
        let document = json!({
            "Parameters": {"Name": {"Default": "n"}, "Optional": {"Default": ""}},
            "Conditions": {"Has": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Optional"}, ""]}]}},
            "Resources": {
                "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
                "Extra": {"Type": "Extra", "Condition": "Has", "Properties": {}},
            },
        });
        Template::new(document, settings).unwrap()
    }

    #[test]
    fn functions_give_what_cloudformation_gives() {
        let template = template(&[]);
        for (value, expected) in [
            (json!({"Ref": "Name"}), json!("n")),
            (json!({"Ref": "Table"}), json!("Table")),
            (
                json!({"Fn::Sub": "${Name}#${!x}/${Table.Arn}/${AWS::StackName}"}),
                json!("n#${x}/arn:aws:dynamodb:us-east-1:123456789012:table/Table/tenon"),
            ),
            (
                json!({"Fn::Sub": ["${A}-b", {"A": {"Ref": "Name"}}]}),
                json!("n-b"),
            ),
            (
                json!({"Fn::Join": ["/", ["a", {"Ref": "Name"}]]}),
                json!("a/n"),
            ),
            (
                json!([{"Fn::If": ["Has", 1, {"Ref": "AWS::NoValue"}]}, 2]),
                json!([2]),
            ),
            (
                json!({"Condition": {"Bool": {"a": "b"}}}),
                json!({"Condition": {"Bool": {"a": "b"}}}),
            ),
        ] {
            assert_eq!(template.resolve(&value), expected, "{value}");
        }
    }

    #[test]
    fn conditions_follow_parameters() {
        assert!(template(&[]).resources("Extra").is_empty());
        assert_eq!(template(&[("Optional", "x")]).resources("Extra").len(), 1);
    }
}
