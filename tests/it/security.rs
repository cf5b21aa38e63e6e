//! The page on security: every test that it names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read_all(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// The names in the last column of the page's tables, row by row.
fn named(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let last = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    let cells = last.filter(|cell| cell.trim() != "tests");
    cells.map(|cell| cell.split('`').skip(1).step_by(2).collect()).collect()
}

#[test]
fn every_test_that_the_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let mut sources = String::new();
    for folder in ["tests", "crates"] {
        read_all(&root.join(folder), &mut sources);
    }
    let rows = named(&page);
    assert!(rows.len() > 50, "{} rows", rows.len());
    let missing: BTreeSet<&str> = rows
        .iter()
        .flatten()
        .filter(|name| !sources.contains(&format!("fn {name}(")) && !sources.contains(&format!("db_test!({name},")))
        .copied()
        .collect();
    assert!(missing.is_empty(), "named and not there: {missing:#?}");
    assert!(rows.iter().all(|row| !row.is_empty()), "every threat has a test");
}
