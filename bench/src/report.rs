//! What is printed, and what is read from the command line.

use std::io::{self, Write};
use std::time::Duration;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::closed_loop::Phase;
use crate::compare::{Comparison, Of};
use crate::machine::Machine;
use crate::tally::Quantiles;
use crate::{Failure, lateness, network, outage};

/// What a load came to.
#[derive(Debug, Serialize)]
pub(crate) struct Loaded {
    pub(crate) machine: Machine,
    pub(crate) phases: Vec<Phase>,
}

/// Something that can be printed for people, and as JSON.
pub(crate) trait Report: Serialize {
    /// For people.
    fn text(&self) -> String;

    /// Whether there was something to measure, and all was as it should be.
    fn is_clean(&self) -> bool;
}

/// Prints a report.
pub(crate) fn print(report: &impl Report, json: bool) -> Result<(), Failure> {
    let text = if json {
        serde_json::to_string_pretty(report).map_err(|error| Failure::new("no JSON", error))?
    } else {
        report.text()
    };
    writeln!(io::stdout(), "{text}").map_err(|error| Failure::new("cannot print", error))
}

/// Reads seconds, such as `3` or `0.25`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no number of seconds such as 3 or 0.25");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

impl Report for Loaded {
    fn text(&self) -> String {
        let heading = [
            "job",
            "answers",
            "per s",
            "per CPU-s",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "p99.9 ms",
            "max ms",
        ];
        let rows = self.phases.iter().map(|phase| {
            let figures = &phase.figures;
            let mut row = vec![
                phase.job.name().to_owned(),
                figures.requests.to_string(),
                format!("{:.0}", phase.per_second()),
                phase.cost.map_or_else(String::new, |cost| format!("{:.0}", cost.per_cpu_second)),
            ];
            row.extend(figures.times.in_ms());
            row
        });
        format!("{}\n{}{}", table(&heading, rows), errors(self.phases.iter()), self.machine.text())
    }

    fn is_clean(&self) -> bool {
        self.phases.iter().all(Phase::is_clean)
    }
}

impl Report for Comparison {
    fn text(&self) -> String {
        let heading = ["job", "echo req/CPU-s", "gateway req/CPU-s", "ratio", "ratio min..max"];
        let rows = self.jobs.iter().map(|job| {
            vec![
                job.job.name().to_owned(),
                format!("{:.0}", job.echo.median),
                format!("{:.0}", job.gateway.median),
                format!("{:.3}", job.ratio.median),
                job.ratio.ends(3),
            ]
        });
        let rounds = self.jobs.first().map_or(0, |job| job.echo_rounds.len());
        let of = match self.of {
            Of::Recent => "those of the round",
            Of::All => "any of those",
        };
        format!(
            "{}\n{}{}\nget and list {of}; {rounds} rounds, {} connections\n{}",
            table(&heading, rows),
            errors(self.phases()),
            self.ground.text(),
            self.connections,
            self.machine.text()
        )
    }

    fn is_clean(&self) -> bool {
        self.phases().all(Phase::is_clean) && self.ground.events_missing == 0
    }
}

impl Report for network::Measured {
    fn text(&self) -> String {
        let rows = [
            ("provision and grant, while filling", "µs", self.fill_us),
            ("provision, grant, and a release, when full", "µs", self.life_us),
            ("a release, until empty", "µs", self.release_us),
            ("the longest release", "ms", self.longest_release_ms),
            ("a session in memory", "bytes", self.bytes),
            ("a session in memory, after a start", "bytes", self.started_bytes),
            ("a list of all", "ms", self.list_ms),
            ("a list of a 256th", "ms", self.list_part_ms),
            ("start", "s", self.start_s),
            ("a line of the file, at the start", "µs", self.line_us),
        ];
        let rows = rows.map(|(what, unit, figure)| {
            vec![what.to_owned(), format!("{figure:.3}"), unit.to_owned()]
        });
        let table = table(&["what", "figure", "unit"], rows.into_iter());
        format!("{table}\n{} sessions\n{}", self.sessions, self.machine.text())
    }

    fn is_clean(&self) -> bool {
        true
    }
}

impl Report for lateness::Measured {
    fn text(&self) -> String {
        let heading =
            ["after expiresAt", "count", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"];
        let row = |what: &str, count: u64, times: Quantiles| {
            let mut row = vec![what.to_owned(), count.to_string()];
            row.extend(times.in_ms());
            row
        };
        let mut rows = vec![
            row("event", self.events.count, self.events.times),
            row("rule gone", self.rules.count, self.rules.times),
        ];
        if let Some(load) = &self.load {
            rows.push(row("(create of the load)", load.requests, load.times));
        }
        let load = self.load.iter().flat_map(|load| &load.errors);
        format!(
            "{}\n{}{} sessions, {} early; {} seen shortly before their end, {} events repeated\n{}",
            table(&heading, rows.into_iter()),
            faults(self.errors.iter().chain(load)),
            self.sessions,
            self.early,
            self.looked_at,
            self.repeated,
            self.machine.text()
        )
    }

    fn is_clean(&self) -> bool {
        let load = self.load.as_ref().is_none_or(|load| load.errors.is_empty());
        self.sessions > 0 && self.early == 0 && self.errors.is_empty() && load
    }
}

impl Report for outage::Measured {
    fn text(&self) -> String {
        let rows = [
            ("ready", self.ready_s),
            ("no session live", self.ended_s),
            ("no rule left", self.rules_gone_s),
            ("all events settled", self.settled_s),
        ];
        let rows = rows.map(|(what, after_s)| {
            let after = after_s.map_or_else(|| "never".to_owned(), |after| format!("{after:.2}"));
            vec![what.to_owned(), after]
        });
        format!(
            "{}\n{}{} sessions, {} receivers, down for {} s; filled in {:.1} s, {:.1} CPU-s\n{}",
            table(&["after the start", "s"], rows.into_iter()),
            faults(self.errors.iter()),
            self.sessions,
            self.receivers,
            self.down_s,
            self.fill_s,
            self.cpu_s,
            self.machine.text()
        )
    }

    fn is_clean(&self) -> bool {
        self.is_over() && self.errors.is_empty()
    }
}

impl Quantiles {
    /// The cells of a row: p50, p90, p99, p99.9 and the maximum.
    pub(crate) fn in_ms(&self) -> [String; 5] {
        let all = [self.p50_us, self.p90_us, self.p99_us, self.p999_us, self.max_us];
        all.map(|micros| format!("{:.2}", micros as f64 / 1_000.0))
    }
}

impl Machine {
    /// For people.
    pub(crate) fn text(&self) -> String {
        format!(
            "{} cores ({}), Linux {}, load before: {}\ndata on {}; {}; {} build",
            self.cores,
            self.processor,
            self.kernel,
            self.load_before,
            self.file_system,
            self.ledger,
            self.build
        )
    }
}

/// What went wrong in phases, a line for each.
pub(crate) fn errors<'a>(phases: impl Iterator<Item = &'a Phase>) -> String {
    let mut text = String::new();
    for phase in phases {
        for (why, count) in &phase.figures.errors {
            text.push_str(&format!("ERROR {}: {why}: {count}\n", phase.job.name()));
        }
    }
    text
}

/// What should not have been, a line for each.
pub(crate) fn faults<'a>(errors: impl Iterator<Item = (&'a String, &'a u64)>) -> String {
    errors.map(|(what, count)| format!("ERROR {what}: {count}\n")).collect()
}

/// Rows below a heading; all but the first column are numbers.
pub(crate) fn table(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heading.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}
