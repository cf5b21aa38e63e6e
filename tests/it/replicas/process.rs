//! `suanpan` in a process of its own: this binary, started again to run nothing but `a_process`, which reads the command
//! line as the program's `main` does.
#![expect(clippy::disallowed_methods, reason = "the process is told by its environment what it is")]

use api::cli::{Cli, run};
use clap::Parser;
use harness::app::Answer;
use infra::failpoints::{self, Point};
use reqwest::{Client, Method};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ExitCode, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What tells the binary that it is `suanpan`, and the words of its command line.
const ROLE: &str = "SUANPAN_TEST_COMMAND";
const SERVE: &str = "serve";
/// What a server says when it knows where to die.
const ARMED: &str = "armed";
const START: Duration = Duration::from_secs(15);
/// A start that makes the demo first, in a debug build.
const SEEDING_START: Duration = Duration::from_mins(2);

/// Not a test: what the processes run.
#[test]
#[ignore = "the tests beside it start it"]
fn a_process() {
    if let Ok(words) = std::env::var(ROLE) {
        if words == SERVE {
            thread::spawn(obey);
        }
        let cli = Cli::parse_from(std::iter::once("suanpan").chain(words.split(' ')));
        let code = tokio::runtime::Runtime::new().unwrap().block_on(run(cli));
        assert_eq!(code, ExitCode::SUCCESS);
    }
}

/// Reads from the standard input where this process is to die: a point and a number, or `off`.
fn obey() {
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match line.split_once(' ').and_then(|(point, hit)| Some((Point::parse(point)?, hit.parse().ok()?))) {
            Some((point, hit)) => failpoints::arm(point, hit),
            None => failpoints::disarm(),
        }
        println!("{ARMED}");
    }
}

/// A command that runs; it is killed with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_before = self.0.kill();
        let _status = self.0.wait();
    }
}

impl Running {
    /// Starts a command of the program.
    pub fn start(url: &str, words: &str, more: &[(&str, &str)]) -> Self {
        Self(spawn(url, words, more))
    }

    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Waits for its end, which has to be a good one.
    pub fn succeeds(mut self) {
        let (status, mut said) = (self.0.wait().unwrap(), String::new());
        self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(status.success(), "{said}");
    }

    /// SIGKILL; whether the command had not ended by itself.
    pub fn kill(mut self) -> bool {
        let running = self.0.try_wait().unwrap().is_none();
        let _ended_before = self.0.kill();
        let status = self.0.wait().unwrap();
        running && !status.success()
    }

    /// Waits for the end of the command; what it wrote when it succeeded.
    pub fn finish(url: &str, words: &str, more: &[(&str, &str)]) -> String {
        let Output { status, stdout, stderr } = spawn(url, words, more).wait_with_output().unwrap();
        assert!(status.success(), "{words}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8_lossy(&stdout).into_owned()
    }
}

/// A running process; it is killed with the test.
pub struct Process {
    child: Child,
    address: String,
    log: Arc<Mutex<String>>,
    client: Client,
    armed: Receiver<()>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Process {
    /// Starts servers on one database, which has users, or they would seed it.
    pub fn start_many(count: usize, url: &str) -> Vec<Self> {
        let started: Vec<_> = (0..count).map(|_| spawn(url, SERVE, &[])).collect();
        started.into_iter().map(|child| Self::listening(child, START)).collect()
    }

    /// A server that seeds a database without users before it listens.
    pub fn start_seeding(url: &str) -> Self {
        Self::listening(spawn(url, SERVE, &[]), SEEDING_START)
    }

    /// A server with settings of its own.
    pub fn start_with(url: &str, more: &[(&str, &str)]) -> Self {
        Self::listening(spawn(url, SERVE, more), START)
    }

    /// Waits until the server says where it listens.
    fn listening(mut child: Child, patience: Duration) -> Self {
        let log = Arc::new(Mutex::new(String::new()));
        let ((told, address), (arming, armed)) = (channel(), channel());
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if let Some(rest) = line.split_once("serves http://").map(|(_, rest)| rest) {
                    let _received = told.send(rest.split(' ').next().unwrap_or_default().to_owned());
                } else if line == ARMED {
                    let _received = arming.send(());
                }
            }
        });
        let (mut err, kept) = (child.stderr.take().unwrap(), log.clone());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = err.read(&mut bytes) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        let client = Client::builder().no_proxy().build().unwrap();
        let mut process = Self { child, address: String::new(), log, client, armed };
        let listening = address.recv_timeout(patience);
        assert!(listening.is_ok(), "no server: {}", process.log());
        process.address = listening.unwrap();
        process
    }

    /// SIGKILL: nothing is finished, nothing is said.
    pub fn kill(&mut self) {
        let _ended_before = self.child.kill();
        let _status = self.child.wait();
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The server dies when it reaches the point for the `hit`th time from now on; `None` lets it live.
    pub fn arm(&mut self, at: Option<(Point, u32)>) {
        let word = at.map_or_else(|| "off".to_owned(), |(point, hit)| format!("{} {hit}", point.name()));
        writeln!(self.child.stdin.as_mut().unwrap(), "{word}").unwrap();
        self.armed.recv_timeout(START).unwrap();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What was logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The answer; an error when the server is not there any more.
    pub async fn send(
        &self,
        token: &str,
        (method, path): (Method, &str),
        body: Option<&Value>,
    ) -> Result<Answer, reqwest::Error> {
        let request = self.client.request(method, format!("http://{}/api/v1{path}", self.address)).bearer_auth(token);
        let request = match body {
            Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
            None => request,
        };
        answer(request).await
    }

    /// As `post`, with headers.
    pub async fn post_with(&self, token: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.try_post_with(Some(token), path, headers, body.to_string().into_bytes()).await.unwrap()
    }

    /// As `post_with`; an error when the server is not there any more.
    pub async fn try_post_with(
        &self,
        token: Option<&str>,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, reqwest::Error> {
        let request = self.client.post(format!("http://{}/api/v1{path}", self.address));
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        answer(request.header("Content-Type", "application/json").body(body)).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(token, (Method::GET, path), None).await.unwrap()
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(token, (Method::POST, path), Some(body)).await.unwrap()
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?;
    Ok(Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
}

fn spawn(url: &str, words: &str, more: &[(&str, &str)]) -> Child {
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["replicas::process::a_process", "--exact", "--ignored", "--nocapture"])
        .envs([
            (ROLE, words),
            ("SUANPAN__DATABASE__URL", url),
            ("SUANPAN__DATABASE__MAX_CONNECTIONS", "8"),
            ("SUANPAN__SERVER__PORT", "0"),
            ("SUANPAN__SERVER__WORKERS", "1"),
            ("SUANPAN__METRICS__PORT", "0"),
            ("SUANPAN__CLOCK__TEST", "true"),
            ("SUANPAN__LOG__FORMAT", "json"),
            ("SUANPAN__PAYMENTS__FAKE__ENABLED", "false"),
        ])
        .envs(more.iter().copied())
        // Only a server is told anything; a command that reads finds the end.
        .stdin(if words == SERVE { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}
