use super::{
    members, read, schema,
    sections::{GuestSection, ReleaseSection, ServeSection, TestSection},
    *,
};
use contract::limits::LIMITS;
use std::fs;

/// `line:column: message`, and the hint.
fn error(text: &[u8]) -> (String, String) {
    let failure = read::parse(text)
        .unwrap_err()
        .in_file(Path::new("tenon.toml"))
        .render(false)
        .unwrap();
    let (message, hint) = failure.split_once("\n  hint: ").unwrap();
    let message = message.strip_prefix("error: tenon.toml:").unwrap();
    (message.to_owned(), hint.trim_end().to_owned())
}

#[test]
fn an_unknown_member_is_named_with_the_nearest_known_one() {
    for (text, message, hint) in [
        (
            "name = \"x\"\n[guest]\n  buidl = \"cargo\"",
            "3:3: unknown member `buidl` in `[guest]`",
            "did you mean `build`?",
        ),
        (
            "[gest]",
            "1:2: unknown member `gest`",
            "did you mean `guest`?",
        ),
        (
            "[serve.limits]\nrequest_body_byte_max = 1",
            "2:1: unknown member `request_body_byte_max` in `[serve.limits]`",
            "did you mean `request_body_bytes_max`?",
        ),
        (
            "build = \"x\"",
            "1:1: unknown member `build`",
            "`build` belongs in `[guest]`",
        ),
        (
            "[release]\noutgoing = []",
            "2:1: unknown member `outgoing` in `[release]`",
            "`outgoing` belongs above the first section",
        ),
        (
            "[stack]",
            "1:2: unknown member `stack`",
            "known are `name`, `guest`, `serve`, `environment`, `outgoing`, `secrets`, `test`, `release`, `deploy`",
        ),
    ] {
        assert_eq!(
            error(text.as_bytes()),
            (message.to_owned(), hint.to_owned())
        );
    }
}

#[test]
fn what_cannot_be_read_has_its_position_and_its_member() {
    let deep = format!("name = {}", "[".repeat(10_000));
    for (text, message) in [
        (
            "name = 5",
            "1:8: `name`: invalid type: integer `5`, expected a string",
        ),
        ("name = \"x", "1:10: invalid basic string"),
        ("guest = 5", "1:1: `guest` is not a section"),
        ("[[guest]]", "1:3: `guest` is not a section"),
        ("[guest]\n[guest]", "2:2: duplicate key"),
        (
            "[guest]\ncomponent = \" \"",
            "2:13: `guest.component`: the path is empty",
        ),
        (
            "[guest]\nbuild = \"a 'b\"",
            "2:9: `guest.build`: the command has a quote without its end",
        ),
        (
            "[guest]\nbuild = \"\"",
            "2:9: `guest.build`: the command is empty",
        ),
        (
            "[serve]\nstore = \"sqlite:x\"",
            "2:9: `serve.store`: unknown store `sqlite:x`",
        ),
        (
            "[serve]\nevent = \"soap\"",
            "2:9: `serve.event`: unknown event kind `soap`; one of `rest`",
        ),
        (
            "[serve]\nlog_level = \"loud\"",
            "2:13: `serve.log_level`: unknown variant `loud`",
        ),
        (
            "[serve.limits]\nstorage_calls_max = 0",
            "2:21: `serve.limits.storage_calls_max`: 0 is not within 1 to ",
        ),
        (
            "[serve.limits]\nstorage_calls_max = \"1\"",
            "2:21: `serve.limits.storage_calls_max`: invalid type: string \"1\", expected a whole number",
        ),
        ("[environment]\nA = 5", "2:5: `environment.A`: invalid type"),
        (
            "[environment]\n\"A=\" = \"x\"",
            "2:1: the name of a variable",
        ),
        (deep.as_str(), "1:88: cannot recurse further"),
    ] {
        let (found, _) = error(text.as_bytes());
        assert!(found.starts_with(message), "{message}: {found}");
    }
    let (found, _) = error(b"# \xc3\xa4\nname = \"\xff\"");
    assert_eq!(found, "2:9: the text is not valid UTF-8");
}

