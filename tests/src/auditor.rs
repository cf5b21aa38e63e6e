//! The auditor for tests: what it finds in a database.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that cannot be audited fails")]

use infra::db::DatabaseSettings;
use infra::db::auditor::{Listener, Questions, Violation, audit};

/// Keeps what was found.
#[derive(Debug, Default)]
pub struct Findings(pub Vec<Violation>);

impl Listener for Findings {
    fn found(&mut self, violation: Violation) {
        self.0.push(violation);
    }

    fn progress(&mut self, _: u64, _: u64) {}
}

/// Everything that is not as it should be.
pub async fn violations(url: &str) -> Vec<Violation> {
    let mut findings = Findings::default();
    let settings = DatabaseSettings { url: url.to_owned(), max_connections: 1 };
    let asked = audit(&settings, Questions::default(), &mut findings).await.unwrap();
    assert!(asked > 0);
    findings.0
}
