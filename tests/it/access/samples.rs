//! A request for every route of the OpenAPI document that would be let through, were its caller allowed to make it.

use super::world::Ids;
use harness::app::{Answer, Caller, TestApp};
use serde_json::Value;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Bodies by route; `$name` is the id of that name.
const BODIES: [(&str, &str); 54] = [
    ("PATCH /accounts/{account}", r#"{"spend_cap": "100.00"}"#),
    ("PATCH /admin/accounts/{id}", r#"{"external_id": "crm-1"}"#),
    ("PATCH /admin/products/{id}", r#"{"price": "1.00"}"#),
    ("PATCH /admin/redemption-batches/{id}", r#"{"enabled": false}"#),
    ("PATCH /admin/redemption-batches/{id}/codes/{code}", r#"{"enabled": false}"#),
    ("PATCH /admin/users/{id}", r#"{"external_id": "crm-2"}"#),
    ("PATCH /api-keys/{id}", r#"{"name": "renamed"}"#),
    ("PATCH /me", r#"{"display_name": "somebody"}"#),
    ("PATCH /subscription", r#"{"selected_ai_model": "m1", "account": "$accounts"}"#),
    ("PATCH /teams/{id}", r#"{"name": "Renamed"}"#),
    ("PATCH /teams/{id}/members/{user}", r#"{"allocations": {"words": 1000}}"#),
    ("PATCH /webhook-endpoints/{id}", r#"{"description": "renamed"}"#),
    ("POST /admin/accounts/{account}/adjustments", r#"{"amount": "1.00", "reason": "outage"}"#),
    ("POST /admin/accounts/{account}/grants", r#"{"meter": "words", "quantity": 5}"#),
    ("POST /admin/accounts/{id}/subscription", r#"{"plan": "team", "seats": 30}"#),
    ("POST /admin/billing/close", "{}"),
    ("POST /admin/bills/{id}/payments", r#"{"note": "bank"}"#),
    ("POST /admin/bills/{id}/refund", r#"{"amount": "1.00", "to": "wallet", "reason": "outage"}"#),
    ("POST /admin/bills/{id}/void", r#"{"reason": "by mistake"}"#),
    ("POST /admin/coupons", r#"{"code": "NEW-1", "percent": 5}"#),
    ("POST /admin/invoices/{id}/issue", r#"{"number": "25117000000012345678"}"#),
    ("POST /admin/invoices/{id}/reject", r#"{"reason": "no such company"}"#),
    ("POST /admin/invoices/{id}/reverse", r#"{"reason": "wrong title"}"#),
    ("POST /admin/payments/{id}/confirm", r#"{"transaction": "bank"}"#),
    ("POST /admin/payments/{id}/refunds", r#"{"amount": "1.00", "reason": "not used"}"#),
    ("POST /admin/products", r#"{"code": "new", "name": "new", "meter": "words", "quantity": 1, "price": "1.00"}"#),
    ("POST /admin/reconciliation/{id}/resolve", r#"{"status": "explained", "note": "a fee"}"#),
    ("POST /admin/redemption-batches", r#"{"name": "new", "count": 1, "value": {"meter": "words", "quantity": 1}}"#),
    ("POST /admin/suspense/{id}/resolve", r#"{"resolution": "credit", "note": "too short"}"#),
    ("POST /admin/test-clock/advance", r#"{"to": "$later"}"#),
    ("POST /admin/transfers/{transfer}/reverse", r#"{"reason": "by mistake"}"#),
    ("POST /admin/users/{id}/verification/reset", r#"{"reason": "misspelt"}"#),
    ("POST /api-keys", r#"{"name": "new", "account": "$accounts"}"#),
    ("POST /auth/login", r#"{"login": "$login", "password": "$password"}"#),
    ("POST /auth/oauth/exchange", r#"{"code": "oac-1", "secret": "nothing"}"#),
    ("POST /auth/oauth/{provider}/callback", r#"{"state": "ost1", "code": "1"}"#),
    ("POST /auth/register", r#"{"username": "newcomer", "password": "$password"}"#),
    ("POST /bills/{id}/invoice", r#"{"title": "王小二"}"#),
    ("POST /bills/{id}/payments", r#"{"provider": "wallet"}"#),
    (
        "POST /orders",
        r#"{"topup": {"amount": "5.00", "currency": "CNY"}, "provider": "manual", "account": "$accounts"}"#,
    ),
    ("POST /orders/{id}/payments", r#"{"provider": "manual"}"#),
    ("POST /provider-subscriptions/{id}/cancel", "{}"),
    ("POST /redemptions/redeem", r#"{"code": "$redeemable", "account": "$accounts"}"#),
    ("POST /referral/transfer", r#"{"amount": "10.00"}"#),
    ("POST /reservations", r#"{"meter": "words", "quantity": 1, "key": "new", "account": "$accounts"}"#),
    ("POST /reservations/{id}/capture", r#"{"quantity": 1}"#),
    ("POST /setup", r#"{"token": "setup-1", "username": "first", "password": "$password"}"#),
    ("POST /subscription", r#"{"plan": "team", "seats": 25, "account": "$accounts"}"#),
    ("POST /subscription/preview", r#"{"plan": "team", "seats": 25, "account": "$accounts"}"#),
    ("POST /teams", r#"{"name": "Another"}"#),
    ("POST /teams/join", r#"{"invite_code": "$code"}"#),
    ("POST /teams/{id}/invitations", "{}"),
    ("POST /teams/{id}/transfer-ownership", r#"{"user": "$users"}"#),
    ("PUT /admin/options", r#"{"login_notice": "hello"}"#),
];
/// Bodies with which an account is named.
const MORE_BODIES: [(&str, &str); 5] = [
    ("POST /usage", r#"{"meter": "words", "quantity": 1, "key": "new", "account": "$accounts"}"#),
    ("POST /usage/batch", r#"{"events": [{"meter": "words", "quantity": 1, "key": "new", "account": "$accounts"}]}"#),
    (
        "POST /usage/events",
        r#"{"specversion": "1.0", "id": "1", "source": "s", "type": "words", "subject": "$accounts", "data": {"value": 1}}"#,
    ),
    ("POST /webhook-endpoints", r#"{"url": "https://hooks.example.com/new", "account": "$accounts"}"#),
    ("PUT /me/verification", r#"{"real_name": "李小四", "id_number": "$newcard"}"#),
];

/// A route of the document.
#[derive(Clone, Debug)]
pub struct Route {
    /// `GET /teams/{id}`, without the API's base.
    pub name: String,
    pub method: String,
    pub path: String,
    takes_body: bool,
    query: Vec<String>,
}

/// All routes, as the server lists them.
pub async fn routes(app: &TestApp) -> Vec<Route> {
    let document = app.anonymous().get("/openapi.json").await.expect(200).body;
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                routes.push(Route::new(path.trim_start_matches("/api/v1"), method, operation));
            }
        }
    }
    routes
}

impl Route {
    fn new(path: &str, method: &str, operation: &Value) -> Self {
        let method = method.to_uppercase();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_query = parameters.iter().filter(|parameter| parameter["in"] == "query");
        Self {
            name: format!("{method} {path}"),
            path: path.to_owned(),
            takes_body: operation.get("requestBody").is_some(),
            query: in_query.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect(),
            method,
        }
    }

    /// The words by which the samples know what stands in the path; a bare `{id}` is called by the segment before.
    pub fn parameters(&self) -> Vec<&str> {
        let segments: Vec<&str> = self.path.split('/').collect();
        let named = |place: usize| match segments[place] {
            "{id}" | "{id}.pdf" => segments[place - 1],
            "{user}" if self.name.ends_with("/approve") => "pending",
            "{provider}" if self.path.starts_with("/webhooks") => "manual",
            other => other,
        };
        (0..segments.len()).filter(|place| segments[*place].starts_with('{')).map(named).collect()
    }

    fn sample(&self) -> Option<&'static str> {
        BODIES.iter().chain(&MORE_BODIES).find(|(name, _)| *name == self.name).map(|(_, body)| *body)
    }

    /// Whether the request names an account by query or body.
    pub fn names_account(&self) -> bool {
        self.query.iter().any(|name| name == "account") || self.sample().is_some_and(|body| body.contains("$accounts"))
    }

    /// Whether it names an account or a user beside the path.
    pub fn names_more(&self) -> bool {
        self.names_account() || self.sample().is_some_and(|body| body.contains("$users"))
    }

    /// The same route with ids in its place: path and query, and body.
    pub fn filled(&self, in_path: &[&Ids], ids: &Ids) -> (String, Option<String>) {
        let mut places = self.parameters().into_iter().zip(in_path.iter().chain(std::iter::repeat(&ids)));
        let mut fill = |segment: &str| match (segment.starts_with('{'), segment) {
            (true, segment) => {
                let ending = segment.rsplit('}').next().unwrap_or_default();
                value(places.next().unwrap(), &self.name) + ending
            }
            (false, segment) => segment.to_owned(),
        };
        let path: Vec<String> = self.path.split('/').map(&mut fill).collect();
        let mut path = path.join("/");
        for (name, value) in [("account", ids["accounts"].as_str()), ("reason", "asked"), ("refresh", "false")] {
            if self.query.iter().any(|known| known == name) {
                let sign = if path.contains('?') { '&' } else { '?' };
                path = format!("{path}{sign}{name}={value}");
            }
        }
        assert_eq!(self.sample().is_some(), self.takes_body, "tests/it/access/samples.rs: a body for {}", self.name);
        let body = self.sample().map(|body| {
            let mut names: Vec<_> = ids.iter().collect();
            names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
            names.into_iter().fold(body.to_owned(), |body, (name, id)| body.replace(&format!("${name}"), id))
        });
        (path, body)
    }

    /// Asks for it, with a key for whoever wants one.
    pub async fn call(&self, caller: Caller<'_>, path: &str, body: Option<&str>) -> Answer {
        let caller = caller.header("Idempotency-Key", &self.name.replace(['{', '}'], ""));
        let media_type = if self.path == "/usage/events" { "application/cloudevents+json" } else { "application/json" };
        match body {
            Some(body) => caller.raw(&self.method, path, media_type, body.as_bytes().to_vec()).await,
            None => caller.send(&self.method, path, None).await,
        }
    }
}

fn value((name, ids): (&str, &&Ids), route: &str) -> String {
    match name {
        "{provider}" => "github".to_owned(),
        "manual" => "manual".to_owned(),
        name => {
            let found = ids.get(name).cloned();
            assert!(found.is_some(), "tests/it/access/world.rs: an object for {name} of {route}");
            found.unwrap_or_default()
        }
    }
}

/// How an answer stands to the caller: 401, 403, 404, or let in. A batch is as its first event.
pub fn class(answer: &Answer) -> String {
    let status = answer.body.pointer("/results/0/problem/status").and_then(Value::as_u64);
    let status = status.unwrap_or_else(|| u64::from(answer.status));
    match status {
        401 | 403 | 404 => status.to_string(),
        _ => "in".to_owned(),
    }
}
