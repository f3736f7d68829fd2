//! Methods, paths and preflight requests.

use tenon::{App, Cors, Path};

fn app() -> App {
    App::new()
        .get("/rooms", || "rooms")
        .post("/rooms", || (201, "made"))
        .get("/rooms/{room}", |Path(room): Path<String>| room)
        .delete("/rooms/{id}", || ())
        .get("/files/{*path}", |Path(path): Path<String>| path)
}

#[test]
fn head_is_get_without_content() {
    let client = app().test();
    let head = client.request("HEAD", "/rooms").send();
    assert_eq!(head.status(), 200);
    assert_eq!(head.body(), b"");
    assert_eq!(
        head.header("content-type"),
        client.get("/rooms").send().header("content-type")
    );
}

#[test]
fn options_and_unknown_methods_name_the_methods_of_the_resource() {
    let client = app().test();
    for (path, allow) in [
        ("/rooms", "GET, HEAD, POST, OPTIONS"),
        ("/rooms/7", "GET, HEAD, DELETE, OPTIONS"),
        ("/files/a/b", "GET, HEAD, OPTIONS"),
    ] {
        let options = client.request("OPTIONS", path).send();
        assert_eq!(
            (options.status(), options.header("allow")),
            (204, Some(allow))
        );
        let refused = client.request("BREW", path).send();
        assert_eq!(
            (refused.status(), refused.header("allow")),
            (405, Some(allow))
        );
        assert_eq!(refused.value()["code"], "method-not-allowed");
    }
}

#[test]
fn a_path_without_a_resource_is_a_problem_with_the_request_id() {
    let client = app().test();
    for path in ["/", "/rooms/", "/rooms/a/b", "/files/", "/Rooms"] {
        let response = client.get(path).send();
        let status = if path == "/files/" { 200 } else { 404 };
        assert_eq!(response.status(), status, "{path}");
    }
    let problem = client.get("/nothing").send();
    assert_eq!(
        problem.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(problem.value()["request_id"].as_str().unwrap().len(), 32);
    assert_eq!(client.request("OPTIONS", "/nothing").send().status(), 404);
    assert_eq!(
        client.get("/rooms/%zz").send().value()["code"],
        "invalid-path"
    );
}

#[test]
fn the_rest_of_a_path_is_one_parameter() {
    let client = app().test();
    assert_eq!(client.get("/files/a/b%20c/d").send().text(), "a/b c/d");
}

#[test]
fn a_preflight_request_is_answered_for_allowed_origins() {
    let preflight = |app: App, origin: &str| {
        let client = app.test();
        let request = client.request("OPTIONS", "/rooms").header("origin", origin);
        request
            .header("access-control-request-method", "POST")
            .send()
    };
    let any = preflight(app().cors(Cors::any_origin()), "https://a.example");
    assert_eq!(any.header("access-control-allow-origin"), Some("*"));
    assert_eq!(
        any.header("access-control-allow-methods"),
        Some("GET, HEAD, POST, OPTIONS")
    );

    let listed = || app().cors(Cors::origins(["https://a.example"]).allow_header("x-shop"));
    let known = preflight(listed(), "https://a.example");
    assert_eq!(
        known.header("access-control-allow-origin"),
        Some("https://a.example")
    );
    assert!(
        known
            .header("access-control-allow-headers")
            .unwrap()
            .ends_with(", x-shop")
    );
    let foreign = preflight(listed(), "https://b.example");
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    assert_eq!(foreign.header("vary"), Some("origin"));

    let without = preflight(app(), "https://a.example");
    assert_eq!(without.header("access-control-allow-methods"), None);
}

#[test]
fn only_what_accepts_json_reaches_a_handler_that_serves_json_only() {
    let client = app().json_only().test();
    assert_eq!(
        client
            .get("/rooms")
            .header("accept", "text/html")
            .send()
            .status(),
        406
    );
    assert_eq!(
        client
            .get("/rooms")
            .header("accept", "text/html, */*")
            .send()
            .status(),
        200
    );
}

#[test]
#[should_panic(expected = "`GET /rooms/{other}` has two handlers")]
fn two_handlers_for_one_method_are_a_mistake() {
    let _ = app().get("/rooms/{other}", || ());
}

#[test]
#[should_panic(expected = "there are 2 parameters where 1 are read")]
fn a_path_with_another_number_of_parameters_is_a_mistake() {
    let app = App::new().get("/{a}/{b}", |Path((a,)): Path<(String,)>| a);
    app.test().get("/1/2").send();
}

#[test]
#[should_panic(expected = "there are 2 parameters where one is read")]
fn a_path_with_more_parameters_than_one_is_a_mistake() {
    let app = App::new().get("/{a}/{b}", |Path(a): Path<String>| a);
    app.test().get("/1/2").send();
}

#[test]
#[should_panic(expected = "parameters are [\"room\"]: parameter `rooms` is missing")]
fn a_path_with_another_name_is_a_mistake() {
    #[derive(serde::Deserialize)]
    struct Names {
        rooms: String,
    }
    let app = App::new().get("/{room}", |Path(names): Path<Names>| names.rooms);
    app.test().get("/1").send();
}

#[test]
fn a_path_whose_value_does_not_fit_is_not_found() {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Single,
    }
    let app = App::new()
        .get("/n/{n}", |Path(n): Path<std::num::NonZeroU8>| n.to_string())
        .get("/kinds/{kind}", |Path(kind): Path<Kind>| match kind {
            Kind::Single => "single",
        });
    let client = app.test();
    assert_eq!(client.get("/n/1").send().text(), "1");
    assert_eq!(client.get("/kinds/single").send().text(), "single");
    for path in ["/n/0", "/n/x", "/n/256", "/kinds/double"] {
        assert_eq!(client.get(path).send().status(), 404, "{path}");
    }
}

#[test]
#[should_panic(expected = "a control character in `x-name`")]
fn a_response_that_a_host_would_refuse_fails_the_test() {
    use tenon::IntoResponse as _;
    let client = App::new()
        .get("/", || "hello".with_header("x-name", "a\nb"))
        .test();
    client.get("/").send();
}

#[test]
#[should_panic(expected = "credentials to listed origins only")]
fn credentials_from_any_origin_are_a_mistake() {
    let _ = Cors::any_origin().with_credentials();
}
