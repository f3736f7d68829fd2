//! As much of JSON Schema as our schemas use. An unknown keyword is an error, so that nothing in a schema goes unchecked.

use serde_json::Value;

/// What is wrong with `value`, if anything, with the place.
pub fn complaint(schema: &Value, value: &Value) -> Option<String> {
    check(schema, schema, value, "").err()
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let fail = |what: String| Err(format!("`{at}`: {what}: {value:.80}"));
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$id" | "title" | "$defs" => {}
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                let target = root.pointer(pointer);
                check(
                    root,
                    target.unwrap_or_else(|| panic!("no {rule}")),
                    value,
                    at,
                )?;
            }
            "const" if value != rule => return fail(format!("is not {rule}")),
            "enum" if !list(rule).contains(value) => return fail(format!("is none of {rule}")),
            "type" if !types(rule).any(|name| is_type(value, name)) => {
                return fail(format!("is not {rule}"));
            }
            "const" | "enum" | "type" => {}
            "minimum" | "maximum" => {
                if let (Some(number), Some(bound)) = (value.as_f64(), rule.as_f64())
                    && ((keyword == "minimum" && number < bound)
                        || (keyword == "maximum" && number > bound))
                {
                    return fail(format!("{keyword} is {rule}"));
                }
            }
            "minLength" | "maxLength" | "minItems" | "maxItems" => {
                let count = match value {
                    Value::String(text) if keyword.ends_with("Length") => text.chars().count(),
                    Value::Array(items) if keyword.ends_with("Items") => items.len(),
                    _ => continue,
                };
                let bound = rule.as_u64().unwrap() as usize;
                if (keyword.starts_with("min") && count < bound)
                    || (keyword.starts_with("max") && count > bound)
                {
                    return fail(format!("{keyword} is {rule}"));
                }
            }
            "required" => {
                for name in list(rule) {
                    let name = name.as_str().unwrap();
                    if value.is_object() && value.get(name).is_none() {
                        return fail(format!("lacks `{name}`"));
                    }
                }
            }
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(member) = value.get(name) {
                        check(root, rule, member, &format!("{at}/{name}"))?;
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, false, "only that is known");
                let known = schema["properties"].as_object().unwrap();
                let mut names = value
                    .as_object()
                    .into_iter()
                    .flat_map(|object| object.keys());
                if let Some(name) = names.find(|name| !known.contains_key(*name)) {
                    return fail(format!("has `{name}`, which nobody knows"));
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{at}/{index}"))?;
                }
            }
            "oneOf" => {
                let results: Vec<_> = list(rule)
                    .iter()
                    .map(|rule| check(root, rule, value, at))
                    .collect();
                match results.iter().filter(|result| result.is_ok()).count() {
                    1 => {}
                    count => return fail(format!("fits {count} of its forms: {results:?}")),
                }
            }
            other => panic!("`{other}` is not known here"),
        }
    }
    Ok(())
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().unwrap()
}

fn types(rule: &Value) -> impl Iterator<Item = &str> {
    let one = rule.as_str().into_iter();
    one.chain(
        rule.as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str),
    )
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("`{other}` is no type"),
    }
}

#[test]
fn what_breaks_a_rule_is_named() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": {"a": {"type": ["integer", "null"], "minimum": 1}, "b": {"oneOf": [{"const": 1}, {"enum": [2]}]}}
    });
    for (value, wrong) in [
        (serde_json::json!({"a": 1, "b": 2}), None),
        (serde_json::json!([]), Some("is not \"object\"")),
        (serde_json::json!({}), Some("lacks `a`")),
        (serde_json::json!({"a": 0}), Some("minimum")),
        (serde_json::json!({"a": "x"}), Some("`/a`")),
        (serde_json::json!({"a": 1, "c": 1}), Some("has `c`")),
        (serde_json::json!({"a": 1, "b": 3}), Some("0 of its forms")),
    ] {
        let complaint = complaint(&schema, &value);
        assert_eq!(complaint.is_some(), wrong.is_some(), "{complaint:?}");
        assert!(
            complaint
                .unwrap_or_default()
                .contains(wrong.unwrap_or_default())
        );
    }
}
