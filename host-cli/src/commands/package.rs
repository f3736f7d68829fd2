//! `package`: the Lambda host and a guest as archives, ready to be deployed.

mod hosts;

use self::hosts::LambdaHost;
use crate::{
    args::package::{ArchChoice, PackageArgs},
    exit::{CommandError, Outcome},
    guest::{self, GuestSource},
    output,
    project::{
        Project,
        deploy::{DeploySection, PACKAGE_FOLDER},
    },
    replacement::{self, OutputError, Readers, Replacement},
    stale,
};
use contract::{compatibility::Target, digest::Digest};
use deployment::Architecture;
use packaging::{
    Archive, Entry, GUEST_ARCHIVE, GUEST_IMAGE, GuestDescription, HOST_ARCHIVE, MANIFEST, Manifest,
};
use runtime::engine::{self, Engine, EngineOptions, LoadError};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What a function and its layers may have when they are unpacked: 250 MB (AWS Lambda quotas, "Deployment package size").
const UNPACKED_BYTES_MAX: usize = 250 << 20;

/// The guest, the hosts to package it with, and where to.
pub struct Configuration {
    guest: GuestSource,
    hosts: Vec<LambdaHost>,
    folder: PathBuf,
}

/// A package that is ready to be written.
struct Package {
    folder: PathBuf,
    /// Name and bytes, the manifest last.
    files: [(&'static str, Vec<u8>); 3],
}

/// Finds guest and hosts; nothing is written yet.
pub fn resolve(
    arguments: &PackageArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    let guest = GuestSource::resolve(arguments.guest.as_deref(), project)?;
    stale::warn(project, arguments.guest.as_deref());
    let named = arguments.host.as_deref();
    let targets = targets(arguments.arch, project.map(|project| &project.file.deploy))?;
    let hosts = targets
        .into_iter()
        .map(|target| LambdaHost::find(target, named));
    let folder = arguments.output.clone().unwrap_or_else(|| {
        project.map_or(PathBuf::from(PACKAGE_FOLDER), |project| {
            project.path(project.file.deploy.package_folder())
        })
    });
    Ok(Configuration {
        guest,
        hosts: hosts.collect::<Result<_, _>>()?,
        folder,
    })
}

/// Makes all packages, then writes them.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration {
        guest,
        hosts,
        folder,
    } = configuration;
    let (name, component) = guest.read()?;
    let refused = |error| guest::cannot_load(&name, &error);
    let mut images = Vec::new();
    for host in &hosts {
        let described = guest.describe();
        output::remark(&format!("compiling {described} for {}\n", host.arch()));
        images.push(engine::compile(&component, host.target).map_err(refused)?);
    }
    let targets = hosts.iter().map(|host| host.target);
    say_needs(&inspect(&component, targets.zip(&images)).map_err(refused)?);
    let mut packages = Vec::new();
    for (host, image) in hosts.iter().zip(&images) {
        let folder = folder.join(host.arch());
        packages.push(package(host, &name, Digest::of(&component), image, folder)?);
    }
    write(&packages)?;
    for Package { folder, files } in packages {
        let sizes =
            files.map(|(name, bytes)| format!("{name} ({} kB)", bytes.len().div_ceil(1000)));
        output::text(&format!(
            "wrote `{}`: {}\n",
            folder.display(),
            sizes.join(", ")
        ))?;
    }
    Ok(Outcome::Same)
}

/// One architecture or all: those that were typed, otherwise that of the project's template.
fn targets(
    choice: Option<ArchChoice>,
    deploy: Option<&DeploySection>,
) -> Result<Vec<Target>, CommandError> {
    let choice = choice.or_else(|| {
        Some(match deploy?.architecture() {
            Architecture::Arm64 => ArchChoice::Arm64,
            Architecture::X86_64 => ArchChoice::X86_64,
        })
    });
    Ok(match choice {
        Some(ArchChoice::X86_64) => vec![Target::X86_64],
        Some(ArchChoice::Arm64) => vec![Target::Aarch64],
        Some(ArchChoice::All) => vec![Target::X86_64, Target::Aarch64],
        None => vec![Target::HOST.ok_or_else(|| {
            CommandError::usage("this machine's processor is none that Lambda has")
                .hint("name the function's with `--arch x86_64` or `--arch arm64`")
        })?],
    })
}

