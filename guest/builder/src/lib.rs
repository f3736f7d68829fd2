//! Builds guests as components, for build scripts.
