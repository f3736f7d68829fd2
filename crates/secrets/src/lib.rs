//! Secrets that guests use without seeing them.
//!
//! A guest has named secrets. [`SecretDeclarations`] say where its host finds each ([`Source`]) and what the guest may do with it:
//!
//! - It writes a placeholder, `__secret.NAME__`, into a request to another service; `SecretFiller` puts the value in its place directly before the
//!   client that sends the request, only for the origins that the secret is for, and takes it out of the response again. The guest, its
//!   memory, logs and tapes have the placeholder.
//! - It signs and verifies messages with HMAC, through the port [`GuestSecrets`].
//! - It reads the value, if that is granted. Whoever records such a call must not record the value
//!   ([`SecretResponse::map_revealed`]).
//!
//! `Secrets` keeps the values for a time and reads them anew behind the requests, so that a secret is rotated without a deployment. `HostSources`
//! reads variables and files, and with the feature `aws` SSM Parameter Store and Secrets Manager.
//!
//! [`ProvideSecrets`] gives each guest of a host what it has of both. What reads, keeps and fills in values is behind the feature `keeper`:
//! without it, there are the port and the declarations.
//!
//! No error, debug text or failure that is reported contains a value. [`SecretValue`] is overwritten when it is dropped; what a request
//! contains while it is sent is not.
//!
//! ```
//! # #[cfg(feature = "keeper")] {
//! use outgoing::{NoOutgoing, OutgoingError, OutgoingHttp, OutgoingRequest};
//! use secrets::{HostSources, LocalSources, SecretDeclarations, SecretFiller, SecretOptions, Secrets};
//! use std::{sync::Arc, time::{Duration, Instant}};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let declarations = SecretDeclarations::from_json(
//!     r#"{"stripe-key": {"from": "env:STRIPE_KEY", "for": ["https://api.stripe.com"]}}"#,
//! )?;
//! declarations.check()?;
//! let local = LocalSources::new(|_| Some("sk_test_0123456789".into()));
//! let sources = Arc::new(HostSources::new(local, None));
//! let secrets = Secrets::new(declarations, sources, SecretOptions::default());
//! // In a host, the client that has checked the guest's grants.
//! let client = SecretFiller::new(secrets, Arc::new(NoOutgoing));
//! let request = OutgoingRequest {
//!     method: "GET".into(),
//!     url: "https://api.example/v1/balance".into(),
//!     headers: vec![("authorization".into(), "Bearer __secret.stripe-key__".into())],
//!     body: Vec::new(),
//!     timeout: None,
//! };
//! let error = client.send(request, Instant::now() + Duration::from_secs(1)).await.unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "not granted: secret `stripe-key` has no `https://api.example` in the `for` of its declaration"
//! );
//! # Ok::<(), secrets::DeclarationError>(())
//! # }).unwrap();
//! # }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

#[cfg(feature = "keeper")]
mod cache;
mod declaration;
#[cfg(feature = "keeper")]
mod echo;
#[cfg(feature = "keeper")]
mod encoding;
#[cfg(feature = "keeper")]
mod filler;
#[cfg(feature = "keeper")]
mod keeper;
mod name;
mod origin;
mod placeholder;
mod port;
mod provide;
mod source;
#[cfg(feature = "keeper")]
mod sources;
#[cfg(feature = "keeper")]
mod uses;
mod value;

#[cfg(feature = "aws")]
pub use self::sources::AwsSources;
#[cfg(feature = "keeper")]
pub use self::{
    cache::{RefreshFailure, SecretOptions, Secrets},
    filler::SecretFiller,
    keeper::SecretKeeper,
    sources::{FetchError, FetchErrorClass, HostSources, LocalSources, SecretSources},
};
pub use self::{
    declaration::{DeclarationError, Place, SecretDeclaration, SecretDeclarations},
    name::{SecretName, SecretNameError},
    origin::{Origin, OriginError},
    placeholder::{
        MalformedPlaceholder, PlaceholderPiece, basic_with_placeholder, has_placeholder,
        placeholder, placeholder_pieces,
    },
    port::{
        GuestSecrets, HmacAlgorithm, NoSecrets, SecretError, SecretFunction, SecretRequest,
        SecretResponse,
    },
    provide::{GuestAccess, ProvideSecrets},
    source::{Source, SourceError, SourceKind},
    value::{SecretValue, SecretValueError, ValueEncoding},
};
