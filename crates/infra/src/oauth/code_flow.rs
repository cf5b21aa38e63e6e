//! OAuth 2.0 without an ID token: the code is exchanged for an access token, and that for the person's profile. GitHub,
//! LINUX DO and others follow the standard; WeChat has words of its own.

use super::outside::{Outside, address, ask, form_encoded};
use super::settings::{ProviderKind, ProviderSettings};
use super::{code_challenge, refuse};
use domain::error::{Error, Result};
use domain::identity::{ExternalIdentity, FlowSecrets};
use reqwest::{RequestBuilder, Url};
use secrecy::ExposeSecret;
use serde_json::Value;

pub struct CodeFlow {
    settings: ProviderSettings,
    outside: Outside,
}

impl CodeFlow {
    pub fn new(settings: ProviderSettings, outside: Outside) -> Self {
        Self { settings, outside }
    }

    pub fn authorization_url(&self, secrets: &FlowSecrets) -> Result<String> {
        let mut url = self.url(self.settings.authorize_url())?;
        let client = if self.is_wechat() { "appid" } else { "client_id" };
        url.query_pairs_mut()
            .append_pair(client, &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.callback_url)
            .append_pair("response_type", "code")
            .append_pair("scope", self.settings.scopes())
            .append_pair("state", secrets.state.expose());
        if self.is_wechat() {
            url.set_fragment(Some("wechat_redirect"));
        } else {
            url.query_pairs_mut()
                .append_pair("code_challenge", &code_challenge(secrets))
                .append_pair("code_challenge_method", "S256");
        }
        Ok(url.into())
    }

    pub async fn identify(&self, code: &str, secrets: &FlowSecrets) -> Result<ExternalIdentity> {
        let granted = self.granted(code, secrets).await?;
        let token = granted.get("access_token").and_then(Value::as_str);
        let token = token.ok_or_else(|| refuse(self.name(), "the code was not accepted"))?;
        let mut profile = self.profile(token, &granted).await?;
        if self.is_wechat() {
            // What came with the token is what the token is for.
            for field in ["openid", "unionid"] {
                if let (Some(value), Some(profile)) = (granted.get(field), profile.as_object_mut()) {
                    profile.insert(field.to_owned(), value.clone());
                }
            }
        }
        let emails = self.emails(token).await?;
        self.identity(&profile, emails.as_ref())
    }

    async fn granted(&self, code: &str, secrets: &FlowSecrets) -> Result<Value> {
        let url = self.url(self.settings.token_url())?;
        let (id, secret) = (self.settings.client_id.as_str(), self.settings.client_secret.expose_secret());
        let request = if self.is_wechat() {
            let query = [("appid", id), ("secret", secret), ("code", code), ("grant_type", "authorization_code")];
            self.outside.get(url).query(&query)
        } else {
            self.standard_exchange(url, (id, secret), (code, &secrets.code_verifier()))
        };
        ask(self.name(), request).await?.ok_or_else(|| refuse(self.name(), "the code was not accepted"))
    }

    fn standard_exchange(
        &self,
        url: Url,
        (id, secret): (&str, &str),
        (code, verifier): (&str, &str),
    ) -> RequestBuilder {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.settings.callback_url),
            ("code_verifier", verifier),
        ];
        let request = self.outside.post(url);
        if self.settings.kind == ProviderKind::LinuxDo {
            return request.basic_auth(form_encoded(id), Some(form_encoded(secret))).form(&form);
        }
        form.extend([("client_id", id), ("client_secret", secret)]);
        request.form(&form)
    }

    async fn profile(&self, token: &str, granted: &Value) -> Result<Value> {
        let url = self.url(self.settings.userinfo_url())?;
        let request = if self.is_wechat() {
            let open_id = granted.get("openid").and_then(Value::as_str).unwrap_or_default();
            self.outside.get(url).query(&[("access_token", token), ("openid", open_id), ("lang", "zh_CN")])
        } else {
            self.outside.get(url).bearer_auth(token)
        };
        let profile = ask(self.name(), request).await?;
        profile.ok_or_else(|| refuse(self.name(), "the profile was not given"))
    }

    async fn emails(&self, token: &str) -> Result<Option<Value>> {
        match self.settings.emails_url() {
            None => Ok(None),
            Some(url) => ask(self.name(), self.outside.get(self.url(Some(url))?).bearer_auth(token)).await,
        }
    }

    fn identity(&self, profile: &Value, emails: Option<&Value>) -> Result<ExternalIdentity> {
        let subject = match profile.get(self.settings.subject_field()) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Some(number.to_string()),
            _ => None,
        };
        let text = |field: &str| profile.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = text(self.settings.name_field()).or_else(|| text("login")).or_else(|| text("username"));
        let (email, verified) = match emails.and_then(verified_address) {
            Some(address) => (Some(address), true),
            None => (text("email"), profile.get("email_verified") == Some(&Value::Bool(true))),
        };
        let identity = subject.and_then(|subject| ExternalIdentity::read(&subject, name, email, verified));
        identity.ok_or_else(|| refuse(self.name(), "the profile has no id"))
    }

    fn url(&self, configured: Option<&str>) -> Result<Url> {
        address(self.name(), configured.ok_or(Error::Unavailable)?)
    }

    fn is_wechat(&self) -> bool {
        self.settings.kind == ProviderKind::WeChat
    }

    fn name(&self) -> &str {
        self.settings.name.as_str()
    }
}

/// The primary address of a list such as GitHub's, if it is verified.
fn verified_address(emails: &Value) -> Option<&str> {
    let is = |entry: &Value, what: &str| entry.get(what) == Some(&Value::Bool(true));
    let primary = emails.as_array()?.iter().find(|entry| is(entry, "primary") && is(entry, "verified"))?;
    primary.get("email").and_then(Value::as_str)
}