#[test]
fn what_the_members_of_a_secret_mean_together_has_a_position_too() {
    for (text, message) in [
        (
            "[secrets]\nkey = { from = \"env:A\" }",
            "2:1: secret `key` has no use: say `for",
        ),
        (
            "[secrets]\na = { from = \"env:A\", hmac = true }\n\n[secrets.b]\nfrom = \"env:B\"",
            "4:10: secret `b` has no use",
        ),
        ("[secrets]\nkey = \"env:A\"", "2:1: secret `key` has no use"),
        (
            "[secrets]\n  key = { from = \"env:A\", hmac = true, in = [\"url\"] }",
            "2:3: secret `key` has `in`, which has no effect without `for`",
        ),
    ] {
        let (found, hint) = error(text.as_bytes());
        assert!(found.starts_with(message), "{text}: {found}");
        assert_eq!(hint, "docs/tenon-toml.md describes each member");
    }
}

#[test]
fn what_may_be_a_secret_is_not_repeated() {
    let secret = "[secrets]\nkey = ";
    for (text, message, hint) in [
        (
            format!("{secret}\"sk_planted\""),
            "2:7: `secrets.key`: a source is `env:NAME`",
            "",
        ),
        (
            format!("{secret}{{ from = \"env:A\", hmca = \"sk_planted\" }}"),
            "2:25: unknown member, expected one of `from`, `encoding`, `for`, `in`, `hmac`, `reveal`",
            "did you mean `hmac`?",
        ),
        (
            format!("{secret}{{ from = \"env:A\", sk_planted = true }}"),
            "2:25: unknown member, expected one of",
            "",
        ),
        (
            format!("{secret}{{ from = \"env:A\", hmac = \"sk_planted\" }}"),
            "2:32: `secrets.key.hmac`: expected `true` or `false`",
            "",
        ),
        (
            format!("{secret}{{ from = \"env:A\", encoding = \"sk_planted\" }}"),
            "2:36: `secrets.key.encoding`: expected `plain` or `base64`",
            "",
        ),
        (
            format!("{secret}{{ from = 12345678, hmac = true }}"),
            "2:16: `secrets.key.from`: expected text",
            "",
        ),
        (
            format!("{secret}{{ from = \"env:A\", for = \"sk_planted\" }}"),
            "2:31: `secrets.key.for`: expected a list",
            "",
        ),
        (
            format!("{secret}{{ from = \"env:A\", for = [\"sk_planted\"] }}"),
            "2:31: `secrets.key.for`: an origin is",
            "",
        ),
        (
            format!("{secret}{{ from = \"env:A\", in = [\"sk_planted\"] }}"),
            "2:31: `secrets.key.in`: expected one of `headers`, `url`, `body`",
            "",
        ),
        (
            "[secrets.key]\nhmac = true".to_owned(),
            "1:1: missing member `from`",
            "",
        ),
        (
            "[secrets]\nSk_planted = \"env:A\"".to_owned(),
            "2:1: a secret's name has",
            "",
        ),
        (
            format!("{secret}12345678"),
            "2:7: `secrets.key`: expected a source, or an object with `from`",
            "",
        ),
        (format!("{secret}sk_planted"), "2:7: ", ""),
        ("secrets = \"sk_planted\"".to_owned(), "1:11: `secrets`: expected", ""),
        (
            "outgoing = \"sk_planted\"".to_owned(),
            "1:12: `outgoing`: expected a list",
            "",
        ),
        (
            "outgoing = [\"sk_planted\"]".to_owned(),
            "1:13: `outgoing`: what is granted is an origin, such as",
            "",
        ),
        (
            "outgoing = [{ orign = \"https://planted\" }]".to_owned(),
            "1:15: `outgoing`: unknown member, expected one of `origin`, `private_addresses`, `sign`",
            "did you mean `origin`?",
        ),
        (
            "outgoing = [{ origin = \"https://a.example\", private_addresses = \"planted\" }]".to_owned(),
            "1:65: `outgoing`: expected `true` or `false`",
            "",
        ),
        (
            "outgoing = [{ origin = \"https://a.example\", sign = \"planted\" }]".to_owned(),
            "1:52: `outgoing`: expected `aws`",
            "",
        ),
        (
            "outgoing = [{ origin = \"https://a.example\", sign = { aws = { service = \"PLANTED planted\", region = \"x\" } } }]".to_owned(),
            "1:13: `outgoing`: the `service` or the `region` of `sign` for `https://a.example` is not valid",
            "",
        ),
    ] {
        let (found, hinted) = error(text.as_bytes());
        assert!(found.starts_with(message), "{message}: {found}");
        let told = format!("{found} {hinted}").to_lowercase();
        assert!(!told.contains("planted") && !told.contains("12345678"), "{told}");
        assert!(hinted.contains(hint), "{text}: {hinted}");
    }
}

