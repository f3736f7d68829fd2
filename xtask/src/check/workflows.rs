//! Checks the workflows of CI: their actions are pinned, and no job that builds can sign or publish.

use crate::run::root;
use anyhow::{Context, bail};
use std::fs;

/// Where the workflows are.
const FOLDER: &str = ".github/workflows";

/// What a job has that can sign or publish.
const POWERS: [&str; 4] = [
    "secrets.",
    "contents: write",
    "id-token: write",
    "environment:",
];

/// Programs that run code of dependencies, which could take what the job has.
const BUILDERS: [&str; 5] = ["cargo ", "npm ", "pip ", "python", ".ci/run"];

/// Fails on an action without a commit, and on a job that both builds and can sign or publish.
pub fn check() -> anyhow::Result<()> {
    let mut complaints = Vec::new();
    let folder = root().join(FOLDER);
    for entry in fs::read_dir(&folder).with_context(|| format!("no `{FOLDER}`"))? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        complaints.extend(complaints_about(&format!("{FOLDER}/{name}"), &text));
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

fn complaints_about(file: &str, text: &str) -> Vec<String> {
    let unpinned = text.lines().filter_map(|line| {
        let action = line
            .trim()
            .trim_start_matches("- ")
            .strip_prefix("uses: ")?;
        (!is_pinned(action)).then(|| {
            format!("{file}: `{action}` can change: name its commit, and its version in a comment")
        })
    });
    let powerful = jobs(text).into_iter().filter_map(|(name, job)| {
        let power = POWERS.iter().find(|power| job.contains(**power))?;
        let builder = BUILDERS.iter().find(|builder| job.contains(**builder))?;
        Some(format!(
            "{file}: job `{name}` has `{power}` and runs `{}`: sign and publish in a job that builds nothing",
            builder.trim()
        ))
    });
    unpinned.chain(powerful).collect()
}

/// Whether an action is that of one commit, whose version a comment tells: a tag can be moved to another commit.
fn is_pinned(action: &str) -> bool {
    let Some((action, comment)) = action.split_once(" # ") else {
        return false;
    };
    let commit = action.rsplit_once('@').map_or("", |(_, commit)| commit);
    comment.starts_with('v')
        && commit.len() == 40
        && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The jobs of a workflow, each with its lines except comments.
fn jobs(text: &str) -> Vec<(&str, String)> {
    let mut jobs: Vec<(&str, String)> = Vec::new();
    let lines = text.lines().skip_while(|line| *line != "jobs:").skip(1);
    for line in lines {
        let is_comment = line.trim_start().starts_with('#');
        let indent = line.len() - line.trim_start().len();
        match jobs.last_mut() {
            _ if is_comment => {}
            _ if indent == 2 => jobs.push((line.trim().trim_end_matches(':'), String::new())),
            Some((_, job)) => {
                job.push_str(line);
                job.push('\n');
            }
            None => {}
        }
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workflows_of_this_repository_are_safe() {
        check().unwrap();
    }

    #[test]
    fn an_action_without_a_commit_is_named() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for (action, is_right) in [
            (format!("actions/checkout@{commit} # v4.4.0"), true),
            (format!("actions/checkout@{commit}"), false),
            ("actions/checkout@v4".to_owned(), false),
            ("actions/checkout@v4 # v4.4.0".to_owned(), false),
        ] {
            let text = format!("jobs:\n  a:\n    steps:\n      - uses: {action}\n");
            assert_eq!(
                complaints_about("ci.yml", &text).is_empty(),
                is_right,
                "{action}"
            );
        }
    }

    #[test]
    fn a_job_that_builds_can_neither_sign_nor_publish() {
        let build = "      - run: cargo xtask dist\n";
        let key =
            "      - env:\n          KEY: ${{ secrets.KEY }}\n        run: ssh-keygen -Y sign\n";
        let one = format!("on: push\njobs:\n  dist:\n    steps:\n{build}{key}");
        assert_eq!(complaints_about("release.yml", &one).len(), 1);
        let two = format!(
            "jobs:\n  # cargo xtask\n  dist:\n    steps:\n{build}  sign:\n    # cargo xtask\n    steps:\n{key}"
        );
        assert!(complaints_about("release.yml", &two).is_empty());
    }
}
