//! `rules test`: every example of a pack through the real detector.
//!
//! Must not know: how detection works. Invariant: an example is named by its number, its text stays in the pack.

use super::super::failure::{Ending, Failure};
use super::super::output::say;
use super::super::text;
use super::Named;
use crate::detect::{Detector, Scratch};
use crate::model::{Chunk, Confidence, FilePath, Finding, Provenance};
use crate::rules::RuleSet;
use crate::rules::format::{Example, Pack};

/// Runs the examples of all packs together with the built-in rules.
pub(super) fn test(packs: &[Named]) -> Result<Ending, Failure> {
    let detector = Detector::new(rules(packs)?);
    let mut wrong = Vec::new();
    let mut tried = 0;
    for named in packs {
        let Ok(pack) = &named.pack else { continue };
        for failure in failures(&detector, pack, &mut tried) {
            wrong.push(format!("{}: {failure}\n", text::line(&named.origin)));
        }
    }
    say(&wrong.concat())?;
    say(&format!("{tried} examples tried, {} wrong\n", wrong.len()))?;
    Ok(if wrong.is_empty() { Ending::Clean } else { Ending::Findings })
}

/// The built-in rules and those of the packs. A pack that ships with keyfence may be tried against itself.
fn rules(packs: &[Named]) -> Result<RuleSet, Failure> {
    let builtin = RuleSet::builtin();
    let own: Vec<String> = packs
        .iter()
        .filter_map(|named| named.pack.as_ref().ok())
        .flat_map(|pack| pack.parts.iter().map(|part| part.id.clone()))
        .collect();
    let texts: Vec<(String, String)> =
        packs.iter().map(|named| (named.origin.clone(), named.text.clone())).collect();
    builtin.keeping(|_, id| !own.iter().any(|own| own == id)).extended(&texts).map_err(|error| {
        Failure::configuration(
            format!("the rule pack cannot be used: {error}"),
            Some("the format is described in rules/README.md".to_owned()),
        )
    })
}

fn failures(detector: &Detector, pack: &Pack, tried: &mut usize) -> Vec<String> {
    let mut wrong = Vec::new();
    for part in &pack.parts {
        let is_it = |finding: &&Finding| finding.rule == part.id;
        for (number, example) in part.matches.iter().enumerate() {
            *tried += 1;
            let findings = findings(detector, example);
            if !findings.iter().any(|finding| is_it(&finding)) {
                let instead = others(&findings);
                wrong.push(format!("{}: `match` {} is not found{instead}", part.id, number + 1));
            }
        }
        for (number, example) in part.silent.iter().enumerate() {
            *tried += 1;
            let is_believed = |finding: &Finding| {
                is_it(&finding) && finding.verdict.is_open() && finding.confidence >= Confidence::Likely
            };
            if findings(detector, example).iter().any(is_believed) {
                wrong.push(format!("{}: `silent` {} is found", part.id, number + 1));
            }
        }
    }
    wrong
}

fn others(findings: &[Finding]) -> String {
    let mut rules: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    rules.dedup();
    if rules.is_empty() { String::new() } else { format!("; found instead: {}", rules.join(", ")) }
}

fn findings(detector: &Detector, example: &Example) -> Vec<Finding> {
    let (path, text) = example.open();
    let provenance = Provenance::file(FilePath::from(path.as_str()));
    detector.detect(&Chunk::whole(text.as_bytes(), &provenance), &mut Scratch::default()).findings
}
