//! The report for a browser: one page with everything in it, that loads nothing.
//!
//! Must not know: the terminal, where the page is kept.
//! Invariants: every text from a file or a commit goes through [`markup`]; a content security policy allows the page's
//! own style and script, by their hashes, and nothing else; without the script all is there but the filter; what a
//! colour or a bar says is said in words as well.

use std::collections::BTreeMap;
use std::io::{self, Write};

use sha2::{Digest, Sha256};

use crate::model::{CredentialSet, Exposure, Finding, Outcome, Problem, Reach, Report, Severity};

use super::escape::{escape, escape_text};
use super::groups::{Group, open_groups};
use super::wording::{self, count};
use super::{exposure, moment, names};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/filter.js");

/// More cards than a browser handles well; other formats have room for all.
const MOST_CARDS: usize = 5_000;
/// Rows of the timeline, and of each table.
const MOST_ROWS: usize = 100;
/// Places of one credential that are spelled out.
const SPELLED_OUT: usize = 50;

/// Writes the report as one HTML page.
///
/// # Errors
/// Only those of `out`.
pub fn write_html(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let report = names::without_values(report);
    let groups = open_groups(&report);
    let page = [
        head(&report, &groups),
        overview(&report, &groups),
        problems(&report.problems),
        timeline(&report, &groups),
        tables(&report, &groups),
        cards(&report, &groups),
        foot(&report),
    ];
    out.write_all(page.concat().as_bytes())
}

/// Text as HTML, also inside of quoted attributes.
fn markup(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(character),
        }
    }
    safe
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", data_encoding::BASE64.encode(&Sha256::digest(text.as_bytes())))
}

