//! The routes of an OpenAPI document, version 3, in JSON or YAML. What API Gateway cannot route is an error, with the JSON pointer to it.

use crate::{
    api_kind::ApiKind,
    quota::{HTTP_ROUTES_MAX, REST_RESOURCES_MAX},
    route::{Content, Method, Route, RouteKey, check_path, is_parameter, segments},
    yaml,
};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// References that lead to references.
const HOPS_MAX: usize = 8;
/// Schemas to look at for one body. `allOf` may name many, and each of them many again.
const SCHEMAS_MAX: usize = 256;
/// Members of a path item that are no methods (OpenAPI 3.1, Path Item Object).
const NO_METHODS: [&str; 5] = ["$ref", "summary", "description", "servers", "parameters"];

/// What API Gateway cannot do with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenApiError {
    /// It is neither JSON nor YAML.
    #[error("{0}")]
    Syntax(String),
    /// A place in it.
    #[error("`{pointer}`: {message}")]
    Place {
        /// JSON pointer.
        pointer: String,
        /// What is wrong there.
        message: String,
    },
}

fn at(pointer: impl Into<String>, message: impl Into<String>) -> OpenApiError {
    OpenApiError::Place {
        pointer: pointer.into(),
        message: message.into(),
    }
}

/// The routes of a document, sorted by path and method.
pub fn routes(text: &str) -> Result<Vec<Route>, OpenApiError> {
    let document = parse(text)?;
    check_version(&document)?;
    let paths = document.get("paths").and_then(Value::as_object);
    let paths =
        paths.ok_or_else(|| at("/paths", "it is missing; a document has its routes there"))?;
    let mut routes = Vec::new();
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
        let pointer = json::join("/paths", path);
        check_path(path).map_err(|problem| at(&pointer, problem))?;
        check_reference(item, &pointer)?;
        let item = resolve(&document, item, &pointer)?;
        routes.extend(of_item(&document, path, item, &pointer)?);
    }
    if routes.is_empty() {
        return Err(at("/paths", "it has no route"));
    }
    routes.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(routes)
}

fn parse(text: &str) -> Result<Value, OpenApiError> {
    let is_json = text.trim_start().starts_with('{');
    match is_json {
        true => {
            let syntax = |error: json::JsonError| OpenApiError::Syntax(error.to_string());
            let document = json::value(text.as_bytes()).map_err(syntax)?;
            check_repeated(text)?;
            Ok(document)
        }
        false => yaml::parse(text).map_err(|error| OpenApiError::Syntax(error.to_string())),
    }
}

/// Checks that no route of a document in JSON is there twice: the first one would be lost.
fn check_repeated(text: &str) -> Result<(), OpenApiError> {
    if let Some(paths) = single(text, "")?.get("paths") {
        for (path, item) in single(paths, "/paths")? {
            single(item, &json::join("/paths", &path))?;
        }
    }
    Ok(())
}

/// The members of what is an object in JSON, by their names; none of what is no object.
fn single<'t>(
    text: &'t str,
    pointer: &str,
) -> Result<BTreeMap<Cow<'t, str>, &'t str>, OpenApiError> {
    let mut single = BTreeMap::new();
    if !text.trim_start().starts_with('{') {
        return Ok(single);
    }
    let members = json::members(text).map_err(|error| OpenApiError::Syntax(error.to_string()))?;
    for (name, member) in members {
        let place = json::join(pointer, &name);
        if single.insert(name, member).is_some() {
            return Err(at(place, "it occurs twice"));
        }
    }
    Ok(single)
}

fn check_version(document: &Value) -> Result<(), OpenApiError> {
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.") => Ok(()),
        Some(_) => Err(at("/openapi", "only version 3 is read")),
        None if document.get("swagger").is_some() => Err(at(
            "/swagger",
            "only OpenAPI 3 is read; convert the document",
        )),
        None if document.get("openapi").is_some() => Err(at(
            "/openapi",
            "it is no text; YAML reads `3.1` as a number, and `3.1.0` as a text",
        )),
        None => Err(at(
            "/openapi",
            "it is missing; is this an OpenAPI document?",
        )),
    }
}

