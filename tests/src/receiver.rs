//! A customer's webhook receiver: a real HTTP server on this machine that answers as it is told and remembers.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test without its receiver fails")]

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How a path of the receiver behaves.
#[derive(Clone, Debug)]
pub enum Behaviour {
    Answer(u16),
    /// 302 to this URL.
    Redirect(String),
    /// Never answers.
    Hang,
    Slow(Duration),
    /// 500 for every n-th request.
    FailEvery(usize),
    /// The status, and then a body without an end.
    Endless,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: String,
    pub status: u16,
    pub at: Instant,
}

impl Received {
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn number(&self) -> usize {
        usize::try_from(self.json()["data"]["number"].as_u64().unwrap()).unwrap()
    }
}

#[derive(Default)]
struct State {
    behaviours: HashMap<String, Behaviour>,
    /// By path, in the order of arrival.
    received: HashMap<String, Vec<Received>>,
    accepted: usize,
}

/// The receiver; it stops with the test.
pub struct Receiver {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    handle: ServerHandle,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Receiver {
    /// Starts it on the runtime of the test.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::from(shared.clone())).default_service(web::to(answer))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, state, handle }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn behave(&self, path: &str, behaviour: Behaviour) {
        self.state.lock().unwrap().behaviours.insert(path.to_owned(), behaviour);
    }

    /// Everything that came to a path, in the order of arrival.
    pub fn received(&self, path: &str) -> Vec<Received> {
        self.state.lock().unwrap().received.get(path).cloned().unwrap_or_default()
    }

    /// What was answered with 2xx.
    pub fn accepted(&self, path: &str) -> Vec<Received> {
        self.received(path).into_iter().filter(|request| request.status < 300).collect()
    }

    /// How many requests were answered with 2xx, on all paths.
    pub fn count_accepted(&self) -> usize {
        self.state.lock().unwrap().accepted
    }

    /// Waits until a path accepted so many, for at most so long.
    pub async fn wait_for(&self, path: &str, count: usize, patience: Duration) -> Vec<Received> {
        until(patience, || self.accepted(path).len() >= count).await;
        self.accepted(path)
    }
}

/// Waits until something is so; the test fails when it takes too long.
pub async fn until(patience: Duration, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < patience, "it did not happen within {patience:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, state: web::Data<Mutex<State>>) -> HttpResponse {
    let path = request.path().to_owned();
    let (behaviour, place) = {
        let state = state.lock().unwrap();
        let place = state.received.get(&path).map_or(0, Vec::len) + 1;
        (state.behaviours.get(&path).cloned().unwrap_or(Behaviour::Answer(200)), place)
    };
    let status = match &behaviour {
        Behaviour::Answer(status) => *status,
        Behaviour::Redirect(_) => 302,
        Behaviour::FailEvery(n) if place.is_multiple_of(*n) => 500,
        Behaviour::Hang => 599,
        _ => 200,
    };
    remember(&state, &request, path, &body, status);
    let mut response = HttpResponse::build(status.try_into().unwrap());
    match behaviour {
        Behaviour::Redirect(url) => response.insert_header(("Location", url)).finish(),
        Behaviour::Hang => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            response.finish()
        }
        Behaviour::Slow(pause) => {
            tokio::time::sleep(pause).await;
            response.finish()
        }
        Behaviour::Endless => {
            let chunk = || Ok::<_, actix_web::Error>(web::Bytes::from_static(&[b'x'; 4096]));
            response.streaming(futures_util::stream::repeat_with(chunk))
        }
        _ => response.finish(),
    }
}

fn remember(state: &Mutex<State>, request: &HttpRequest, path: String, body: &[u8], status: u16) {
    let headers = request.headers().iter().map(|(name, value)| {
        let name = reqwest::header::HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
        (name, reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    let (headers, body) = (headers.collect(), String::from_utf8(body.to_vec()).unwrap());
    let received = Received { headers, body, status, at: Instant::now() };
    let mut state = state.lock().unwrap();
    state.accepted += usize::from(status < 300);
    state.received.entry(path).or_default().push(received);
}
