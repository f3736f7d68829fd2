//! Rebuilds the guest and lets it serve. Whatever goes wrong is one message, and the guest before goes on.

use super::{
    chain::{Chain, Decision},
    changes,
    screen::Screen,
    watch::{self, Asked, Change, Inbox, QUIET_DURATION, Watch, Watched},
};
use crate::{
    args::guest::GuestOptions,
    build::{BuildError, Built, GuestBuild},
    exit::CommandError,
    guest::{self, HostedGuest},
    project::Project,
    serve::{lines::DIGEST_DIGITS, session::Session},
};
use contract::digest::Digest;
use rollout::ReplaceableGuest;
use service::Deployment;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, task::JoinSet};

/// The parts of the program that a rebuild touches.
pub struct Rebuilder {
    /// The project, as its file was read last.
    pub project: Option<Project>,
    /// The guest as the command line names it.
    pub options: GuestOptions,
    /// The guest of both.
    pub hosted: HostedGuest,
    /// What serves.
    pub guests: ReplaceableGuest,
    /// The requests so far.
    pub session: Arc<Session>,
    /// Where it is told.
    pub screen: Screen,
    /// The folder of the project's cases, for the thread that makes them.
    pub cases: Arc<Mutex<PathBuf>>,
    /// Runs the session's requests again.
    pub runtime: Handle,
    /// Changes and wishes.
    pub inbox: Inbox,
    /// The files of the store, which change with each request.
    pub store_files: Vec<PathBuf>,
    /// Set when the program ends.
    pub stop: Arc<AtomicBool>,
    /// The comparison that runs. It ends when the next build begins, or the program; a build that brings no other guest begins
    /// it again.
    pub comparison: JoinSet<()>,
}

impl Rebuilder {
    /// Watches and rebuilds until it is stopped.
    pub fn run(mut self, mut watch: Watch) {
        let mut chain = Chain::default();
        loop {
            let asked = watch::next(&mut watch, &self.inbox);
            if let Some(failure) = watch.take_failure() {
                self.screen.fail(&failure);
            }
            match asked {
                Asked::End => {
                    self.end_comparison();
                    return;
                }
                Asked::Build => {
                    if self.resolve_again() {
                        self.rebuild();
                    }
                }
                Asked::Change(change) => {
                    if !change.is_build_wanted && !self.is_reason(&mut chain, &change) {
                        continue;
                    }
                    let is_usable = match (change.project_file, change.is_build_wanted) {
                        (true, _) => self.reread(),
                        (false, true) => self.resolve_again(),
                        (false, false) => true,
                    };
                    if !is_usable {
                        continue;
                    }
                    if change.changes_rules() {
                        match Watch::new(&self.watched(), self.inbox.clone()) {
                            Ok(other) => {
                                watch = other;
                                self.say_what_is_not_watched(&watch);
                            }
                            Err(failure) => self.screen.fail(&failure),
                        }
                    }
                    self.rebuild();
                }
            }
        }
    }

    /// Names links that are not followed, and what does not exist.
    pub fn say_what_is_not_watched(&self, watch: &Watch) {
        // With `--guest`, the guest may be built later.
        let missing = watch.missing().iter().filter(|_| self.build().is_some());
        for path in missing {
            self.screen.say(&format!(
                "`{}` does not exist: changes count once it does; correct `watch` in section `[guest]` of tenon.toml if it is a mistake",
                path.display()
            ));
        }
        for link in watch.links_out() {
            self.screen.say(&format!(
                "not watched: `{}` leads out of the project's folder by a link; name what it leads to in `watch` if it is meant",
                link.display()
            ));
        }
    }

