//! Who may call, and answers whose node is signed.

use crate::shared::Shared;
use actix_web::HttpResponse;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The parameters of address and body together, as text.
pub type Parameters = BTreeMap<String, String>;

pub fn parameters(query: &str, body: &[u8]) -> Parameters {
    let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
    pairs.chain(url::form_urlencoded::parse(body).into_owned()).collect()
}

/// Everything but `sign` that is not empty, sorted.
fn content(parameters: &Parameters) -> String {
    let pairs = parameters.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

pub fn get<'p>(parameters: &'p Parameters, name: &str) -> &'p str {
    parameters.get(name).map(String::as_str).unwrap_or_default()
}

/// A refusal of the gateway itself: code and sub-code.
pub struct Wrong(pub &'static str, pub &'static str);

/// Checks what the gateway checks before it looks at the method.
pub fn enter(shared: &Shared, parameters: &Parameters) -> Result<(), Wrong> {
    let keys = shared.keys();
    for (name, wanted) in [("charset", "utf-8"), ("sign_type", "RSA2"), ("version", "1.0"), ("format", "JSON")] {
        let given = get(parameters, name);
        // The format may be left out.
        let fine = given.eq_ignore_ascii_case(wanted) || (name == "format" && given.is_empty());
        if !fine {
            return Err(Wrong("40002", "isv.invalid-parameter"));
        }
    }
    if get(parameters, "app_id") != keys.merchant.alipay_app_id {
        return Err(Wrong("40002", "isv.invalid-app-id"));
    }
    if get(parameters, "timestamp").len() != "2026-11-25 12:00:00".len() {
        return Err(Wrong("40002", "isv.invalid-timestamp"));
    }
    let right = keys.alipay_app.verifies(content(parameters).as_bytes(), get(parameters, "sign"));
    if right { Ok(()) } else { Err(Wrong("40002", "isv.invalid-signature")) }
}

/// What went well.
pub fn success(mut node: Value) -> Value {
    node["code"] = json!("10000");
    node["msg"] = json!("Success");
    node
}

/// What the business refuses.
pub fn failure(sub_code: &str) -> Value {
    json!({ "code": "40004", "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "业务失败" })
}

/// A node and the signature over exactly its characters.
pub fn signed(shared: &Shared, method: &str, node: &Value) -> HttpResponse {
    let (name, node) = (format!("{}_response", method.replace('.', "_")), node.to_string());
    let sign = shared.keys().alipay.sign(node.as_bytes());
    let body = format!(r#"{{"{name}":{node},"sign":"{sign}"}}"#);
    HttpResponse::Ok().content_type("text/html;charset=utf-8").body(body)
}

/// The gateway's own refusals are not signed.
pub fn refuse(method: &str, wrong: &Wrong) -> HttpResponse {
    let name = format!("{}_response", method.replace('.', "_"));
    let Wrong(code, sub_code) = wrong;
    HttpResponse::Ok().json(json!({ name: { "code": code, "msg": "Invalid Arguments", "sub_code": sub_code } }))
}
