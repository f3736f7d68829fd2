//! Where the Lambda host of a package comes from: from this program, or from another package.

use crate::{exit::CommandError, input};
use contract::compatibility::Target;
use packaging::{BOOTSTRAP, HOST_ARCHIVE, MANIFEST, Manifest};
use std::{borrow::Cow, path::Path};

/// Name of the architecture, manifest and archive.
type EmbeddedHost = (&'static str, &'static [u8], &'static [u8]);

// `EMBEDDED`: the hosts that the program was built with.
include!(concat!(env!("OUT_DIR"), "/lambda_hosts.rs"));

/// Larger files are no host: its archive has a few megabytes.
const ARCHIVE_BYTES_MAX: u64 = 50 << 20;
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// A host for one architecture.
#[derive(Debug)]
pub struct LambdaHost {
    pub target: Target,
    pub manifest: Manifest,
    /// The zip archive, whose digest is that of the manifest.
    pub archive: Cow<'static, [u8]>,
}

impl LambdaHost {
    /// The host in `folder`, otherwise the one in this program.
    pub fn find(target: Target, folder: Option<&Path>) -> Result<Self, CommandError> {
        match folder {
            Some(folder) => Self::in_folder(target, &folder.join(arch(target))),
            None => Self::embedded(EMBEDDED, target),
        }
    }

    /// By Lambda's name.
    pub fn arch(&self) -> &'static str {
        arch(self.target)
    }

    /// What Lambda unpacks the archive to.
    pub fn unpacked_bytes(&self) -> usize {
        let archive = self.manifest.files.get(HOST_ARCHIVE);
        let bootstrap = archive.and_then(|archive| archive.contains.get(BOOTSTRAP));
        bootstrap.map_or(0, |bootstrap| bootstrap.bytes)
    }

    fn embedded(hosts: &[EmbeddedHost], target: Target) -> Result<Self, CommandError> {
        let wanted = arch(target);
        let found = hosts.iter().find(|(arch, ..)| *arch == wanted);
        let Some((_, manifest, archive)) = found else {
            return Err(CommandError::environment(format_args!(
                "this build of host-cli has no Lambda host for {wanted}"
            ))
            .hint("released builds of host-cli have one, whatever the guest is written in; one that was built in a checkout of Tenon takes `--host CHECKOUT/target/lambda` after `cargo xtask package` there"));
        };
        Self::checked(target, manifest, Cow::Borrowed(archive)).map_err(|what| {
            CommandError::environment(format_args!("the Lambda host in this program {what}"))
        })
    }

    fn in_folder(target: Target, folder: &Path) -> Result<Self, CommandError> {
        let manifest = input::read_file(&folder.join(MANIFEST), "manifest", MANIFEST_BYTES_MAX)?;
        let path = folder.join(HOST_ARCHIVE);
        let archive = input::read_file(&path, "Lambda host", ARCHIVE_BYTES_MAX)?;
        Self::checked(target, &manifest, Cow::Owned(archive)).map_err(|what| {
            CommandError::environment(format_args!("Lambda host `{}` {what}", path.display()))
                .hint("name the folder of packages that this release of host-cli wrote, or in a checkout of Tenon `cargo xtask package`")
        })
    }

    /// A host whose archive is the one that its manifest describes, and which runs what this program compiles.
    fn checked(
        target: Target,
        manifest: &[u8],
        archive: Cow<'static, [u8]>,
    ) -> Result<Self, String> {
        let manifest: Manifest = json::read(manifest)
            .map_err(|error| format!("has a manifest that is none: {error}"))?;
        let mut manifest = Manifest {
            guest: None,
            ..manifest
        };
        if manifest.architecture != arch(target) {
            return Err(format!("is for {}", manifest.architecture));
        }
        let version = env!("CARGO_PKG_VERSION");
        if manifest.version != version {
            return Err(format!(
                "is of release {}, this program of release {version}",
                manifest.version
            ));
        }
        if manifest.compatibility != target.compatibility() {
            return Err("loads other images than this program compiles".to_owned());
        }
        manifest.files.retain(|name, _| name == HOST_ARCHIVE);
        let described = manifest.files.get(HOST_ARCHIVE);
        let described = described.ok_or("is not in its manifest")?;
        packaging::check(&archive, described, BOOTSTRAP).map_err(|error| error.to_string())?;
        Ok(Self {
            target,
            manifest,
            archive,
        })
    }
}

