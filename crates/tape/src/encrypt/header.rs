//! The header of an age file, parsed as strictly as the format requires, so that a file that another implementation refuses is refused
//! here, too.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

pub(super) const VERSION_LINE: &str = "age-encryption.org/v1";
/// Line length of a stanza's body, which ends with a shorter line.
const LINE_COLUMNS: usize = 64;
/// Largest number of recipients of one file. Each may cost a curve multiplication.
const STANZAS_MAX: usize = 64;
/// Longest line. A recipient with larger keys than usual takes 2 KiB.
const HEADER_BYTES_MAX: usize = 64 << 10;
const MAC_BYTES: usize = 32;

/// A header, and what follows it.
pub(super) struct Header<'a> {
    pub(super) stanzas: Vec<Stanza<'a>>,
    /// The bytes that the MAC covers.
    pub(super) signed: &'a [u8],
    pub(super) mac: [u8; MAC_BYTES],
    pub(super) payload: &'a [u8],
}

/// The file's key, wrapped for one recipient.
pub(super) struct Stanza<'a> {
    /// The kind of recipient.
    pub(super) kind: &'a str,
    pub(super) arguments: Vec<&'a str>,
    pub(super) body: Vec<u8>,
}

impl<'a> Header<'a> {
    /// `None` if it is not a header.
    pub(super) fn read(file: &'a [u8]) -> Option<Self> {
        let mut lines = Lines { file, at: 0 };
        if lines.next()? != VERSION_LINE {
            return None;
        }
        let mut stanzas = Vec::new();
        loop {
            let start = lines.at;
            let line = lines.next()?;
            if let Some(mac) = line.strip_prefix("--- ") {
                if stanzas.is_empty() {
                    return None;
                }
                return Some(Self {
                    stanzas,
                    signed: &file[..start + 3],
                    mac: STANDARD_NO_PAD.decode(mac).ok()?.try_into().ok()?,
                    payload: &file[lines.at..],
                });
            }
            if stanzas.len() == STANZAS_MAX {
                return None;
            }
            stanzas.push(Stanza::read(line.strip_prefix("-> ")?, &mut lines)?);
        }
    }
}

impl<'a> Stanza<'a> {
    fn read(head: &'a str, lines: &mut Lines<'a>) -> Option<Self> {
        let mut arguments = head.split(' ');
        let is_argument =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let kind = arguments.next().filter(|kind| is_argument(kind))?;
        let arguments: Vec<&str> = arguments.collect();
        if !arguments.iter().all(|argument| is_argument(argument)) {
            return None;
        }
        let mut body = Vec::new();
        loop {
            let line = lines.next()?;
            body.extend(STANDARD_NO_PAD.decode(line).ok()?);
            if line.len() > LINE_COLUMNS {
                return None;
            }
            if line.len() < LINE_COLUMNS {
                break;
            }
        }
        Some(Self {
            kind,
            arguments,
            body,
        })
    }
}

/// Lines that end with a line feed.
struct Lines<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let rest = self
            .file
            .get(self.at..HEADER_BYTES_MAX.min(self.file.len()))?;
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        self.at += length + 1;
        str::from_utf8(&rest[..length]).ok()
    }
}
