//! `rules` and `explain`: the rules as something to read, try and make.
//!
//! Must not know: how a rule finds anything. Invariant: examples are shown by number, never by their text, and no
//! value of a finding is shown.

mod examples;
mod explain;
mod lint;
mod page;
mod template;

use std::path::{Path, PathBuf};

pub(crate) use explain::explain;

use super::failure::{Ending, Failure};
use super::output::say;
use super::policy::{self, Root};
use super::project_arguments::{PackPaths, RulesCommand, RulesLoading, RulesSelection};
use super::request::PolicyRequest;
use super::text;
use crate::config::suggestion;
use crate::rules::format::Pack;
use crate::rules::{Provider, Rule, RuleSet};

/// Does what was asked.
pub(crate) fn perform(command: RulesCommand) -> Result<Ending, Failure> {
    match command {
        RulesCommand::List(selection) => list(&selection),
        RulesCommand::Show(named) => {
            let rules = loaded(named.loading)?;
            let (rule, provider) = find(&rules, &named.id)?;
            say(&page::everything(rule, provider))?;
            Ok(Ending::Clean)
        }
        RulesCommand::Test(paths) => examples::test(&packs(&paths)?),
        RulesCommand::Lint(paths) => lint::lint(&packs(&paths)?),
        RulesCommand::New(new) => template::print(&new.provider),
    }
}

fn list(selection: &RulesSelection) -> Result<Ending, Failure> {
    let rules = loaded(selection.loading.clone())?;
    let word = selection.word.as_deref().unwrap_or_default().to_lowercase();
    let chosen: Vec<(&Rule, &Provider)> = rules
        .rules
        .iter()
        .map(|rule| (rule, provider(&rules, rule)))
        .filter(|(rule, provider)| {
            let texts = [&rule.id, &provider.title, &provider.id, &rule.part];
            texts.iter().any(|text| text.to_lowercase().contains(&word))
        })
        .collect();
    if chosen.is_empty() {
        return Err(Failure::usage(
            format!(
                "no rule has `{}` in its id, provider or part",
                text::line(selection.word.as_deref().unwrap_or_default())
            ),
            "`keyfence rules list` shows all of them",
        ));
    }
    let width = chosen.iter().map(|(rule, _)| rule.id.len()).max().unwrap_or(0);
    let line = |(rule, provider): &(&Rule, &Provider)| {
        format!("{:<width$}  {:<8}  {}: {}\n", rule.id, rule.severity.as_str(), provider.title, rule.part)
    };
    say(&chosen.iter().map(line).collect::<String>())?;
    Ok(Ending::Clean)
}

/// The rules that a scan of the project would use.
fn loaded(loading: RulesLoading) -> Result<RuleSet, Failure> {
    let root = Root::of(Path::new("."))?;
    let request = PolicyRequest::from_arguments(loading.policy);
    let policy = policy::load(root.policy_files(&request), &root, &request)?;
    policy::rules(&policy, &loading.rules)
}

fn provider<'a>(rules: &'a RuleSet, rule: &Rule) -> &'a Provider {
    &rules.providers[usize::from(rule.provider)]
}

fn find<'a>(rules: &'a RuleSet, id: &str) -> Result<(&'a Rule, &'a Provider), Failure> {
    if let Some(rule) = rules.rules.iter().find(|rule| rule.id == id) {
        return Ok((rule, provider(rules, rule)));
    }
    let meant = suggestion(id, rules.rules.iter().map(|rule| &*rule.id));
    let hint = match meant {
        Some(word) => format!("did you mean `{word}`? `keyfence rules list` shows all of them"),
        None => "`keyfence rules list` shows all of them".to_owned(),
    };
    Err(Failure::usage(format!("there is no rule `{}`", text::line(id)), hint))
}

/// A pack that was named: its file, its text, and what it says.
struct Named {
    origin: String,
    text: String,
    pack: Result<Pack, String>,
}

/// The packs that were named, or those of the project's configuration.
fn packs(paths: &PackPaths) -> Result<Vec<Named>, Failure> {
    let texts = if paths.packs.is_empty() { configured()? } else { policy::pack_texts(&paths.packs)? };
    if texts.is_empty() {
        return Err(Failure::usage(
            "there is no pack to look at",
            "name a pack file or a directory of packs; the built-in ones are tested by `cargo test`",
        ));
    }
    let named = texts.into_iter().map(|(origin, text)| Named { pack: Pack::parse(&text), origin, text });
    Ok(named.collect())
}

fn configured() -> Result<Vec<(String, String)>, Failure> {
    let root = Root::of(Path::new("."))?;
    let policy = policy::load(Box::new(root.files()), &root, &PolicyRequest::default())?;
    Ok(policy.packs()?)
}

/// The name of a pack's file without its ending.
fn stem(origin: &str) -> Option<String> {
    PathBuf::from(origin).file_stem().map(|stem| stem.to_string_lossy().into_owned())
}
