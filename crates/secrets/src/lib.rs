//! Secrets that guests use without seeing them.
//!
//! A guest has named secrets. [`SecretDeclarations`] say where its host finds each ([`Source`]) and what the guest may do with it: have it
//! filled into requests to some origins, sign and verify with it, or read it.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod declaration;
mod name;
mod origin;
mod source;
mod value;

pub use self::{
    declaration::{DeclarationError, Place, SecretDeclaration, SecretDeclarations},
    name::{SecretName, SecretNameError},
    origin::{Origin, OriginError},
    source::{Source, SourceError, SourceKind},
    value::{SecretValue, SecretValueError},
};
