//! Which interface a guest exports, and so what a host calls and provides.

use contract::compatibility::{HANDLER, HTTP_HANDLER};

/// How a guest is called. Known from its exports when it is loaded; nothing outside of this crate depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Through this project's own interface.
    Handler,
    /// Through the standard interface, for components that were not made for this project.
    WasiHttp,
}

/// The versions of this project's interfaces that a host provides and calls.
pub(crate) const TRACK: &str = "0.1.";
/// The same for WASI.
pub(crate) const WASI_TRACK: &str = "0.2.";

impl World {
    /// The world of a guest with these exports. If it exports both interfaces, a host calls this project's own.
    pub(crate) fn of<'a>(exports: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        let exports_any = |handler: &str, track| {
            let interface = handler.split_once('@').map(|(interface, _)| interface);
            exports
                .clone()
                .any(|export| interface_on_track(export, track) == interface)
        };
        if exports_any(HANDLER, TRACK) {
            Some(Self::Handler)
        } else if exports_any(HTTP_HANDLER, WASI_TRACK) {
            Some(Self::WasiHttp)
        } else {
            None
        }
    }

    /// The interface that a host calls.
    pub fn handler(self) -> &'static str {
        match self {
            Self::Handler => HANDLER,
            Self::WasiHttp => HTTP_HANDLER,
        }
    }
}

/// The interface without version of `package/interface@version`, if the version is on a track, which ends in a dot. wasmtime links all
/// versions of a track with each other, but a prerelease only with itself.
pub(crate) fn interface_on_track<'a>(name: &'a str, track: &str) -> Option<&'a str> {
    let (interface, version) = name.split_once('@')?;
    let patch = version.strip_prefix(track)?;
    let is_release = !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit());
    is_release.then_some(interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_follows_from_the_exports() {
        let world = |exports: &[&'static str]| World::of(exports.iter().copied());
        let (own, http) = (
            "tenon:handler/handler@0.1.3",
            "wasi:http/incoming-handler@0.2.0",
        );
        assert_eq!(world(&[own]), Some(World::Handler));
        assert_eq!(world(&[http]), Some(World::WasiHttp));
        assert_eq!(world(&[http, own]), Some(World::Handler));
        assert_eq!(world(&["wasi:cli/run@0.2.0"]), None);
        assert_eq!(world(&["wasi:http/incoming-handler@0.2.0-rc.1"]), None);
        assert_eq!(world(&["wasi:http/handler@0.3.0"]), None);
        assert_eq!(world(&[]), None);
    }
}
