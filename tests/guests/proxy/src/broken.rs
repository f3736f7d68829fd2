//! Ways to give no response.

use crate::{
    ErrorCode, Fields, OutgoingBody, OutgoingResponse, ResponseOutparam, text,
    wasi::{http::types::http_error_code, io::streams::StreamError},
    write,
};
use std::mem;

pub fn run(path: &str, out: ResponseOutparam) {
    match path {
        "/nothing" => {}
        "/error" => ResponseOutparam::set(out, Err(ErrorCode::InternalError(Some("why".into())))),
        "/other-error" => ResponseOutparam::set(out, Err(ErrorCode::LoopDetected)),
        "/dropped-body" => drop(begin(out, None)),
        "/forgotten-body" => mem::forget(begin(out, None)),
        "/short-body" => {
            let body = begin(out, Some("9"));
            write(&body, b"four").unwrap();
            assert!(matches!(
                OutgoingBody::finish(body, None),
                Err(ErrorCode::HttpResponseBodySize(Some(4)))
            ));
        }
        "/long-body" => {
            let body = begin(out, Some("3"));
            let Err(StreamError::LastOperationFailed(error)) = write(&body, b"four") else {
                panic!("more was written than the header says");
            };
            let code = http_error_code(&error);
            assert!(matches!(
                code,
                Some(ErrorCode::HttpResponseBodySize(Some(4)))
            ));
        }
        "/trap-after" => {
            text(out, "never seen");
            panic!("on purpose");
        }
        "/finish-before-stream" => {
            let body = begin(out, None);
            let _stream = body.write().unwrap();
            let _ = OutgoingBody::finish(body, None);
        }
        "/fields-flood" => {
            let fields = Fields::new();
            let value = [b'v'; 60_000];
            loop {
                fields.append("x", &value).unwrap();
            }
        }
        "/handles-flood" => loop {
            mem::forget(Fields::new());
        },
        "/write-flood" => {
            let body = begin(out, None);
            let stream = body.write().unwrap();
            stream.write(&[0; 70_000]).unwrap();
        }
        _ => {
            let response = OutgoingResponse::new(Fields::new());
            response.set_status_code(404).unwrap();
            ResponseOutparam::set(out, Ok(response));
        }
    }
}

fn begin(out: ResponseOutparam, length: Option<&str>) -> OutgoingBody {
    let fields = Fields::new();
    if let Some(length) = length {
        fields.append("content-length", length.as_bytes()).unwrap();
    }
    let response = OutgoingResponse::new(fields);
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    body
}
