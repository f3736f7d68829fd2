//! The settings of a project's deployment, from `tenon.toml`, the OpenAPI document and the guest.

use crate::{
    args::template::TemplateArgs,
    exit::CommandError,
    guest::{self, HostedGuest},
    input, output,
    project::{
        PROJECT_FILE, Project,
        deploy::{DeploySection, Provision, TEMPLATE_FILE},
    },
};
use contract::limits::KIB;
use deployment::{
    ApiKind, Authorizer, Deployment, Outgoing, OwnResources, Routes, SecretSource, StackSecrets,
    Storage, openapi,
};
use files::NamedBy;
use runtime::engine::{Candidate, Inspection};
use secrets::{SecretDeclaration, SecretDeclarations, Source};
use std::path::{Component, Path, PathBuf};

/// Largest OpenAPI document, and largest file of own resources. The largest public documents have about ten megabytes.
const DOCUMENT_BYTES_MAX: u64 = 16 << 20;
const OWN_BYTES_MAX: u64 = 512 * KIB as u64;

/// Everything that the template is made from.
pub struct Settings {
    pub deployment: Deployment,
    /// What it is made from, in words.
    pub sources: String,
    /// The template's file.
    pub path: PathBuf,
    /// The project's name.
    pub name: String,
}

/// What a guest asks its host for.
struct Needs {
    storage: bool,
    outgoing: bool,
    secrets: bool,
}

impl Settings {
    pub fn read(
        arguments: &TemplateArgs,
        project: &Project,
        guest: &HostedGuest,
    ) -> Result<Self, CommandError> {
        let section = &project.file.deploy;
        let api = match (arguments.api, section.api) {
            (Some(typed), _) => typed.into(),
            (None, Some(named)) => named.into(),
            (None, None) => ApiKind::Rest,
        };
        let path = match (&arguments.output, &section.template) {
            (Some(typed), _) => typed.clone(),
            (None, Some(named)) => project.path(&named.0),
            (None, None) => project.path(TEMPLATE_FILE),
        };
        let package = project.path(section.package_folder());
        let needs = needs(project, guest)?;
        let name = name(project)?;
        let namespace = section.namespace.clone().unwrap_or_else(|| name.clone());
        let provides = |provision| section.provides.contains(&provision);
        let mut sources = PROJECT_FILE.to_owned();
        let routes = routes(project, section)?;
        if let Routes::Listed { document, .. } = &routes {
            sources = format!("{sources} and {document}");
        }
        let deployment = Deployment {
            api,
            routes,
            authorizer: authorizer(section, api)?,
            open: section.open.iter().map(|route| route.0.clone()).collect(),
            architecture: section.architecture(),
            packages: between(&path, &package)?,
            namespace,
            storage: match (
                &section.table,
                needs.storage || provides(Provision::Storage),
            ) {
                (_, false) => Storage::None,
                (None, true) => Storage::Own,
                (Some(table), true) => Storage::Existing(table.clone()),
            },
            outgoing: outgoing(project, &needs, provides(Provision::Outgoing)),
            secrets: secrets(project, section, &needs, provides(Provision::Secrets))?,
            environment: json_of(&project.file.environment.0),
            domain: section.domain.as_ref().map(|domain| domain.0.clone()),
            environments: environments(section),
            own: own(project, section)?,
        };
        Ok(Self {
            deployment,
            sources,
            path,
            name,
        })
    }
}

/// The name is what tells projects in one account apart.
fn name(project: &Project) -> Result<String, CommandError> {
    project.file.name.clone().ok_or_else(|| {
        CommandError::environment(format_args!(
            "`{}` has no `name`, after which the stack and its part of the table are named",
            project.path_of_file().display()
        ))
        .hint("add `name = \"NAME\"`, of `a-z`, `0-9` and `-`, as its first line")
    })
}

