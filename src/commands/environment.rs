//! How flags read their variables, beyond what clap does by itself.

use clap::builder::{BoolishValueParser, Resettable};
use clap::{Arg, ArgAction, Command};
use std::ffi::{OsStr, OsString};

/// What `-h` leaves to `--help`: flags that few people need, and none in their first hour.
const RARE: &[&str] = &[
    "accept-p-fail",
    "bandwidth",
    "body-memory",
    "cache-size",
    "coarse-edges",
    "cors-origin",
    "datasets",
    "deadline",
    "decimal-comma",
    "encoding",
    "hash-text",
    "jobs",
    "key-max-age",
    "key-passphrase",
    "key-passphrase-file",
    "key-quota",
    "key-quota-bytes",
    "key-ttl",
    "log-format",
    "max-backlog",
    "max-queue",
    "metrics-listen",
    "no-header",
    "p-fail",
    "path-features",
    "range",
    "rate-burst",
    "record",
    "revalidate",
    "seed",
    "separator",
    "store-grace",
    "text-words",
    "threads",
    "timing-headers",
    "upload-ttl",
    "value-bits",
];

/// The command as this process takes it: an empty variable is as good as none, and a switch's variable may be 1, true, yes or
/// on. Help by `-h` is short, without the variables' names; in that by `--help` each has a line of its own.
pub fn adapted(command: Command, arguments: &[OsString]) -> Command {
    let short = arguments.iter().any(|argument| argument == "-h");
    adapt(command, short, &|name| std::env::var_os(name))
}

/// The command with help as by `--help`, whatever the environment.
pub fn documented(command: Command) -> Command {
    adapt(command, false, &|_| None)
}

fn adapt(command: Command, short: bool, variable: &dyn Fn(&OsStr) -> Option<OsString>) -> Command {
    let command = command.mut_args(|argument| adapt_argument(argument, short, variable));
    command.mut_subcommands(|below| adapt(below, short, variable))
}

fn adapt_argument(argument: Arg, short: bool, variable: &dyn Fn(&OsStr) -> Option<OsString>) -> Arg {
    let Some(name) = argument.get_env() else { return argument };
    let is_empty = variable(name).is_some_and(|value| value.is_empty());
    let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
    let argument = if is_switch { argument.value_parser(BoolishValueParser::new()) } else { argument };
    let argument = if is_empty { argument.env(Resettable::Reset) } else { argument };
    // Where no argument had a longer help, clap would write the short form for both.
    let help = argument.get_long_help().or(argument.get_help()).cloned();
    let argument = if short { argument } else { argument.long_help(help.unwrap_or_default()) };
    let is_rare = RARE.contains(&argument.get_long().unwrap_or_default());
    argument.hide_env(short).hide_short_help(is_rare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        let switch = Arg::new("json").long("json").env("FHECTL_JSON").action(ArgAction::SetTrue);
        let token = Arg::new("token").long("token").env("FHECTL_TOKEN").hide_env_values(true).help("A token");
        let below = Command::new("below").arg(switch).arg(token);
        Command::new("fhectl").subcommand(below)
    }

    fn help(arguments: &[&str]) -> String {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        adapted(command(), &arguments).try_get_matches_from(arguments).unwrap_err().to_string()
    }

    #[test]
    fn short_help_leaves_variables_out_and_long_help_names_them() {
        assert!(!help(&["fhectl", "below", "-h"]).contains("FHECTL_TOKEN"));
        assert!(help(&["fhectl", "below", "--help"]).lines().any(|line| line.trim() == "[env: FHECTL_TOKEN]"));
    }

    #[test]
    fn what_short_help_leaves_out_are_flags_of_a_command() {
        fn flags(command: &Command) -> Vec<String> {
            let own = command.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned));
            own.chain(command.get_subcommands().flat_map(flags)).collect()
        }
        let all = flags(&crate::commands::command());
        for rare in RARE {
            assert!(all.iter().any(|flag| flag == rare), "--{rare}");
        }
    }

    #[test]
    fn an_empty_variable_is_none() {
        let read = |value: &'static str| {
            let command = adapt(command(), false, &|_| Some(value.into()));
            let below = command.find_subcommand("below").unwrap();
            below.get_arguments().filter(|argument| argument.get_env().is_some()).count()
        };
        assert_eq!((read(""), read("x")), (0, 2));
    }
}
