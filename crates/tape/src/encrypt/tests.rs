//! age reads what we write, and we read what age writes; changes are detected.

use super::*;

/// Made by `age-keygen`.
const IDENTITY: &str = "AGE-SECRET-KEY-1ADKVNJHKPU4LE9PMG84U78U8SYEN8AZFLUN5JWS9LDRA022FDU4QECXLGL";
const RECIPIENT: &str = "age1nge76wajuv5llg5cwjhrcq8yusvaut29p0m0aze3jmft0la88fwqmjfspd";
/// `age -r RECIPIENT` of `hello tape`.
const BY_AGE: &str = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSAzVWh3NjE5VDFBcGZKVkRsdlgzQUVTMTFNYm5hSU9pTkZ0RDF6SnhVYWpVCjc3TEwwcUI3UTdBRGxuSEZwdTlIc0M3VE41Ri96RDNVTkNUOG1hTk9EaXcKLS0tIHBwVXpsRGlGVVRVVTVCcFNjZFZsd2hsTXg5ZEtyWXR4S1g0Sys2Wi9RSTAKa6mnLnGJzcfUK+z5IK7jF4+qQz9yWo1OPyiqAkh6mGS8f1DDOVw4rLqX";

fn identity() -> Identity {
    IDENTITY.parse().unwrap()
}

#[test]
fn what_age_encrypted_is_read() {
    assert_eq!(identity().decrypt(BY_AGE).unwrap(), b"hello tape");
    assert_eq!(identity().recipient().to_string(), RECIPIENT);
}

#[test]
fn texts_of_every_length_come_back() {
    let recipient: Recipient = RECIPIENT.parse().unwrap();
    for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000] {
        let text: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let encrypted = recipient.encrypt(&text).unwrap();
        assert_eq!(identity().decrypt(&encrypted).unwrap(), text, "{length}");
    }
    assert_ne!(
        recipient.encrypt(b"x").unwrap(),
        recipient.encrypt(b"x").unwrap()
    );
}

#[test]
fn every_changed_byte_is_noticed() {
    let file = STANDARD.decode(BY_AGE).unwrap();
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(
            identity().decrypt(&STANDARD.encode(&changed)).is_err(),
            "{at}"
        );
        assert!(
            identity().decrypt(&STANDARD.encode(&file[..at])).is_err(),
            "{at}"
        );
    }
}

/// What a later version has there is not known, so it is refused by its number and not by what it looks like.
#[test]
fn a_line_of_a_later_version_is_not_decrypted() {
    let line = |version| format!(r#"{{"tenon_tape":{version},"id":"a","encrypted":"{BY_AGE}"}}"#);
    let decrypted = |version| decrypt_line(line(version).as_bytes(), &identity());
    assert_eq!(decrypted(1), Ok(Some(b"hello tape".to_vec())));
    assert_eq!(decrypted(2), Ok(None));
}

#[test]
fn another_identity_reads_nothing() {
    let other = bech32::encode("age-secret-key-", &[7; 32]).to_ascii_uppercase();
    let other: Identity = other.parse().unwrap();
    assert_eq!(other.decrypt(BY_AGE), Err(DecryptError::OtherRecipient));
    assert!(!format!("{other:?}").contains("SECRET"));
}

#[test]
fn keys_are_read_with_their_checksum() {
    let file = format!("# created: 2026-11-22\n# public key: {RECIPIENT}\n{IDENTITY}\n");
    assert_eq!(
        file.parse::<Identity>().unwrap().recipient().to_string(),
        RECIPIENT
    );
    for bad in [
        "",
        "age1",
        "age1qqqq",
        &RECIPIENT.replace('n', "m"),
        IDENTITY,
    ] {
        assert!(bad.parse::<Recipient>().is_err(), "{bad}");
    }
    for bad in [
        "",
        RECIPIENT,
        &IDENTITY.to_ascii_lowercase(),
        &format!("{IDENTITY}\n{IDENTITY}"),
        &IDENTITY.replace('Q', "P"),
    ] {
        assert!(bad.parse::<Identity>().is_err(), "{bad}");
    }
}

#[test]
fn a_recipient_with_which_everybody_shares_a_secret_is_refused() {
    // The points of low order (https://cr.yp.to/ecdh.html#validate), with and without the bit that is ignored.
    let mut points = vec![[0; 32], [0; 32]];
    points[1][0] = 1;
    for last in [0x7f, 0xff] {
        for first in [0xec, 0xed, 0xee] {
            let mut point = [0xff; 32];
            (point[0], point[31]) = (first, last);
            points.push(point);
        }
    }
    for point in points {
        let text = bech32::encode("age", &point);
        assert_eq!(text.parse::<Recipient>(), Err(KeyError::Weak), "{text}");
        assert!(Recipient(point).encrypt(b"x").is_err());
    }
}
