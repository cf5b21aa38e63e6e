//! Registering, sessions, API keys and operators over HTTP.

use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{self, TestRequest};
use api::server::{AppState, app};
use api::settings::Settings;
use serde_json::{Value, json};
use std::net::SocketAddr;

const PASSWORD: &str = "correct horse battery";

struct Server {
    state: AppState,
    _folder: tempfile::TempDir,
}

async fn server() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let environment = [("SUANPAN__DATABASE__URL".to_owned(), url)];
    let settings = Settings::load(None, environment).unwrap();
    infra::db::migrate_up(&api::wiring::database_settings(&settings)).await.unwrap();
    let services = api::wiring::wire(&settings).await.unwrap();
    Server { state: AppState::new(services, settings), _folder: folder }
}

struct Answer {
    status: u16,
    body: Value,
    response_headers: Vec<(String, String)>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.response_headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

async fn send(server: &Server, request: TestRequest) -> Answer {
    let service = test::init_service(app(server.state.clone())).await;
    let peer: SocketAddr = "203.0.113.9:4711".parse().unwrap();
    let response: ServiceResponse<_> = service.call(request.peer_addr(peer).to_request()).await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let response_headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect();
    let bytes = test::read_body(response).await;
    Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), response_headers }
}

fn with_token(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("Authorization", format!("Bearer {token}")))
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/api/v1{path}"))
}

fn post(path: &str, body: &Value) -> TestRequest {
    TestRequest::post().uri(&format!("/api/v1{path}")).set_json(body)
}

fn patch(path: &str, body: &Value) -> TestRequest {
    TestRequest::patch().uri(&format!("/api/v1{path}")).set_json(body)
}

async fn register(server: &Server, username: &str) -> Answer {
    send(server, post("/auth/register", &json!({"username": username, "password": PASSWORD}))).await
}

#[actix_web::test]
async fn a_registered_user_has_a_session_a_profile_and_an_account() {
    let server = server().await;
    let made = register(&server, "Zhang").await;
    assert_eq!((made.status, made.text("/user/username").as_str()), (201, "zhang"));
    let token = made.text("/token");
    let me = send(&server, with_token(get("/me"), &token)).await;
    assert_eq!((me.status, me.text("/id")), (200, made.text("/user/id")));
    let account = send(&server, with_token(get(&format!("/accounts/{}", made.text("/account/id"))), &token)).await;
    assert_eq!((account.status, account.text("/owner")), (200, made.text("/user/id")));
    assert!(!made.body.to_string().contains("argon2"));
}

#[actix_web::test]
async fn a_taken_name_is_409_and_unknown_fields_and_short_passwords_are_422() {
    let server = server().await;
    register(&server, "zhang").await;
    let again = register(&server, "ＺＨＡＮＧ").await;
    assert_eq!((again.status, again.text("/code").as_str()), (409, "conflict"));
    for body in [
        json!({"username": "li4", "password": "short"}),
        json!({"username": "li4", "password": PASSWORD, "role": "root"}),
        json!({"password": PASSWORD}),
        json!({"username": "a\u{0}bc", "password": PASSWORD}),
    ] {
        assert_eq!(send(&server, post("/auth/register", &body)).await.status, 422, "{body}");
    }
}

#[actix_web::test]
async fn wrong_and_unknown_log_ins_look_alike_until_they_are_throttled() {
    let server = server().await;
    register(&server, "zhang").await;
    let login = |name: &str, password: &str| post("/auth/login", &json!({"login": name, "password": password}));
    let wrong = send(&server, login("zhang", "wrong password")).await;
    let unknown = send(&server, login("nobody", "wrong password")).await;
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(wrong.text("/detail"), unknown.text("/detail"));
    for _ in 0..4 {
        assert_eq!(send(&server, login("zhang", "wrong password")).await.status, 401);
    }
    let locked = send(&server, login("zhang", PASSWORD)).await;
    assert_eq!((locked.status, locked.text("/code").as_str()), (429, "rate_limited"));
    assert!(locked.header("retry-after").is_some());
}

#[actix_web::test]
async fn a_session_ends_at_log_out_and_a_new_password_ends_the_others() {
    let server = server().await;
    let first = register(&server, "zhang").await.text("/token");
    let login = || post("/auth/login", &json!({"login": "zhang", "password": PASSWORD}));
    let second = send(&server, login()).await.text("/token");
    let change = json!({"old_password": PASSWORD, "password": "another password", "avatar_url": null});
    assert_eq!(send(&server, with_token(patch("/me", &change), &second)).await.status, 200);
    assert_eq!(send(&server, with_token(get("/me"), &first)).await.status, 401);
    assert_eq!(send(&server, with_token(get("/me"), &second)).await.status, 200);
    assert_eq!(send(&server, with_token(post("/auth/logout", &json!({})), &second)).await.status, 204);
    assert_eq!(send(&server, with_token(get("/me"), &second)).await.status, 401);
}

