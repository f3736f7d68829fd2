//! What a project's stack on AWS consists of: a template for AWS SAM, made from validated settings.
//!
//! [`Deployment`] is what a project says about its deployment, with the routes of its OpenAPI document ([`openapi`]). [`Deployment::template`]
//! writes the template, which is meant to be read: its parts are the files in `parts/`, with their comments. [`Marked`] recognises a file
//! that was edited by hand, [`OwnResources`] are the project's own parts of the stack, and [`check()`] finds what cannot work in a template.
//!
//! No input, no output, no network: whoever calls it reads and writes the files.
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests read what they wrote")
)]
#![warn(missing_docs)]

mod api_kind;
mod authorizer;
mod check;
mod domain;
mod environments;
#[cfg(test)]
mod examples;
mod marker;
pub mod openapi;
mod own;
mod parts;
mod paths;
mod quota;
mod render;
mod route;
mod samconfig;
mod secrets;
mod settings;
mod text;
pub mod yaml;

pub use api_kind::ApiKind;
pub use authorizer::{Authorizer, AuthorizerKind};
pub use check::check;
pub use domain::{Domain, DomainError};
pub use marker::{Edit, Marked};
pub use own::{OwnError, OwnResources};
pub use route::{Content, Method, Route, RouteKey, RouteKeyError};
pub use samconfig::samconfig;
pub use secrets::{SecretSource, StackSecrets};
pub use settings::{Architecture, Deployment, DeploymentError, Outgoing, Routes, Storage};
