//! One signed call of a method, and its verified answer.

use super::Alipay;
use super::answer::{Fields, Outcome};
use super::signature::sign_content;
use crate::payments::form;
use crate::payments::outside::MAX_ANSWER_BYTES;
use crate::payments::time::to_beijing;
use domain::orders::{ProviderError, ProviderResult};
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::Value;

const SUCCESS: &str = "10000";
/// The customer is asked for a password.
const WAITING: &str = "10003";
/// The request itself was wrong, so nothing was done; these come without a signature.
const WRONG_REQUEST: [&str; 4] = ["40001", "40002", "40003", "40006"];
/// The provider does not know itself.
const UNSURE: [&str; 3] = ["ACQ.SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR", "isp.unknow-error"];
const UNSURE_CODE: &str = "20000";

impl Alipay {
    /// Everything that is signed, and the signature.
    pub(super) fn signed(
        &self,
        method: &str,
        content: &Value,
        return_url: Option<&str>,
    ) -> ProviderResult<Vec<(&'static str, String)>> {
        let mut parameters = vec![
            ("app_id", self.app_id.clone()),
            ("method", method.to_owned()),
            ("format", "JSON".to_owned()),
            ("charset", "utf-8".to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", to_beijing(self.surroundings.clock.now())),
            ("version", "1.0".to_owned()),
            ("notify_url", self.notify_url.clone()),
            ("biz_content", content.to_string()),
        ];
        if let Some(return_url) = return_url {
            parameters.push(("return_url", return_url.to_owned()));
        }
        let sign = self.app_key.sign(sign_content(&parameters).as_bytes());
        parameters.push(("sign", sign.ok_or_else(|| self.outside.unavailable("a request could not be signed"))?));
        Ok(parameters)
    }

    /// The gateway with parameters behind it.
    pub(super) fn address(&self, parameters: &[(&'static str, String)]) -> Url {
        let mut url = self.outside.base().clone();
        url.query_pairs_mut().extend_pairs(parameters.iter().map(|(name, value)| (*name, value.as_str())));
        url
    }

    /// Calls a method; whatever is no success is an error.
    pub(super) async fn call<T: DeserializeOwned>(&self, method: &str, content: &Value) -> ProviderResult<T> {
        let parameters = self.signed(method, content, None)?;
        let (content, protocol): (Vec<_>, Vec<_>) =
            parameters.into_iter().partition(|(name, _)| *name == "biz_content");
        // The protocol's own parameters go into the address, where Alipay looks for the encoding of the body.
        let body = form::encode(content.iter().map(|(name, value)| (*name, value.as_str())));
        let request = self.outside.client().post(self.address(&protocol)).body(body);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=utf-8");
        let answer = self.outside.ask(request, MAX_ANSWER_BYTES).await?;
        if !answer.status.is_success() {
            return Err(self.outside.untrusted("the answer is no success"));
        }
        let node = self.verified(method, &answer.body)?;
        serde_json::from_str(&node).map_err(|_| self.outside.untrusted("the signed answer cannot be read"))
    }

    /// The node of the method, if Alipay signed it and it says that all is well.
    fn verified(&self, method: &str, body: &[u8]) -> ProviderResult<String> {
        let fields: Fields = std::str::from_utf8(body)
            .ok()
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| self.outside.untrusted("the answer is no object, or has a node twice"))?;
        let name = format!("{}_response", method.replace('.', "_"));
        let node = fields.get(&name).or_else(|| fields.get("error_response"));
        let node = node.ok_or_else(|| self.outside.untrusted("the answer has no node of the method"))?.get();
        let outcome: Outcome =
            serde_json::from_str(node).map_err(|_| self.outside.untrusted("the answer says no outcome"))?;
        let signature = fields.text("sign").unwrap_or_default();
        if !self.verifies(node.as_bytes(), &signature) {
            let nothing_done = signature.is_empty() && WRONG_REQUEST.contains(&outcome.code.as_str());
            return Err(if nothing_done {
                self.refusal(&outcome)
            } else {
                self.outside.untrusted("the answer's signature is missing or wrong")
            });
        }
        match outcome.code.as_str() {
            SUCCESS | WAITING => Ok(node.to_owned()),
            UNSURE_CODE => Err(self.outside.untrusted("Alipay does not know")),
            _ if UNSURE.contains(&outcome.sub_code.as_str()) => Err(self.outside.untrusted("Alipay does not know")),
            _ => Err(self.refusal(&outcome)),
        }
    }

    fn refusal(&self, outcome: &Outcome) -> ProviderError {
        let (code, message) = if outcome.sub_code.is_empty() {
            (&outcome.code, &outcome.msg)
        } else {
            (&outcome.sub_code, &outcome.sub_msg)
        };
        self.outside.refused(code, message)
    }
}

/// Whether an error is one of these refusals.
pub fn is(error: &ProviderError, codes: &[&str]) -> bool {
    matches!(error, ProviderError::Refused { code, .. } if codes.contains(&code.as_str()))
}