/// Refuses a guest whose imports or exports are not those of a host, which would only say so when it starts.
fn inspect<'a>(
    component: &[u8],
    images: impl Iterator<Item = (Target, &'a Vec<u8>)>,
) -> Result<engine::Inspection, LoadError> {
    let engine = Engine::new(&EngineOptions::default());
    let engine = engine.map_err(|error| LoadError::Compile(error.to_string()))?;
    let mut images = images.filter(|(target, _)| Some(*target) == Target::HOST);
    let candidate = match images.next() {
        Some((_, image)) => engine.read_image(image)?,
        None => guest::read_component(&engine, component)?,
    };
    let inspection = candidate.inspection().clone();
    candidate.accept()?;
    Ok(inspection)
}

/// Says what the host has to be given for this guest: it does not start without.
fn say_needs(inspection: &engine::Inspection) {
    let imports = |is_wanted: fn(&str) -> bool| {
        let mut imports = inspection.imports.iter();
        imports.any(|import| is_wanted(&import.name))
    };
    if imports(runtime::is_outgoing) {
        output::remark(
            "note: the guest calls other services: the function needs TENON_OUTGOING, or grants of its channel\n",
        );
    }
    if imports(runtime::is_secrets) {
        output::remark("note: the guest uses secrets: the function needs TENON_SECRETS\n");
    }
}

fn package(
    host: &LambdaHost,
    name: &str,
    component: Digest,
    image: &[u8],
    folder: PathBuf,
) -> Result<Package, CommandError> {
    if host.unpacked_bytes().saturating_add(image.len()) > UNPACKED_BYTES_MAX {
        return Err(CommandError::environment(format_args!(
            "guest `{name}`, compiled for {}, has {} MB; Lambda takes {} MB, the host included",
            host.arch(),
            image.len() >> 20,
            UNPACKED_BYTES_MAX >> 20
        ))
        .hint("make the guest smaller: leave out what it does not use"));
    }
    let layer =
        Archive::pack(&Entry::data(GUEST_IMAGE, image)).map_err(CommandError::environment)?;
    let mut files = host.manifest.files.clone();
    files.insert(GUEST_ARCHIVE.to_owned(), layer.description);
    let manifest = Manifest {
        guest: Some(GuestDescription { component }),
        files,
        ..host.manifest.clone()
    };
    Ok(Package {
        folder,
        files: [
            (HOST_ARCHIVE, host.archive.to_vec()),
            (GUEST_ARCHIVE, layer.bytes),
            (MANIFEST, manifest.to_json().into_bytes()),
        ],
    })
}

/// Writes everything beside its destination first, so that what can fail leaves the packages of before. A folder without a manifest is an
/// incomplete package.
fn write(packages: &[Package]) -> Result<(), CommandError> {
    let mut files = Vec::new();
    for Package {
        folder,
        files: parts,
    } in packages
    {
        create(folder)?;
        for (name, bytes) in parts {
            files.push(beside(&folder.join(name), bytes)?);
        }
    }
    for Package { folder, .. } in packages {
        let path = folder.join(MANIFEST);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(cannot_write(&path, &error.into()));
        }
    }
    for mut file in files {
        let path = file.path().to_owned();
        file.finish().map_err(|error| cannot_write(&path, &error))?;
    }
    Ok(())
}

fn create(folder: &Path) -> Result<(), CommandError> {
    fs::create_dir_all(folder).map_err(|error| {
        CommandError::environment(format_args!(
            "failed to create folder `{}`: {error}",
            folder.display()
        ))
        .hint("name a folder that you can write to with `--output`")
    })
}

fn beside(path: &Path, bytes: &[u8]) -> Result<Replacement, CommandError> {
    let mut file =
        Replacement::create(path, Readers::Usual).map_err(|error| cannot_write(path, &error))?;
    let written = file.write_all(bytes).and_then(|()| file.flush());
    written.map_err(|error| cannot_write(path, &error.into()))?;
    Ok(file)
}

