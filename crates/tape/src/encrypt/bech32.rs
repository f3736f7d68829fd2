//! Bech32 (BIP 173), without its limit of 90 characters, which age does not apply.

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [
    0x3b6a_57b2,
    0x2650_8e6d,
    0x1ea1_19fa,
    0x3d42_33dd,
    0x2a14_62b3,
];
const CHECKSUM_LENGTH: usize = 6;

/// The bytes after a lower-case prefix; `None` if prefix, alphabet, padding or checksum are wrong.
pub(super) fn decode(prefix: &str, text: &str) -> Option<Vec<u8>> {
    let data = text.strip_prefix(prefix)?.strip_prefix('1')?;
    let values: Vec<u8> = data
        .bytes()
        .map(|byte| {
            ALPHABET
                .iter()
                .position(|known| *known == byte)
                .map(|at| at as u8)
        })
        .collect::<Option<_>>()?;
    if values.len() < CHECKSUM_LENGTH || checksum(prefix, &values) != 1 {
        return None;
    }
    regroup(&values[..values.len() - CHECKSUM_LENGTH])
}

pub(super) fn encode(prefix: &str, bytes: &[u8]) -> String {
    let mut values = Vec::with_capacity(bytes.len() * 8 / 5 + 8);
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in bytes {
        buffer = buffer << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            values.push((buffer >> bits & 31) as u8);
        }
    }
    if bits > 0 {
        values.push((buffer << (5 - bits) & 31) as u8);
    }
    let mut with_room = values.clone();
    with_room.extend([0; CHECKSUM_LENGTH]);
    let sum = checksum(prefix, &with_room) ^ 1;
    values.extend((0..CHECKSUM_LENGTH).map(|at| (sum >> (5 * (5 - at)) & 31) as u8));
    let data = values
        .iter()
        .map(|value| char::from(ALPHABET[usize::from(*value)]));
    format!("{prefix}1{}", data.collect::<String>())
}

/// Converts groups of five bits to bytes; remaining bits must be zero.
fn regroup(values: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(values.len() * 5 / 8);
    let (mut buffer, mut bits) = (0_u32, 0);
    for value in values {
        buffer = (buffer << 5 | u32::from(*value)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits & 0xff) as u8);
        }
    }
    (bits < 5 && buffer & ((1 << bits) - 1) == 0).then_some(bytes)
}

fn checksum(prefix: &str, values: &[u8]) -> u32 {
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    let all = high.chain([0]).chain(low).chain(values.iter().copied());
    all.fold(1, |sum, value| {
        let top = sum >> 25;
        let shifted = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        GENERATOR
            .iter()
            .enumerate()
            .filter(|(bit, _)| top >> bit & 1 == 1)
            .fold(shifted, |sum, (_, generator)| sum ^ generator)
    })
}
