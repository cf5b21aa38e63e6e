//! Settings: `config/default.yaml`, a file on top, the environment on top of both; typed and checked.

mod checks;
mod incentives;
mod layers;
mod oauth;
mod payments;
mod providers;
mod sections;

pub use payments::{Fake, Payments};
pub use providers::{AlipaySection, Online, StripeSection, WeChat, WeChatKey};
pub use sections::{
    Clock, Database, Limits, Log, LogFormat, Mail, Metrics, OAuth, Profile, Provider, Retention, Security, Server,
    Sessions, Tls, VerificationSection, Wallet, Webhooks,
};

pub use incentives::IncentiveTerms;

use domain::plans::Catalogue;
use sections::Sections;
use serde_json::json;
use std::path::Path;

/// Everything that an operator can set.
#[derive(Clone, Debug)]
pub struct Settings {
    pub profile: Profile,
    pub database: Database,
    pub server: Server,
    pub metrics: Metrics,
    pub clock: Clock,
    pub sessions: Sessions,
    pub security: Security,
    pub webhooks: Webhooks,
    pub mail: Mail,
    pub log: Log,
    pub limits: Limits,
    pub retention: Retention,
    pub wallet: Wallet,
    pub oauth: OAuth,
    pub verification: VerificationSection,
    pub incentives: IncentiveTerms,
    pub payments: Payments,
    catalogue: Catalogue,
}

impl Settings {
    /// Reads all layers. Answers every mistake, one line each, with the path of its key.
    pub fn load(
        config_file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<String>> {
        let file = config_file.map(layers::read_file).transpose().map_err(|mistake| vec![mistake])?;
        Self::from_layers(file.as_ref().map(|(name, text)| (name.as_str(), text.as_str())), environment)
    }

    /// Like [`Settings::load`], with the file's name and text in hand.
    fn from_layers(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<String>> {
        let sections = layers::merge(file, environment).map_err(|mistake| vec![mistake])?;
        let mut mistakes = checks::check(&sections);
        let catalogue = Catalogue::parse(&catalogue_document(&sections))
            .map_err(|found| mistakes.extend(found.iter().map(ToString::to_string)));
        let currency = catalogue.as_ref().ok().map(|catalogue| catalogue.currency);
        mistakes.extend(payments::check(&sections.payments, currency));
        mistakes.extend(sections.payments.online.check(&sections.oauth.public_url, sections.profile));
        let Ok(catalogue) = catalogue else { return Err(mistakes) };
        match incentives::read(&sections.incentives, &catalogue) {
            Ok(terms) if mistakes.is_empty() => Ok(Self::assemble(sections, catalogue, terms)),
            terms => {
                mistakes.extend(terms.err().unwrap_or_default());
                Err(mistakes)
            }
        }
    }

    /// The meters and plans on sale.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    fn assemble(sections: Sections, catalogue: Catalogue, incentives: IncentiveTerms) -> Self {
        Self {
            profile: sections.profile,
            database: sections.database,
            server: sections.server,
            metrics: sections.metrics,
            clock: sections.clock,
            sessions: sections.sessions,
            security: sections.security,
            webhooks: sections.webhooks,
            mail: sections.mail,
            log: sections.log,
            limits: sections.limits,
            retention: sections.retention,
            wallet: sections.wallet,
            oauth: sections.oauth,
            verification: sections.verification,
            incentives,
            payments: sections.payments,
            catalogue,
        }
    }
}

/// The process's environment; what is not UTF-8 cannot be a setting of ours.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?))).collect()
}

fn catalogue_document(sections: &Sections) -> serde_json::Value {
    layers::sorted(json!({
        "meters": sections.meters,
        "plans": sections.plans,
        "warnings": { "at": layers::numbers_of_csv(&sections.warnings.at) },
        "billing": sections.billing,
    }))
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
