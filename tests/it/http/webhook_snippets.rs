//! The examples of `docs/webhooks.md` verify what our sender signed, and refuse what was forged. What has no interpreter
//! on this machine is skipped, and says so.

use api::dispatcher::Dispatcher;
use harness::app::TestApp;
use harness::receiver::{Received, Receiver};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const OPEN: [(&str, &str); 2] =
    [("SUANPAN__WEBHOOKS__PLAIN_HTTP", "true"), ("SUANPAN__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1")];
/// What calls the function of an example with a request, and exits with 0 when it was verified.
const PYTHON_CALL: &str = "
import json, sys
request = json.load(open('request.json'))
sys.exit(0 if verify(request['secret'], request['headers'], request['body'].encode()) is True else 9)
";
const NODE_CALL: &str = "
import { readFileSync } from 'node:fs';
const request = JSON.parse(readFileSync('request.json', 'utf8'));
process.exit(verify(request.secret, request.headers, Buffer.from(request.body)) === true ? 0 : 9);
";
/// The types of the example, which plain JavaScript does not have.
const TYPES: [&str; 4] = [": Record<string, string>", ": string", ": Buffer", ": boolean"];

/// The fenced code of a language that mentions something.
fn snippet(language: &str, mentions: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/webhooks.md");
    let text = std::fs::read_to_string(page).unwrap();
    let fence = format!("```{language}\n");
    let mut found = text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    found.find(|code| code.contains(mentions)).unwrap()
}

/// A delivery as our sender made it, and the secret of its endpoint.
async fn delivered() -> (String, Received) {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::with(&fresh.url, &OPEN).await;
    let (user, receiver, dispatcher) =
        (app.user(None).await, Receiver::start(), Dispatcher::start(&app.scene.services));
    let me = app.by(&user.token);
    let made = me.post("/webhook-endpoints", &json!({"url": receiver.url("/a")})).await.expect(201);
    let words = json!({"meter": "words", "quantity": 24_000, "key": "到第一个阈值"});
    me.post("/usage", &words).await.expect(201);
    let arrived = receiver.wait_for("/a", 1, PATIENCE).await.remove(0);
    dispatcher.stop(PATIENCE).await;
    (made.text("/secret"), arrived)
}

/// Whether a program is here, which says its version when asked so.
fn has(program: &str, version: &str) -> bool {
    let found = Command::new(program).arg(version).output().is_ok_and(|output| output.status.success());
    if !found {
        println!("SKIPPED: there is no {program} here");
    }
    found
}

/// Runs a program over a request in a folder of its own: its exit code, and what it printed.
fn run(command: &mut Command, program: (&str, &str), secret: &str, request: &Received) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let headers: serde_json::Map<_, _> = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .into_iter()
        .map(|name| (name.to_owned(), json!(request.header(name))))
        .collect();
    let described = json!({"secret": secret, "headers": headers, "body": request.body});
    std::fs::write(folder.path().join("request.json"), described.to_string()).unwrap();
    std::fs::write(folder.path().join("body.json"), &request.body).unwrap();
    std::fs::write(folder.path().join(program.0), program.1).unwrap();
    let command = command.current_dir(folder.path()).env("SECRET", secret);
    let command = command.env("ID", request.header("webhook-id")).env("TIME", request.header("webhook-timestamp"));
    let output = command.arg(program.0).output().unwrap();
    assert!([Some(0), Some(9)].contains(&output.status.code()), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What must be refused: another's secret, another body, an old request, a signature cut short.
fn forgeries(secret: &str, request: &Received) -> Vec<(String, Received)> {
    let with = |name: &'static str, value: &str| {
        let mut forged = request.clone();
        forged.headers.insert(name, value.parse().unwrap());
        (secret.to_owned(), forged)
    };
    let mut other_body = request.clone();
    other_body.body = other_body.body.replace("80", "81");
    let signature = request.header("webhook-signature");
    vec![
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(), request.clone()),
        (secret.to_owned(), other_body),
        with("webhook-timestamp", "1700000000"),
        with("webhook-id", "evt_another"),
        with("webhook-signature", &signature[..signature.len() - 4]),
        with("webhook-signature", &signature.replace("v1,", "v2,")),
    ]
}

fn check(interpreter: &str, program: (&str, &str), secret: &str, request: &Received) {
    let verify = |secret: &str, request: &Received| run(&mut Command::new(interpreter), program, secret, request).0;
    assert_eq!(verify(secret, request), Some(0), "{interpreter}: what we signed");
    for (place, (secret, forged)) in forgeries(secret, request).iter().enumerate() {
        assert_eq!(verify(secret, forged), Some(9), "{interpreter}: forgery {place}");
    }
}

#[tokio::test]
async fn the_example_in_python_verifies_what_we_send() {
    let (secret, request) = delivered().await;
    if has("python3", "--version") {
        let program = format!("{}\n{PYTHON_CALL}", snippet("python", "def verify"));
        check("python3", ("verify.py", &program), &secret, &request);
    }
}

#[tokio::test]
async fn the_example_in_typescript_verifies_what_we_send() {
    let (secret, request) = delivered().await;
    if has("node", "--version") {
        let plain = TYPES.iter().fold(snippet("typescript", "function verify"), |code, of| code.replace(of, ""));
        check("node", ("verify.mjs", &format!("{plain}\n{NODE_CALL}")), &secret, &request);
    }
}

#[tokio::test]
async fn the_example_with_openssl_computes_the_signature_that_we_send() {
    let (secret, request) = delivered().await;
    if has("openssl", "version") && has("xxd", "-v") {
        let program = snippet("sh", "openssl dgst");
        let signed = |secret: &str| run(&mut Command::new("bash"), ("sign.sh", &program), secret, &request).1;
        assert_eq!(format!("v1,{}", signed(&secret)), request.header("webhook-signature"));
        assert_ne!(format!("v1,{}", signed("whsec_MfKQ9r8G")), request.header("webhook-signature"));
    }
}