fn authorizer(section: &DeploySection, api: ApiKind) -> Result<Authorizer, CommandError> {
    match (&section.authorizer, api) {
        (Some(setting), _) => Ok(setting.clone().into()),
        (None, ApiKind::Rest) => Ok(Authorizer::ApiKey),
        (None, ApiKind::Http | ApiKind::FunctionUrl) => Err(CommandError::environment(format_args!(
            "`{PROJECT_FILE}` does not say who may call {}",
            api.described()
        ))
        .hint("add `authorizer = \"iam\"`, or `\"none\"` for everybody, to `[deploy]`; docs/deploy.md lists all")),
    }
}

fn routes(project: &Project, section: &DeploySection) -> Result<Routes, CommandError> {
    let Some(document) = &section.openapi else {
        return Ok(Routes::Proxy);
    };
    let path = project.path(&document.0);
    let text = read_text(&path, "OpenAPI document", DOCUMENT_BYTES_MAX)?;
    let routes = openapi::routes(&text).map_err(|error| {
        CommandError::environment(format_args!(
            "OpenAPI document `{}`: {error}",
            path.display()
        ))
        .hint("without `openapi` in `[deploy]`, one route takes everything")
    })?;
    Ok(Routes::Listed {
        document: document.0.display().to_string(),
        routes,
    })
}

fn own(project: &Project, section: &DeploySection) -> Result<Option<OwnResources>, CommandError> {
    let Some(file) = &section.own else {
        return Ok(None);
    };
    let path = project.path(&file.0);
    let text = read_text(&path, "file of own resources", OWN_BYTES_MAX)?;
    let own = OwnResources::read(&file.0.display().to_string(), &text);
    own.map(Some).map_err(|error| {
        CommandError::environment(format_args!("own resources `{}`: {error}", path.display()))
            .hint("docs/deploy.md has an example")
    })
}

fn read_text(path: &Path, what: &str, bytes_max: u64) -> Result<String, CommandError> {
    let bytes = input::read_named(path, NamedBy::Setting, what, bytes_max)?;
    String::from_utf8(bytes).map_err(|_| {
        CommandError::environment(format_args!("{what} `{}` is not UTF-8", path.display()))
    })
}

/// What the guest imports, as far as it is granted.
fn needs(project: &Project, hosted: &HostedGuest) -> Result<Needs, CommandError> {
    let source = &hosted.source;
    let (name, bytes) = source.read()?;
    let engine = guest::engine(1)?;
    let candidate = source.candidate(&engine, &bytes);
    let inspection = candidate
        .as_ref()
        .map(Candidate::inspection)
        .map_err(|error| guest::cannot_load(&name, error))?;
    let imports = |is_wanted: fn(&str) -> bool| imports(inspection, is_wanted);
    let is_granted = !project.file.outgoing.0.is_empty();
    let calls = imports(runtime::is_outgoing);
    if calls && !is_granted {
        output::remark(
            "warning: the guest calls other services, and `outgoing` in tenon.toml grants none: the host refuses it unless the parameter Outgoing does\n",
        );
    }
    let outgoing = calls || (is_granted && imports(runtime::is_outgoing_of_wasi));
    let uses = imports(runtime::is_secrets);
    Ok(Needs {
        storage: imports(runtime::is_storage),
        outgoing,
        // Placeholders in requests need no import.
        secrets: uses || (outgoing && !project.file.secrets.0.is_empty()),
    })
}

fn imports(inspection: &Inspection, is_wanted: fn(&str) -> bool) -> bool {
    inspection
        .imports
        .iter()
        .any(|import| is_wanted(&import.name))
}

fn outgoing(project: &Project, needs: &Needs, is_provided: bool) -> Option<Outgoing> {
    let grants = &project.file.outgoing.0;
    let signs = grants.iter().any(|grant| grant.signing().is_some());
    (needs.outgoing || is_provided).then(|| Outgoing {
        grants: json_of(grants),
        signs: signs || is_provided,
    })
}

