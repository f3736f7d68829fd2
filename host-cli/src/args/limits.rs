//! Flags for limits, made from the table of them: those that a route may lower, and all of a host that runs a guest.

use crate::deployed;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, builder::RangedU64ValueParser};
use contract::limits::{LIMITS, Limit, PartialLimits, SetBy};

/// The limits of a route that were typed.
#[derive(Clone, Copy, Debug)]
pub struct RouteLimitOptions(pub PartialLimits);

/// The limits of a host that were typed.
#[derive(Clone, Copy, Debug)]
pub struct HostLimitOptions(pub PartialLimits);

fn of_routes() -> impl Iterator<Item = &'static Limit> {
    LIMITS.iter().filter(|limit| limit.is_of_routes())
}

/// The flag of one limit.
fn flag(limit: &'static Limit, help: String) -> Arg {
    let unit = match limit.name {
        name if name.contains("_bytes_") => "BYTES",
        name if name.contains("_ms_") => "MS",
        _ => "N",
    };
    // A few texts, made once, that live as long as the program.
    let name: &'static str = limit.flag().leak();
    Arg::new(limit.name)
        .long(name)
        .value_name(unit)
        .value_parser(RangedU64ValueParser::<u64>::new().range(limit.allowed.clone()))
        .help(help)
}

fn typed(matches: &ArgMatches, limits: impl Iterator<Item = &'static Limit>) -> PartialLimits {
    let mut typed = PartialLimits::default();
    for limit in limits {
        if let Some(value) = matches.get_one::<u64>(limit.name) {
            (limit.set_part)(&mut typed, *value);
        }
    }
    typed
}

impl Args for RouteLimitOptions {
    fn augment_args(command: Command) -> Command {
        of_routes().fold(command, |command, limit| {
            let help = format!("On this route: {}", limit.documentation.trim());
            command.arg(flag(limit, help))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RouteLimitOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self(typed(matches, of_routes())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0 = typed(matches, of_routes()).or(&self.0);
        Ok(())
    }
}

impl Args for HostLimitOptions {
    fn augment_args(command: Command) -> Command {
        let defaults = deployed::limits();
        LIMITS.iter().fold(command, |command, limit| {
            // Whoever tests with another value should know that no deployment has it.
            let fixed = match limit.set_by {
                SetBy::Host => " Hosts on Lambda cannot change it.",
                SetBy::Operator | SetBy::Route | SetBy::OperatorAndRoute => "",
            };
            let (what, default) = (limit.documentation.trim(), (limit.get)(&defaults));
            command.arg(flag(limit, format!("{what}{fixed} [default: {default}]")))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for HostLimitOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self(typed(matches, LIMITS.iter())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0 = typed(matches, LIMITS.iter()).or(&self.0);
        Ok(())
    }
}