#[actix_web::test]
async fn a_key_lives_from_creation_over_rotation_to_deletion() {
    let server = server().await;
    let session = register(&server, "zhang").await.text("/token");
    let wish = json!({"name": "ci", "allowance": {"meter": "words", "quantity": 100}, "requests_per_minute": 50});
    let made = send(&server, with_token(post("/api-keys", &wish), &session)).await;
    assert_eq!((made.status, made.text("/allowance/quantity").as_str()), (201, "100"));
    let (id, old) = (made.text("/id"), made.text("/key"));
    let mine = send(&server, with_token(get("/me"), &old)).await;
    assert_eq!((mine.status, mine.header("ratelimit-limit")), (200, Some("50")));
    assert_eq!(send(&server, with_token(get("/api-keys"), &old)).await.status, 403);
    let new = send(&server, with_token(post(&format!("/api-keys/{id}/rotate"), &json!({})), &session)).await;
    assert_eq!(send(&server, with_token(get("/me"), &old)).await.status, 401);
    assert_eq!(send(&server, with_token(get("/me"), &new.text("/key"))).await.status, 200);
    let delete = TestRequest::delete().uri(&format!("/api/v1/api-keys/{id}"));
    assert_eq!(send(&server, with_token(delete, &session)).await.status, 204);
    assert_eq!(send(&server, with_token(get("/me"), &new.text("/key"))).await.status, 401);
    assert_eq!(send(&server, with_token(get(&format!("/api-keys/{id}")), &session)).await.status, 404);
}

#[actix_web::test]
async fn a_key_is_held_to_its_addresses_and_its_requests_per_minute() {
    let server = server().await;
    let session = register(&server, "zhang").await.text("/token");
    let wish = json!({"name": "far", "allowed_ips": ["198.51.100.0/24"]});
    let far = send(&server, with_token(post("/api-keys", &wish), &session)).await.text("/key");
    let spoofed = get("/me").insert_header(("X-Forwarded-For", "198.51.100.1"));
    assert_eq!(send(&server, with_token(spoofed, &far)).await.status, 403);
    let wish = json!({"name": "slow", "requests_per_minute": 2});
    let slow = send(&server, with_token(post("/api-keys", &wish), &session)).await.text("/key");
    for expected in [200, 200, 429] {
        assert_eq!(send(&server, with_token(get("/me"), &slow)).await.status, expected);
    }
}

#[actix_web::test]
async fn a_token_comes_in_exactly_one_header() {
    let server = server().await;
    let token = register(&server, "zhang").await.text("/token");
    let twice = with_token(get("/me"), &token).append_header(("Authorization", format!("Bearer {token}")));
    let in_query = with_token(get(&format!("/me?token={token}")), &token);
    for request in [twice, in_query, get(&format!("/me?token={token}")), get("/me")] {
        assert_eq!(send(&server, request).await.status, 401);
    }
}

#[actix_web::test]
async fn strangers_see_neither_keys_nor_accounts_and_customers_no_operators_routes() {
    let server = server().await;
    let (one, two) = (register(&server, "one1").await, register(&server, "two2").await);
    let made = send(&server, with_token(post("/api-keys", &json!({"name": "k"})), &one.text("/token"))).await;
    let stranger = two.text("/token");
    for path in [format!("/api-keys/{}", made.text("/id")), format!("/accounts/{}", one.text("/account/id"))] {
        assert_eq!(send(&server, with_token(get(&path), &stranger)).await.status, 404, "{path}");
    }
    assert_eq!(send(&server, with_token(get("/admin/users"), &stranger)).await.status, 403);
    let wish = json!({"name": "k", "account": one.text("/account/id")});
    assert_eq!(send(&server, with_token(post("/api-keys", &wish), &stranger)).await.status, 404);
}

#[actix_web::test]
async fn an_operator_freezes_an_account_and_disables_a_user() {
    let server = server().await;
    let services = &server.state.services;
    let input = format!("{PASSWORD}\n");
    api::admin::create_admin(services, "root", input.as_bytes()).await.unwrap();
    assert!(api::admin::create_admin(services, "root", input.as_bytes()).await.is_err());
    let login = post("/auth/login", &json!({"login": "root", "password": PASSWORD}));
    let root = send(&server, login).await.text("/token");
    let user = register(&server, "zhang").await;
    let freeze = patch(
        &format!("/admin/accounts/{}", user.text("/account/id")),
        &json!({"status": "frozen", "external_id": "crm-7"}),
    );
    assert_eq!(send(&server, with_token(freeze, &root)).await.text("/status"), "frozen");
    let named = send(&server, with_token(get("/accounts/crm-7"), &user.text("/token"))).await;
    assert_eq!((named.status, named.text("/status").as_str()), (200, "frozen"));
    let disable = patch(&format!("/admin/users/{}", user.text("/user/id")), &json!({"status": "disabled"}));
    assert_eq!(send(&server, with_token(disable, &root)).await.status, 200);
    assert_eq!(send(&server, with_token(get("/me"), &user.text("/token"))).await.status, 401);
    let users = send(&server, with_token(get("/admin/users?limit=1"), &root)).await;
    assert_eq!(users.body["data"].as_array().map(Vec::len), Some(1));
    assert!(users.body["next_cursor"].is_string());
}