    /// Whether to build because of a change. Builds that start one another come to an end, and the developer is told why.
    fn is_reason(&self, chain: &mut Chain, change: &Change) -> bool {
        // A link is there whatever it leads to.
        let is_gone = |path: &Path| path.symlink_metadata().is_err();
        let what = match chain.decide(change, is_gone) {
            Decision::Build => return true,
            Decision::Nothing => return false,
            Decision::End(file) => format!("`{}` changes while a build runs", file.display()),
            Decision::EndOfGone(file) => format!(
                "`{}` and others with names of their own come and go while a build runs",
                file.display()
            ),
            Decision::EndOfUnnamed => {
                "more files change while a build runs than can be told apart".to_owned()
            }
        };
        self.screen.say(&format!(
            "builds have started one another: {what}, which is no reason for another one from now on; \
             `r` and Enter builds if the change was yours; let `watch` in section `[guest]` of tenon.toml name the sources only"
        ));
        false
    }

    /// What a change of is a reason to build again.
    pub fn watched(&self) -> Watched {
        let component = self.hosted.source.path().map(Path::to_owned);
        let mut sources: Vec<PathBuf> = Vec::new();
        let mut outputs: Vec<PathBuf> = Vec::new();
        match (self.build(), &self.project) {
            (Some(_), Some(project)) => {
                sources.extend(project.sources());
                outputs.extend(component);
            }
            // Something else builds it, maybe where a link leads to.
            _ => sources.extend(component.map(|path| fs::canonicalize(&path).unwrap_or(path))),
        }
        outputs.extend(self.project.as_ref().map(Project::cases));
        outputs.extend(self.store_files.iter().cloned());
        Watched {
            sources,
            project_file: self.project.as_ref().map(Project::path_of_file),
            outputs,
        }
    }

    /// The project's build, unless the command line names another guest.
    fn build(&self) -> Option<GuestBuild> {
        let project = self.project.as_ref()?;
        GuestBuild::of(project, self.options.guest.as_deref())
    }

    /// Reads the project file again; whether it can be used.
    fn reread(&mut self) -> bool {
        let Some(before) = &self.project else {
            return false;
        };
        let read = before.reread().and_then(|project| {
            let hosted = HostedGuest::resolve(&self.options, Some(&project))?;
            Ok((project, hosted))
        });
        match read {
            Ok((project, hosted)) => {
                if is_served_otherwise(before, &project) {
                    self.screen.say(
                        "address, store and event kind of `[serve]` change when `host-cli dev` is started again",
                    );
                }
                let mut cases = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
                *cases = project.cases();
                drop(cases);
                let known = self.hosted.warnings();
                for warning in hosted.warnings() {
                    if !known.contains(&warning) {
                        self.screen.say(&warning);
                    }
                }
                (self.project, self.hosted) = (Some(project), hosted);
                true
            }
            Err(failure) => {
                self.fail(&failure);
                false
            }
        }
    }

    /// Reads the files again that the command line names, such as those of the environment; whether they can be used.
    fn resolve_again(&mut self) -> bool {
        match HostedGuest::resolve(&self.options, self.project.as_ref()) {
            Ok(hosted) => {
                self.hosted = hosted;
                true
            }
            Err(failure) => {
                self.fail(&failure);
                false
            }
        }
    }

    /// Builds, and lets the new guest serve.
    pub fn rebuild(&mut self) {
        let is_cut_off = self.end_comparison();
        let is_replaced = self.try_rebuild();
        if !self.stop.load(Ordering::Relaxed) {
            if let Err(failure) = &is_replaced {
                self.fail(failure);
            }
            // What the guest that goes on serving changes was not told yet.
            if is_cut_off
                && !is_replaced.is_ok_and(|is_replaced| is_replaced)
                && let Some(serving) = self.guests.serving()
            {
                self.show_changes(&serving);
            }
        }
        // The system reports the last files that a build wrote a little later.
        thread::sleep(QUIET_DURATION);
        self.inbox.build_is_over();
    }

    /// From here on, nothing of it is printed. Returns whether it was cut off, so that nothing was printed before either.
    fn end_comparison(&mut self) -> bool {
        self.comparison.abort_all();
        let mut is_cut_off = false;
        while let Some(ended) = self.runtime.block_on(self.comparison.join_next()) {
            is_cut_off |= ended.is_err_and(|error| error.is_cancelled());
        }
        is_cut_off
    }