#[test]
fn the_file_is_found_in_the_nearest_folder_above() {
    let folder = std::env::temp_dir().join(format!("tenon-project-{}", std::process::id()));
    let deep = folder.join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let write = |path: &Path, text: &str| fs::write(path.join(PROJECT_FILE), text).unwrap();
    write(
        &folder,
        "name = \"outer\"\n[guest]\ncomponent = \"x/guest.wasm\"\n[serve]\nstore = \"redb:.tenon/store.redb\"\n\
         [release]\nartifacts = \"file://releases\"\nkey = \"release.key\"\npublic_keys = [\"release.key.pub\"]",
    );
    assert_eq!(nearest(&deep), Some(&*folder));
    let project = Project::open(&folder, false).unwrap();
    assert_eq!(project.folder, folder);
    assert_eq!(project.component(), Some(folder.join("x/guest.wasm")));
    assert_eq!(
        project.store(),
        Some(StoreSpec::Redb(folder.join(".tenon/store.redb")))
    );
    let shown = folder.display();
    assert_eq!(
        project.artifacts(),
        Some(format!("file://{shown}/releases"))
    );
    assert_eq!(
        project.public_keys().unwrap(),
        [format!("{shown}/release.key.pub")]
    );
    assert_eq!(project.channel(), Some("outer"));

    write(&folder.join("a"), "[guest]\ncomponent = \"embedded\"");
    let nearer = Project::open(nearest(&deep).unwrap(), false).unwrap();
    assert_eq!(nearer.component(), Some(EMBEDDED_NAME.into()));
    assert_eq!((nearer.channel(), nearer.store()), (None, None));

    fs::write(deep.join(PROJECT_FILE), vec![b'#'; 70_000]).unwrap();
    let failure = Project::open(nearest(&deep).unwrap(), false).unwrap_err();
    assert!(failure.message().contains("larger than"), "{failure:?}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_schema_is_that_of_the_structs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tenon.schema.json");
    let text = schema::text();
    if std::env::var_os("TENON_BLESS").is_some() {
        fs::write(path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap_or_default() == text,
        "docs/tenon.schema.json is outdated: run this test with TENON_BLESS=1"
    );
}

/// The members that the table of each section of the page explains are those that the file has.
#[test]
fn the_page_explains_every_member() {
    let page = include_str!("../../../docs/tenon-toml.md");
    let limits: Vec<&str> = LIMITS.iter().map(|limit| limit.name).collect();
    for (heading, members) in [
        ("The file", members::of::<ProjectFile>()),
        ("`[guest]`", members::of::<GuestSection>()),
        ("`[serve]`", members::of::<ServeSection>()),
        ("`[serve.limits]`", &limits),
        ("`[test]`", members::of::<TestSection>()),
        ("`[release]`", members::of::<ReleaseSection>()),
    ] {
        let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let explained: Vec<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .collect();
        assert_eq!(explained, members, "{heading}");
    }
    // The example at the top is a file.
    let (_, example) = page.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    read::parse(example.as_bytes()).unwrap();
}
