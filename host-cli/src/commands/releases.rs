//! `releases`: the history of a channel.

use crate::{
    args::release::{ListFormat, ReleasesArgs},
    executor,
    exit::{CommandError, Outcome},
    output,
    project::Project,
    release::{channels, keys, stores::StoresSpec},
    time,
};
use contract::{address::Addresses, count::counted, text::printable};
use outgoing::{Grant, Grants};
use release::{Channel, ChannelName, PublicKeys, Route};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write};

/// Largest number of generations to list.
const COUNT_MAX: usize = 1000;
/// Digits of a digest that are shown: enough for a person to compare.
const DIGITS_SHOWN: usize = 12;

/// The channel, the number of generations, and the output format.
pub struct Configuration {
    channel: ChannelName,
    stores: StoresSpec,
    keys: PublicKeys,
    count: usize,
    format: ListFormat,
}

/// Checks the arguments; nothing is read yet.
pub fn resolve(
    arguments: &ReleasesArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    if !(1..=COUNT_MAX).contains(&arguments.count) {
        let message = format!(
            "`--count {}` is not within 1 to {COUNT_MAX}",
            arguments.count
        );
        return Err(CommandError::usage(message));
    }
    Ok(Configuration {
        channel: channels::named(arguments.channel.as_deref(), project)?,
        stores: StoresSpec::resolve(&arguments.stores, project)?,
        keys: keys::trusted(&arguments.trust.public_key, project)?,
        count: arguments.count,
        format: arguments.format,
    })
}

/// Lists documents that a trusted key signed, and reports all others as remarks.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration {
        channel,
        stores,
        keys,
        count,
        format,
    } = configuration;
    let runtime = executor::workers(1)?;
    let (stores, mut documents) = runtime.block_on(async {
        let stores = stores.open().await?;
        // One more, from which the last one that is listed differs.
        let documents = stores.channels.history(&channel, count + 1).await;
        let documents = documents.map_err(CommandError::environment)?;
        if documents.is_empty() {
            return Err(channels::missing(&channel, &stores).await);
        }
        Ok((stores, documents))
    })?;
    let before = documents.split_off(count.min(documents.len())).pop();
    let before = before.and_then(|before| Channel::open(&before, &keys, &channel).ok());
    let generations = trusted(&documents, &keys, &channel);
    let mut outcome = match generations.len() == documents.len() {
        true => Outcome::Same,
        false => Outcome::Differs,
    };
    // The current document is the first one. If it is not trusted, that was reported above.
    if let Some(newest) = generations.first().map(|newest| newest.generation) {
        let put_back = channels::put_back(&stores, &channel, &keys, newest);
        if let Some(words) = runtime.block_on(put_back)? {
            outcome = Outcome::Differs;
            output::remark(&format!("{words}\n"));
        }
    }
    let listed = match format {
        ListFormat::Text => text(&generations, before.as_ref()),
        ListFormat::Json => {
            let generations: Vec<Value> = generations
                .iter()
                .map(|generation| json!(generation.without_secrets()))
                .collect();
            format!("{:#}\n", Value::Array(generations))
        }
    };
    output::text(&listed)?;
    Ok(outcome)
}

/// The documents that a trusted key signed and that have not replaced others, newest first; the rest is reported as remarks.
fn trusted(documents: &[String], keys: &PublicKeys, channel: &ChannelName) -> Vec<Channel> {
    let mut generations: Vec<Channel> = Vec::new();
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    for document in documents {
        match Channel::open(document, keys, channel) {
            // The list is sorted newest first. A generation that does not decrease means that the document replaced another one.
            Ok(document)
                if generations
                    .last()
                    .is_some_and(|listed| listed.generation <= document.generation) =>
            {
                output::remark(&format!(
                    "left out a document of generation {} that replaced an older one\n",
                    document.generation
                ));
            }
            Ok(document) => generations.push(document),
            Err(error) => {
                *left_out.entry(error.to_string()).or_default() += 1;
            }
        }
    }
    for (error, count) in left_out {
        let documents = counted(count, "document", "documents");
        output::remark(&format!(
            "left out {documents} without a trusted signature: {error}\n"
        ));
    }
    generations
}

/// A line for each route of each generation, below the names of the columns, and what the generation changed in its namespace and in what its guests may
/// call. `before` is the generation before the last one, if it is known.
pub fn text(generations: &[Channel], before: Option<&Channel>) -> String {
    let widest = |width: fn(&Channel) -> usize, least: usize| {
        generations.iter().map(width).max().unwrap_or(0).max(least)
    };
    let by = widest(|generation| generation.by.chars().count(), "by".len());
    let path = widest(
        |generation| {
            let paths = generation.routes.iter().map(|route| route.path.len());
            paths.max().unwrap_or(0)
        },
        "path".len(),
    );
    let mut text = format!(
        "{:>10}  {:8}  {:20}  {:by$}  {:path$}  guests\n",
        "generation", "change", "signed at", "by", "path"
    );
    for (index, generation) in generations.iter().enumerate() {
        let older = generations.get(index + 1).or(before);
        let is_known = older.is_some() || generation.generation == 1;
        for route in &generation.routes {
            // Writing to memory cannot fail.
            let _ = writeln!(
                text,
                "{:>10}  {:8}  {:20}  {:by$}  {:path$}  {}",
                generation.generation,
                change(generation),
                time::rfc3339(generation.issued_at_ms),
                printable(&generation.by),
                route.path,
                guests(route)
            );
            let older = older.and_then(|older| older.route(&route.path));
            for line in changes(route, older).iter().filter(|_| is_known) {
                let _ = writeln!(text, "{:>10}  {line}", "");
            }
        }
        let routes = older.iter().flat_map(|older| &older.routes);
        for removed in routes.filter(|route| generation.route(&route.path).is_none()) {
            let _ = writeln!(text, "{:>10}  route `{}` is removed", "", removed.path);
        }
    }
    text
}

