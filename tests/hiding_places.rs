//! Secrets in every place of git and in every encoding: each scan has to find those in its sight.
//!
//! The outcome is a table in `docs/reliability.md`; `.ci/battery cases` writes it anew.

#![cfg(all(unix, feature = "cli"))]

mod common;
#[path = "common/figures.rs"]
mod figures;
mod hiding;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use hiding::secrets::{KINDS, Kind, Secret, bare};
use hiding::{Level, Mode, Planted, World};
use serde_json::Value;

const KEYFENCE: &str = env!("CARGO_BIN_EXE_keyfence");
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reliability.md");
/// Between these lines of the document stands what this test writes.
const BEGIN: &str = "<!-- hiding places: written by tests/hiding_places.rs -->\n";
const END: &str = "<!-- end of hiding places -->\n";

/// The scans of the work tree and the index, before the files are committed.
const BEFORE: [Mode; 3] = [Mode::Tree, Mode::AllFiles, Mode::Staged];
/// Those of what was committed.
const AFTER: [Mode; 3] = [Mode::History, Mode::Reachable, Mode::Range];

fn arguments(mode: Mode, base: &str) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    match mode {
        Mode::Tree => words(&["scan"]),
        Mode::AllFiles => words(&["scan", "--no-ignore"]),
        Mode::Staged => words(&["scan", "--staged"]),
        Mode::History => words(&["scan", "--history"]),
        Mode::Reachable => words(&["scan", "--history", "--reachable-only"]),
        Mode::Range => words(&["scan", "--range", &format!("{base}..HEAD")]),
    }
}

fn title(mode: Mode) -> &'static str {
    match mode {
        Mode::Tree => "`scan`",
        Mode::AllFiles => "`scan --no-ignore`",
        Mode::Staged => "`scan --staged`",
        Mode::History => "`scan --history`",
        Mode::Reachable => "`--reachable-only`",
        Mode::Range => "`scan --range`",
    }
}

/// The values that one scan found, by verdict.
#[derive(Default)]
struct Found {
    open: Vec<String>,
    allowed: Vec<String>,
}

fn scan(world: &World, mode: Mode) -> Found {
    let mut command = world.maker.repository.program(KEYFENCE);
    command.args(arguments(mode, &world.base)).args(["--format", "json", "--show-secrets", "--no-progress"]);
    let output = command.output().expect("keyfence can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{mode:?}: {errors}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert_eq!(report["problems"], Value::Array(Vec::new()), "{mode:?}");
    let mut found = Found::default();
    for finding in report["findings"].as_array().expect("there are findings") {
        let value = bare(finding["value"].as_str().expect("values were asked for"));
        match finding["verdict"].as_str() {
            Some("open") => found.open.push(value),
            _ => found.allowed.push(value),
        }
    }
    found
}

/// What came of one place and one scan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Found,
    Missed,
    /// The scan does not look there.
    OutOfSight,
    /// A secret of this kind cannot stand there.
    Impossible,
}

fn cell(planted: &Planted, mode: Mode, found: &Found) -> Cell {
    let Some(secret) = &planted.secret else { return Cell::Impossible };
    let values = if planted.level == Level::Policy { &found.allowed } else { &found.open };
    // Commits of a range are judged one by one: of a pair that came in two, the second brings what completes it.
    let seen = if mode == Mode::Range { secret.is_completed_by(values) } else { secret.is_among(values) };
    match (seen, planted.seen_by.contains(&mode)) {
        (true, _) => Cell::Found,
        (false, true) => Cell::Missed,
        (false, false) => Cell::OutOfSight,
    }
}

/// One line of the table: a place and what came of it, by scan and kind.
struct Row {
    level: Level,
    cells: Vec<(Mode, Vec<(Kind, Cell)>)>,
}

