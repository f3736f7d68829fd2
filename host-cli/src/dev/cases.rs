//! `d` and `t`: one request of the session, in full or as a case.

use super::{
    changes::{self, Compared},
    screen::Screen,
};
use crate::{
    exit::CommandError,
    replay::{
        input::Place,
        new_case,
        report::{EntryVerdict, Report as _, ReportEntry, text::Text},
    },
    serve::session::{KeptExchange, Session},
};
use rollout::ReplaceableGuest;
use std::path::Path;
use tape::Exchange;

/// Answers the developer's questions about requests.
pub struct Requests<'a> {
    pub session: &'a Session,
    pub guests: &'a ReplaceableGuest,
    pub screen: &'a Screen,
    /// The folder of the project's cases.
    pub cases: &'a Path,
}

impl Requests<'_> {
    /// Shows everything that the guest that serves would answer or write differently.
    pub async fn show(&self, number: u64) -> Result<(), CommandError> {
        let kept = self.find(number)?;
        let deployment = self.guests.serving().ok_or_else(|| {
            CommandError::environment("no guest serves yet").hint("mend the build first")
        })?;
        let replayer = changes::replayer(deployment.runtime(), deployment.storage().clone());
        let compared = changes::compare(&kept, &replayer).await;
        let compared = compared.ok_or_else(|| unreadable(number))?;
        if compared.comparison.verdict == replay::Verdict::Same {
            self.screen
                .say(&format!("request {number} would be answered as it was"));
            return Ok(());
        }
        let mut shown = Vec::new();
        let mut report = Text::new(self.screen.is_coloured(), |text: &[u8]| {
            shown.extend_from_slice(text);
            Ok(())
        });
        report.entry(&entry(compared, &kept))?;
        self.screen.show(&shown);
        Ok(())
    }

    /// Makes a case of a request as it was answered.
    pub async fn make_case(&self, number: u64, name: Option<&str>) -> Result<(), CommandError> {
        let kept = self.find(number)?;
        let exchange = Exchange::read(&kept.line).map_err(|_| unreadable(number))?;
        let made = new_case::make(&exchange, self.cases, name).await?;
        self.screen.say(&made.describe());
        Ok(())
    }

    fn find(&self, number: u64) -> Result<KeptExchange, CommandError> {
        self.session.find(number).ok_or_else(|| {
            CommandError::usage(format_args!("request {number} is not kept"))
                .hint("the last 100 requests are kept; each line begins with its time and number")
        })
    }
}

fn unreadable(number: u64) -> CommandError {
    CommandError::environment(format_args!(
        "the recording of request {number} cannot be read"
    ))
    .hint("send the request again")
}

/// The difference as reports show it.
fn entry(compared: Compared, kept: &KeptExchange) -> ReportEntry {
    let id = tape::id_of(&kept.line).unwrap_or_default().into_owned();
    let place = Place {
        path: Path::new("request").into(),
        line: Some(compared.number),
    };
    ReportEntry {
        request: compared.request,
        status_expected: compared.status_before,
        status_actual: compared.comparison.status,
        ..ReportEntry::unread(
            place,
            EntryVerdict::Tape {
                id,
                comparison: Box::new(compared.comparison),
                trace: String::new(),
            },
        )
    }
}
