//! The providers of the settings as the adapter wants them, and what is wrong with them.

use super::sections::{OAuth, Profile, Provider};
use crate::openapi::BASE;
use domain::identity::ProviderName;
use infra::oauth::{ProviderKind, ProviderSettings};
use secrecy::ExposeSecret;

/// Buttons on one page.
const MAX_PROVIDERS: usize = 32;

impl OAuth {
    /// Every provider; those that [`check`] finds fault with are left out.
    pub fn provider_settings(&self) -> Vec<ProviderSettings> {
        self.providers.iter().filter_map(|(name, provider)| self.read(name, provider).ok()).collect()
    }

    fn read(&self, name: &str, provider: &Provider) -> Result<ProviderSettings, &'static str> {
        let kind = ProviderKind::parse(&provider.kind).ok_or("kind: is not a kind of provider")?;
        let name = ProviderName::parse(name).ok_or("must be named by 1 to 32 of a-z, 0-9, _ and -")?;
        Ok(ProviderSettings {
            callback_url: format!("{}{BASE}/auth/oauth/{name}/callback", self.public_url.trim_end_matches('/')),
            name,
            kind,
            label: provider.label.clone(),
            client_id: provider.client_id.clone(),
            client_secret: provider.client_secret.clone(),
            issuer: provider.issuer.clone(),
            authorize_url: provider.authorize_url.clone(),
            token_url: provider.token_url.clone(),
            userinfo_url: provider.userinfo_url.clone(),
            emails_url: provider.emails_url.clone(),
            scopes: provider.scopes.clone(),
            subject_field: provider.subject_field.clone(),
            name_field: provider.name_field.clone(),
        })
    }
}

/// Every mistake in the section.
pub(super) fn check(oauth: &OAuth, profile: Profile) -> Vec<String> {
    let mut mistakes = Vec::new();
    if oauth.providers.is_empty() {
        return mistakes;
    }
    if oauth.providers.len() > MAX_PROVIDERS {
        mistakes.push(format!("oauth.providers: must be at most {MAX_PROVIDERS}"));
    }
    let addresses = [("oauth.public_url", Some(&oauth.public_url)), ("oauth.return_url", oauth.return_url.as_ref())];
    mistakes.extend(wrong_addresses(&addresses, profile));
    for (name, provider) in &oauth.providers {
        let path = format!("oauth.providers.{name}");
        match oauth.read(name, provider) {
            Err(reason) => mistakes.push(format!("{path}: {reason}")),
            Ok(settings) => {
                mistakes.extend(settings.missing().into_iter().map(|field| format!("{path}.{field}: is missing")));
            }
        }
        if provider.client_id.is_empty() || provider.client_secret.expose_secret().is_empty() {
            mistakes.push(format!("{path}: client_id and client_secret must not be empty"));
        }
        let named = |field: &str| format!("{path}.{field}");
        let addresses = [
            (&*named("issuer"), provider.issuer.as_ref()),
            (&*named("authorize_url"), provider.authorize_url.as_ref()),
            (&*named("token_url"), provider.token_url.as_ref()),
            (&*named("userinfo_url"), provider.userinfo_url.as_ref()),
            (&*named("emails_url"), provider.emails_url.as_ref()),
        ];
        mistakes.extend(wrong_addresses(&addresses, profile));
    }
    mistakes
}

/// Secrets and codes travel there, so production wants TLS.
fn wrong_addresses(addresses: &[(&str, Option<&String>)], profile: Profile) -> Vec<String> {
    let fits =
        |url: &str| url.starts_with("https://") || (profile == Profile::Development && url.starts_with("http://"));
    let wrong = addresses.iter().filter(|(_, url)| url.is_some_and(|url| !fits(url)));
    wrong.map(|(path, _)| format!("{path}: must begin with https:// (in development http:// will do)")).collect()
}
