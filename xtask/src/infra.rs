//! `cargo xtask infra`: checks that `infra/template.yaml` is valid, safe and matches the code. Makes no calls to AWS.
//!
//! The template goes through every gate, and so do mutants of it, each of which must be stopped by the gate that it names, so that an
//! ineffective gate is noticed.

mod agreement;
mod gates;
mod mutants;
mod requirements;
mod template;
mod variants;

use crate::{
    python,
    run::{root, step, target_folder},
    tools,
};
use anyhow::{Context, bail, ensure};
use gates::{Gate, Workshop};
use requirements::Requirements;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The template's file stem, beside those of the mutants.
const TEMPLATE: &str = "template";
/// The same for the other CPU, made as infra/README.md describes.
const OTHER_CPU: &str = "template-x86_64";

/// Runs all gates on the template, and each mutant through its gate.
pub fn check() -> anyhow::Result<()> {
    let workshop = workshop(&target_folder()?.join("infra"))?;
    let text = fs::read_to_string(root().join("infra/template.yaml"))?;
    fs::write(workshop.templates.join(format!("{TEMPLATE}.yaml")), &text)?;
    fs::write(
        workshop.templates.join(format!("{OTHER_CPU}.yaml")),
        text.replace("arm64", "x86_64"),
    )?;
    let requirements = Requirements::of_code()?;
    step("rules of cfn-guard", || workshop.test_rules())?;
    step("template", || pass(&workshop, &requirements))?;
    let mutants = mutants::load(&root().join("infra/mutants"), &text)?;
    step("mutants", || stop(&workshop, &requirements, &mutants))?;
    step("variants", || pass_variants(&workshop, &requirements))
}

/// Expands a template for one architecture, with some parameters as SAM should see them. Returns the file.
pub fn expand(
    template: &Path,
    folder: &Path,
    arch: &str,
    settings: &[(&str, &str)],
) -> anyhow::Result<PathBuf> {
    let workshop = workshop(folder)?;
    let text = fs::read_to_string(template)
        .with_context(|| format!("failed to read `{}`", template.display()))?;
    let file = workshop.templates.join(format!("{TEMPLATE}.yaml"));
    fs::write(file, text.replace("arm64", arch))?;
    let complaints = workshop.expand(&[TEMPLATE], settings)?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(workshop.expanded.join(format!("{TEMPLATE}.json")))
}

/// The tools, and empty folders to work in.
fn workshop(folder: &Path) -> anyhow::Result<Workshop> {
    let workshop = Workshop {
        programs: python::environment("infra-python", "infra/requirements.txt")?,
        guard: tools::cfn_guard()?,
        templates: folder.join("templates"),
        expanded: folder.join("expanded"),
        policies: folder.join("policies"),
    };
    for folder in [&workshop.templates, &workshop.expanded, &workshop.policies] {
        if folder.is_dir() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
    }
    Ok(workshop)
}

/// Checks that both forms of the template pass every gate.
fn pass(workshop: &Workshop, requirements: &Requirements) -> anyhow::Result<()> {
    for gate in Gate::ALL {
        let found: Vec<_> = workshop
            .run(gate, &[TEMPLATE, OTHER_CPU], requirements)?
            .into_iter()
            .flat_map(|(stem, lines)| {
                lines
                    .into_iter()
                    .map(move |line| format!("{}: {stem}: {line}", gate.name()))
            })
            .collect();
        ensure!(found.is_empty(), "{}", found.join("\n"));
    }
    Ok(())
}

