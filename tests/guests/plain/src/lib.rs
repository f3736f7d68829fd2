//! A guest as a team writes it without thinking about imports: std, with printing, hash maps and clocks. It calls every function of the WIT
//! and answers with the results, so that a test can compare them with the specification in the WIT.

wit_bindgen::generate!({ path: "../../../wit", world: "service" });

mod report;
mod std_use;
mod storage_use;

use exports::tenon::handler::handler::{Guest, Request, Response};
use report::Report;
use tenon::handler::{
    http::Field,
    log::{self, Attribute, Level},
};

struct Plain;

impl Guest for Plain {
    fn handle(request: Request) -> Response {
        let mut report = Report::default();
        match request.path.as_str() {
            "/wit" => {
                storage_use::every_function(&mut report);
                let attribute = Attribute {
                    key: "path".into(),
                    value: format!("{:?}", request.path),
                };
                log::write(Level::Info, "all functions called", &[attribute]);
                report.add("log.write", "written");
            }
            "/std" => std_use::all(&mut report, &request),
            _ => {
                return Response {
                    status: 404,
                    headers: Vec::new(),
                    body: Vec::new(),
                };
            }
        }
        let content_type = Field {
            name: "content-type".into(),
            value: "application/json".into(),
        };
        Response {
            status: 200,
            headers: vec![content_type],
            body: report.to_json().into_bytes(),
        }
    }
}

export!(Plain);
