//! Which reports are written, in which format, to which place.
//!
//! Must not know: what was scanned, how a format looks.
//! Invariants: at most one report goes to standard output; one that cannot be written keeps no other from being.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::arguments::{ColorArgument, FormatArgument};
use super::failure::{Ending, Failure, tell};
use super::files;
use super::output::Target;
use super::text;
use crate::model::Report;
use crate::report::{self, HumanStyle, JsonOptions, Occasion};

/// Columns of a report that nobody watches being written.
pub(crate) const PLAIN_WIDTH: usize = 100;

/// Where GitHub Actions reads the page of a step.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// One report: its format, and the file it goes to (standard output if none).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReportRequest {
    pub(crate) format: FormatArgument,
    pub(crate) file: Option<PathBuf>,
}

/// How all of them are written.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) reports: Vec<ReportRequest>,
    pub(crate) show_secrets: bool,
    pub(crate) show_known: bool,
    pub(crate) all: bool,
    pub(crate) color: ColorArgument,
    pub(crate) quiet: bool,
}

impl Writing {
    /// The directories in which files are written; `None` if one of them is no regular file.
    pub(crate) fn places(&self) -> Option<Vec<PathBuf>> {
        let files = self.reports.iter().filter_map(|report| report.file.clone());
        files.chain(step_summary()).map(|file| files::directory_of(&file)).collect()
    }
}

/// Gives each output its format: the one written before it (`sarif:FILE`), else the one asked for that its ending
/// names, else the next one asked for that can end so, else what its ending says. A format that is left goes to standard
/// output.
pub(crate) fn pair(formats: &[FormatArgument], outputs: &[PathBuf]) -> Result<Vec<ReportRequest>, Failure> {
    let mut left = formats.to_vec();
    let mut reports: Vec<ReportRequest> = Vec::new();
    for output in outputs {
        let (named, file) = split(output);
        let format = named.unwrap_or_else(|| take_for(&mut left, &file));
        let file = (file != Path::new("-")).then_some(file);
        reports.push(ReportRequest { format, file });
    }
    reports.extend(left.into_iter().map(|format| ReportRequest { format, file: None }));
    if reports.is_empty() {
        reports.push(ReportRequest { format: FormatArgument::Human, file: None });
    }
    for (index, report) in reports.iter().enumerate() {
        if reports[..index].iter().any(|earlier| earlier.file == report.file) {
            return Err(collision(report.file.as_deref()));
        }
    }
    Ok(reports)
}

fn collision(file: Option<&Path>) -> Failure {
    let place = file.map_or("standard output".to_owned(), text::path);
    Failure::usage(
        format!("two reports would go to {place}"),
        "give each its own place, such as: -f human -o sarif:keyfence.sarif -o html:keyfence.html",
    )
}

/// `sarif:FILE` as format and file. A file whose name really begins like that is written `./sarif:FILE`.
fn split(output: &Path) -> (Option<FormatArgument>, PathBuf) {
    let parts = output.to_str().and_then(|text| text.split_once(':'));
    match parts.and_then(|(word, file)| Some((FormatArgument::of_word(word)?, file))) {
        Some((format, file)) if !file.is_empty() => (Some(format), PathBuf::from(file)),
        _ => (None, output.to_owned()),
    }
}

fn take_for(left: &mut Vec<FormatArgument>, file: &Path) -> FormatArgument {
    let by_ending = FormatArgument::of_file(file);
    let same = |format: &FormatArgument| Some(*format) == by_ending;
    let fitting = |format: &FormatArgument| by_ending.is_none_or(|named| format.may_end_as(named));
    match left.iter().position(same).or_else(|| left.iter().position(fitting)) {
        Some(at) => left.remove(at),
        None => by_ending.unwrap_or_default(),
    }
}

/// Writes every report; the first failure is told when all the others are written. `ending` is how the run ends.
pub(crate) fn write(report: &mut Report, writing: &Writing, ending: Ending) -> Result<(), Failure> {
    report.made_at = report.made_at.or_else(now);
    let mut result = Ok(());
    for request in &writing.reports {
        let silent = writing.quiet && ending == Ending::Clean && request.file.is_none();
        let written = if silent { Ok(()) } else { write_one(report, request, writing, ending) };
        result = result.and(written);
    }
    if !report.problems.is_empty() && !writing.reports.iter().any(is_for_eyes) {
        tell(&missed(report));
    }
    result
}

/// Whether whoever started the run reads that report: others go to files and programs.
fn is_for_eyes(request: &ReportRequest) -> bool {
    request.file.is_none() && matches!(request.format, FormatArgument::Human | FormatArgument::Github)
}

/// What could not be looked at, in a line or two.
fn missed(report: &Report) -> String {
    let safe = report::without_values(report);
    let first = safe.problems.first().map(report::problem_words).unwrap_or_default();
    let advice = safe.problems.first().and_then(|problem| problem.hint.as_deref()).map(text::line);
    match (safe.problems.len(), advice) {
        (0 | 1, None) => format!("incomplete: {first}\n"),
        (0 | 1, Some(advice)) => format!("incomplete: {first}\n  hint: {advice}\n"),
        (count, _) => format!(
            "incomplete: {count} things could not be looked at, the first of them {first}\n  hint: the report tells them all\n"
        ),
    }
}

