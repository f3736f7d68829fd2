//! Mistakes in the template that a gate must find: `infra/mutants/NAME.diff`.
//!
//! The first line says what is wrong, the second `found by: GATE`. Then come changes: lines with `-`, which must occur together in the
//! template exactly once, and lines with `+` that replace them.

use super::gates::Gate;
use anyhow::{Context, bail, ensure};
use std::{fs, path::Path};

/// One planted mistake.
pub struct Mutant {
    pub name: String,
    pub mistake: String,
    pub found_by: Gate,
    /// The whole template with the mistake.
    pub template: String,
}

/// All mutants of a folder, sorted.
pub fn load(folder: &Path, template: &str) -> anyhow::Result<Vec<Mutant>> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    files.sort();
    files
        .iter()
        .map(|file| {
            let name = file
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(file)?;
            mutant(name, &text, template)
                .with_context(|| format!("`{}` is no mutant", file.display()))
        })
        .collect()
}

fn mutant(name: String, text: &str, template: &str) -> anyhow::Result<Mutant> {
    let mut lines = text.lines();
    let mistake = lines.next().context("it is empty")?.to_owned();
    let gate = lines
        .next()
        .and_then(|line| line.strip_prefix("found by: "));
    let gate = gate.context("its second line is not `found by: GATE`")?;
    let found_by = Gate::ALL.into_iter().find(|known| known.name() == gate);
    let found_by = found_by.with_context(|| format!("there is no gate `{gate}`"))?;
    let mut changed = template.to_owned();
    let (mut old, mut new) = (String::new(), String::new());
    for line in lines.chain(["end"]) {
        if let Some(line) = line.strip_prefix('+') {
            new += &format!("{line}\n");
            continue;
        }
        if !new.is_empty() || (!old.is_empty() && !line.starts_with('-')) {
            changed = replaced(&changed, &old, &new)?;
            (old, new) = (String::new(), String::new());
        }
        match line.strip_prefix('-') {
            Some(line) => old += &format!("{line}\n"),
            None => ensure!(
                line.is_empty() || line == "end",
                "`{line}` begins with neither `-` nor `+`"
            ),
        }
    }
    ensure!(changed != template, "it changes nothing");
    Ok(Mutant {
        name,
        mistake,
        found_by,
        template: changed,
    })
}

fn replaced(template: &str, old: &str, new: &str) -> anyhow::Result<String> {
    ensure!(
        !old.is_empty(),
        "lines with `+` need lines with `-` before them"
    );
    // At the beginning of a line.
    let (padded, old, new) = (
        format!("\n{template}"),
        format!("\n{old}"),
        format!("\n{new}"),
    );
    match padded.matches(&old).count() {
        1 => Ok(padded.replacen(&old, &new, 1)[1..].to_owned()),
        count => bail!("the template has these lines {count} times:{old}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(diff: &str) -> anyhow::Result<String> {
        let text = format!("wrong\nfound by: lint\n\n{diff}");
        Ok(mutant(String::new(), &text, "a: 1\nb: 2\nc: 3\nb: 4\n")?.template)
    }

    #[test]
    fn lines_that_stand_once_are_replaced() {
        assert_eq!(
            applied("-a: 1\n+a: 9\n+x: 0\n\n-c: 3\n").unwrap(),
            "a: 9\nx: 0\nb: 2\nb: 4\n"
        );
    }

    #[test]
    fn changes_that_do_not_apply_are_refused() {
        for diff in ["", "-a: 2\n+a: 3", "+a: 3", "-a: 1\n+a: 1", " a: 1"] {
            assert!(applied(diff).is_err(), "{diff}");
        }
    }
}
