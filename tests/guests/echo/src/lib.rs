//! A guest that sends back its request's body, repeated or cut to the number of bytes in the query.

wit_bindgen::generate!({ path: "../../../wit", world: "service" });

mod body;

use exports::tenon::handler::handler::{Guest, Request, Response};
use tenon::handler::http::Field;

struct Echo;

impl Guest for Echo {
    fn handle(request: Request) -> Response {
        Response {
            status: 200,
            headers: vec![Field {
                name: "content-type".into(),
                value: body::CONTENT_TYPE.into(),
            }],
            body: body::answer(request.body, &request.query),
        }
    }
}

export!(Echo);
