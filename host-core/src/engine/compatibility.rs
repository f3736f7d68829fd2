//! Which images an engine of this release loads, as a name: images for other configurations then never get under the same one.

use super::Target;

impl Target {
    /// Names wasmtime's release and everything in the engine's configuration that decides over machine code for this CPU: 16 hexadecimal
    /// digits. Only a host with a compiler can compute it, so it is written down here, and a test of such a host compares.
    pub fn compatibility(self) -> &'static str {
        match self {
            Self::X86_64 => "2d7c93bed48f1a57",
            Self::Aarch64 => "08e9493eb898eb56",
        }
    }
}

#[cfg(test)]
#[cfg(feature = "compiler")]
mod tests {
    use super::*;
    use crate::engine::config;
    use sha2::{Digest, Sha256};
    use std::hash::{Hash, Hasher};

    /// What the standard library's hashers get, through a digest that is the same tomorrow.
    struct Sha(Sha256);

    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            let digest = self.0.clone().finalize();
            u64::from_be_bytes(std::array::from_fn(|index| digest[index]))
        }
    }

    fn computed(target: Target) -> String {
        let engine = wasmtime::Engine::new(&config::compiling(target).unwrap()).unwrap();
        let mut hasher = Sha(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    #[test]
    fn the_names_are_those_of_the_configuration() {
        let targets = [Target::X86_64, Target::Aarch64];
        assert_eq!(
            targets.map(computed),
            targets.map(Target::compatibility),
            "images are not what they were: write these names down"
        );
    }
}
