//! A short round of the fault experiments with the programs of this build, and that a proof which is broken on purpose
//! fails. `just chaos` breaks a release build for longer.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Command, Output};

/// Those whose verdict does not hang on how busy the machine is.
const EXPERIMENTS: [&str; 4] = ["kill", "cut", "cancel", "drain"];

fn chaos(words: &[&str]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_chaos"));
    let server = program.with_file_name("suanpan");
    assert!(server.is_file(), "cargo test --workspace builds {}", server.display());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chaos");
    Command::new(program).arg("--server").arg(server).arg("--folder").arg(folder).args(words).output().unwrap()
}

fn holds(database: &str) {
    let mut words = vec!["--database", database];
    words.extend(EXPERIMENTS.into_iter().flat_map(|experiment| ["--only", experiment]));
    let Output { status, stdout, stderr } = chaos(&words);
    let said = String::from_utf8_lossy(&stdout);
    println!("{said}");
    assert!(status.success(), "{said}{}", String::from_utf8_lossy(&stderr));
}

fn is_noticed(defect: &str, (experiment, rounds): (&str, &str), database: &str) {
    let words = ["--only", experiment, "--database", database, "--rounds", rounds, "--defect", defect];
    let Output { status, stderr, .. } = chaos(&words);
    let why = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && why.contains("violations"), "{defect} in {experiment}: {status} {why}");
}

#[test]
fn nothing_is_lost_or_doubled_sqlite() {
    holds("sqlite");
    is_noticed("lose", ("kill", "1"), "sqlite");
    is_noticed("double", ("drain", "1"), "sqlite");
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL"]
fn nothing_is_lost_or_doubled_postgres() {
    holds("postgres");
    // Only a cut after COMMIT leaves something that a repetition doubles: every second one.
    is_noticed("new-keys", ("cut", "20"), "postgres");
}

#[test]
#[ignore = "needs TEST_MARIADB_URL"]
fn nothing_is_lost_or_doubled_mariadb() {
    holds("mariadb");
    is_noticed("lose", ("kill", "1"), "mariadb");
}
