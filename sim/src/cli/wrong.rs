//! A wrong command line, in one sentence.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Says what is wrong, and what would be right.
pub(super) fn sentence(error: &clap::Error) -> String {
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => word.as_str(),
        Some(ContextValue::Strings(words)) => words.first().map_or("", String::as_str),
        _ => "",
    };
    let meant = |kind| match word(kind) {
        "" => String::new(),
        meant => format!(" (did you mean `{meant}`?)"),
    };
    const LISTS: &str = "; --help lists what there is";
    let value = word(ContextKind::InvalidValue);
    // With the name of its value, as `--loss <P>`.
    let argument = word(ContextKind::InvalidArg).split(' ').next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("there is no option `{argument}`{}{LISTS}", meant(ContextKind::SuggestedArg))
        }
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand | ErrorKind::ArgumentConflict => {
            let command = match word(ContextKind::InvalidSubcommand) {
                "" => argument,
                command => command,
            };
            let meant = meant(ContextKind::SuggestedSubcommand);
            format!(
                "there is no command `{command}`{meant}; the commands are call, sweep, merge, explore, planted, show, check, inspect{LISTS}"
            )
        }
        // A plan may be long, and says itself what is wrong with it where.
        ErrorKind::ValueValidation if argument == "--plan" => format!("--plan: {}", cause(error)),
        ErrorKind::ValueValidation if argument.is_empty() => cause(error),
        ErrorKind::ValueValidation => format!("{argument} `{value}`: {}", cause(error)),
        ErrorKind::MissingRequiredArgument => {
            format!("{} is missing{LISTS}", argument.trim_matches(|c| matches!(c, '<' | '>' | '.')))
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument}: a value is missing{LISTS}"),
        ErrorKind::TooManyValues => format!("{argument} has no value, and `{value}` is one{LISTS}"),
        _ => format!("{}{LISTS}", cause(error)),
    }
}

/// The words of what reads a value; else the first line of clap's.
fn cause(error: &clap::Error) -> String {
    if let Some(source) = error.source() {
        return source.to_string();
    }
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
