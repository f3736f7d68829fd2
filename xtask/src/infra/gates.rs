//! The checks of a template. Each takes several templates at once, because starting the tools takes longer than running them.

use super::{
    agreement,
    requirements::Requirements,
    template::{Template, elements, plain, text},
};
use crate::run::root;
use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// cfn-lint on the SAM template, with rules for serverless applications.
    Lint,
    /// The translation of SAM into CloudFormation. Later gates see only its output.
    Expand,
    /// cfn-lint on the output: it does not look into SAM's own resources.
    LintExpanded,
    /// cfn-guard with the rules of `infra/rules`.
    Guard,
    /// parliament on the policies of roles: actions and resources that do not exist, or do not belong together.
    Parliament,
    /// Our own comparison with the code.
    Agreement,
}

/// The problems of each template, by its file stem. A template without problems may be missing.
pub type Complaints = BTreeMap<String, Vec<String>>;

impl Gate {
    /// In the order in which they run.
    pub const ALL: [Self; 6] = [
        Self::Lint,
        Self::Expand,
        Self::LintExpanded,
        Self::Guard,
        Self::Parliament,
        Self::Agreement,
    ];

    /// The name used in mutants.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Expand => "expand",
            Self::LintExpanded => "lint-expanded",
            Self::Guard => "guard",
            Self::Parliament => "parliament",
            Self::Agreement => "agreement",
        }
    }
}

/// The folders of the tools and of the templates.
pub struct Workshop {
    /// Programs of `infra/requirements.txt`.
    pub programs: PathBuf,
    /// The program `cfn-guard`.
    pub guard: PathBuf,
    /// Templates as written: `STEM.yaml`.
    pub templates: PathBuf,
    /// Expanded templates: `STEM.json`.
    pub expanded: PathBuf,
    /// Policies of roles: a folder for each template.
    pub policies: PathBuf,
}

impl Workshop {
    /// Runs one gate on some templates.
    pub fn run(
        &self,
        gate: Gate,
        stems: &[&str],
        requirements: &Requirements,
    ) -> anyhow::Result<Complaints> {
        if stems.is_empty() {
            return Ok(Complaints::new());
        }
        match gate {
            Gate::Lint => self.lint(
                &files(&self.templates, stems, "yaml"),
                // Its rule for logs does not know `LoggingConfig`; our rule `logs_are_forgotten_in_time` does.
                &[
                    "--append-rules",
                    "cfn_lint_serverless.rules",
                    "--ignore-checks",
                    "WS1004",
                ],
            ),
            Gate::Expand => self.expand(stems, &[]),
            Gate::LintExpanded => self.lint(
                &files(&self.expanded, stems, "json"),
                // Parameters that SAM has consumed are unused afterwards. The gate before finds unused ones.
                &["--ignore-checks", "W2001"],
            ),
            Gate::Guard => self.guard(stems),
            Gate::Parliament => self.parliament(stems),
            Gate::Agreement => stems
                .iter()
                .map(|stem| {
                    let file = self.expanded.join(format!("{stem}.json"));
                    let complaints = agreement::complaints(&file, requirements)?;
                    Ok(((*stem).to_owned(), complaints))
                })
                .collect(),
        }
    }

