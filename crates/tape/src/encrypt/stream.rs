//! ChaCha20-Poly1305: single boxes, and age's STREAM of boxes of 64 KiB.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

/// Size of the text in one box.
const CHUNK_BYTES: usize = 64 << 10;
const TAG_BYTES: usize = 16;

fn key(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key)
        .ok()
        .map(LessSafeKey::new)
}

/// Each key is used for one text only, so nonces can count or be zero.
///
/// `None` if the cipher refused, as it does beyond 256 GiB.
pub(super) fn seal_box(with: &[u8; 32], nonce: [u8; 12], text: &[u8]) -> Option<Vec<u8>> {
    let mut sealed = text.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    key(with)?
        .seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed)
        .ok()?;
    Some(sealed)
}

pub(super) fn open_box(with: &[u8; 32], nonce: [u8; 12], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut text = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = key(with)?
        .open_in_place(nonce, Aad::empty(), &mut text)
        .ok()?
        .len();
    text.truncate(length);
    Some(text)
}

/// The nonce: the number of a box, and whether it is the last one.
fn nonce(number: u64, is_last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(is_last);
    nonce
}

pub(super) fn seal(with: &[u8; 32], text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    // An empty text is one empty box.
    let count = text.len().div_ceil(CHUNK_BYTES).max(1);
    for number in 0..count {
        let start = number * CHUNK_BYTES;
        let chunk = &text[start..text.len().min(start + CHUNK_BYTES)];
        let nonce = nonce(number as u64, number + 1 == count);
        out.extend_from_slice(&seal_box(with, nonce, chunk)?);
    }
    Some(())
}

/// `None` if the text was changed or is incomplete.
pub(super) fn open(with: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
    let chunks: Vec<&[u8]> = sealed.chunks(CHUNK_BYTES + TAG_BYTES).collect();
    let mut text = Vec::with_capacity(sealed.len());
    for (number, chunk) in chunks.iter().enumerate() {
        let is_last = number + 1 == chunks.len();
        let opened = open_box(with, nonce(number as u64, is_last), chunk)?;
        if opened.is_empty() && number > 0 {
            return None;
        }
        text.extend_from_slice(&opened);
    }
    (!chunks.is_empty()).then_some(text)
}
