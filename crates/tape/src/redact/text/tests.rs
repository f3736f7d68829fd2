//! Where values are in texts of each kind, and that many of them take linear time.

use super::*;

struct Patterns;

impl Hides for Patterns {
    fn parameter(&self, name: &str) -> bool {
        names::is_hidden(name, names::is_credential_parameter)
    }

    fn word(&self, name: &str) -> bool {
        names::is_hidden(name, names::is_credential)
    }
}

fn redacted(text: &str, kind: Kind) -> String {
    replaced(text, &find(text, kind, &Patterns)).into_owned()
}

#[test]
fn pairs_lose_the_values_of_credentials() {
    for (text, expected) in [
        (
            "limit=2&access%5Ftoken=s3cret&x",
            "limit=2&access%5Ftoken=REDACTED&x",
        ),
        ("code=a=b&key=", "code=REDACTED&key="),
        (
            "access_token[]=a;b&access_token%5B%5D=c",
            "access_token[]=REDACTED&access_token%5B%5D=REDACTED",
        ),
        (
            "next=https%3A%2F%2Fa%2Fb%3Ftoken%3Ds3cret&a=b",
            "next=REDACTED&a=b",
        ),
        (
            "next=https%253A%252F%252Fa%252Fb%253Ftoken%253Ds3cret",
            "next=REDACTED",
        ),
        ("next=a%3Db", "next=a%3Db"),
        ("a=1;pin=s3cret;b=2&c", "a=1;pin=REDACTED&c"),
        (
            "next=%2Fcb%3Fcode=s3cret&a=b",
            "next=%2Fcb%3Fcode=REDACTED&a=b",
        ),
        ("a=1%26pin=s3cret", "a=1%26pin=REDACTED"),
        (
            "user[pwd]=s3cret&code[0]=s3cret",
            "user[pwd]=REDACTED&code[0]=REDACTED",
        ),
        (
            "user%5Bpwd%5D=s3cret&login.otp=s3cret",
            "user%5Bpwd%5D=REDACTED&login.otp=REDACTED",
        ),
        ("token%3As3cret&token:s3cret", "REDACTED&token:REDACTED"),
        ("x=token%3As3cret", "x=REDACTED"),
        ("x=code%3Ds3cret%26t%3D12%3A30", "x=REDACTED"),
        (
            "a=b&state=code%3Ds3cret%26iss%3Dhttps%3A%2F%2Fa",
            "a=b&state=REDACTED",
        ),
        ("next=/cb?pin=s3cret&a=b", "next=/cb?pin=REDACTED&a=b"),
        ("a=b:c&d=%7B%22e%22%3A1%7D", "a=b:c&d=%7B%22e%22%3A1%7D"),
    ] {
        assert_eq!(redacted(text, Kind::Query), expected);
        assert_eq!(redacted(text, Kind::Pairs), expected);
    }
    for (text, expected) in [
        ("user=u&password:s3cret", "user=u&password:REDACTED"),
        ("d=%7B%22token%22%3A%22s3cret%22%7D&e=1", "d=REDACTED&e=1"),
        ("d=%3Cpassword%3Es3cret%3C%2Fpassword%3E", "d=REDACTED"),
        ("d=%7B%22%5Cu0074oken%22%3A%22s3cret%22%7D", "d=REDACTED"),
    ] {
        assert_eq!(redacted(text, Kind::Pairs), expected);
    }
}

#[test]
fn addresses_lose_them_in_query_path_and_fragment() {
    for (text, expected) in [
        (
            "https://a/b?x=1&token=s3cret#c",
            "https://a/b?x=1&token=REDACTED#c",
        ),
        (
            "https://a/#access_token=s3cret&state=1",
            "https://a/#access_token=REDACTED&state=1",
        ),
        ("/a;jsessionid=s3cret", "/a;jsessionid=REDACTED"),
        (
            "<https://a?key=s3cret>; rel=n",
            "<https://a?key=REDACTED>; rel=n",
        ),
        ("https://a/secret:b", "https://a/secret:b"),
        (
            "/login?next=/cb%3Fstate=1%26code=s3cret",
            "/login?next=/cb%3Fstate=1%26code=REDACTED",
        ),
    ] {
        assert_eq!(redacted(text, Kind::Address), expected);
    }
}

