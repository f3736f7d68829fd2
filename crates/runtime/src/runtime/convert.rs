//! Converts between the types of the handler's interface and of the contract, field by field.

use crate::imports::bindings::{
    exports::tenon::handler::handler as wit, tenon::handler::http as wit_http,
};
use contract::http::{Identity, PathFidelity, Request, Response, Scheme};

pub(super) fn request(request: Request) -> wit::Request {
    let context = request.context;
    wit::Request {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers.into_string(),
        body: request.body,
        context: wit_http::Context {
            request_id: context.request_id,
            received_at_ms: context.received_at_ms,
            scheme: match context.scheme {
                Scheme::Http => wit_http::Scheme::Http,
                Scheme::Https => wit_http::Scheme::Https,
            },
            authority: context.authority,
            client_address: context.client_address,
            base_path: context.base_path,
            path_fidelity: match context.path_fidelity {
                PathFidelity::Encoded => wit_http::PathFidelity::Encoded,
                PathFidelity::DecodedByGateway => wit_http::PathFidelity::DecodedByGateway,
            },
            identity: context.identity.map(identity),
        },
    }
}

fn identity(identity: Identity) -> wit_http::Identity {
    wit_http::Identity {
        subject: identity.subject,
        claims: identity.claims,
    }
}

pub(super) fn response(response: wit::Response) -> Response {
    Response {
        status: response.status,
        headers: response
            .headers
            .into_iter()
            .map(|field| (field.name, field.value))
            .collect(),
        body: response.body,
    }
}
