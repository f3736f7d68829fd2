//! What a guest and its images must be compatible with: the interface, wasmtime's release, the CPU and the engine's configuration, each
//! identified by a name. Kept outside of `engine`, so that release documents can be read without a runtime.

/// The interface through which a host calls a guest.
pub const HANDLER: &str = "tenon:handler/handler@0.1.0";

/// The standard interface through which a host calls components that were not made for this project: any version of this track.
pub const HTTP_HANDLER: &str = "wasi:http/incoming-handler@0.2";

/// The wasmtime release that images are made for; they stay valid within one minor release.
pub const WASMTIME: &str = "48.0";

/// A CPU that images are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// x86-64 without extensions.
    X86_64,
    /// AArch64 without extensions: Graviton.
    Aarch64,
}

impl Target {
    /// The CPU that this program runs on, if guests can run on it.
    pub const HOST: Option<Self> = if cfg!(target_arch = "x86_64") {
        Some(Self::X86_64)
    } else if cfg!(target_arch = "aarch64") {
        Some(Self::Aarch64)
    } else {
        None
    };

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// The target triple for the compiler.
    pub fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Aarch64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// Identifies wasmtime's release and every setting of the engine that affects machine code for this CPU: 16 hexadecimal digits. Only a
    /// host with a compiler can compute it, so it is a constant here, and a test of `engine::config` checks it in builds with a compiler.
    pub fn compatibility(self) -> &'static str {
        match self {
            Self::X86_64 => "2d7c93bed48f1a57",
            Self::Aarch64 => "08e9493eb898eb56",
        }
    }
}
