//! A guest that would fetch its response from elsewhere. A host must refuse it at load time.

wit_bindgen::generate!({ path: "../../../wit", world: "service" });

use exports::tenon::handler::handler::{Guest, Request, Response};
use std::{io::Read, net::TcpStream};

struct Sockets;

impl Guest for Sockets {
    fn handle(_request: Request) -> Response {
        let mut body = Vec::new();
        let read = TcpStream::connect("127.0.0.1:3000")
            .and_then(|mut stream| stream.read_to_end(&mut body));
        Response {
            status: if read.is_ok() { 200 } else { 502 },
            headers: Vec::new(),
            body,
        }
    }
}

export!(Sockets);
