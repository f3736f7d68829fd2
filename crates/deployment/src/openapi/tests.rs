//! Routes of documents, and what is wrong with documents.

use super::*;

fn keys(text: &str) -> Vec<String> {
    let routes = routes(text).unwrap();
    routes.iter().map(|route| route.key.to_string()).collect()
}

#[test]
fn routes_are_read_from_json_and_yaml() {
    let json = r#"{"openapi": "3.1.0", "paths": {"/b/{id}": {"parameters": [], "get": {}, "delete": {}}, "/a": {"post": {}}}}"#;
    let yaml =
        "openapi: 3.0.3\npaths:\n  /b/{id}:\n    get: {}\n    delete: {}\n  /a: {post: {}}\n";
    let expected = ["POST /a", "GET /b/{id}", "DELETE /b/{id}"];
    assert_eq!(keys(json), expected);
    assert_eq!(keys(yaml), expected);
}

#[test]
fn bodies_that_are_objects_by_every_schema_are_known() {
    let text = "openapi: 3.1.0\ncomponents: {schemas: {A: {type: object}, L: {type: array}}}\npaths:\n  /a:\n    post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}\n    put: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/L'}}}}}\n    patch: {requestBody: {content: {text/plain: {}}}}\n";
    let contents: Vec<_> = routes(text)
        .unwrap()
        .into_iter()
        .map(|route| route.content)
        .collect();
    let objects = Content::Objects(["application/json".to_owned()].into());
    assert_eq!(contents, [objects, Content::Unchecked, Content::Unchecked]);
}

#[test]
fn what_no_gateway_can_do_has_its_place() {
    for (paths, expected) in [
        (
            "{/a: {trace: {}}}",
            "`/paths/~1a/trace`: API Gateway does not route TRACE; remove it",
        ),
        (
            "{/a: {query: {}}}",
            "`/paths/~1a/query`: API Gateway does not route such a method",
        ),
        (
            "{'/a{b}': {get: {}}}",
            "`/paths/~1a{b}`: a parameter of API Gateway is a whole segment",
        ),
        (
            "{'/{b+}': {get: {}}}",
            "`/paths/~1{b+}`: a parameter with `+` would take all further segments; leave out the document for one route to everything",
        ),
        (
            "{/a: {$ref: other.yaml}}",
            "`/paths/~1a/$ref`: it refers to another document; bundle both into one",
        ),
        (
            "{/a: {$ref: '#/paths/~1a'}}",
            "`/paths/~1a`: its references lead in a circle",
        ),
        ("{}", "`/paths`: it has no route"),
    ] {
        let error = routes(&format!("openapi: 3.1.0\npaths: {paths}\n")).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(
        routes("swagger: '2.0'\n").unwrap_err().to_string(),
        "`/swagger`: only OpenAPI 3 is read; convert the document"
    );
    assert_eq!(
        routes("openapi: 3.1\n").unwrap_err().to_string(),
        "`/openapi`: it is no text; YAML reads `3.1` as a number, and `3.1.0` as a text"
    );
    assert!(routes("{\"openapi\": ").is_err());
}

#[test]
fn a_place_has_one_parameter_in_a_rest_api() {
    let of = |paths: &str| routes(&format!("openapi: 3.1.0\npaths: {paths}\n")).unwrap();
    let siblings = of("{'/a/{b}': {get: {}}, '/a/{c}/d': {get: {}}}");
    assert_eq!(
        check_for(ApiKind::Rest, &siblings).unwrap_err().to_string(),
        "`/paths/~1a~1{c}~1d`: `{c}` is named `{b}` in `/a/{b}`; a REST API has one name for the parameter of a place"
    );
    check_for(ApiKind::Http, &siblings).unwrap();
    let same = of("{'/a/{b}': {get: {}}, '/a/{c}': {post: {}}}");
    assert!(check_for(ApiKind::Http, &same).is_err());
}

#[test]
fn quotas_are_those_of_the_kind() {
    let paths: String = (0..301)
        .map(|number| format!("  /p{number}: {{get: {{}}}}\n"))
        .collect();
    let routes = routes(&format!("openapi: 3.1.0\npaths:\n{paths}")).unwrap();
    assert!(check_for(ApiKind::Rest, &routes).is_err());
    assert!(check_for(ApiKind::Http, &routes).is_err());
    check_for(ApiKind::FunctionUrl, &routes).unwrap();
}

#[test]
fn references_may_be_escaped() {
    let text =
        "openapi: 3.1.0\npaths:\n  /a/{id}: {get: {}}\n  /b: {$ref: '#/paths/~1a~1%7Bid%7D'}\n";
    assert_eq!(keys(text), ["GET /a/{id}", "GET /b"]);
}

#[test]
fn null_is_no_object() {
    let schema = "{type: object, nullable: true}";
    assert_eq!(content_of(schema), Content::Unchecked);
}

/// Otherwise the number of schemas to look at would be a power of those that each of them names.
#[test]
fn schemas_that_name_each_other_end() {
    let all = ["{$ref: '#/components/schemas/A'}"; 500].join(", ");
    let text = format!(
        "openapi: 3.1.0\ncomponents: {{schemas: {{A: {{allOf: [{all}]}}}}}}\n{}",
        body("{$ref: '#/components/schemas/A'}")
    );
    assert_eq!(routes(&text).unwrap()[0].content, Content::Unchecked);
}

fn content_of(schema: &str) -> Content {
    let text = format!("openapi: 3.0.3\n{}", body(schema));
    routes(&text).unwrap().remove(0).content
}

fn body(schema: &str) -> String {
    format!(
        "paths: {{/a: {{post: {{requestBody: {{content: {{application/json: {{schema: {schema}}}}}}}}}}}}}\n"
    )
}

#[test]
fn the_quota_counts_what_the_template_adds() {
    let of = |count: usize| {
        let paths: String = (0..count)
            .map(|number| format!("  /p{number}: {{get: {{}}}}\n"))
            .collect();
        routes(&format!("openapi: 3.1.0\npaths:\n{paths}")).unwrap()
    };
    check_for(ApiKind::Http, &of(150)).unwrap();
    check_for(ApiKind::Rest, &of(151)).unwrap();
    assert_eq!(
        check_for(ApiKind::Http, &of(151)).unwrap_err().to_string(),
        "`/paths`: 302 routes, with OPTIONS of each path, are more than the 300 that an HTTP API may have; leave out the document for one route to everything"
    );
}

#[test]
fn a_route_occurs_once() {
    for (paths, expected) in [
        (
            r#"{"/a": {"get": {}}, "/a": {"post": {}}}"#,
            "`/paths/~1a`: it occurs twice",
        ),
        (
            r#"{"/a": {"get": {}, "get": {}}}"#,
            "`/paths/~1a/get`: it occurs twice",
        ),
    ] {
        let text = format!("{{\"openapi\": \"3.1.0\", \"paths\": {paths}}}");
        assert_eq!(routes(&text).unwrap_err().to_string(), expected);
    }
}