fn headline(report: &Report, groups: &[Group<'_>]) -> String {
    match report.outcome() {
        Outcome::Leaks => format!("{} found", count(groups.len() as u64, "credential", "credentials")),
        Outcome::Clean => "No secrets found".to_owned(),
        Outcome::Incomplete => "INCOMPLETE: this is not a clean result".to_owned(),
    }
}

fn head(report: &Report, groups: &[Group<'_>]) -> String {
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    let title = headline(report, groups);
    let skip = match groups {
        [] => "",
        _ => "<a class=\"skip\" href=\"#credentials\">Skip to the credentials</a>\n",
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {style}; \
         script-src {script}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>keyfence: {title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n\
         {skip}<header>\n<h1>{title}</h1>\n{}</header>\n<main>\n",
        made(report)
    )
}

fn made(report: &Report) -> String {
    let coverage = &report.coverage;
    let read = count(coverage.files, "file or object", "files and objects");
    let when = report.made_at.map_or(String::new(), |seconds| {
        let moment = moment::without_zone(seconds);
        format!(" on <time datetime=\"{moment}Z\">{} UTC</time>", moment.replace('T', " "))
    });
    let left_out =
        wording::left_out(coverage).map_or(String::new(), |words| format!(" Left out: {}.", markup(&words)));
    format!("<p class=\"soft\">keyfence looked at {read}{when}. Values are masked.{left_out}</p>\n")
}

/// What is exposed now, in numbers.
fn overview(report: &Report, groups: &[Group<'_>]) -> String {
    let number = |holds: &dyn Fn(&CredentialSet) -> bool| {
        groups.iter().filter(|group| holds(group.set)).count() as u64
    };
    let known = |set: &CredentialSet| set.exposure.is_some();
    let reach = |set: &CredentialSet, reach| set.exposure.as_ref().is_some_and(|known| known.reach == reach);
    let gone = |set: &CredentialSet| set.exposure.as_ref().is_some_and(|known| known.removed_by.is_some());
    let mut tiles = vec![
        ("critical", number(&|set| set.severity == Severity::Critical), "critical", "is-critical"),
        ("all", groups.len() as u64, "in all", ""),
    ];
    if groups.iter().any(|group| known(group.set)) {
        tiles.extend([
            ("pushed", number(&|set| reach(set, Reach::Pushed)), "pushed: rotate now", "is-pushed"),
            (
                "local",
                number(&|set| reach(set, Reach::Local)),
                "only local: take it out before you push",
                "is-local",
            ),
            ("unreachable", number(&|set| reach(set, Reach::Unreachable)), "unreachable", "is-unreachable"),
            ("removed", number(&gone), "removed since, but still in history", ""),
        ]);
    }
    let items: String = tiles
        .into_iter()
        .map(|(id, number, words, class)| {
            // Nothing is no alarm.
            let class = if number == 0 { "is-unreachable" } else { class };
            format!(
                "<li data-tile=\"{id}\"><strong class=\"{class}\">{}</strong> {words}</li>\n",
                wording::grouped(number)
            )
        })
        .collect();
    let calm = match report.outcome() {
        Outcome::Clean if wording::left_out(&report.coverage).is_some() => {
            "<p class=\"is-calm\">Nothing was found in what was looked at.</p>\n"
        }
        Outcome::Clean => "<p class=\"is-calm\">Everything was looked at, and nothing was found.</p>\n",
        Outcome::Leaks | Outcome::Incomplete => "",
    };
    format!(
        "<section aria-labelledby=\"now\">\n<h2 id=\"now\">Exposed now</h2>\n{calm}<ul class=\"tiles\">\n{items}</ul>\n</section>\n"
    )
}

fn problems(problems: &[Problem]) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let items: String = problems.iter().take(MOST_ROWS).map(problem).collect();
    let more = more(problems.len().saturating_sub(MOST_ROWS));
    format!(
        "<section class=\"alarm\" aria-labelledby=\"missed\">\n<h2 id=\"missed\">Could not be looked at ({})</h2>\n\
         <ul>\n{items}</ul>\n{more}</section>\n",
        problems.len()
    )
}

fn problem(problem: &Problem) -> String {
    let path = problem
        .path
        .as_ref()
        .map_or(String::new(), |path| format!("<code>{}</code>: ", markup(&escape(path.as_bytes()))));
    let hint = problem.hint.as_deref().map_or(String::new(), |hint| {
        format!(" <span class=\"soft\">({})</span>", markup(&escape_text(hint)))
    });
    format!("<li>{path}{}{hint}</li>\n", markup(&escape_text(&problem.message)))
}

fn more(number: usize) -> String {
    if number == 0 {
        return String::new();
    }
    format!("<p class=\"soft\">and {} more</p>\n", wording::grouped(number as u64))
}

/// First seen, removed, pushed: one row for each credential whose history is known, oldest first.
fn timeline(report: &Report, groups: &[Group<'_>]) -> String {
    let mut rows: Vec<(usize, &Group<'_>, &Exposure, i64)> = groups
        .iter()
        .enumerate()
        .filter_map(|(index, group)| {
            let exposure = group.set.exposure.as_ref()?;
            Some((index, group, exposure, exposure.first_seen.as_ref()?.time))
        })
        .collect();
    rows.sort_by_key(|&(index, _, _, first)| (first, index));
    let Some(&(.., begin)) = rows.first() else { return String::new() };
    let last =
        rows.iter().map(|(_, _, exposure, first)| until(exposure, report.made_at).unwrap_or(*first)).max();
    let scale = Scale { begin, end: last.unwrap_or(begin) };
    let body: String = rows
        .iter()
        .take(MOST_ROWS)
        .map(|&(index, group, exposure, first)| row(report, index, group, exposure, first, scale))
        .collect();
    let more = more(rows.len().saturating_sub(MOST_ROWS));
    format!(
        "<section aria-labelledby=\"timeline\">\n<h2 id=\"timeline\">Timeline of exposure</h2>\n<p class=\"soft\">Oldest \
         first; a bar reaches from the commit that brought it to the one that removed it, or until now.</p>\n<div \
         class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"timeline\">\n<table \
         aria-labelledby=\"timeline\">\n<thead><tr><th \
         scope=\"col\">Credential</th><th scope=\"col\">First seen</th><th scope=\"col\">Removed</th><th \
         scope=\"col\">How far</th><th scope=\"col\">Exposed for</th><td aria-hidden=\"true\"></td></tr></thead>\n\
         <tbody>\n{body}</tbody>\n</table>\n</div>\n{more}</section>\n"
    )
}

fn until(exposure: &Exposure, made_at: Option<i64>) -> Option<i64> {
    let seen = exposure.last_seen.as_ref().map(|commit| commit.time);
    exposure.removed_by.as_ref().map(|commit| commit.time).or(made_at).max(seen)
}

/// The stretch of time that the bars share.
#[derive(Clone, Copy)]
struct Scale {
    begin: i64,
    end: i64,
}

impl Scale {
    /// Where a moment stands, from 0 to 1,000.
    fn place(self, moment: i64) -> u32 {
        let whole = i128::from(self.end) - i128::from(self.begin);
        let part = i128::from(moment) - i128::from(self.begin);
        if whole <= 0 {
            return 0;
        }
        u32::try_from((part * 1000 / whole).clamp(0, 1000)).unwrap_or(0)
    }
}

fn row(
    report: &Report,
    index: usize,
    group: &Group<'_>,
    exposure: &Exposure,
    first: i64,
    scale: Scale,
) -> String {
    let title = markup(&wording::title(report, &group.parts));
    // Many have the same title; the place tells them apart.
    let place = group
        .parts
        .first()
        .map_or(String::new(), |finding| markup(&escape(finding.provenance.path.as_bytes())));
    let removed = match &exposure.removed_by {
        Some(commit) => moment::day(commit),
        None if exposure.tips.is_empty() => "in no latest version".to_owned(),
        None => "not yet".to_owned(),
    };
    let began = exposure.first_seen.as_ref().map_or(String::new(), moment::day);
    let days = exposure::days(exposure, report.made_at)
        .map_or("unknown".to_owned(), |days| count(days, "day", "days"));
    let (from, to) = (scale.place(first), scale.place(until(exposure, report.made_at).unwrap_or(first)));
    // A moment is a bar as well.
    let width = to.saturating_sub(from).max(8);
    let from = from.min(1000 - width.min(1000));
    let reach = exposure.reach.as_str();
    format!(
        "<tr><th scope=\"row\"><a href=\"#credential-{index}\">{title} <code>{place}</code></a></th><td class=\"day\">{began}</td><td class=\"day\">{removed}</td>\
         <td><span class=\"badge is-{reach}\">{reach}</span></td><td>{days}</td><td class=\"bar\" aria-hidden=\"true\">\
         <svg viewBox=\"0 0 1000 20\" preserveAspectRatio=\"none\" focusable=\"false\"><rect class=\"track\" x=\"0\" \
         y=\"8\" width=\"1000\" height=\"4\"/><rect class=\"span-{reach}\" x=\"{from}\" y=\"2\" width=\"{width}\" \
         height=\"16\"/></svg></td></tr>\n"
    )
}

/// How many by provider, and by who brought them.
fn tables(report: &Report, groups: &[Group<'_>]) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let mut providers: BTreeMap<String, Tally> = BTreeMap::new();
    let mut authors: BTreeMap<String, Tally> = BTreeMap::new();
    for group in groups {
        let provider = wording::provider_name(report, &group.set.provider);
        providers.entry(provider).or_default().add(group.set);
        if let Some(commit) = group.set.exposure.as_ref().and_then(|known| known.first_seen.as_ref()) {
            authors.entry(exposure::author(commit)).or_default().add(group.set);
        }
    }
    let by_author =
        if authors.is_empty() { String::new() } else { table("author", "By author", "Brought by", authors) };
    format!(
        "<div class=\"columns\">\n{}{by_author}</div>\n",
        table("provider", "By provider", "Provider", providers)
    )
}

#[derive(Default)]
struct Tally {
    all: u64,
    critical: u64,
    pushed: u64,
}

impl Tally {
    fn add(&mut self, set: &CredentialSet) {
        self.all += 1;
        self.critical += u64::from(set.severity == Severity::Critical);
        self.pushed += u64::from(set.exposure.as_ref().is_some_and(|known| known.reach == Reach::Pushed));
    }
}

fn table(id: &str, title: &str, column: &str, tallies: BTreeMap<String, Tally>) -> String {
    let mut rows: Vec<(String, Tally)> = tallies.into_iter().collect();
    rows.sort_by_key(|(_, tally)| std::cmp::Reverse((tally.all, tally.critical)));
    let left = rows.len().saturating_sub(MOST_ROWS);
    let body: String = rows
        .iter()
        .take(MOST_ROWS)
        .map(|(name, Tally { all, critical, pushed })| {
            let name = markup(name);
            format!(
                "<tr><th scope=\"row\">{name}</th><td class=\"number\">{all}</td><td class=\"number\">{critical}</td>\
                 <td class=\"number\">{pushed}</td></tr>\n"
            )
        })
        .collect();
    format!(
        "<section aria-labelledby=\"by-{id}\">\n<h2 id=\"by-{id}\">{title}</h2>\n<table aria-labelledby=\"by-{id}\">\n<thead><tr><th \
         scope=\"col\">{column}</th><th scope=\"col\" class=\"number\">In all</th><th \
         scope=\"col\" class=\"number\">Critical</th><th scope=\"col\" class=\"number\">Pushed</th></tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n{}</section>\n",
        more(left)
    )
}

fn cards(report: &Report, groups: &[Group<'_>]) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let body: String =
        groups.iter().take(MOST_CARDS).enumerate().map(|(index, group)| card(report, index, group)).collect();
    let form = filter(report, groups);
    format!(
        "<section aria-labelledby=\"credentials\">\n<h2 id=\"credentials\" tabindex=\"-1\">Credentials, worst \
         first</h2>\n{form}{body}{}</section>\n",
        more(groups.len().saturating_sub(MOST_CARDS))
    )
}

/// The filter is shown by the script that makes it work.
fn filter(report: &Report, groups: &[Group<'_>]) -> String {
    let option =
        |value: &str, words: &str| format!("<option value=\"{}\">{}</option>", markup(value), markup(words));
    let severities: String =
        ["critical", "high", "medium", "low"].iter().map(|word| option(word, word)).collect();
    let reaches: String = ["pushed", "local", "unreachable"].iter().map(|word| option(word, word)).collect();
    let providers: BTreeMap<String, &str> = groups
        .iter()
        .map(|group| (wording::provider_name(report, &group.set.provider), group.set.provider.as_str()))
        .collect();
    let providers: String = providers.iter().map(|(name, id)| option(&escape_text(id), name)).collect();
    let select = |name: &str, words: &str, options: &str| {
        format!(
            "<div><label for=\"{name}\">{words}</label><select id=\"{name}\" name=\"{name}\"><option \
             value=\"\">all</option>{options}</select></div>\n"
        )
    };
    format!(
        "<form id=\"filter\" role=\"search\" aria-label=\"Filter the credentials\" hidden>\n<div><label \
         for=\"words\">Words (path, author, rule …)</label><input id=\"words\" name=\"words\" type=\"search\" \
         autocomplete=\"off\"></div>\n{}{}{}<button type=\"reset\">Show all</button>\n<p id=\"said\" class=\"soft\" \
         role=\"status\" aria-live=\"polite\"></p>\n</form>\n",
        select("severity", "Severity", &severities),
        select("reach", "How far it got", &reaches),
        select("provider", "Provider", &providers),
    )
}

fn card(report: &Report, index: usize, group: &Group<'_>) -> String {
    let severity = group.set.severity.as_str();
    let reach = group.set.exposure.as_ref().map_or("", |exposure| exposure.reach.as_str());
    let title = markup(&wording::title(report, &group.parts));
    let badge = if reach.is_empty() {
        String::new()
    } else {
        format!(" <span class=\"badge is-{reach}\">{reach}</span>")
    };
    format!(
        "<article id=\"credential-{index}\" class=\"{severity}\" data-severity=\"{severity}\" data-reach=\"{reach}\" \
         data-provider=\"{}\" tabindex=\"-1\" aria-labelledby=\"title-{index}\">\n<div><span class=\"badge is-{severity}\">{severity}\
         </span>{badge} <h3 id=\"title-{index}\">{title}</h3></div>\n<p>{}</p>\n<dl>\n{}</dl>\n{}</article>\n",
        markup(&escape_text(&group.set.provider)),
        markup(&wording::meaning(report, group.set.state, &group.parts)),
        facts(report, group),
        steps(report, index, group.set),
    )
}

fn facts(report: &Report, group: &Group<'_>) -> String {
    let entry = |name: &str, html: &str| format!("<dt>{name}</dt><dd>{html}</dd>\n");
    let mut facts = entry("Where", &places(group));
    facts.push_str(&entry("Why", &markup(&wording::belief(&group.parts))));
    if let Some(exposure) = &group.set.exposure {
        facts.push_str(&entry("Since", &markup(&exposure::since(exposure, report.made_at))));
        facts.push_str(&entry("Today", &markup(&exposure::presence(exposure))));
        facts.push_str(&entry("So", &format!("<strong>{}</strong>", markup(&exposure::answer(exposure)))));
        let history = exposure::places(exposure);
        if history.len() > 1 {
            facts.push_str(&entry("In history", &list(&history)));
        }
    }
    facts
}

fn places(group: &Group<'_>) -> String {
    let place = |finding: &&Finding| {
        let path = escape(finding.provenance.path.as_bytes());
        format!("{path}:{}:{}  {}", finding.place.line, finding.place.column, escape_text(&finding.masked))
    };
    let places: Vec<String> = group.parts.iter().chain(&group.elsewhere).map(place).collect();
    list(&places)
}

fn list(texts: &[String]) -> String {
    let items: String = texts
        .iter()
        .take(SPELLED_OUT)
        .map(|text| format!("<li><code>{}</code></li>", markup(text)))
        .collect();
    let more = texts.len().saturating_sub(SPELLED_OUT);
    let more = if more > 0 { format!("<li>and {more} more</li>") } else { String::new() };
    format!("<ul class=\"places\">{items}{more}</ul>")
}

/// What to do, behind a click: the same for all credentials of a provider.
fn steps(report: &Report, index: usize, set: &CredentialSet) -> String {
    let Some(guide) = wording::guide(report, &set.provider) else {
        return "<p>Revoke it where it was issued, then put a new one where git does not see it.</p>\n"
            .to_owned();
    };
    let steps: String =
        guide.steps.iter().map(|step| format!("<li>{}</li>\n", markup(&escape_text(step)))).collect();
    let when = if exposure::is_local(set.exposure.as_ref()) { " if it was ever shared" } else { "" };
    format!(
        "<details><summary aria-describedby=\"title-{index}\">What to do{when}</summary>\n{}<ol>\n{steps}</ol>\n</details>\n",
        revoke(guide.revoke.as_deref())
    )
}

/// A link only where it leads over HTTPS; anything else is shown as it is.
fn revoke(page: Option<&str>) -> String {
    match page.map(|page| (page, markup(&escape_text(page)))) {
        None => String::new(),
        Some((page, safe)) if page.starts_with("https://") => {
            format!("<p>Revoke it: <a href=\"{safe}\" rel=\"noopener noreferrer\">{safe}</a></p>\n")
        }
        Some((_, safe)) => format!("<p>Revoke it: <code>{safe}</code></p>\n"),
    }
}

fn foot(report: &Report) -> String {
    let allowed = report.findings.iter().filter(|finding| !finding.verdict.is_open()).count();
    let words = match allowed {
        0 => String::new(),
        some => format!(
            "<p class=\"soft\">Not counted: {} that people allowed, that are published as examples or that belong to test networks.</p>\n",
            count(some as u64, "finding", "findings")
        ),
    };
    format!("</main>\n<footer>\n{words}</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

#[cfg(test)]
mod tests {
    use super::{Scale, markup};

    #[test]
    fn nothing_is_markup() {
        assert_eq!(markup("<a href='x' b=\"y\">&"), "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;");
    }

    #[test]
    fn moments_stay_on_the_scale() {
        let scale = Scale { begin: 100, end: 300 };
        for (moment, place) in [(100, 0), (200, 500), (300, 1000), (i64::MIN, 0), (i64::MAX, 1000)] {
            assert_eq!(scale.place(moment), place);
        }
        assert_eq!(Scale { begin: 5, end: 5 }.place(5), 0);
        assert_eq!(Scale { begin: i64::MIN, end: i64::MAX }.place(0), 500);
    }
}
