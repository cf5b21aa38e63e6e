//! Reads `table.txt`: who may call what, a line for each route.

use std::collections::BTreeMap;
use std::path::Path;

/// Everybody there is, in the order of the table's columns.
pub const CALLERS: [&str; 12] = [
    "nobody",
    "stranger",
    "member",
    "admin",
    "owner",
    "member's key",
    "key:read",
    "key:write",
    "key:service",
    "key:admin",
    "operator",
    "root",
];
/// What stands for a route that asks for another proof than a caller, such as a provider's signature.
pub const PROOF: &str = "proof";

/// The cells of each route, by its name.
pub fn read() -> BTreeMap<String, Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/access/table.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(row).collect()
}

fn row(line: &str) -> (String, Vec<String>) {
    let mut words = line.split_whitespace().map(str::to_owned);
    let name = format!("{} {}", words.next().unwrap(), words.next().unwrap());
    let cells: Vec<String> = words.collect();
    assert_eq!(cells.len(), CALLERS.len(), "{name}");
    for cell in &cells {
        assert!(["in", "401", "403", "404", PROOF].contains(&cell.as_str()), "{name}: {cell}");
    }
    (name, cells)
}

/// A route as a line of the table.
pub fn line(name: &str, cells: &[String]) -> String {
    let (method, path) = name.split_once(' ').unwrap();
    let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:<6}")).collect();
    format!("{method:<6} {path:<55} {}", cells.join(" ")).trim_end().to_owned()
}