    /// The tests of our own rules for cfn-guard.
    pub fn test_rules(&self) -> anyhow::Result<()> {
        let output = Command::new(&self.guard)
            .args(["test", "--dir"])
            .arg(root().join("infra/rules"))
            .output()?;
        let report = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success() && output.stderr.is_empty(),
            "{report}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        for rules in rule_names()? {
            for verdict in ["PASS", "FAIL"] {
                ensure!(
                    report.contains(&format!("{rules}: Expected = {verdict}")),
                    "no test of rule `{rules}` expects {verdict}"
                );
            }
        }
        Ok(())
    }

    /// Expands templates with some of SAM's parameters set.
    pub fn expand(&self, stems: &[&str], settings: &[(&str, &str)]) -> anyhow::Result<Complaints> {
        let output = Command::new(self.programs.join("python"))
            .arg(root().join("infra/checks/expand.py"))
            .arg("packages")
            .arg(&self.expanded)
            .args(
                settings
                    .iter()
                    .map(|(name, value)| format!("{name}={value}")),
            )
            .arg("--")
            .args(files(&self.templates, stems, "yaml"))
            .output()?;
        ensure!(
            output.status.success(),
            "expansion failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut complaints = Complaints::new();
        for line in String::from_utf8(output.stdout)?.lines() {
            let (stem, message) = line.split_once(": ").unwrap_or(("", line));
            complaints
                .entry(stem.to_owned())
                .or_default()
                .push(message.to_owned());
        }
        Ok(complaints)
    }

    fn lint(&self, files: &[PathBuf], options: &[&str]) -> anyhow::Result<Complaints> {
        let output = Command::new(self.programs.join("cfn-lint"))
            .args(options)
            .args(["--format", "json", "--template"])
            .args(files)
            .current_dir(&self.templates) // ignore any other configuration
            .output()?;
        let findings: Value = serde_json::from_slice(&output.stdout).with_context(|| {
            format!(
                "cfn-lint failed: {}",
                String::from_utf8_lossy(&output.stderr)
            )
        })?;
        let mut complaints = Complaints::new();
        for finding in elements(&findings) {
            let line = format!(
                "{} line {}: {}",
                plain(&finding["Rule"]["Id"]),
                finding["Location"]["Start"]["LineNumber"],
                plain(&finding["Message"])
            );
            complaints
                .entry(stem(text(&finding["Filename"])))
                .or_default()
                .push(line);
        }
        Ok(complaints)
    }

    fn guard(&self, stems: &[&str]) -> anyhow::Result<Complaints> {
        let output = Command::new(&self.guard)
            .args([
                "validate",
                "--structured",
                "--output-format",
                "json",
                "--show-summary",
                "none",
                "--rules",
            ])
            .arg(root().join("infra/rules"))
            .arg("--data")
            .args(files(&self.expanded, stems, "json"))
            .output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        // A rule file that cannot be read is reported there, and otherwise ignored.
        ensure!(errors.is_empty(), "cfn-guard failed: {errors}");
        let reports: Value =
            serde_json::from_slice(&output.stdout).context("cfn-guard printed no JSON")?;
        let mut complaints = Complaints::new();
        for report in elements(&reports) {
            let broken =
                elements(&report["not_compliant"]).map(|rule| plain(&rule["Rule"]["name"]));
            let mut found: Vec<_> = broken.collect();
            // A rule without anything to check has checked nothing.
            let idle = elements(&report["not_applicable"]);
            found.extend(idle.map(|rule| format!("{} applies to nothing", plain(rule))));
            complaints.insert(stem(text(&report["name"])), found);
        }
        ensure!(
            complaints.len() == stems.len(),
            "cfn-guard looked at {} of {} templates",
            complaints.len(),
            stems.len()
        );
        Ok(complaints)
    }

    fn parliament(&self, stems: &[&str]) -> anyhow::Result<Complaints> {
        let mut complaints = Complaints::new();
        for stem in stems {
            let folder = self.policies.join(stem);
            let count = write_policies(&self.expanded.join(format!("{stem}.json")), &folder)?;
            ensure!(count > 0, "`{stem}` has no policies");
            let output = Command::new(self.programs.join("parliament"))
                .arg("--json")
                .arg("--directory")
                .arg(&folder)
                .output()?;
            let (found, errors) = (
                String::from_utf8(output.stdout)?,
                String::from_utf8_lossy(&output.stderr),
            );
            ensure!(
                output.status.code().is_some_and(|code| code < 2) && !errors.contains("Traceback"),
                "parliament failed: {errors}"
            );
            let findings = found
                .lines()
                .filter(|line| !line.trim().is_empty())
                .map(|line| {
                    let finding: Value = serde_json::from_str(line).unwrap_or_default();
                    format!(
                        "{} {} {}",
                        plain(&finding["severity"]),
                        plain(&finding["title"]),
                        finding["detail"]
                    )
                });
            complaints.insert((*stem).to_owned(), findings.collect());
        }
        Ok(complaints)
    }
}

/// Writes each inline policy of a template to its own file.
fn write_policies(template: &Path, folder: &Path) -> anyhow::Result<usize> {
    fs::create_dir_all(folder)?;
    let mut count = 0;
    for (role, properties) in Template::load(template, &[])?.resources("AWS::IAM::Role") {
        for policy in elements(&properties["Policies"]) {
            let file = folder.join(format!("{role}-{}.json", plain(&policy["PolicyName"])));
            fs::write(file, policy["PolicyDocument"].to_string())?;
            count += 1;
        }
    }
    Ok(count)
}

/// Names of all rules in `infra/rules`.
pub fn rule_names() -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("infra/rules"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "guard")
        {
            let rules = fs::read_to_string(&path)?;
            let headings = rules.lines().filter_map(|line| line.strip_prefix("rule "));
            names.extend(
                headings.filter_map(|heading| Some(heading.split_whitespace().next()?.to_owned())),
            );
        }
    }
    if names.is_empty() {
        bail!("there are no rules");
    }
    Ok(names)
}

fn files(folder: &Path, stems: &[&str], extension: &str) -> Vec<PathBuf> {
    stems
        .iter()
        .map(|stem| folder.join(format!("{stem}.{extension}")))
        .collect()
}

fn stem(path: &str) -> String {
    Path::new(path)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
