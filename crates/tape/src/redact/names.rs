//! Names of credentials, recognised by patterns. Case and separators are ignored: `X-Api-Key`, `api_key` and `apiKey` are the same name.

use std::borrow::Cow;

/// A name that contains one of these names a credential, anywhere.
const CONTAINED: [&str; 19] = [
    "accesskey",
    "apikey",
    "assertion",
    "authorization",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "samlresponse",
    "secret",
    "session",
    "signature",
    "subscriptionkey",
    "token",
    "xsrf",
];

/// Names that are a credential's as a whole, but occur inside many other names.
const WHOLE: [&str; 5] = ["auth", "otp", "passcode", "pwd", "sig"];

/// The same for query parameters and form fields, which have short names.
const QUERY: [&str; 5] = ["code", "key", "pass", "pin", "samlrequest"];

/// Headers that no pattern matches.
const HEADERS: [&str; 4] = [
    "dpop",
    "secwebsocketprotocol",
    "xamznoidcdata",
    "xauthentication",
];

/// Names that a pattern matches, but that give the kind of a credential, not its value.
const HARMLESS: [&str; 4] = ["tokenuse", "tokentype", "tokentypehint", "cookieenabled"];

/// Headers that end with `key` and do not contain a credential.
const HARMLESS_KEYS: [&str; 3] = ["idempotencykey", "secwebsocketkey", "surrogatekey"];

/// A name without case and separators.
pub(super) fn normalised(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether members, attributes, variables and parameters of this normalised name contain a credential.
pub(super) fn is_credential(name: &str) -> bool {
    let contained = CONTAINED.iter().any(|pattern| name.contains(pattern));
    (contained || WHOLE.contains(&name)) && !HARMLESS.contains(&name)
}

/// Whether headers of this normalised name do.
pub(super) fn is_credential_header(name: &str) -> bool {
    let is_key = name.ends_with("key") && !HARMLESS_KEYS.contains(&name);
    is_credential(name) || is_key || HEADERS.contains(&name)
}

/// Whether query parameters and form fields of this normalised name do.
pub(super) fn is_credential_parameter(name: &str) -> bool {
    is_credential(name) || QUERY.contains(&name)
}

/// The last part of a name with several parts: `pwd` of `user[pwd]` and `user.pwd`, `code` of `code[0]`. The end of a URL may be part of
/// the name because it was encoded, as in `/cb?code`. `None` if there is only one part.
fn last_part(name: &str) -> Option<&str> {
    const ENDS: [char; 18] = [
        '[', ']', '.', '?', '&', ';', '#', '/', '=', ':', ',', ' ', '\n', '"', '\'', '{', '<', '>',
    ];
    if !name.contains(ENDS) {
        return None;
    }
    let is_index = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    name.rsplit(ENDS).find(|part| !is_index(part)) // an empty index: `code[]`
}

/// Whether `hides` selects the name as a whole or its last part; it gets them normalised.
pub(super) fn is_hidden(name: &str, hides: impl Fn(&str) -> bool) -> bool {
    hides(&normalised(name)) || last_part(name).is_some_and(|part| hides(&normalised(part)))
}

/// The decoded name of a query parameter or form field, without `+` and percent-encoding, however often it was encoded.
pub(super) fn decoded(name: &str) -> Cow<'_, str> {
    /// Largest number of nested encodings: redirects nest URLs in URLs, but not deeper than this.
    const LAYERS_MAX: usize = 4;
    let mut decoded = Cow::Borrowed(name);
    for _ in 0..LAYERS_MAX {
        if !decoded.contains('%') {
            break;
        }
        let next = percent_encoding::percent_decode_str(&decoded)
            .decode_utf8_lossy()
            .into_owned();
        decoded = Cow::Owned(next);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_patterns() {
        for name in [
            "x-access-token",
            "api-key",
            "x-goog-api-key",
            "x-vault-token",
            "x-session-token",
            "x-signature",
            "X-Amz-Credential",
            "Authorization",
            "Proxy-Authorization",
            "Set-Cookie",
            "sec-websocket-protocol",
            "x-functions-key",
            "Ocp-Apim-Subscription-Key",
            "X-CSRF-Token",
            "x-amzn-oidc-data",
            "x-amzn-oidc-accesstoken",
        ] {
            assert!(is_credential_header(&normalised(name)), "{name}");
        }
        for name in [
            "token",
            "code",
            "jwt",
            "key",
            "secret",
            "passwd",
            "assertion",
            "SAMLResponse",
            "id_token_hint",
            "access_token[]",
            "client_secret",
            "sig",
            "X-Amz-Security-Token",
        ] {
            assert!(is_credential_parameter(&normalised(name)), "{name}");
        }
        for name in ["password", "newPassword", "token", "secret", "api_key"] {
            assert!(is_credential(&normalised(name)), "{name}");
        }
        assert_eq!(decoded("access%255Ftoken"), "access_token");
    }

    #[test]
    fn the_last_part_of_a_name_counts() {
        for (name, part) in [
            ("user[pwd]", Some("pwd")),
            ("user.pwd", Some("pwd")),
            ("code[0]", Some("code")),
            ("code[]", Some("code")),
            ("/cb?state=1&code", Some("code")),
            ("pwd", None),
            ("[0]", None),
        ] {
            assert_eq!(last_part(name), part, "{name}");
        }
    }

    #[test]
    fn what_a_guest_needs_stays() {
        for name in [
            "accept",
            "content-type",
            "host",
            "idempotency-key",
            "if-match",
            "user-agent",
            "x-forwarded-for",
            "x-amzn-trace-id",
            "sec-websocket-key",
        ] {
            assert!(!is_credential_header(&normalised(name)), "{name}");
        }
        for name in ["limit", "cursor", "start_key", "postcode", "q"] {
            assert!(!is_credential_parameter(&normalised(name)), "{name}");
        }
        for name in ["name", "token_use", "keys", "author", "code", "key"] {
            assert!(!is_credential(&normalised(name)), "{name}");
        }
    }
}