    /// Returns whether another guest serves now.
    fn try_rebuild(&mut self) -> Result<bool, CommandError> {
        let built = match self.build() {
            Some(build) => Some(self.run_build(&build)?),
            None => None,
        };
        let started = Instant::now();
        let before = self.guests.serving();
        let deployment = self.prepare()?;
        let digest = shown(deployment.runtime().digest());
        let is_same = before
            .as_ref()
            .is_some_and(|before| is_same(before, &deployment));
        let built = built.map(|built| format!(", built in {}", seconds(built.duration)));
        let built = built.unwrap_or_default();
        if is_same {
            self.screen
                .say(&format!("guest {digest} is unchanged{built}"));
            return Ok(false);
        }
        self.guests.replace(deployment.clone());
        let ready = seconds(started.elapsed());
        self.screen
            .say(&format!("guest {digest} serves{built}, loaded in {ready}"));
        self.show_changes(&deployment);
        Ok(true)
    }

    fn run_build(&self, build: &GuestBuild) -> Result<Built, CommandError> {
        self.screen.say(&format!("building: {}", build.command()));
        self.screen.flush();
        self.inbox.build_begins();
        let built = build.run(&self.stop);
        self.inbox.build_has_ended();
        built.map_err(BuildError::into_failure)
    }

    /// The guest, loaded and linked for the engine that serves.
    fn prepare(&self) -> Result<Arc<Deployment>, CommandError> {
        let (name, guest) = self.hosted.source.load(self.guests.engine())?;
        let prepared = self.guests.prepare(&guest, self.hosted.options());
        prepared.map_err(|error| guest::cannot_load(&name, &error))
    }

    /// Lets the new guest answer the requests of the session again, while this thread waits for the next change.
    fn show_changes(&mut self, deployment: &Deployment) {
        let exchanges = self.session.exchanges();
        if exchanges.is_empty() {
            return;
        }
        let replayer = changes::replayer(deployment);
        let screen = self.screen.clone();
        let compare = async move {
            let started = Instant::now();
            let text = changes::summary(&changes::compare_all(exchanges, replayer).await);
            let duration = seconds(started.elapsed());
            screen.say(&format!("{text}\n  compared in {duration}"));
        };
        self.comparison.spawn_on(compare, &self.runtime);
    }

    fn fail(&self, failure: &CommandError) {
        self.screen.fail(failure);
        let goes_on = match self.guests.serving() {
            Some(serving) => format!(
                "guest {} goes on serving",
                shown(serving.runtime().digest())
            ),
            None => "no guest serves yet: requests are answered with 503".to_owned(),
        };
        self.screen.say(&goes_on);
    }
}

/// Whether the server itself would have to start again for the new file.
fn is_served_otherwise(before: &Project, after: &Project) -> bool {
    let (old, new) = (&before.file.serve, &after.file.serve);
    let kinds = (old.event.map(|kind| kind.0), new.event.map(|kind| kind.0));
    old.listen != new.listen || before.store() != after.store() || kinds.0 != kinds.1
}

fn is_same(before: &Deployment, after: &Deployment) -> bool {
    let (old, new) = (before.runtime().options(), after.runtime().options());
    before.runtime().digest() == after.runtime().digest()
        && old.environment == new.environment
        && old.limits == new.limits
        && old.log_level == new.log_level
        && old.outgoing == new.outgoing
        && old.secrets == new.secrets
}

fn shown(digest: Digest) -> String {
    let mut digits = digest.to_string();
    digits.truncate(DIGEST_DIGITS);
    digits
}

/// Three digits are enough for a person.
fn seconds(duration: Duration) -> String {
    match duration.as_millis() {
        milliseconds @ 0..1000 => format!("{milliseconds} ms"),
        _ => format!("{:.2} s", duration.as_secs_f64()),
    }
}