/// A path item that refers to another one has no methods of its own: whether both count is undefined (OpenAPI 3.1, Path Item Object).
fn check_reference(item: &Value, pointer: &str) -> Result<(), OpenApiError> {
    let is_there = |method: &Method| item.get(method.member()).is_some();
    match item
        .get("$ref")
        .and(Method::ALL.iter().find(|method| is_there(method)))
    {
        Some(method) => Err(at(
            json::join(pointer, method.member()),
            "it stands beside `$ref`; move it into what that refers to",
        )),
        None => Ok(()),
    }
}

fn of_item(
    document: &Value,
    path: &str,
    item: &Value,
    pointer: &str,
) -> Result<Vec<Route>, OpenApiError> {
    let members = item
        .as_object()
        .ok_or_else(|| at(pointer, "it is no object"))?;
    let mut routes = Vec::new();
    for (name, operation) in members {
        let place = json::join(pointer, name);
        if NO_METHODS.contains(&name.as_str()) || name.starts_with("x-") {
            continue;
        }
        let known = Method::ALL.into_iter().find(|known| known.member() == name);
        let method = known.ok_or_else(|| {
            let is_known = |known: &Method| known.member().eq_ignore_ascii_case(name);
            let message = match name.as_str() {
                "trace" => "API Gateway does not route TRACE; remove it",
                _ if Method::ALL.iter().any(is_known) => "OpenAPI writes methods in small letters",
                _ => "API Gateway does not route such a method",
            };
            at(&place, message)
        })?;
        if !(operation.is_object() || operation.is_null()) {
            return Err(at(&place, "it is no object"));
        }
        let key = RouteKey {
            path: path.to_owned(),
            method,
        };
        let content = content(document, operation, &place)?;
        routes.push(Route { key, content });
    }
    Ok(routes)
}

/// What the gateway can check of a request's body: that JSON is an object, if it is one by every schema.
fn content(document: &Value, operation: &Value, pointer: &str) -> Result<Content, OpenApiError> {
    let Some(body) = operation.get("requestBody") else {
        return Ok(Content::Unchecked);
    };
    let body = resolve(document, body, &json::join(pointer, "requestBody"))?;
    let types = body.get("content").and_then(Value::as_object);
    let is_json = |name: &str| {
        let essence = name.split(';').next().unwrap_or_default().trim();
        essence == "application/json" || essence.ends_with("+json")
    };
    let of_json: Vec<_> = types
        .into_iter()
        .flatten()
        .filter(|(name, _)| is_json(name))
        .collect();
    let are_objects = of_json.iter().all(|(_, media)| {
        media
            .get("schema")
            .is_some_and(|schema| is_object(document, schema, HOPS_MAX, &mut { SCHEMAS_MAX }))
    });
    Ok(match are_objects && !of_json.is_empty() {
        true => Content::Objects(of_json.into_iter().map(|(name, _)| name.clone()).collect()),
        false => Content::Unchecked,
    })
}

/// Whether a schema allows nothing but objects, as far as it says so plainly. `left` are the schemas that may still be looked at.
fn is_object(document: &Value, schema: &Value, hops: usize, left: &mut usize) -> bool {
    // `nullable` of OpenAPI 3.0 allows `null`.
    let is_nullable = schema
        .get("nullable")
        .is_some_and(|is_nullable| *is_nullable == true);
    if hops == 0 || *left == 0 || is_nullable {
        return false;
    }
    *left -= 1;
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = reference
            .strip_prefix('#')
            .and_then(|fragment| target(document, fragment));
        return target.is_some_and(|target| is_object(document, target, hops - 1, left));
    }
    if schema.get("type").is_some_and(|kind| kind == "object") {
        return true;
    }
    let all = schema.get("allOf").and_then(Value::as_array);
    all.is_some_and(|all| {
        all.iter()
            .any(|one| is_object(document, one, hops - 1, left))
    })
}