fn write_one(
    report: &Report,
    request: &ReportRequest,
    writing: &Writing,
    ending: Ending,
) -> Result<(), Failure> {
    let target = request.file.as_deref().map_or(Target::Output, Target::File);
    let content = rendered(|out| render(report, request.format, target, writing, out));
    let written = target.write(&content, ending);
    if request.format == FormatArgument::Github {
        return written.and(write_step_summary(report, ending));
    }
    written
}

fn render(
    report: &Report,
    format: FormatArgument,
    target: Target<'_>,
    writing: &Writing,
    out: &mut dyn Write,
) -> io::Result<()> {
    let json = JsonOptions { show_secrets: writing.show_secrets };
    match format {
        FormatArgument::Human => {
            let style = HumanStyle {
                width: target.width().map_or(PLAIN_WIDTH, usize::from),
                color: target.is_colored(writing.color),
                show_secrets: writing.show_secrets,
                show_known: writing.show_known,
                // Whoever reads later, or with another program, gets everything.
                brief: target.is_terminal() && !writing.all,
                occasion: Occasion::Scan,
            };
            report::write_human(report, &style, out)
        }
        FormatArgument::Json => report::write_json(report, &json, out),
        FormatArgument::Jsonl => report::write_jsonl(report, &json, out),
        FormatArgument::Sarif => report::write_sarif(report, out),
        FormatArgument::Github => report::write_github(report, out),
        FormatArgument::Gitlab => report::write_gitlab(report, out),
        FormatArgument::GitlabCodequality => report::write_code_quality(report, out),
        FormatArgument::Junit => report::write_junit(report, out),
        FormatArgument::Csv => report::write_csv(report, out),
        FormatArgument::Markdown => report::write_markdown(report, out),
        FormatArgument::Html => report::write_html(report, out),
    }
}

/// The step's summary, where GitHub Actions asks for one.
fn step_summary() -> Option<PathBuf> {
    std::env::var_os(STEP_SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Adds the page to the step's summary. Others may have written there before.
fn write_step_summary(report: &Report, ending: Ending) -> Result<(), Failure> {
    let Some(path) = step_summary() else { return Ok(()) };
    let page = rendered(|out| report::write_markdown(report, out));
    let opened = OpenOptions::new().append(true).create(true).open(&path);
    opened
        .and_then(|mut file| file.write_all(&page))
        .map_err(|error| Failure::report(&text::path(&path), &error, ending))
}

/// What a formatter writes, in memory: a report arrives as a whole or not at all.
pub(crate) fn rendered(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Vec<u8> {
    let mut content = Vec::new();
    render(&mut content).expect("writing to memory cannot fail");
    content
}

fn now() -> Option<i64> {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(elapsed.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::arguments::FormatArgument;
    use super::{FormatArgument as Format, ReportRequest, pair};

    /// `format>file` for each report; `-` is standard output.
    fn paired(formats: &[FormatArgument], outputs: &[&str]) -> Result<Vec<String>, String> {
        let outputs: Vec<PathBuf> = outputs.iter().map(PathBuf::from).collect();
        let shown = |report: &ReportRequest| {
            let file = report.file.as_ref().map_or("-".to_owned(), |file| file.display().to_string());
            format!("{}>{file}", report.format.as_str())
        };
        let reports = pair(formats, &outputs).map_err(|failure| failure.words())?;
        Ok(reports.iter().map(shown).collect())
    }

    #[test]
    fn every_report_has_its_place() {
        use Format::{Html, Human, Json, Sarif};
        let cases: [(&[Format], &[&str], &[&str]); 16] = [
            (&[], &[], &["human>-"]),
            (&[Json], &[], &["json>-"]),
            (&[], &["report"], &["human>report"]),
            (&[Json], &["report.txt"], &["json>report.txt"]),
            (&[], &["a.sarif", "b.HTML"], &["sarif>a.sarif", "html>b.HTML"]),
            (&[Sarif, Html], &["a.sarif", "b.html"], &["sarif>a.sarif", "html>b.html"]),
            (&[Sarif, Html], &["b.html", "a.sarif"], &["html>b.html", "sarif>a.sarif"]),
            (&[Human, Sarif], &["a.sarif"], &["sarif>a.sarif", "human>-"]),
            (&[Human], &["sarif:x", "html:y"], &["sarif>x", "html>y", "human>-"]),
            (&[], &["json:-", "html:y"], &["json>-", "html>y"]),
            (&[], &["./json:x"], &["human>./json:x"]),
            (&[], &["C:\\report.json"], &["json>C:\\report.json"]),
            (&[Json, Sarif], &["a", "b"], &["json>a", "sarif>b"]),
            (&[Sarif], &["a.json"], &["sarif>a.json"]),
            (&[Human], &["a.html"], &["html>a.html", "human>-"]),
            (&[Human, Sarif], &["a.json"], &["sarif>a.json", "human>-"]),
        ];
        for (formats, outputs, expected) in cases {
            let expected = expected.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(paired(formats, outputs), Ok(expected), "{outputs:?}");
        }
    }

    #[test]
    fn no_place_takes_two() {
        use Format::{Human, Json};
        for (formats, outputs, place) in [
            (&[Human, Json][..], &[][..], "standard output"),
            (&[][..], &["json:a", "html:a"][..], "go to a"),
            (&[Json][..], &["human:-"][..], "standard output"),
        ] {
            let words = paired(formats, outputs).expect_err("they collide");
            assert!(words.contains(place), "{words}");
        }
    }
}
