//! Builds what notices need: keys, the guarded way outside, mail.

use crate::settings::{Mail, Settings, Tls};
use anyhow::Context;
use domain::identity::SecretSource;
use domain::notices::{
    Courier, DeadLetterService, EgressRules, FanOut, Locale, Mailer, NoticeService, WebhookSender, WebhookService,
};
use domain::store::Store;
use domain::time::Clock;
use infra::crypto::Keyring;
use infra::mail::{MailSettings, MailTls, NoMailer, SmtpMailer};
use infra::webhooks::{GuardedTargets, HttpWebhookSender, WebhookVault};
use secrecy::ExposeSecret;
use std::sync::Arc;
use uuid::Uuid;

pub struct Notices {
    pub notices: NoticeService,
    pub webhooks: WebhookService,
    pub dead_letters: DeadLetterService,
    pub fan_out: FanOut,
    pub courier: Courier,
}

pub fn build(
    settings: &Settings,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    (random, keys): (&Arc<dyn SecretSource>, &Arc<Keyring>),
) -> anyhow::Result<Notices> {
    let (store, clock) = (store.clone(), clock.clone());
    let rules = Arc::new(EgressRules {
        allowed_networks: settings.webhooks.allowed_networks.clone(),
        plain_http: settings.webhooks.plain_http,
    });
    let vault = Arc::new(WebhookVault { keys: keys.clone() });
    let sender = HttpWebhookSender::new(rules.clone(), vault.clone()).context("cannot prepare webhooks")?;
    let sender: Arc<dyn WebhookSender> = Arc::new(sender);
    Ok(Notices {
        notices: NoticeService { store: store.clone(), clock: clock.clone() },
        webhooks: WebhookService {
            store: store.clone(),
            clock: clock.clone(),
            vault,
            targets: Arc::new(GuardedTargets { rules }),
            enabled: settings.webhooks.enabled,
        },
        dead_letters: DeadLetterService { store: store.clone(), clock: clock.clone() },
        fan_out: FanOut {
            store: store.clone(),
            clock: clock.clone(),
            mail: settings.mail.enabled,
            holder: Uuid::now_v7(),
        },
        courier: Courier {
            store,
            clock,
            webhooks: sender,
            mailer: mailer(&settings.mail)?,
            random: random.clone(),
            locale: Locale::parse(&settings.mail.locale).unwrap_or(Locale::Chinese),
            zone: settings.catalogue().zone,
        },
    })
}

fn mailer(mail: &Mail) -> anyhow::Result<Arc<dyn Mailer>> {
    if !mail.enabled {
        return Ok(Arc::new(NoMailer));
    }
    let tls = match mail.tls {
        Tls::Implicit => MailTls::Implicit,
        Tls::Starttls => MailTls::StartTls,
        Tls::None => MailTls::None,
    };
    let password = || mail.password.expose_secret().to_owned();
    let login = (!mail.username.is_empty()).then(|| (mail.username.clone(), password()));
    let settings = MailSettings { host: mail.host.clone(), port: mail.port, tls, login, from: mail.from.clone() };
    let mailer = SmtpMailer::new(settings).map_err(|error| anyhow::anyhow!("cannot prepare mail: {error}"))?;
    Ok(Arc::new(mailer))
}
