//! What a provider needs to be known, and the addresses of those that everybody knows.

use domain::identity::{ProviderName, ProviderSummary};
use secrecy::SecretString;

/// Which rules a provider follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// OpenID Connect with discovery.
    Oidc,
    /// OpenID Connect at Google.
    Google,
    GitHub,
    WeChat,
    /// Not OAuth: fields signed with the bot's token.
    Telegram,
    LinuxDo,
    /// OAuth 2.0 with a user-info endpoint.
    OAuth2,
}

impl ProviderKind {
    pub const ALL: [Self; 7] =
        [Self::Oidc, Self::Google, Self::GitHub, Self::WeChat, Self::Telegram, Self::LinuxDo, Self::OAuth2];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Google => "google",
            Self::GitHub => "github",
            Self::WeChat => "wechat",
            Self::Telegram => "telegram",
            Self::LinuxDo => "linuxdo",
            Self::OAuth2 => "oauth2",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    const fn label(self) -> Option<&'static str> {
        match self {
            Self::Oidc | Self::OAuth2 => None,
            Self::Google => Some("Google"),
            Self::GitHub => Some("GitHub"),
            Self::WeChat => Some("微信"),
            Self::Telegram => Some("Telegram"),
            Self::LinuxDo => Some("LINUX DO"),
        }
    }

    pub(super) const fn issuer(self) -> Option<&'static str> {
        match self {
            Self::Google => Some("https://accounts.google.com"),
            _ => None,
        }
    }

    pub(super) const fn authorize_url(self) -> Option<&'static str> {
        match self {
            Self::GitHub => Some("https://github.com/login/oauth/authorize"),
            Self::WeChat => Some("https://open.weixin.qq.com/connect/qrconnect"),
            Self::Telegram => Some("https://oauth.telegram.org/auth"),
            Self::LinuxDo => Some("https://connect.linux.do/oauth2/authorize"),
            Self::Oidc | Self::Google | Self::OAuth2 => None,
        }
    }

    pub(super) const fn token_url(self) -> Option<&'static str> {
        match self {
            Self::GitHub => Some("https://github.com/login/oauth/access_token"),
            Self::WeChat => Some("https://api.weixin.qq.com/sns/oauth2/access_token"),
            Self::LinuxDo => Some("https://connect.linux.do/oauth2/token"),
            Self::Oidc | Self::Google | Self::Telegram | Self::OAuth2 => None,
        }
    }

    pub(super) const fn userinfo_url(self) -> Option<&'static str> {
        match self {
            Self::GitHub => Some("https://api.github.com/user"),
            Self::WeChat => Some("https://api.weixin.qq.com/sns/userinfo"),
            Self::LinuxDo => Some("https://connect.linux.do/api/user"),
            Self::Oidc | Self::Google | Self::Telegram | Self::OAuth2 => None,
        }
    }

    const fn scopes(self) -> &'static str {
        match self {
            Self::Oidc | Self::Google => "openid profile email",
            Self::GitHub => "read:user user:email",
            Self::WeChat => "snsapi_login",
            Self::LinuxDo => "user",
            Self::Telegram | Self::OAuth2 => "",
        }
    }

    const fn subject_field(self) -> &'static str {
        match self {
            Self::Oidc | Self::Google | Self::OAuth2 => "sub",
            Self::GitHub | Self::Telegram | Self::LinuxDo => "id",
            Self::WeChat => "openid",
        }
    }

    const fn name_field(self) -> &'static str {
        match self {
            Self::WeChat => "nickname",
            _ => "name",
        }
    }
}

/// A configured provider. What is `None` is as the kind has it.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    pub name: ProviderName,
    pub kind: ProviderKind,
    pub label: Option<String>,
    pub client_id: String,
    /// For Telegram, the bot's token.
    pub client_secret: SecretString,
    /// Where the provider sends browsers back.
    pub callback_url: String,
    pub issuer: Option<String>,
    pub authorize_url: Option<String>,
    pub token_url: Option<String>,
    pub userinfo_url: Option<String>,
    /// A list of addresses with `primary` and `verified`, as GitHub's.
    pub emails_url: Option<String>,
    /// Separated by blanks.
    pub scopes: Option<String>,
    /// The user-info field that never changes and is never given to another person.
    pub subject_field: Option<String>,
    pub name_field: Option<String>,
}

impl ProviderSettings {
    pub(super) fn summary(&self) -> ProviderSummary {
        let label = self.label.clone().or_else(|| self.kind.label().map(str::to_owned));
        let label = label.unwrap_or_else(|| self.name.to_string());
        ProviderSummary { name: self.name.clone(), kind: self.kind.as_str(), label }
    }

    /// The addresses that this kind must have and that are neither configured nor known.
    pub fn missing(&self) -> Vec<&'static str> {
        let wanted: &[(&'static str, bool)] = match self.kind {
            ProviderKind::Oidc | ProviderKind::Google => &[("issuer", self.issuer().is_none())],
            ProviderKind::Telegram => &[("authorize_url", self.authorize_url().is_none())],
            _ => &[
                ("authorize_url", self.authorize_url().is_none()),
                ("token_url", self.token_url().is_none()),
                ("userinfo_url", self.userinfo_url().is_none()),
            ],
        };
        wanted.iter().filter(|(_, missing)| *missing).map(|(name, _)| *name).collect()
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref().or(self.kind.issuer())
    }

    pub(super) fn authorize_url(&self) -> Option<&str> {
        self.authorize_url.as_deref().or(self.kind.authorize_url())
    }

    pub(super) fn token_url(&self) -> Option<&str> {
        self.token_url.as_deref().or(self.kind.token_url())
    }

    pub(super) fn userinfo_url(&self) -> Option<&str> {
        self.userinfo_url.as_deref().or(self.kind.userinfo_url())
    }

    /// GitHub's list of addresses, unless another GitHub is configured without one.
    pub(super) fn emails_url(&self) -> Option<&str> {
        let known = self.kind == ProviderKind::GitHub && self.userinfo_url.is_none();
        self.emails_url.as_deref().or(known.then_some("https://api.github.com/user/emails"))
    }

    pub(super) fn scopes(&self) -> &str {
        self.scopes.as_deref().unwrap_or(self.kind.scopes())
    }

    pub(super) fn subject_field(&self) -> &str {
        self.subject_field.as_deref().unwrap_or(self.kind.subject_field())
    }

    pub(super) fn name_field(&self) -> &str {
        self.name_field.as_deref().unwrap_or(self.kind.name_field())
    }
}