type Table = BTreeMap<(Level, &'static str), Row>;

/// Builds a world for each kind, at the same time, and scans it.
fn measure() -> Table {
    let results: Vec<Searched> = std::thread::scope(|scope| {
        let handles: Vec<_> = KINDS.iter().map(|&kind| scope.spawn(move || measure_kind(kind))).collect();
        handles.into_iter().map(|handle| handle.join().expect("every kind can be measured")).collect()
    });
    let mut table = Table::new();
    for (kind, world, scans) in &results {
        for planted in &world.planted {
            let row = table
                .entry((planted.level, planted.name))
                .or_insert_with(|| Row { level: planted.level, cells: Vec::new() });
            for (number, (mode, found)) in scans.iter().enumerate() {
                if row.cells.len() == number {
                    row.cells.push((*mode, Vec::new()));
                }
                row.cells[number].1.push((*kind, cell(planted, *mode, found)));
            }
        }
    }
    table
}

fn measure_kind(kind: Kind) -> (Kind, World, Vec<(Mode, Found)>) {
    let world = World::staged(kind);
    let mut scans: Vec<_> = BEFORE.iter().map(|&mode| (mode, scan(&world, mode))).collect();
    world.commit();
    if matches!(kind, Kind::Exchange | Kind::Pem) {
        world.pack();
    }
    scans.extend(AFTER.iter().map(|&mode| (mode, scan(&world, mode))));
    (kind, world, scans)
}

/// `all`, the kinds that were found, `none`, or nothing where the scan does not look.
fn words(cells: &[(Kind, Cell)]) -> String {
    let possible: Vec<_> = cells.iter().filter(|(_, cell)| *cell != Cell::Impossible).collect();
    let found: Vec<_> = possible.iter().filter(|(_, cell)| *cell == Cell::Found).collect();
    if possible.iter().all(|(_, cell)| *cell == Cell::OutOfSight) {
        return String::new();
    }
    if found.len() == possible.len() {
        return "all".to_owned();
    }
    let names: Vec<_> = found.iter().map(|(kind, _)| kind.name()).collect();
    if names.is_empty() { "**none**".to_owned() } else { format!("**{}**", names.join(", ")) }
}

fn modes(table: &Table) -> Vec<Mode> {
    let row = table.values().next().expect("there are places");
    row.cells.iter().map(|(mode, _)| *mode).collect()
}

/// In how many places of a level a kind of secret is found by a scan that has them in sight.
fn seen(table: &Table, level: Level, kind: Kind) -> usize {
    let is_seen = |row: &Row| {
        let cells = row.cells.iter().flat_map(|(_, cells)| cells);
        cells.clone().any(|&(its, cell)| its == kind && cell == Cell::Found)
            && !cells.clone().any(|&(its, cell)| its == kind && cell == Cell::Missed)
    };
    table.values().filter(|row| row.level == level && is_seen(row)).count()
}

/// Found and asked for, of one level, kind and scan.
fn count(table: &Table, level: Level, kind: Kind, mode: Mode) -> (usize, usize) {
    let cells = table.values().filter(|row| row.level == level).flat_map(|row| &row.cells);
    let cells = cells.filter(|(its, _)| *its == mode).flat_map(|(_, cells)| cells);
    let cells: Vec<_> = cells.filter(|(its, _)| *its == kind).map(|(_, cell)| *cell).collect();
    let found = cells.iter().filter(|&&cell| cell == Cell::Found).count();
    (found, found + cells.iter().filter(|&&cell| cell == Cell::Missed).count())
}

fn render(table: &Table) -> String {
    let modes = modes(table);
    let head = |first: &str| {
        let titles: Vec<_> = modes.iter().map(|&mode| title(mode)).collect();
        format!("| {first} | {} |\n|---{}|\n", titles.join(" | "), "|---".repeat(modes.len()))
    };
    let mut text = head("found / in sight");
    for level in [Level::Must, Level::Should, Level::May, Level::Policy] {
        for kind in KINDS {
            let counts = modes.iter().map(|&mode| {
                let (found, asked) = count(table, level, kind, mode);
                if asked == 0 { String::new() } else { format!("{found} / {asked}") }
            });
            let counts: Vec<_> = counts.collect();
            let _ = writeln!(text, "| {}, {} | {} |", level.name(), kind.name(), counts.join(" | "));
        }
    }
    text.push('\n');
    text.push_str(&head("place"));
    for ((level, name), row) in table {
        let cells: Vec<_> = row.cells.iter().map(|(_, cells)| words(cells)).collect();
        let _ = writeln!(text, "| {name} ({}) | {} |", level.name(), cells.join(" | "));
    }
    text
}

fn missed(table: &Table, level: Level) -> Vec<String> {
    let mut missed = Vec::new();
    for ((_, name), row) in table.iter().filter(|((its, _), _)| *its == level) {
        for (mode, cells) in &row.cells {
            let kinds = cells.iter().filter(|(_, cell)| *cell == Cell::Missed).map(|(kind, _)| kind.name());
            missed.extend(kinds.map(|kind| format!("{name}, {kind}, {}", title(*mode))));
        }
    }
    missed
}

#[test]
fn nothing_hides() {
    let table = measure();
    let measured = render(&table);
    let document = fs::read_to_string(DOCUMENT).expect("the document is there");
    let (head, rest) = document.split_once(BEGIN).expect("the document has a place for the table");
    let (kept, tail) = rest.split_once(END).expect("the table ends");
    if figures::wanted() {
        fs::write(DOCUMENT, [head, BEGIN, &measured, END, tail].concat())
            .expect("the document can be written");
    }
    for (level, name) in [(Level::Must, "must"), (Level::Should, "should"), (Level::May, "may")] {
        let places = table.keys().filter(|(its, _)| *its == level).count();
        let each = KINDS.map(|kind| format!("{} {}", kind.name(), seen(&table, level, kind)));
        let figure = format!("of {places}: {}", each.join(", "));
        figures::record(&format!("hiding places that {name} be seen"), &figure);
    }
    let mut lost = missed(&table, Level::Must);
    lost.extend(no_longer_found(kept, &measured));
    assert!(lost.is_empty(), "{} places have to be seen:\n{}", lost.len(), lost.join("\n"));
}

/// What the document lists as found and this run did not find. What is found beyond that waits for the next blessing.
fn no_longer_found(document: &str, measured: &str) -> Vec<String> {
    let cells = |text: &str| -> BTreeMap<(String, String), String> {
        let mut cells = BTreeMap::new();
        let mut titles = Vec::new();
        for line in text.lines().filter(|line| line.starts_with("| ")) {
            let mut words = line.trim_matches('|').split('|').map(|word| word.trim().to_owned());
            let place = words.next().unwrap_or_default();
            if place == "place" {
                titles = words.collect();
            } else {
                cells.extend(
                    titles.iter().cloned().zip(words).map(|(title, cell)| ((place.clone(), title), cell)),
                );
            }
        }
        cells
    };
    let now = cells(measured);
    let is_lost = |(at, before): &(&(String, String), &String)| {
        let after = now.get(*at).map_or("", String::as_str);
        after != "all" && !before.is_empty() && *before != "**none**" && after != before.as_str()
    };
    cells(document).iter().filter(is_lost).map(|((place, title), _)| format!("{place}, {title}")).collect()
}

#[test]
fn a_loss_is_seen() {
    let table = |cell: &str| format!("| place | `scan` |\n|---|---|\n| crlf (must) | {cell} |\n");
    for (before, after, lost) in [
        ("all", "all", 0),
        ("all", "**aws**", 1),
        ("**aws**", "all", 0),
        ("**none**", "**none**", 0),
        ("all", "", 1),
    ] {
        assert_eq!(no_longer_found(&table(before), &table(after)).len(), lost, "{before}, then {after}");
    }
}

#[test]
fn every_place_is_there() {
    let world = World::staged(Kind::Github);
    let count = |level| world.planted.iter().filter(|planted| planted.level == level).count();
    let counts = [Level::Must, Level::Should, Level::May, Level::Policy].map(count);
    assert_eq!(counts, [79, 22, 8, 1]);
}

#[test]
fn secrets_differ_by_place() {
    let values = |kind, place| -> Vec<String> {
        Secret::of(kind, place).parts().map(|(_, value)| value.to_owned()).collect()
    };
    for kind in KINDS {
        assert_eq!(values(kind, "a"), values(kind, "a"));
        assert_ne!(values(kind, "a"), values(kind, "b"));
    }
}
/// One kind of secret, the repository it was hidden in, and what each mode found.
type Searched = (Kind, World, Vec<(Mode, Found)>);
