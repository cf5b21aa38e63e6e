//! Figures of several runs: median, lowest and highest.

use serde::Serialize;

/// What several runs of one thing gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// In the order of the runs.
    pub runs: Vec<f64>,
}

impl Figures {
    /// `None` without a run.
    pub fn of(runs: &[f64]) -> Option<Self> {
        let mut sorted = runs.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Some(Self { median: f64::midpoint(low, high), min, max, runs: runs.to_vec() })
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^53")]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// `12`, `1.2` or `12 345`: three digits or all before the point.
pub fn written(figure: f64) -> String {
    if figure.abs() < 10.0 {
        return format!("{figure:.2}");
    }
    if figure.abs() < 100.0 {
        return format!("{figure:.1}");
    }
    let digits = format!("{figure:.0}");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    format!("{sign}{}", groups.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_run_or_between_the_two_in_the_middle() {
        let odd = Figures::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 3.0));
        assert_eq!(odd.runs, [3.0, 1.0, 2.0]);
        assert!((Figures::of(&[4.0, 1.0, 2.0, 3.0]).unwrap().median - 2.5).abs() < f64::EPSILON);
        assert_eq!(Figures::of(&[]), None);
    }

    #[test]
    fn figures_are_written_with_three_digits_or_in_groups() {
        let texts = [0.0, 2.34567, 42.42, 999.6, 12_345.6, 1_234_567.0].map(written);
        assert_eq!(texts, ["0.00", "2.35", "42.4", "1 000", "12 346", "1 234 567"]);
    }
}
