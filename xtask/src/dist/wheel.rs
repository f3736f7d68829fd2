//! A wheel that carries the program, for pip and uv (the binary distribution format of the Python packaging specifications).

use super::{Artifact, LICENCE, SUMMARY, VERSION, components::Licences, program::Program};
use crate::package::Arch;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// Name of the distribution; in the names of files, with `_`.
pub const NAME: &str = "tenon-cli";
const FILE_NAME: &str = "tenon_cli";

/// The wheel of a program. Being linked statically, it runs with every glibc and musl.
pub fn wheel(program: &Program, licences: &Licences) -> anyhow::Result<Artifact> {
    let tag = tag(program.arch);
    let about = format!("{FILE_NAME}-{VERSION}.dist-info");
    let mut wheel = Wheel::new();
    let scripts = format!("{FILE_NAME}-{VERSION}.data/scripts/host-cli");
    wheel.add(&scripts, &program.bytes, 0o755)?;
    wheel.add(&format!("{about}/METADATA"), metadata().as_bytes(), 0o644)?;
    wheel.add(
        &format!("{about}/WHEEL"),
        description(&tag).as_bytes(),
        0o644,
    )?;
    for (name, text) in licences.files() {
        wheel.add(&format!("{about}/licenses/{name}"), text.as_bytes(), 0o644)?;
    }
    Ok(Artifact {
        name: format!("{FILE_NAME}-{VERSION}-py3-none-{tag}.whl"),
        bytes: wheel.finish(&format!("{about}/RECORD"))?,
    })
}

/// The platforms, the oldest that installers know for each C library.
fn tag(arch: Arch) -> String {
    let cpu = match arch {
        Arch::X86_64 => "x86_64",
        Arch::Arm64 => "aarch64",
    };
    format!("manylinux_2_17_{cpu}.manylinux2014_{cpu}.musllinux_1_1_{cpu}")
}

fn metadata() -> String {
    let [own, third_parties] = [Licences::OWN, Licences::THIRD_PARTIES];
    format!(
        "Metadata-Version: 2.4\nName: {NAME}\nVersion: {VERSION}\nSummary: {SUMMARY}\nLicense-Expression: {LICENCE}\nLicense-File: {own}\nLicense-File: {third_parties}\nRequires-Python: >=3.8\n"
    )
}

/// A compressed tag stands for the product of its parts, which are listed one by one.
fn description(tag: &str) -> String {
    let mut text =
        "Wheel-Version: 1.0\nGenerator: cargo xtask dist\nRoot-Is-Purelib: false\n".to_owned();
    for platform in tag.split('.') {
        let _ = writeln!(text, "Tag: py3-none-{platform}");
    }
    text
}

struct Wheel {
    archive: ZipWriter<Cursor<Vec<u8>>>,
    record: String,
}

impl Wheel {
    fn new() -> Self {
        Self {
            archive: ZipWriter::new(Cursor::new(Vec::new())),
            record: String::new(),
        }
    }

    fn add(&mut self, path: &str, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        writeln!(self.record, "{path},sha256={digest},{}", bytes.len())?;
        self.write(path, bytes, mode)
    }

    fn write(&mut self, path: &str, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::default()) // the earliest time of the format
            .unix_permissions(mode);
        self.archive.start_file(path, options)?;
        Ok(self.archive.write_all(bytes)?)
    }

    /// Adds the list of files, which has itself without a digest.
    fn finish(mut self, record_path: &str) -> anyhow::Result<Vec<u8>> {
        let record = format!("{}{record_path},,\n", self.record);
        self.write(record_path, record.as_bytes(), 0o644)?;
        Ok(self.archive.finish()?.into_inner())
    }
}
