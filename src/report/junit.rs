//! The report for test views: JUnit XML, one test case for each credential.
//!
//! Must not know: the terminal, time.
//! Invariants: the document is well-formed whatever files contain; a clean scan has one case that passed, and a scan
//! that could not look has errors, so that no view shows it as green or as empty.

use std::io::{self, Write};

use crate::model::{Problem, Report};

use super::escape::{escape, escape_text};
use super::groups::{Group, open_groups};
use super::{exposure, names, wording};

/// Writes the report as JUnit XML.
///
/// # Errors
/// Only those of `out`.
pub fn write_junit(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let report = names::without_values(report);
    let groups = open_groups(&report);
    let (failures, errors) = (groups.len(), report.problems.len());
    let passed = usize::from(failures + errors == 0);
    let tests = failures + errors + passed;
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"keyfence\" {counts}>")?;
    writeln!(out, "  <testsuite name=\"keyfence\" {counts} skipped=\"0\">")?;
    for group in &groups {
        failure(&report, group, out)?;
    }
    for problem in &report.problems {
        error(problem, out)?;
    }
    if passed == 1 {
        writeln!(out, "    <testcase classname=\"keyfence\" name=\"no secrets found\"/>")?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn failure(report: &Report, group: &Group<'_>, out: &mut dyn Write) -> io::Result<()> {
    let title = wording::title(report, &group.parts);
    let meaning = wording::meaning(report, group.set.state, &group.parts);
    let rule = group.parts.first().map_or(String::new(), |finding| escape_text(&finding.rule));
    let places: Vec<String> = group
        .parts
        .iter()
        .chain(&group.elsewhere)
        .map(|finding| {
            let path = escape(finding.provenance.path.as_bytes());
            format!("{path}:{}:{}", finding.place.line, finding.place.column)
        })
        .collect();
    let mut lines = places.clone();
    lines.push(format!("why: {}", wording::belief(&group.parts)));
    if let Some(exposure) = &group.set.exposure {
        lines.push(format!("since: {}", exposure::since(exposure, report.made_at)));
        lines.push(format!("today: {}", exposure::presence(exposure)));
        lines.push(format!("so: {}", exposure::answer(exposure)));
    }
    if let Some(revoke) =
        wording::guide(report, &group.set.provider).and_then(|guide| guide.revoke.as_deref())
    {
        lines.push(format!("{}: {}", exposure::revoke(group.set.exposure.as_ref()), escape_text(revoke)));
    }
    let first = places.first().map_or("", String::as_str);
    writeln!(
        out,
        "    <testcase classname=\"keyfence.{}\" name=\"{}\">",
        xml(&rule),
        xml(&format!("{title} at {first}"))
    )?;
    writeln!(out, "      <failure type=\"{}\" message=\"{}\">", group.set.severity.as_str(), xml(&meaning))?;
    writeln!(out, "{}", xml(&lines.join("\n")))?;
    writeln!(out, "      </failure>\n    </testcase>")
}

fn error(problem: &Problem, out: &mut dyn Write) -> io::Result<()> {
    let path = problem.path.as_ref().map_or("the scan".to_owned(), |path| escape(path.as_bytes()));
    let message = escape_text(&problem.message);
    writeln!(out, "    <testcase classname=\"keyfence.problem\" name=\"{}\">", xml(&path))?;
    writeln!(out, "      <error type=\"not-looked-at\" message=\"{}\"/>\n    </testcase>", xml(&message))
}

/// Text in XML: markup is written out, and what XML 1.0 cannot hold at all is replaced.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\n' | '\t' => safe.push(character),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            _ if character.is_control() => safe.push('\u{fffd}'),
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::xml;

    #[test]
    fn markup_is_written_out() {
        assert_eq!(
            xml("<a b=\"c\">&'\u{1b}\u{ffff}"),
            "&lt;a b=&quot;c&quot;&gt;&amp;&apos;\u{fffd}\u{fffd}"
        );
    }
}