fn change(generation: &Channel) -> &'static str {
    match generation.rollback {
        true => "rollback",
        false => "promote",
    }
}

fn guests(route: &Route) -> String {
    let guests = route.guests.iter().map(|share| {
        let digest = share.digest.to_string();
        format!("{digest:.DIGITS_SHOWN$} {}%", share.percent)
    });
    guests.collect::<Vec<_>>().join(", ")
}

/// What differs in the route's part of the store and in what its guests may call.
fn changes(route: &Route, older: Option<&Route>) -> Vec<String> {
    let mut lines = Vec::new();
    let namespace = older.and_then(|older| older.namespace.as_ref());
    if route.namespace.as_ref() != namespace {
        lines.push(match &route.namespace {
            Some(namespace) => format!("namespace `{namespace}`"),
            None => "the host's namespace".to_owned(),
        });
    }
    let none = Grants::default();
    let before = older.map_or(&none, |older| &older.outgoing);
    // A grant of the same places, on other terms.
    let same = |grants: &Grants, grant: &Grant| {
        let name = grant.to_string();
        grants
            .iter()
            .find(|other| other.to_string() == name)
            .cloned()
    };
    for grant in route.outgoing.without(before) {
        lines.push(match same(before, grant) {
            Some(before) => format!("may call {grant}{}", terms_changed(&before, grant)),
            None => format!("may call {grant}{}", terms(grant)),
        });
    }
    let removed = before.without(&route.outgoing);
    let removed = removed.filter(|grant| same(&route.outgoing, grant).is_none());
    lines.extend(removed.map(|grant| format!("may no longer call {grant}")));
    lines
}

fn is_private(grant: &Grant) -> bool {
    match grant.addresses() {
        Addresses::Public => false,
        Addresses::Any | Addresses::Unchecked => true,
    }
}

fn terms(grant: &Grant) -> String {
    let addresses = if is_private(grant) {
        ", also at private addresses"
    } else {
        ""
    };
    let signed = match grant.signing() {
        Some(_) => ", signed for AWS",
        None => "",
    };
    format!("{addresses}{signed}")
}

/// What differs in a grant that there was before.
fn terms_changed(before: &Grant, now: &Grant) -> String {
    let addresses = match (is_private(before), is_private(now)) {
        (false, true) => " now also at private addresses",
        (true, false) => " no longer at private addresses",
        (false, false) | (true, true) => "",
    };
    let signed = match (before.signing(), now.signing()) {
        (before, now) if before == now => "",
        (None, Some(_)) => " now signed for AWS",
        (Some(_), None) => " no longer signed for AWS",
        (Some(_), Some(_)) | (None, None) => " now signed for AWS in another way",
    };
    let changes: Vec<_> = [addresses, signed]
        .into_iter()
        .filter(|change| !change.is_empty())
        .collect();
    match changes.as_slice() {
        [] => " on other terms".to_owned(),
        changes => changes.join(","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_in_a_grant_is_said() {
        let origin = "https://s3.eu-west-1.amazonaws.com";
        let plain: Grant = origin.parse().unwrap();
        let private = plain.clone().with_private_addresses();
        let signed = plain.clone().signed().unwrap();
        let both = private.clone().signed().unwrap();
        for (before, now, expected) in [
            (None, Some(&plain), "may call {}"),
            (
                None,
                Some(&both),
                "may call {}, also at private addresses, signed for AWS",
            ),
            (
                Some(&plain),
                Some(&private),
                "may call {} now also at private addresses",
            ),
            (
                Some(&private),
                Some(&plain),
                "may call {} no longer at private addresses",
            ),
            (
                Some(&signed),
                Some(&plain),
                "may call {} no longer signed for AWS",
            ),
            (
                Some(&private),
                Some(&signed),
                "may call {} no longer at private addresses, now signed for AWS",
            ),
            (Some(&both), None, "may no longer call {}"),
        ] {
            let route = |grant: Option<&Grant>| Route {
                path: "/".to_owned(),
                namespace: None,
                environment: BTreeMap::new(),
                outgoing: Grants::new(grant.into_iter().cloned().collect()).unwrap(),
                limits: Default::default(),
                guests: Vec::new(),
                previous: None,
                generation_min: None,
            };
            let changes = changes(&route(now), Some(&route(before)));
            assert_eq!(changes, [expected.replace("{}", origin)]);
        }
    }
}