#[test]
fn messages_lose_them_up_to_the_end_of_the_line() {
    for (text, expected) in [
        (
            "Authorization: Bearer s3cret x\nnext",
            "Authorization: REDACTED\nnext",
        ),
        (r#"{"password":"s3cret"}"#, r#"{"password":REDACTED"#),
        ("pwd = \"a b\" c", "pwd = \"REDACTED\" c"),
        ("at 12:30: done", "at 12:30: done"),
        (
            "authorization=Bearer s3cret x\nnext",
            "authorization=REDACTED\nnext",
        ),
        (
            "authorization='Bearer s3cret' x",
            "authorization='REDACTED' x",
        ),
        (r#"password=\"a s3cret\" c"#, r#"password=\"REDACTED\" c"#),
        (
            r#"password=\\\"a \\\\\\\"s3cret\\\" c"#,
            r#"password=\\\"REDACTED\\\" c"#,
        ),
        (r#"password="a \" s3cret" c"#, r#"password="REDACTED" c"#),
        ("password => 's3cret', b", "password => 'REDACTED', b"),
        ("password == s3cret b", "password == REDACTED b"),
        ("api key: s3cret", "api key: REDACTED"),
        ("private key=s3cret b", "private key=REDACTED b"),
        ("password:\n  s3cret", "password:REDACTED"),
        ("password: |-\n  s3cret", "password: REDACTED"),
        ("password: !!str\n  s3cret", "password: REDACTED"),
        ("password=\ns3cret", "password=REDACTED"),
        ("password = \\\ns3cret", "password = REDACTED"),
        ("SET PASSWORD='a''s3cret' b", "SET PASSWORD='REDACTED' b"),
        ("SET PASSWORD='''s3cret' b", "SET PASSWORD='''REDACTED"),
        (
            "password=\"\"\"s3cret\"\"\" b",
            "password=\"\"\"REDACTED\"\"\" b",
        ),
        ("password=\"\" b", "password=\"\" b"),
        ("**password**: s3cret", "**password**: REDACTED"),
        ("`password`: s3cret", "`password`: REDACTED"),
        (
            "password\u{a0}\u{ff1a}s3cret",
            "password\u{a0}\u{ff1a}REDACTED",
        ),
        (
            "https://a/?next=%2Fcb%3Fpwd=s3cret",
            "https://a/?next=%2Fcb%3Fpwd=REDACTED",
        ),
        ("password: Some(\n  \"s3cret\",\n)", "password: REDACTED"),
        (
            "private_key=-----BEGIN PRIVATE KEY-----\ns3cret\n",
            "private_key=REDACTED",
        ),
        (
            "code=500 key=items/1 pass: 3 pin: 4",
            "code=500 key=items/1 pass: 3 pin: 4",
        ),
        (
            "GET /a?code=s3cret&key=s3cret done",
            "GET /a?code=REDACTED&key=REDACTED done",
        ),
    ] {
        assert_eq!(redacted(text, Kind::Prose), expected);
    }
}

#[test]
fn a_value_within_another_one_that_reaches_further_is_found() {
    for (text, expected) in [
        ("token=session:abc def\nx", "token=REDACTEDREDACTED\nx"),
        ("token='a token=\"b' c\"", "token='REDACTEDREDACTED\""),
    ] {
        assert_eq!(redacted(text, Kind::Prose), expected);
    }
}

/// A megabyte takes milliseconds; with quadratic time it would take hours.
#[test]
fn many_names_take_time_and_memory_in_proportion() {
    let bound = std::time::Duration::from_secs(20);
    for part in [
        "otp:",
        "token=",
        "token=\"",
        "token='\"",
        "otp: token=",
        "token%3D",
        "token/",
        "token=\\\"",
        "token=\\\"token=\\'token='token=",
        "token=Bearer ",
        "%22token%3D",
        "token%20%22%22x%20",
        "token=\"\"\"",
        "token=\\\\\\\\\\\\\\\\\"",
    ] {
        let text = part.repeat((1 << 20) / part.len());
        for kind in [Kind::Query, Kind::Pairs, Kind::Address, Kind::Prose] {
            let begun = std::time::Instant::now();
            let found = find(&text, kind, &Patterns);
            let bytes: usize = found.iter().map(|found| found.value.len()).sum();
            assert!(bytes <= 4 * text.len(), "{part}: {bytes}");
            assert!(begun.elapsed() < bound, "{part}");
        }
    }
}
