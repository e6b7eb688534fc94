//! What a scanner found, in one form, whichever scanner it was.
//!
//! Must not know: labels. Invariant: every finding of the input that nobody allowed is told; what cannot be read is an error.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Error;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// As the tool names it.
    pub path: String,
    /// The first line.
    pub line: usize,
    /// The last line.
    pub end_line: usize,
    /// The rule's name or id.
    pub rule: String,
    /// The providers it could be of; what else tells whose it is stands in `rule`.
    pub providers: Vec<String>,
    /// Whether it would stop a commit.
    pub blocks: bool,
}

/// Names of the forms that are read.
pub const TOOLS: &[&str] =
    &["keyfence", "gitleaks", "betterleaks", "kingfisher", "trufflehog", "detect-secrets", "ripsecrets"];

/// Reads a report; paths are made relative to `tree`.
///
/// # Errors
/// Another form than the tool's.
pub fn read(tool: &str, text: &str, tree: &str) -> Result<Vec<Found>, Error> {
    let rows = match tool {
        "keyfence" => keyfence(&serde_json::from_str(text)?),
        "gitleaks" | "betterleaks" => gitleaks(&serde_json::from_str(text)?),
        "kingfisher" => lines(text).iter().flat_map(kingfisher).collect(),
        "trufflehog" => lines(text).iter().filter_map(trufflehog).collect(),
        "detect-secrets" => detect_secrets(&serde_json::from_str(text)?),
        "ripsecrets" => text.lines().filter_map(ripsecrets).collect(),
        _ => return Err(format!("unknown tool {tool}; known are {}", TOOLS.join(", ")).into()),
    };
    let relative = |mut found: Found| {
        let path = found.path.trim_start_matches("file://");
        let path = path.strip_prefix(tree).unwrap_or(path).trim_start_matches("./").trim_start_matches('/');
        found.path = path.to_owned();
        found.end_line = found.end_line.max(found.line);
        found
    };
    let unique: BTreeSet<Found> = rows.into_iter().map(relative).collect();
    Ok(unique.into_iter().collect())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn keyfence(report: &Value) -> Vec<Found> {
    // What a person allowed is settled; published values and test keys are told and block nothing.
    let told = list(&report["findings"]).iter().filter(|row| row["verdict"] != "allowed");
    told.map(|row| Found {
        path: text(&row["path"]),
        line: number(&row["line"]),
        end_line: number(&row["end_line"]),
        rule: text(&row["rule"]),
        providers: [&row["provider"]].into_iter().chain(list(&row["alternatives"])).map(text).collect(),
        blocks: row["verdict"] == "open" && row["confidence"] != "possible",
    })
    .collect()
}

/// Betterleaks writes the older form and a newer one.
fn gitleaks(report: &Value) -> Vec<Found> {
    let rows = report.as_array().map_or_else(|| list(&report["findings"]), Vec::as_slice);
    rows.iter()
        .map(|row| {
            let place = &row["location"];
            let newer = place.is_object();
            let pick = |older: &str, newer_name: &str| if newer { &place[newer_name] } else { &row[older] };
            let mut path = text(pick("File", "path"));
            if path.is_empty() {
                path = text(&row["attributes"]["path"]);
            }
            Found {
                path,
                line: number(pick("StartLine", "start_line")),
                end_line: number(pick("EndLine", "end_line")),
                rule: text(if newer { &row["rule_id"] } else { &row["RuleID"] }),
                providers: Vec::new(),
                blocks: true,
            }
        })
        .collect()
}

fn kingfisher(row: &Value) -> Vec<Found> {
    let rows = if row["findings"].is_array() { list(&row["findings"]) } else { std::slice::from_ref(row) };
    rows.iter()
        .filter(|row| row["finding"].is_object())
        .map(|row| {
            let found = &row["finding"];
            let line = number(&found["line"]);
            Found {
                path: text(&found["path"]),
                line,
                end_line: line + found["snippet"].as_str().unwrap_or_default().matches('\n').count(),
                rule: format!("{} {}", text(&row["rule"]["name"]), text(&row["rule"]["id"])),
                providers: Vec::new(),
                blocks: true,
            }
        })
        .collect()
}

fn trufflehog(row: &Value) -> Option<Found> {
    let place = &row["SourceMetadata"]["Data"]["Filesystem"];
    place.is_object().then(|| Found {
        path: text(&place["file"]),
        line: number(&place["line"]),
        end_line: number(&place["line"]),
        rule: text(&row["DetectorName"]),
        providers: Vec::new(),
        blocks: true,
    })
}

fn detect_secrets(report: &Value) -> Vec<Found> {
    let files = report["results"].as_object().into_iter().flatten();
    files
        .flat_map(|(path, rows)| {
            list(rows).iter().map(move |row| Found {
                path: path.clone(),
                line: number(&row["line_number"]),
                end_line: number(&row["line_number"]),
                rule: text(&row["type"]),
                providers: Vec::new(),
                blocks: true,
            })
        })
        .collect()
}

fn ripsecrets(line: &str) -> Option<Found> {
    let mut fields = line.splitn(3, ':');
    let (path, line) = (fields.next()?, fields.next()?.parse().ok()?);
    let (rule, providers) = (String::new(), Vec::new());
    Some(Found { path: path.to_owned(), line, end_line: line, rule, providers, blocks: true })
}
