//! Any number of guests, with one compilation.

use anyhow::{Context, ensure};
use contract::{compatibility::Target, digest::Digest};
use runtime::engine::compile;
use std::fs;

/// The reference guest under other digests.
pub struct Guests {
    component: Vec<u8>,
    image: Vec<u8>,
    /// The position of the component's digest in the seal.
    digest_at: usize,
    pub target: Target,
}

impl Guests {
    pub fn compile() -> anyhow::Result<Self> {
        let component = fs::read(concat!(env!("OUT_DIR"), "/guest.wasm"))?;
        let target = Target::HOST.context("guests do not run on this CPU")?;
        let image = compile(&component, target)?;
        let digest = Digest::of(&component).to_string();
        let digest_at = image
            .windows(digest.len())
            .rposition(|window| window == digest.as_bytes())
            .context("the image does not name its component")?;
        let guests = Self {
            component,
            image,
            digest_at,
            target,
        };
        ensure!(
            guests.image(1) == compile(&guests.component(1), target)?,
            "another section makes other code"
        );
        Ok(guests)
    }

    /// The component with a section without effect.
    pub fn component(&self, number: u32) -> Vec<u8> {
        let mut component = self.component.clone();
        // A custom section: its id, the length of what follows, the length of its name, its name, its content.
        component.extend_from_slice(&[0, 11, 6]);
        component.extend_from_slice(b"number");
        component.extend_from_slice(&number.to_le_bytes());
        component
    }

    pub fn digest(&self, number: u32) -> Digest {
        Digest::of(&self.component(number))
    }

    /// The result of compiling [`Guests::component`]: the same code, sealed for another component.
    pub fn image(&self, number: u32) -> Vec<u8> {
        let mut image = self.image.clone();
        let digest = self.digest(number).to_string();
        image[self.digest_at..][..digest.len()].copy_from_slice(digest.as_bytes());
        image
    }
}