fn cannot_write(path: &Path, error: &OutputError) -> CommandError {
    replacement::cannot_write(path, "package", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn arguments(hosts: &Path, output: &Path, guest: &Path) -> PackageArgs {
        PackageArgs {
            guest: Some(guest.to_owned()),
            arch: Some(ArchChoice::All),
            output: Some(output.to_owned()),
            host: Some(hosts.to_owned()),
        }
    }

    #[test]
    fn a_project_is_packaged_for_the_function_of_its_template() {
        let target = |toml: &str| {
            let deploy: DeploySection = toml::from_str(toml).unwrap();
            targets(None, Some(&deploy)).unwrap()
        };
        assert_eq!(target(""), [Target::Aarch64]);
        assert_eq!(target("architecture = \"x86_64\""), [Target::X86_64]);
        let typed = targets(Some(ArchChoice::X86_64), None).unwrap();
        assert_eq!(typed, [Target::X86_64]);
    }

    /// The one file in an archive.
    fn unpacked(path: &Path) -> (String, Vec<u8>) {
        let file = fs::File::open(path).unwrap();
        let mut archive = zip::ZipArchive::new(file).unwrap();
        assert_eq!(archive.len(), 1);
        let mut entry = archive.by_index(0).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.name().to_owned(), bytes)
    }

    #[test]
    fn a_package_has_host_guest_and_a_manifest_of_both() {
        let hosts = hosts::tests::hosts("all");
        let output = hosts.join("packages");
        let arguments = arguments(&hosts, &output, Path::new("embedded"));
        for _ in 0..2 {
            let configuration = resolve(&arguments, None).unwrap();
            assert_eq!(run(configuration).unwrap(), Outcome::Same);
        }
        for (arch, target) in [("x86_64", Target::X86_64), ("arm64", Target::Aarch64)] {
            let folder = output.join(arch);
            let read = |name: &str| fs::read(folder.join(name)).unwrap();
            let host = fs::read(hosts.join(arch).join("host-lambda.zip")).unwrap();
            assert_eq!(read("host-lambda.zip"), host);
            let component = GuestSource::Embedded.read().unwrap().1;
            let image = engine::compile(&component, target).unwrap();
            let layer = unpacked(&folder.join("guest.zip"));
            assert_eq!(layer, ("guest.cwasm".to_owned(), image));
            let manifest: Manifest = json::read(&read("manifest.json")).unwrap();
            assert_eq!(manifest.guest.unwrap().component, Digest::of(&component));
            for name in ["host-lambda.zip", "guest.zip"] {
                assert_eq!(manifest.files[name].sha256, Digest::of(&read(name)));
            }
        }
        // A package is a host for another one, in the same folder too.
        let again = self::arguments(&output, &output, Path::new("embedded"));
        run(resolve(&again, None).unwrap()).unwrap();
        fs::remove_dir_all(hosts).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_package_of_before() {
        let hosts = hosts::tests::hosts("kept");
        let output = hosts.join("packages");
        let arguments = arguments(&hosts, &output, Path::new("embedded"));
        run(resolve(&arguments, None).unwrap()).unwrap();
        let [x86_64, arm64] = ["x86_64", "arm64"].map(|arch| output.join(arch));
        let manifest = fs::read(x86_64.join(MANIFEST)).unwrap();
        let guest = arm64.join(GUEST_ARCHIVE);
        fs::remove_file(&guest).unwrap();
        std::os::unix::fs::symlink("elsewhere", &guest).unwrap();
        let error = run(resolve(&arguments, None).unwrap()).unwrap_err();
        assert!(error.message().contains("guest.zip"), "{}", error.message());
        assert_eq!(fs::read(x86_64.join(MANIFEST)).unwrap(), manifest);
        assert_eq!(fs::read_dir(&x86_64).unwrap().count(), 3);
        fs::remove_dir_all(hosts).unwrap();
    }

    #[test]
    fn a_guest_that_no_host_runs_is_not_packaged() {
        let hosts = hosts::tests::hosts("unusable");
        let guest = hosts.join("guest.wasm");
        let output = hosts.join("packages");
        for (bytes, expected) in [
            (&b"text"[..], "not a WebAssembly component"),
            (b"\0asm\x01\0\0\0", "core WebAssembly module"),
            (b"\x7fELF", "image already"),
        ] {
            fs::write(&guest, bytes).unwrap();
            let configuration = resolve(&arguments(&hosts, &output, &guest), None).unwrap();
            let error = run(configuration).unwrap_err();
            assert!(error.message().contains(expected), "{}", error.message());
            assert!(!output.exists());
        }
        fs::remove_dir_all(hosts).unwrap();
    }
}
