//! What a guest and its images have to fit: the interface, wasmtime's release, the CPU and the engine's configuration, each as a name. Beside
//! `engine`, so that documents of releases can be read where nothing runs.

/// The interface through which a host calls a guest.
pub const HANDLER: &str = "tenon:handler/handler@0.1.0";

/// The wasmtime release that images fit: they stay valid within one minor release.
pub const WASMTIME: &str = "48.0";

/// A CPU that images are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// x86-64 without extensions.
    X86_64,
    /// AArch64 without extensions: Graviton.
    Aarch64,
}

impl Target {
    /// The CPU that this program runs on, where guests run on it.
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

    /// The target triple that the compiler is asked for.
    pub fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Aarch64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// Names wasmtime's release and everything in the engine's configuration that decides over machine code for this CPU: 16 hexadecimal
    /// digits. Only a host with a compiler can compute it, so it is written down here, and a test of `engine::config` compares
    /// where there is one.
    pub fn compatibility(self) -> &'static str {
        match self {
            Self::X86_64 => "2d7c93bed48f1a57",
            Self::Aarch64 => "08e9493eb898eb56",
        }
    }
}
