//! A mail server on this machine: speaks SMTP, keeps what it is handed, and refuses whom it is told to.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test without its mail server fails")]

use crate::scene::Scene;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A recipient that is refused for good.
pub const UNKNOWN: &str = "unknown@example.com";

/// A mail that was handed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handed {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body as they came, without the dots of SMTP.
    pub text: String,
}

impl Handed {
    /// The value of a header, with its folded lines.
    pub fn header(&self, name: &str) -> String {
        let head = self.text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_default().to_owned()
    }
}

/// The server; it stops with the test.
pub struct Mailbox {
    pub address: SocketAddr,
    mails: Arc<Mutex<Vec<Handed>>>,
    task: JoinHandle<()>,
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Mailbox {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let shared = mails.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move { converse(stream, &shared).await });
            }
        });
        Self { address, mails, task }
    }

    /// A server that hands its mails in here, with more settings.
    pub async fn scene(&self, url: &str, more: &[(&str, &str)]) -> Scene {
        let port = self.address.port().to_string();
        let ours = [
            ("SUANPAN__MAIL__ENABLED", "true"),
            ("SUANPAN__MAIL__HOST", "127.0.0.1"),
            ("SUANPAN__MAIL__PORT", &port),
            ("SUANPAN__MAIL__TLS", "none"),
        ];
        Scene::with(url, &[&ours[..], more].concat()).await
    }

    pub fn mails(&self) -> Vec<Handed> {
        self.mails.lock().unwrap().clone()
    }
}

async fn converse(stream: TcpStream, mails: &Mutex<Vec<Handed>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    write.write_all(b"220 mailbox ESMTP\r\n").await.ok()?;
    let mut mail = Handed::default();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let command = line.trim_end().to_owned();
        let address = || command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let reply = match command.to_ascii_uppercase().split(' ').next()? {
            "EHLO" | "HELO" => "250-mailbox\r\n250-8BITMIME\r\n250 SMTPUTF8",
            "MAIL" => {
                mail = Handed { from: address(), ..Handed::default() };
                "250 ok"
            }
            "RCPT" if address() == UNKNOWN => "550 no such user",
            "RCPT" => {
                mail.to.push(address());
                "250 ok"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                mail.text = data(&mut lines).await?;
                mails.lock().unwrap().push(mail.clone());
                "250 kept"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
    }
}

async fn data(lines: &mut (impl AsyncBufReadExt + Unpin)) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
