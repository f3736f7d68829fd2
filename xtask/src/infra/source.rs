//! What the code does that the template has to allow, set or show. Read from the source, so that neither can change alone.

use crate::run::root;
use anyhow::{Context, ensure};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

/// The one file that reads the host's environment.
const CONFIGURATION: &str = "host-lambda/src/config.rs";
/// The file that names metrics and their dimension.
const METRICS: &str = "host-core/src/telemetry/metrics.rs";
/// The file that names the table's attributes, its index and the host's own partitions.
const LAYOUT: &str = "host-core/src/storage/dynamodb/layout.rs";
/// The file that says what travels as text.
const MEDIA: &str = "host-core/src/gateway/media.rs";
/// The guest's routes.
const DESCRIPTION: &str = "guest/src/openapi.json";

/// Methods that a path of an OpenAPI document may have.
const METHODS: [&str; 8] = [
    "delete", "get", "head", "options", "patch", "post", "put", "trace",
];

/// Names and dimension of the metrics that the host emits.
pub struct Metrics {
    pub names: BTreeSet<String>,
    pub dimension: String,
}

/// Variables of its own that the host reads.
pub fn variables() -> anyhow::Result<BTreeSet<String>> {
    let source = code(CONFIGURATION)?;
    let names: BTreeSet<_> = literals(&source)
        .filter(|literal| {
            let rest = literal.strip_prefix("TENON_").unwrap_or_default();
            let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
            !rest.is_empty() && rest.bytes().all(is_upper)
        })
        .map(str::to_owned)
        .collect();
    ensure!(!names.is_empty(), "`{CONFIGURATION}` names no variables");
    Ok(names)
}

/// The metrics that `Metric::name` names.
pub fn metrics() -> anyhow::Result<Metrics> {
    let source = code(METRICS)?;
    let (_, names) = source
        .split_once("pub fn name(self)")
        .with_context(|| format!("`{METRICS}` has no `Metric::name`"))?;
    let (names, _) = names.split_once("\n    }\n").unwrap_or((names, ""));
    Ok(Metrics {
        names: literals(names).map(str::to_owned).collect(),
        dimension: constant(&source, "DIMENSION")
            .with_context(|| format!("`{METRICS}` has no `DIMENSION`"))?,
    })
}

/// A named text of the table's layout, such as the name of an attribute.
pub fn layout(name: &str) -> anyhow::Result<String> {
    constant(&code(LAYOUT)?, name).with_context(|| format!("`{LAYOUT}` has no `{name}`"))
}

/// The media types that the host takes the REST API to have as binary ones.
pub fn binary_types() -> anyhow::Result<BTreeSet<String>> {
    let source = code(MEDIA)?;
    let list = source
        .split_once("const REST_BINARY_TYPES:")
        .and_then(|(_, rest)| rest.split_once(';'))
        .and_then(|(_, rest)| rest.split_once(';'))
        .map(|(list, _)| list)
        .with_context(|| format!("`{MEDIA}` has no `REST_BINARY_TYPES`"))?;
    Ok(literals(list).map(str::to_owned).collect())
}

/// The text of a constant of a module.
pub fn constant_of(module: &str, name: &str) -> anyhow::Result<String> {
    constant(&module_code(module, &[])?, name)
        .with_context(|| format!("`{module}` has no `{name}`"))
}

/// `METHOD /path` for each route of the guest, `OPTIONS` of each path included.
pub fn routes() -> anyhow::Result<BTreeSet<String>> {
    let document: Value = serde_json::from_str(&read(&root().join(DESCRIPTION))?)?;
    let mut routes = described(&document["paths"]);
    let options: Vec<_> = routes
        .iter()
        .filter_map(|route| Some(format!("OPTIONS {}", route.split_once(' ')?.1)))
        .collect();
    routes.extend(options);
    Ok(routes)
}

/// `METHOD /path` for each operation of an OpenAPI document's paths.
pub fn described(paths: &Value) -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for (path, item) in super::template::members(paths) {
        for (method, _) in super::template::members(item) {
            if METHODS.contains(&method.as_str()) {
                routes.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    routes
}

/// Those of `operations` that a module, with the modules inside it but `without` some files, calls on an SDK's client.
pub fn calls(
    module: &str,
    without: &[&str],
    operations: &[&'static str],
) -> anyhow::Result<BTreeSet<&'static str>> {
    let text = module_code(module, without)?;
    let is_called = |operation: &&str| text.contains(&format!(".{}()", snake_case(operation)));
    Ok(operations.iter().copied().filter(is_called).collect())
}

/// Those of an SDK's `types` that a module builds.
pub fn builders(module: &str, types: &[&'static str]) -> anyhow::Result<BTreeSet<&'static str>> {
    let text = module_code(module, &[])?;
    let is_built = |name: &&str| text.contains(&format!(" {name}::builder()"));
    Ok(types.iter().copied().filter(is_built).collect())
}

/// Those of HTTP `methods` that a module sends.
pub fn requests(module: &str, methods: &[&'static str]) -> anyhow::Result<BTreeSet<&'static str>> {
    let text = module_code(module, &[])?;
    let is_sent = |method: &&str| text.contains(&format!(".send(\"{method}\""));
    Ok(methods.iter().copied().filter(is_sent).collect())
}

fn module_code(module: &str, without: &[&str]) -> anyhow::Result<String> {
    let mut text = String::new();
    for file in module_files(module)? {
        let path = file.strip_prefix(root()).unwrap_or(&file).to_string_lossy();
        if !without.contains(&path.as_ref()) {
            text += &without_tests(&read(&file)?);
        }
    }
    Ok(text)
}

/// `PutItem` as the SDK names the method: `put_item`.
pub fn snake_case(name: &str) -> String {
    let mut result = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !result.is_empty() {
            result.push('_');
        }
        result.push(letter.to_ascii_lowercase());
    }
    result
}

/// `module.rs` and everything below `module/`, but tests.
fn module_files(module: &str) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut files = vec![root().join(format!("{module}.rs"))];
    let mut folders = vec![root().join(module)];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.file_stem().is_some_and(|stem| stem == "tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// A source file without its tests and comments.
fn code(path: &str) -> anyhow::Result<String> {
    Ok(without_tests(&read(&root().join(path))?))
}

fn without_tests(source: &str) -> String {
    let code = source
        .split_once("#[cfg(test)]\nmod ")
        .map_or(source, |(code, _)| code);
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// String literals. Enough for names: those with escapes come out cut.
fn literals(source: &str) -> impl Iterator<Item = &str> {
    source.split('"').skip(1).step_by(2)
}

/// The text of `const NAME: &str = "..."`.
fn constant(source: &str, name: &str) -> Option<String> {
    let (_, rest) = source.split_once(&format!("const {name}: &str = \""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("failed to read `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_comments_are_not_code() {
        let source = "// \"a\"\nconst A: &str = \"b\";\n#[cfg(test)]\nmod tests {\n\"c\"\n}";
        let code = without_tests(source);
        assert_eq!(literals(&code).collect::<Vec<_>>(), ["b"]);
        assert_eq!(constant(&code, "A").as_deref(), Some("b"));
    }

    #[test]
    fn operations_are_methods() {
        assert_eq!(snake_case("TransactWriteItems"), "transact_write_items");
    }
}
