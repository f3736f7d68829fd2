//! How bytes are spelt in texts that cannot have them as they are: hexadecimal, and base64.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{
        DecodePaddingMode, GeneralPurpose,
        general_purpose::{GeneralPurposeConfig, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
    },
};
use contract::hexadecimal::Hexadecimal;

/// Base64 as clients write it: with or without padding.
pub const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A spelling of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// What every text with the value has in common, in this spelling.
    pub text: Vec<u8>,
    /// Whether the character before it, and the one after it, has bits of the value, too.
    pub shares: [bool; 2],
}

/// All spellings of a value: hexadecimal; and what base64 of a longer text has where it contains the value, as that of `user:password` does, which
/// depends on how many bytes are before it, in both alphabets.
pub fn spellings(value: &[u8]) -> Vec<Spelling> {
    let mut found = vec![Spelling {
        text: Hexadecimal(value).to_string().into_bytes(),
        shares: [false; 2],
    }];
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(value);
        // Six bits each: from the first character without bits of what comes before, up to the last one without bits of what follows.
        let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = alphabet.encode(&padded).into_bytes();
            let spelling = Spelling {
                text: text.get(first..end).unwrap_or_default().to_vec(),
                shares: [before != 0, !padded.len().is_multiple_of(3)],
            };
            if !found.contains(&spelling) {
                found.push(spelling);
            }
        }
    }
    found
}

/// Whether a byte is a digit of either alphabet of base64.
pub(crate) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}
