//! Who sends the load: an operator's service key, and a customer with a key.

use crate::client;
use crate::database::accounts::Original;
use crate::process::Server;
use anyhow::Context;
use serde_json::{Value, json};
use uuid::Uuid;

/// Of the operator `bench`, who must exist, and of the customer.
pub const PASSWORD: &str = "a password of benchmarks";

/// A customer's key, and one that may address every account.
#[derive(Clone, Debug)]
pub struct Keys {
    pub hot: String,
    pub service: String,
}

/// An operator's service key, and a customer with a key who has consumed once.
pub fn customers(server: &Server) -> anyhow::Result<(Original, Keys)> {
    let post = |path: &str, token: Option<&str>, body: Value| client::post(server.address, path, token, &body);
    let operator = post("/auth/login", None, json!({"login": "bench", "password": PASSWORD}))?;
    let operator = client::text(&operator, "/token")?;
    let service = post("/api-keys", Some(&operator), json!({"name": "service", "scopes": ["service"]}))?;
    let customer = post("/auth/register", None, json!({"username": "hot", "password": PASSWORD}))?;
    let token = client::text(&customer, "/token")?;
    let hot = client::text(&post("/api-keys", Some(&token), json!({"name": "hot"}))?, "/key")?;
    post("/usage", Some(&hot), json!({"meter": "words", "quantity": 1, "key": "first"}))?;
    let original = Original {
        user: uuid(&client::text(&customer, "/user/id")?)?,
        account: uuid(&client::text(&customer, "/account/id")?)?,
    };
    Ok((original, Keys { hot, service: client::text(&service, "/key")? }))
}

fn uuid(id: &str) -> anyhow::Result<Uuid> {
    let (_, digits) = id.split_once('_').with_context(|| format!("{id} is no id"))?;
    Ok(Uuid::try_parse(digits)?)
}
