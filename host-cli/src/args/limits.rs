//! Flags for the limits that a route may lower, one for each.

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, builder::RangedU64ValueParser};
use contract::limits::{LIMITS, Limit, PartialLimits};

/// The limits that were typed.
#[derive(Clone, Copy, Debug)]
pub struct RouteLimitOptions(pub PartialLimits);

fn flags() -> impl Iterator<Item = (&'static Limit, String)> {
    LIMITS
        .iter()
        .filter_map(|limit| Some((limit, limit.flag()?)))
}

impl Args for RouteLimitOptions {
    fn augment_args(command: Command) -> Command {
        flags().fold(command, |command, (limit, flag)| {
            let unit = match limit.name {
                name if name.contains("_bytes_") => "BYTES",
                name if name.contains("_ms_") => "MS",
                _ => "N",
            };
            // A few texts, made once, that live as long as the program.
            let flag: &'static str = flag.leak();
            let parser = RangedU64ValueParser::<u64>::new().range(limit.allowed.clone());
            command.arg(
                Arg::new(limit.name)
                    .long(flag)
                    .value_name(unit)
                    .value_parser(parser)
                    .help(format!("On this route: {}", limit.documentation.trim())),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RouteLimitOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut limits = PartialLimits::default();
        for (limit, _) in flags() {
            if let Some(value) = matches.get_one::<u64>(limit.name) {
                (limit.set_part)(&mut limits, *value);
            }
        }
        Ok(Self(limits))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let Self(typed) = Self::from_arg_matches(matches)?;
        self.0 = typed.or(&self.0);
        Ok(())
    }
}
