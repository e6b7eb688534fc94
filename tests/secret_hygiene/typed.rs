//! A value that somebody pasted where an option, an id, a commit or a file is asked for is not repeated.
//!
//! Must not know: what an option means. Invariant: every option and every word of every command is tried, as the help
//! names them.

use std::process::Command;

use super::hiding::secrets::{KINDS, Secret};
use super::{KEYFENCE, Pieces, common};

/// What is written somewhere under the name that was typed, because that was asked for.
const NAMES_WHAT_IS_WRITTEN: &[(&str, &str)] =
    &[("scan", "--output"), ("ci", "--output"), ("scan", "--stdin-name"), ("baseline", "--baseline")];

#[test]
fn what_was_typed_is_not_repeated() {
    let secrets: Vec<_> = KINDS.iter().map(|&kind| Secret::of(kind, "typed")).collect();
    let pieces = Pieces::of(secrets.iter().cloned());
    let typed: Vec<String> = secrets
        .iter()
        .flat_map(|secret| {
            secret.parts().map(|(_, value)| value.to_owned()).chain([secret.line(), secret.lines()])
        })
        .collect();
    let repository = common::Repository::new();
    let run = |words: &[String]| {
        let mut command: Command = repository.program(KEYFENCE);
        let output = command.args(words).output().expect("keyfence can be started");
        [output.stdout, output.stderr].concat()
    };
    let mut commands = vec![Vec::new()];
    let mut tried = 0;
    let mut at = 0;
    while let Some(command) = commands.get(at).cloned() {
        at += 1;
        let help = run(&[&command[..], &["--help".to_owned()]].concat());
        let help = String::from_utf8_lossy(&help).into_owned();
        commands.extend(subcommands(&help).map(|name| [&command[..], &[name]].concat()));
        for (number, words) in lines(&command, &help).into_iter().enumerate() {
            let values: Vec<&String> = match words.len() == command.len() + 1 {
                true => typed.iter().collect(),
                false => vec![&typed[number % typed.len()]],
            };
            for value in values {
                let words: Vec<String> = words.iter().map(|word| word.replace("VALUE", value)).collect();
                let written = run(&words);
                tried += 1;
                if let Some(around) = pieces.seen_in(&written) {
                    panic!("{command:?}, line {number}: …{around}");
                }
            }
        }
    }
    assert!(commands.len() > 15 && tried > 300, "{} commands, {tried} lines", commands.len());
}

/// What may be typed after a command: a word, an option that there is not, and a value for each that there is.
fn lines(command: &[String], help: &str) -> Vec<Vec<String>> {
    let line =
        |words: &[&str]| [command, &words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()].concat();
    let mut lines = Vec::new();
    if command.last().is_none_or(|name| name != "man") {
        lines.extend([line(&["VALUE"]), line(&["HEAD", "VALUE"]), line(&["pre-receive", "VALUE"])]);
        lines.extend([line(&["commit-msg", "VALUE"]), line(&["update", "VALUE", "VALUE", "VALUE"])]);
    }
    lines.extend([line(&["--VALUE"]), line(&["--VALUE=VALUE"])]);
    for option in options(help) {
        let first = command.first().map_or("", |name| name);
        if NAMES_WHAT_IS_WRITTEN.contains(&(first, &option)) {
            continue;
        }
        let joined = format!("{option}=VALUE");
        lines.extend([line(&[&option, "VALUE"]), line(&[&joined]), line(&["--history", &joined])]);
        lines.extend([line(&[&option, "VALUE..VALUE"]), line(&[&option, "VALUE...HEAD"])]);
    }
    lines
}

/// The options that take a value.
fn options(help: &str) -> Vec<String> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let long = lines.filter_map(|line| {
        let (_, rest) = line.split_once("--")?;
        let (name, rest) = rest.split_once(' ')?;
        rest.starts_with('<').then(|| format!("--{name}"))
    });
    long.collect()
}

fn subcommands(help: &str) -> impl Iterator<Item = String> {
    let (_, list) = help.split_once("Commands:\n").unwrap_or_default();
    let list = list.split("\n\n").next().unwrap_or_default().to_owned();
    let names: Vec<String> = list
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect();
    names.into_iter()
}
