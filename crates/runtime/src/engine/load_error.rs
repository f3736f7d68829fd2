//! Why bytes do not become a guest, and what to do about it.

use super::image::{IMAGE_SUFFIX, ImageError};
use contract::compatibility::{HANDLER, HTTP_HANDLER};
use files::FileError;

/// Why this host cannot run the bytes as a guest.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("failed to read it: {0}")]
    Unreadable(#[from] FileError),
    /// Neither a component nor an image.
    #[error("not a WebAssembly component")]
    NotAComponent,
    /// An image where a component was expected.
    #[error(
        "a precompiled image, which is native code, under a name that does not end in `.{IMAGE_SUFFIX}`"
    )]
    NativeCode,
    /// An image passed to the compiler.
    #[error("a precompiled image already, not a component")]
    AlreadyCompiled,
    /// A core module, as built for `wasm32-unknown-unknown` or `wasm32-wasip1`.
    #[error("a core WebAssembly module, not a component")]
    CoreModule,
    /// A component, but this host was built without a compiler.
    #[error("this host cannot compile components, only load images made by `host-cli compile`")]
    NoCompiler,
    /// The component exceeds a limit for the compiler.
    #[error("the component has {count} {what}, {max} are allowed")]
    TooLarge {
        /// What exceeds the limit.
        what: &'static str,
        /// How much there is.
        count: u64,
        /// The bound.
        max: u64,
    },
    /// It is built for WASI 0.3.
    #[error(
        "the guest is built for WASI 0.3, whose functions are asynchronous: {}", .0.join(", ")
    )]
    AsyncUnsupported(Vec<String>),
    /// The compiler refused it.
    #[error("failed to compile the component: {0}")]
    Compile(String),
    /// An image for another host, or a damaged one.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// It imports what this host does not provide.
    #[error("the guest imports what this host does not provide: {}", .0.join(", "))]
    NotGranted(Vec<String>),
    /// It asks for other services, and none is granted to it.
    #[error("the guest imports `{0}`, and no grant lets it call another service")]
    NoOutgoing(String),
    /// It asks for secrets, and has none.
    #[error("the guest imports `{0}`, and no secret is declared for it")]
    NoSecrets(String),
    /// It has no handler in a version that this host calls.
    #[error("the guest does not export `{HANDLER}` or `{HTTP_HANDLER}`; it exports {found}")]
    WrongWorld {
        /// What is there, in words.
        found: String,
    },
    /// Names fit, types do not.
    #[error("the guest was built against another version of the interfaces: {0}")]
    TypeMismatch(String),
}

impl LoadError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "check that it is a file that exists and may be read",
            Self::NotAComponent | Self::CoreModule => {
                "build the guest with `cargo build --release --target wasm32-wasip2`"
            }
            Self::NativeCode => {
                "use the component (`.wasm`) that it was compiled from; or, if you trust the image's origin, rename it to `.cwasm`"
            }
            Self::AlreadyCompiled => {
                "name the component (`.wasm`) that the image was compiled from"
            }
            Self::NoCompiler => "make an image with `host-cli compile GUEST -o OUT.cwasm`",
            Self::TooLarge { .. } => {
                "build the guest optimised for size, and leave out what it does not use"
            }
            Self::AsyncUnsupported(_) => {
                "build it for WASI 0.2 (`wasi:http/incoming-handler@0.2`): in which order asynchronous calls end is not recorded, so such a guest could not be replayed"
            }
            Self::Compile(_) => "check the file with `wasm-tools validate`, or build it again",
            Self::Image(error) => error.hint(),
            Self::NoOutgoing(_) => {
                "grant the services that it calls: `outgoing` in tenon.toml, `--allow-outgoing ORIGIN`, or on Lambda its channel or `TENON_OUTGOING`"
            }
            Self::NoSecrets(_) => {
                "declare the secrets that it uses: `[secrets]` in tenon.toml, or `TENON_SECRETS` on Lambda"
            }
            Self::NotGranted(_) => {
                "guests get storage, other services that are granted, secrets that are declared, log, random, clocks, environment and output, but no files and no sockets"
            }
            Self::WrongWorld { .. } => {
                "build the guest against the `wit/` folder of this release, or for the world `wasi:http/proxy` of WASI 0.2"
            }
            Self::TypeMismatch(_) => "build the guest against the `wit/` folder of this release",
        }
    }
}