/// Checks that the templates of other deployments pass the gates that apply to them.
fn pass_variants(workshop: &Workshop, requirements: &Requirements) -> anyhow::Result<()> {
    let variants = variants::all()?;
    for variant in &variants {
        let file = workshop.templates.join(format!("{}.yaml", variant.name));
        fs::write(file, variant.template()?)?;
    }
    let stems: Vec<_> = variants
        .iter()
        .map(|variant| variant.name.as_str())
        .collect();
    let mut unexpected = Vec::new();
    for gate in Gate::ALL
        .into_iter()
        .filter(|gate| *gate != Gate::Agreement)
    {
        let found = workshop.run(gate, &stems, requirements)?;
        for variant in &variants {
            let findings = found.get(&variant.name).into_iter().flatten();
            let findings = findings.filter(|finding| !variant.expects(gate, finding));
            unexpected.extend(
                findings.map(|finding| format!("{}: {}: {finding}", gate.name(), variant.name)),
            );
        }
    }
    for variant in &variants {
        let file = workshop.expanded.join(format!("{}.json", variant.name));
        let applies = |check: &str| variant.agrees_on(check);
        let findings = agreement::complaints_of(&file, requirements, applies)?;
        unexpected.extend(
            findings
                .iter()
                .map(|finding| format!("agreement: {}: {finding}", variant.name)),
        );
    }
    ensure!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    Ok(())
}

/// Checks that each mutant is stopped by its gate. The mutants of one gate go through it together.
fn stop(
    workshop: &Workshop,
    requirements: &Requirements,
    mutants: &[mutants::Mutant],
) -> anyhow::Result<()> {
    for mutant in mutants {
        fs::write(
            workshop.templates.join(format!("{}.yaml", mutant.name)),
            &mutant.template,
        )?;
    }
    let all: Vec<_> = mutants.iter().map(|mutant| mutant.name.as_str()).collect();
    let broken = workshop.run(Gate::Expand, &all, requirements)?;
    let mut missed = Vec::new();
    for gate in Gate::ALL {
        let stems: Vec<_> = mutants
            .iter()
            .filter(|mutant| mutant.found_by == gate)
            .map(|mutant| mutant.name.as_str())
            .collect();
        ensure!(
            !stems.is_empty(),
            "no mutant shows that gate `{}` finds anything",
            gate.name()
        );
        let needs_expansion = !matches!(gate, Gate::Lint | Gate::Expand);
        if let Some(stem) = stems
            .iter()
            .find(|stem| needs_expansion && broken.contains_key(**stem))
        {
            bail!(
                "mutant `{stem}` is stopped by `expand` before it reaches `{}`: {:?}",
                gate.name(),
                broken[*stem]
            );
        }
        let found = workshop.run(gate, &stems, requirements)?;
        for mutant in mutants.iter().filter(|mutant| mutant.found_by == gate) {
            match found.get(&mutant.name).and_then(|lines| lines.first()) {
                Some(line) => eprintln!("{:<32} {:<14} {line}", mutant.name, gate.name()),
                None => missed.push(format!(
                    "`{}` passes `{}`: {}",
                    mutant.name,
                    gate.name(),
                    mutant.mistake
                )),
            }
        }
    }
    ensure!(missed.is_empty(), "{}", missed.join("\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts between two marks, each on one line.
    fn quoted(text: &str, mark: char) -> Vec<&str> {
        let lines = text.lines();
        lines
            .flat_map(|line| line.split(mark).skip(1).step_by(2))
            .collect()
    }

    #[test]
    fn every_check_that_covers_a_requirement_exists() {
        let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
        let operations = read("docs/operations.md");
        let (_, requirements) = operations
            .split_once("## Requirements and the checks")
            .unwrap();
        let (steps, rules) = (read("tests/e2e/run.py"), gates::rule_names().unwrap());
        for step in quoted(requirements, '"') {
            assert!(
                steps.contains(&format!("\"{step}\"")),
                "there is no step `{step}`"
            );
        }
        let names = quoted(requirements, '`').into_iter();
        let names: Vec<_> = names
            .filter(|name| !name.contains(' ') && !name.contains('/'))
            .collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            let is_check = agreement::CHECKS.iter().any(|(check, _)| *check == name);
            assert!(
                is_check || rules.iter().any(|rule| rule == name),
                "there is no check `{name}`"
            );
        }
    }
}