/// What the fragment of a URI refers to: a JSON pointer, in which braces and others are escaped by `%` (RFC 6901, section 6).
fn target<'d>(document: &'d Value, fragment: &str) -> Option<&'d Value> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).filter(|_| *first == b'%');
        let digits = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    document.pointer(&String::from_utf8(bytes).ok()?)
}

/// Follows references within the document.
fn resolve<'d>(
    document: &'d Value,
    value: &'d Value,
    pointer: &str,
) -> Result<&'d Value, OpenApiError> {
    let mut value = value;
    for _ in 0..HOPS_MAX {
        let Some(reference) = value.get("$ref") else {
            return Ok(value);
        };
        let place = json::join(pointer, "$ref");
        let fragment = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let fragment = fragment.ok_or_else(|| {
            at(
                &place,
                "it refers to another document; bundle both into one",
            )
        })?;
        value = target(document, fragment).ok_or_else(|| at(&place, "it refers to nothing"))?;
    }
    Err(at(pointer, "its references lead in a circle"))
}

/// Checks what one kind of API cannot do with routes that are valid by themselves.
pub fn check_for(kind: ApiKind, routes: &[Route]) -> Result<(), OpenApiError> {
    match kind {
        ApiKind::Rest => {
            check_siblings(routes)?;
            let resources = resources(routes);
            quota(
                resources,
                REST_RESOURCES_MAX,
                "resources (segments of paths)",
                "a REST API",
            )
        }
        ApiKind::Http => {
            check_same_shape(routes)?;
            quota(
                with_options(routes),
                HTTP_ROUTES_MAX,
                "routes, with OPTIONS of each path,",
                "an HTTP API",
            )
        }
        ApiKind::FunctionUrl => check_same_shape(routes),
    }
}

fn quota(count: usize, max: usize, what: &str, whose: &str) -> Result<(), OpenApiError> {
    match count > max {
        true => Err(at(
            "/paths",
            format!(
                "{count} {what} are more than the {max} that {whose} may have; leave out the document for one route to everything"
            ),
        )),
        false => Ok(()),
    }
}

/// A REST API has one resource for each segment, and only one parameter below each.
fn check_siblings(routes: &[Route]) -> Result<(), OpenApiError> {
    let mut parameters: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for route in routes {
        let path = route.key.path.as_str();
        let mut above = String::new();
        for segment in segments(path) {
            if is_parameter(segment) {
                let (first, of) = *parameters.entry(above.clone()).or_insert((segment, path));
                if first != segment {
                    return Err(at(
                        json::join("/paths", path),
                        format!(
                            "`{segment}` is named `{first}` in `{of}`; a REST API has one name for the parameter of a place"
                        ),
                    ));
                }
            }
            above.push('/');
            above.push_str(segment);
        }
    }
    Ok(())
}

/// Two paths that differ in names of parameters only are the same path.
fn check_same_shape(routes: &[Route]) -> Result<(), OpenApiError> {
    let mut shapes: BTreeMap<String, &str> = BTreeMap::new();
    for route in routes {
        let path = route.key.path.as_str();
        let of = *shapes.entry(shape(path)).or_insert(path);
        if of != path {
            return Err(at(
                json::join("/paths", path),
                format!("it differs from `{of}` in the names of its parameters only"),
            ));
        }
    }
    Ok(())
}

fn shape(path: &str) -> String {
    let shown = segments(path).map(|segment| match is_parameter(segment) {
        true => "{}",
        false => segment,
    });
    shown.collect::<Vec<_>>().join("/")
}

/// The routes with OPTIONS of each path, which the template adds.
fn with_options(routes: &[Route]) -> usize {
    let others = routes
        .iter()
        .filter(|route| route.key.method != Method::Options);
    let paths: BTreeSet<_> = routes.iter().map(|route| &route.key.path).collect();
    others.count() + paths.len()
}

fn resources(routes: &[Route]) -> usize {
    let mut resources = BTreeSet::new();
    for route in routes {
        let mut above = String::new();
        for segment in segments(&route.key.path) {
            above.push('/');
            above.push_str(segment);
            resources.insert(above.clone());
        }
    }
    resources.len()
}

#[cfg(test)]
mod tests;