fn arch(target: Target) -> &'static str {
    match target {
        Target::X86_64 => "x86_64",
        Target::Aarch64 => "arm64",
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use packaging::{Archive, Entry};
    use std::{fs, path::PathBuf};

    /// A new folder with a host for each architecture, whose program is this text.
    pub fn hosts(test: &str) -> PathBuf {
        let name = format!("tenon-package-{test}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        for target in [Target::X86_64, Target::Aarch64] {
            let (arch, compatibility) = (arch(target), target.compatibility());
            let folder = folder.join(arch);
            fs::create_dir_all(&folder).unwrap();
            let archive = Archive::pack(&Entry::program(BOOTSTRAP, b"a program")).unwrap();
            let manifest = Manifest {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                architecture: arch.to_owned(),
                target: "a triple".to_owned(),
                compatibility: compatibility.to_owned(),
                profile: "lambda".to_owned(),
                rustc: "rustc".to_owned(),
                glibc_min: None,
                guest: None,
                files: [(HOST_ARCHIVE.to_owned(), archive.description)].into(),
            };
            fs::write(folder.join(HOST_ARCHIVE), &archive.bytes).unwrap();
            fs::write(folder.join(MANIFEST), manifest.to_json()).unwrap();
        }
        folder
    }

    fn refused(folder: &Path) -> String {
        let error = LambdaHost::find(Target::X86_64, Some(folder)).unwrap_err();
        assert!(error.hint_text().is_some());
        error.message().to_owned()
    }

    #[test]
    fn a_host_comes_with_its_manifest() {
        let folder = hosts("found");
        let host = LambdaHost::find(Target::Aarch64, Some(&folder)).unwrap();
        assert_eq!((host.arch(), host.unpacked_bytes()), ("arm64", 9));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_host_for_this_program_is_refused_by_name() {
        let folder = hosts("refused");
        let manifest = folder.join("x86_64").join(MANIFEST);
        let text = fs::read_to_string(&manifest).unwrap();
        let version = format!("\"{}\"", env!("CARGO_PKG_VERSION"));
        for (from, to, expected) in [
            ("\"x86_64\"", "\"arm64\"", "is for arm64"),
            (
                &version,
                "\"99.0.0\"",
                "is of release 99.0.0, this program of release",
            ),
            (
                Target::X86_64.compatibility(),
                Target::Aarch64.compatibility(),
                "loads other images than this program compiles",
            ),
            (
                "\"host-lambda.zip\"",
                "\"other.zip\"",
                "is not in its manifest",
            ),
            (
                "\"bootstrap\"",
                "\"other\"",
                "does not contain what its manifest describes",
            ),
            ("\"files\"", "\"names\"", "has a manifest that is none"),
        ] {
            fs::write(&manifest, text.replace(from, to)).unwrap();
            let message = refused(&folder);
            assert!(message.contains(expected), "{message}");
        }
        fs::write(&manifest, &text).unwrap();
        fs::write(folder.join("x86_64").join(HOST_ARCHIVE), b"another").unwrap();
        let message = refused(&folder);
        assert!(
            message.ends_with("is not the one that its manifest describes"),
            "{message}"
        );
        fs::remove_dir_all(folder.join("x86_64")).unwrap();
        assert!(refused(&folder).ends_with("does not exist"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_program_has_the_hosts_that_it_was_built_with() {
        let folder = hosts("embedded").join("arm64");
        let leaked = |name: &str| &*fs::read(folder.join(name)).unwrap().leak();
        let embedded = [("arm64", leaked(MANIFEST), leaked(HOST_ARCHIVE))];
        let host = LambdaHost::embedded(&embedded, Target::Aarch64).unwrap();
        assert_eq!(host.unpacked_bytes(), 9);
        let error = LambdaHost::embedded(&embedded, Target::X86_64).unwrap_err();
        assert_eq!(
            error.message(),
            "this build of host-cli has no Lambda host for x86_64"
        );
        assert!(
            error
                .hint_text()
                .unwrap()
                .contains("--host CHECKOUT/target/lambda")
        );
        fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    }
}
