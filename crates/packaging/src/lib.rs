//! What goes to Lambda for one architecture, in a folder of its name:
//!
//! - [`HOST_ARCHIVE`]: the function, an executable named `bootstrap`;
//! - [`GUEST_ARCHIVE`]: the layer, an image named `guest.cwasm`, which Lambda unpacks to `/opt`;
//! - [`MANIFEST`]: digests, sizes and versions.
//!
//! The bytes depend on the host and the guest only, not on when or where they are packaged.
#![warn(missing_docs)]

mod archive;
mod manifest;

pub use archive::{Archive, ArchiveError, ContentsError, Entry, check};
pub use manifest::{ArchiveDescription, EntryDescription, GuestDescription, Manifest};

/// Name of the host's archive.
pub const HOST_ARCHIVE: &str = "host-lambda.zip";
/// Name of the host's executable in its archive: the one that Lambda starts.
pub const BOOTSTRAP: &str = "bootstrap";
/// Name of the guest's archive.
pub const GUEST_ARCHIVE: &str = "guest.zip";
/// Name of the guest's image in its archive: the one that the host looks for.
pub const GUEST_IMAGE: &str = "guest.cwasm";
/// Name of the description.
pub const MANIFEST: &str = "manifest.json";
