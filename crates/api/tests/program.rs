//! The program itself, as it is installed: what its command line answers without a server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::{Command, Output};

fn suanpan(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_suanpan")).args(words).output().unwrap()
}

#[test]
fn it_prints_its_document_and_refuses_what_it_does_not_know() {
    let document = suanpan(&["openapi"]);
    assert!(document.status.success());
    let text = String::from_utf8(document.stdout).unwrap();
    assert!(text.starts_with('{') && text.contains("/api/v1/usage"), "{text}");
    let unknown = suanpan(&["charge-everybody"]);
    assert_eq!(unknown.status.code(), Some(2), "as the command line's library says it");
    assert!(unknown.stdout.is_empty() && !unknown.stderr.is_empty());
}