fn secrets(
    project: &Project,
    section: &DeploySection,
    needs: &Needs,
    is_provided: bool,
) -> Result<Option<StackSecrets>, CommandError> {
    if !needs.secrets && !is_provided {
        return Ok(None);
    }
    let declared = &project.file.secrets.0;
    let mut moved = SecretDeclarations::default();
    for (name, source) in &section.secrets.0 {
        if declared.get(name.as_str()).is_none() {
            return Err(CommandError::environment(format_args!(
                "`[deploy.secrets]` names `{name}`, which `[secrets]` does not declare"
            ))
            .hint("declare in `[secrets]` what it is for"));
        }
        moved.insert(name.clone(), SecretDeclaration::new(source.clone()));
    }
    let declarations = moved.over(declared);
    let mut sources = Vec::new();
    for (name, declaration) in declarations.iter() {
        sources.push(match &declaration.from {
            Source::Parameter(name) => SecretSource::Parameter(name.clone()),
            Source::SecretsManager { id, .. } => SecretSource::SecretsManager(id.clone()),
            Source::Environment(_) | Source::File(_) => {
                return Err(CommandError::environment(format_args!(
                    "secret `{name}` is in a variable or a file of this machine, which a function does not have"
                ))
                .hint(format_args!("say where it is kept on AWS: `{name} = \"ssm:/PATH\"` or `\"secretsmanager:NAME\"` in `[deploy.secrets]`")));
            }
        });
    }
    Ok(Some(StackSecrets {
        declarations: json_of(&declarations),
        sources,
        of_stack: is_provided,
    }))
}

fn environments(
    section: &DeploySection,
) -> std::collections::BTreeMap<String, std::collections::BTreeMap<String, String>> {
    let of =
        |values: &std::collections::BTreeMap<String, crate::project::deploy::ParameterValue>| {
            let values = values.iter();
            values
                .map(|(name, value)| (name.clone(), value.0.clone()))
                .collect()
        };
    let environments = section.environments.iter();
    environments
        .map(|(name, values)| (name.clone(), of(values)))
        .collect()
}

/// A value of our own as JSON, which cannot fail.
fn json_of(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The path to a folder as seen from a file, with `/`, whatever links there are.
fn between(file: &Path, folder: &Path) -> Result<String, CommandError> {
    let absolute = |path: &Path| {
        std::path::absolute(path)
            .map(|path| normal(&path))
            .map_err(|error| {
                CommandError::environment(format_args!("`{}`: {error}", path.display()))
            })
    };
    let (file, folder) = (absolute(file)?, absolute(folder)?);
    let start: Vec<_> = file
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .collect();
    let end: Vec<_> = folder.components().collect();
    let common = start
        .iter()
        .zip(&end)
        .take_while(|(one, other)| one == other)
        .count();
    let up = std::iter::repeat_n("..".to_owned(), start.len() - common);
    let down = end[common..].iter();
    let down = down.map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<_> = up.chain(down).collect();
    let path = if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    };
    match path.chars().all(|character| character.is_ascii_alphanumeric() || "._-/".contains(character)) {
        true => Ok(path),
        // It stands in YAML without quotes.
        false => Err(CommandError::environment(format_args!(
            "the folder of packages is `{path}` as seen from the template; its name has to consist of letters, digits and `._-`"
        ))
        .hint("name another one in `package` of `[deploy]`")),
    }
}

/// A path without `.` and `..`, by its text.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_as_seen_from_the_template() {
        for (file, folder, expected) in [
            ("/p/template.yaml", "/p/package", "package"),
            (
                "/p/infra/template.yaml",
                "/p/target/lambda",
                "../target/lambda",
            ),
            ("/p/infra/../template.yaml", "/p/./package", "package"),
            ("/p/template.yaml", "/p", "."),
        ] {
            let found = between(Path::new(file), Path::new(folder)).unwrap();
            assert_eq!(found, expected);
        }
        assert!(between(Path::new("/p/template.yaml"), Path::new("/p/a b")).is_err());
    }
}
