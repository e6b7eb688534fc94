//! The report for streams: JSON Lines. One object a line, each with its `type`; the last line is the summary.
//!
//! Must not know: the terminal, time.
//! Invariants: the objects are those of the JSON report (`docs/report.schema.json`), version 1; whoever has read no
//! `summary` line has not read the whole report.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::Report;

use super::json::{
    JsonOptions, VERSION, WireCoverage, WireCredential, WireFinding, WireNotice, WireProblem, harmless,
};
use super::names;

/// Writes the report as JSON Lines.
///
/// # Errors
/// Only those of `out`.
pub fn write_jsonl(report: &Report, options: &JsonOptions, out: &mut dyn Write) -> io::Result<()> {
    let report = if options.show_secrets { Cow::Borrowed(report) } else { names::without_values(report) };
    for finding in &report.findings {
        line(out, &Line::Finding(Box::new(WireFinding::of(finding, &report, options))))?;
    }
    for set in &report.credentials {
        line(out, &Line::Credential(Box::new(WireCredential::of(set, &report))))?;
    }
    for problem in &report.problems {
        line(out, &Line::Problem(WireProblem::of(problem)))?;
    }
    for notice in &report.notices {
        line(out, &Line::Notice(WireNotice::of(notice)))?;
    }
    let (outcome, coverage) = (report.outcome().as_str(), WireCoverage::of(&report));
    line(out, &Line::Summary { version: VERSION, outcome, coverage })
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Finding(Box<WireFinding<'a>>),
    Credential(Box<WireCredential<'a>>),
    Problem(WireProblem<'a>),
    Notice(WireNotice<'a>),
    Summary { version: u32, outcome: &'static str, coverage: WireCoverage },
}

fn line(out: &mut dyn Write, line: &Line<'_>) -> io::Result<()> {
    let text = serde_json::to_string(line)?;
    writeln!(out, "{}", harmless(&text))
}
