//! Builds what gives away, and what keeps verified identities.

use crate::settings::Settings;
use domain::accounts::VerificationService;
use domain::identity::SecretSource;
use domain::incentives::{CheckInService, RedemptionService, ReferralService, Referrals};
use domain::plans::Catalogue;
use domain::store::Store;
use domain::time::Clock;
use infra::crypto::{IndexKey, Keyring, SealedIdentities};
use secrecy::ExposeSecret;
use std::sync::Arc;

pub struct Incentives {
    pub redemptions: RedemptionService,
    pub check_ins: CheckInService,
    pub referrals: ReferralService,
}

pub fn build(
    settings: &Settings,
    (store, clock): (&Arc<dyn Store>, &Arc<dyn Clock>),
    catalogue: &Arc<Catalogue>,
    (secrets, keys): (&Arc<dyn SecretSource>, &Arc<Keyring>),
) -> Incentives {
    let terms = &settings.incentives;
    let referrals = Referrals { catalogue: catalogue.clone(), secrets: secrets.clone(), terms: terms.referral.clone() };
    Incentives {
        redemptions: RedemptionService {
            store: store.clone(),
            clock: clock.clone(),
            catalogue: catalogue.clone(),
            secrets: secrets.clone(),
            vault: keys.clone(),
        },
        check_ins: CheckInService {
            store: store.clone(),
            clock: clock.clone(),
            catalogue: catalogue.clone(),
            secrets: secrets.clone(),
            terms: terms.check_in.clone(),
        },
        referrals: ReferralService { store: store.clone(), clock: clock.clone(), referrals },
    }
}

/// Production that verifies was refused without an index key before it came here.
pub fn verification(
    settings: &Settings,
    (store, clock): (&Arc<dyn Store>, &Arc<dyn Clock>),
    keys: &Arc<Keyring>,
) -> anyhow::Result<VerificationService> {
    let key = settings.security.index_key.expose_secret();
    let index = if key.is_empty() { Ok(IndexKey::development()) } else { IndexKey::parse(key) };
    let index = index.map_err(|reason| anyhow::anyhow!("security.index_key: {reason}"))?;
    Ok(VerificationService {
        store: store.clone(),
        clock: clock.clone(),
        vault: Arc::new(SealedIdentities { keys: keys.clone(), index }),
        zone: settings.catalogue().zone,
        enabled: settings.verification.enabled,
    })
}
