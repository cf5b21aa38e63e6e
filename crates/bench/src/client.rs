//! A small HTTP client for setting the scene: one connection per call.

use crate::load::answer::head;
use anyhow::{Context, bail};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// Status and body of one request.
pub fn send(address: SocketAddr, request: &str) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let head = head(&bytes)?.context("the server closed the connection without an answer")?;
    Ok((head.status, bytes.split_off(head.length)))
}

pub fn get(address: SocketAddr, path: &str, token: &str) -> anyhow::Result<(u16, Vec<u8>)> {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n");
    send(address, &request)
}

/// Posts JSON under `/api/v1` and reads the JSON that comes back; anything but 200 and 201 is an error.
pub fn post(address: SocketAddr, path: &str, token: Option<&str>, body: &Value) -> anyhow::Result<Value> {
    let body = body.to_string();
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "POST /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, answer) = send(address, &request)?;
    if !matches!(status, 200 | 201) {
        bail!("POST {path} was answered {status}: {}", String::from_utf8_lossy(&answer));
    }
    serde_json::from_slice(&answer).with_context(|| format!("the answer to POST {path}"))
}

/// A text of an answer.
pub fn text(answer: &Value, pointer: &str) -> anyhow::Result<String> {
    let text = answer.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("an answer without {pointer}"))
}
