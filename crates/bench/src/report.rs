//! What was measured, as a table for people and JSON for programs.

use crate::database::Engine;
use crate::figures::{Figures, written};
use serde::Serialize;

/// What must be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Required {
    /// So many times the reference.
    Ratio(f64),
    /// At most so much, in the row's unit.
    AtMost(f64),
}

/// What something is compared with.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    pub name: &'static str,
    pub figures: Figures,
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub scenario: String,
    pub database: String,
    pub unit: &'static str,
    pub ours: Figures,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub reference: Option<Compared>,
    pub ratio: Option<f64>,
    pub required: Option<String>,
    /// `None` where nothing is required, or there was nothing to compare with.
    pub reached: Option<bool>,
}

impl Row {
    pub fn new(scenario: impl Into<String>, engine: Engine, unit: &'static str, ours: Figures) -> Self {
        Self {
            scenario: scenario.into(),
            database: engine.to_string(),
            unit,
            ours,
            p50_ms: None,
            p99_ms: None,
            reference: None,
            ratio: None,
            required: None,
            reached: None,
        }
    }

    #[must_use]
    pub fn latencies(mut self, p50_ms: Option<f64>, p99_ms: Option<f64>) -> Self {
        (self.p50_ms, self.p99_ms) = (p50_ms, p99_ms);
        self
    }

    #[must_use]
    pub fn compared_with(mut self, name: &'static str, figures: Option<Figures>) -> Self {
        self.ratio = figures.as_ref().map(|reference| self.ours.median / reference.median);
        self.reference = figures.map(|figures| Compared { name, figures });
        self
    }

    #[must_use]
    pub fn required(mut self, required: Required) -> Self {
        (self.required, self.reached) = match required {
            Required::Ratio(least) => (Some(format!(">= {least} x")), self.ratio.map(|ratio| ratio >= least)),
            Required::AtMost(most) => (Some(format!("<= {most} {}", self.unit)), Some(self.ours.median <= most)),
        };
        self
    }
}

/// Everything of one run.
#[derive(Debug, Serialize)]
pub struct Report {
    pub run_at: String,
    pub machine: Vec<(String, String)>,
    pub seconds: u64,
    pub repeat: u32,
    pub accounts: u64,
    pub rows: Vec<Row>,
}

const TITLES: [&str; 9] =
    ["scenario", "database", "ours [min .. max]", "p50 ms", "p99 ms", "reference", "ratio", "required", ""];

impl Report {
    /// A Markdown table with aligned columns.
    pub fn table(&self) -> String {
        let mut lines = vec![TITLES.map(str::to_owned)];
        lines.extend(self.rows.iter().map(cells));
        let widths: Vec<usize> = (0..TITLES.len())
            .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default())
            .collect();
        let rule = widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|");
        let mut text: Vec<String> = lines.iter().map(|line| aligned(line, &widths)).collect();
        text.insert(1, format!("|{rule}|"));
        text.join("\n")
    }

    /// The figures that are required and were not reached.
    pub fn missed(&self) -> usize {
        self.rows.iter().filter(|row| row.reached == Some(false)).count()
    }
}

fn aligned(line: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> = line.iter().zip(widths).map(|(cell, width)| format!(" {cell:<width$} ")).collect();
    format!("|{}|", cells.join("|"))
}

fn cells(row: &Row) -> [String; 9] {
    let optional = |figure: Option<f64>| figure.map(written).unwrap_or_default();
    let spread = |figures: &Figures| {
        let Figures { median, min, max, .. } = figures;
        format!("{} [{} .. {}]", written(*median), written(*min), written(*max))
    };
    let reference = row.reference.as_ref().map(|compared| format!("{} {}", compared.name, spread(&compared.figures)));
    let verdict = row.reached.map_or("", |reached| if reached { "ok" } else { "missed" });
    [
        row.scenario.clone(),
        row.database.clone(),
        format!("{} {}", spread(&row.ours), row.unit),
        optional(row.p50_ms),
        optional(row.p99_ms),
        reference.unwrap_or_default(),
        row.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
        row.required.clone().unwrap_or_default(),
        verdict.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: f64) -> Row {
        Row::new("hot", Engine::Postgres, "/s", Figures::of(&[ours]).unwrap())
    }

    #[test]
    fn a_ratio_is_of_medians_and_reached_or_missed() {
        let reference = Figures::of(&[90.0, 100.0, 500.0]);
        let reached = row(2000.0).compared_with("bare", reference.clone()).required(Required::Ratio(20.0));
        assert_eq!((reached.ratio, reached.reached), (Some(20.0), Some(true)));
        let missed = row(1999.0).compared_with("bare", reference).required(Required::Ratio(20.0));
        assert_eq!(missed.reached, Some(false));
    }

    #[test]
    fn without_a_reference_nothing_is_claimed() {
        let alone = row(2000.0).compared_with("bare", None).required(Required::Ratio(20.0));
        assert_eq!((alone.ratio, alone.reached), (None, None));
    }

    #[test]
    fn a_bound_holds_up_to_and_including_itself() {
        assert_eq!(row(25.0).required(Required::AtMost(25.0)).reached, Some(true));
        assert_eq!(row(25.1).required(Required::AtMost(25.0)).reached, Some(false));
    }

    #[test]
    fn the_columns_of_the_table_are_aligned() {
        let rows = vec![row(1.0), row(20.0).required(Required::AtMost(3.0))];
        let report = Report { run_at: String::new(), machine: Vec::new(), seconds: 1, repeat: 1, accounts: 1, rows };
        let table = report.table();
        let widths: Vec<_> = table.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
        assert_eq!(report.missed(), 1);
        assert!(table.contains("missed"));
    }
}
