//! `d`, `t` and `p`: one request of the session in full or as a case, and all of them as a page.

use super::{
    changes::{self, COMPARISON_DURATION_MAX, Compared},
    keys::NewCase,
    screen::Screen,
};
use crate::{
    exit::CommandError,
    replay::{
        input::Place,
        new_case,
        report::{
            EntryVerdict, Report as _, ReportEntry, Totals,
            html::{Detail, Html},
            text::Text,
        },
    },
    serve::session::{KeptExchange, Session},
    store,
};
use replay::Replayer;
use rollout::ReplaceableGuest;
use std::path::Path;
use tape::Exchange;
use tokio::time::timeout;

/// Answers the developer's questions about requests.
pub struct Requests<'a> {
    pub session: &'a Session,
    pub guests: &'a ReplaceableGuest,
    pub screen: &'a Screen,
    /// The folder of the project's cases.
    pub cases: &'a Path,
    /// The file of the page.
    pub page: &'a Path,
}

impl Requests<'_> {
    /// Shows everything that the guest that serves would answer or write differently.
    pub async fn show(&self, number: u64) -> Result<(), CommandError> {
        let kept = self.find(number)?;
        let replayer = self.replayer()?;
        // The guest may loop, and what is typed next waits for the end of this.
        let compared = timeout(COMPARISON_DURATION_MAX, changes::compare(&kept, &replayer)).await;
        let Ok(compared) = compared else {
            self.screen.say(&format!(
                "request {number} was not compared: no answer after {} s",
                COMPARISON_DURATION_MAX.as_secs()
            ));
            return Ok(());
        };
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
    pub async fn make_case(&self, wanted: &NewCase) -> Result<(), CommandError> {
        let kept = self.find(wanted.number)?;
        let exchange = Exchange::read(&kept.line).map_err(|_| unreadable(wanted.number))?;
        let wanted = new_case::Wanted {
            cases: self.cases,
            name: wanted.name.as_deref(),
            is_as_sent: wanted.is_as_sent,
        };
        let made = new_case::make(&exchange, wanted).await?;
        self.screen.say(&made.describe());
        Ok(())
    }

    /// Writes a page with all requests that are kept, each compared with what the guest that serves would answer. It contains what clients sent,
    /// not redacted, so only the user can read it.
    pub async fn write_page(&self) -> Result<(), CommandError> {
        let exchanges = self.session.exchanges();
        if exchanges.is_empty() {
            return Err(CommandError::usage("there is no request to show").hint("send one first"));
        }
        let all = changes::compare_all(exchanges.clone(), self.replayer()?).await;
        let uncompared = all.late.len() + all.left + all.unreadable;
        store::make_state_folder(self.page)?;
        let mut page = Html::create(self.page)?;
        let mut totals = Totals::default();
        for compared in all.compared {
            let kept = exchanges.iter().find(|kept| kept.number == compared.number);
            let Some((kept, exchange)) =
                kept.and_then(|kept| Some((kept, Exchange::read(&kept.line).ok()?)))
            else {
                continue;
            };
            page.detail(&Detail::new(
                &place(compared.number),
                &exchange,
                &compared.comparison,
            ))?;
            totals.requests += 1;
            totals.add(&entry(compared, kept).verdict);
        }
        page.finish(&totals)?;
        let path = self.page.display();
        let note = match uncompared {
            0 => String::new(),
            some => format!("; {some} were not compared and are not on it"),
        };
        self.screen.say(&format!(
            "wrote {path}: open it in a browser; it contains what clients sent, credentials included{note}"
        ));
        Ok(())
    }

    /// Replays on the guest that serves.
    fn replayer(&self) -> Result<Replayer, CommandError> {
        let deployment = self.guests.serving().ok_or_else(|| {
            CommandError::environment("no guest serves yet").hint("mend the build first")
        })?;
        Ok(changes::replayer(&deployment))
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

/// How reports name a request.
fn place(number: u64) -> Place {
    Place {
        path: Path::new("request").into(),
        line: Some(number),
    }
}

/// The difference as reports show it.
fn entry(compared: Compared, kept: &KeptExchange) -> ReportEntry {
    let id = tape::id_of(&kept.line).unwrap_or_default().into_owned();
    let place = place(compared.number);
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
