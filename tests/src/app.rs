//! The real server over a fresh database on a free port, and a client that speaks HTTP to it.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test whose server cannot be set up fails")]

use crate::scene::{self, Customer, Scene};
use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use api::server::{AppState, app};
use api::settings::Settings;
use domain::accounts::KeyWish;
use domain::identity::{Password, Username};
use reqwest::Method;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use uuid::Uuid;

/// The password of everybody in a test.
pub const PASSWORD: &str = "correct horse battery";

/// A running server; it stops with the test.
pub struct TestApp {
    pub scene: Scene,
    pub address: std::net::SocketAddr,
    /// A root operator's session.
    pub operator: String,
    client: reqwest::Client,
    handle: ServerHandle,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// A customer with a session.
pub struct User {
    pub customer: Customer,
    pub name: String,
    pub token: String,
}

impl User {
    pub fn account(&self) -> String {
        self.customer.account.to_string()
    }
}

/// What the server said.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub fn code(&self) -> String {
        self.text("/code")
    }

    /// The answer, or the test fails with what was said instead.
    #[expect(clippy::return_self_not_must_use, reason = "often the status is all that is asked")]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

impl TestApp {
    pub async fn new(url: &str) -> Self {
        Self::with(url, &[]).await
    }

    /// As `new`, with settings named as `SUANPAN__…`.
    pub async fn with(url: &str, more: &[(&str, &str)]) -> Self {
        Self::start(url, more).await.with_operator().await
    }

    /// As `new`, for a product that has a preset.
    pub async fn of_product(product: &str, url: &str) -> Self {
        Self::serve(&scene::settings_of(Some(product), url, &[])).await.with_operator().await
    }

    async fn with_operator(mut self) -> Self {
        let username = Username::parse("operator").unwrap();
        let password = Password::choose(PASSWORD).unwrap();
        let operator = self.scene.services.registration.create_admin(username, &password).await.unwrap();
        operator.token.expose().clone_into(&mut self.operator);
        self
    }

    /// Another server over the same database.
    pub async fn replica(&self, url: &str) -> Self {
        self.replica_with(url, &[]).await
    }

    /// As `replica`, with settings of its own.
    pub async fn replica_with(&self, url: &str, more: &[(&str, &str)]) -> Self {
        let mut replica = Self::start(url, more).await;
        replica.operator.clone_from(&self.operator);
        replica
    }

    /// As `with`, before anybody is an operator.
    pub async fn start(url: &str, more: &[(&str, &str)]) -> Self {
        Self::serve(&scene::settings(url, more)).await
    }

    /// Over settings that were put together elsewhere.
    pub async fn of_settings(settings: &Settings) -> Self {
        Self::serve(settings).await.with_operator().await
    }

    async fn serve(settings: &Settings) -> Self {
        let scene = Scene::over(settings).await;
        let state = AppState::new(scene.services.clone(), settings.clone());
        let server = HttpServer::new(move || app(state.clone())).workers(1).disable_signals();
        let server = server.bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { scene, address, operator: String::new(), client, handle }
    }

    /// A new user on a plan, with a session; `None` is the default plan.
    pub async fn user(&self, plan: Option<&str>) -> User {
        let (customer, name, token) = self.scene.customer_in_session(PASSWORD).await;
        if let Some(plan) = plan {
            self.scene.put_on(&customer, plan, None).await;
        }
        User { customer, name, token }
    }

    /// The secret of a new API key of a user.
    pub async fn key(&self, user: &User, wish: KeyWish) -> String {
        let wish = KeyWish { name: "test".to_owned(), ..wish };
        self.scene.services.keys.create(&user.customer.actor, wish).await.unwrap().token.expose().to_owned()
    }

    /// A key that acts for any account.
    pub async fn service_key(&self) -> String {
        let wish = json!({"name": "service", "scopes": ["service"]});
        self.by(&self.operator).post("/api-keys", &wish).await.expect(201).text("/key")
    }

    pub fn anonymous(&self) -> Caller<'_> {
        Caller { app: self, token: None, headers: Vec::new() }
    }

    /// Whoever holds the token.
    pub fn by(&self, token: &str) -> Caller<'_> {
        Caller { token: Some(token.to_owned()), ..self.anonymous() }
    }
}

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Caller<'a> {
    app: &'a TestApp,
    token: Option<String>,
    headers: Vec<(String, String)>,
}

impl Caller<'_> {
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same caller with an `Idempotency-Key` that nobody used before.
    #[must_use]
    pub fn keyed(&self) -> Self {
        self.clone().header("Idempotency-Key", &Uuid::now_v7().to_string())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// The body of an answer that is no JSON.
    pub async fn text(&self, path: &str) -> String {
        let response = self.request("GET", &format!("/api/v1{path}")).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        response.text().await.unwrap()
    }

    /// The type of a file and its bytes.
    pub async fn file(&self, path: &str) -> (String, Vec<u8>) {
        let response = self.request("GET", &format!("/api/v1{path}")).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        (media_type, response.bytes().await.unwrap().to_vec())
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(body)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        match body {
            Some(body) => self.raw(method, path, "application/json", body.to_string().into_bytes()).await,
            None => self.call(self.request(method, &format!("/api/v1{path}"))).await,
        }
    }

    /// Any bytes of any type under the API's base path.
    pub async fn raw(&self, method: &str, path: &str, media_type: &str, bytes: Vec<u8>) -> Answer {
        let request = self.request(method, &format!("/api/v1{path}"));
        self.call(request.header("Content-Type", media_type).body(bytes)).await
    }

    /// A path from the root.
    pub async fn at_root(&self, method: &str, path: &str) -> Answer {
        self.call(self.request(method, path)).await
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.app.client.request(method, format!("http://{}{path}", self.app.address));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }
}
