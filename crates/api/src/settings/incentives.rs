//! What is given away, read with the meters and the currency of the catalogue.

use super::sections::{Incentives, RewardText};
use domain::error::Error;
use domain::incentives::{CheckInTerms, ReferralTerms, Reward, RewardWish, RewardedOn};
use domain::money::Money;
use domain::plans::Catalogue;

/// The section with its meaning.
#[derive(Clone, Debug)]
pub struct IncentiveTerms {
    pub check_in: Option<CheckInTerms>,
    pub referral: ReferralTerms,
}

/// Reads the section; answers every mistake with the path of its key.
pub(super) fn read(section: &Incentives, catalogue: &Catalogue) -> Result<IncentiveTerms, Vec<String>> {
    let mut mistakes = Vec::new();
    let mut reward = |text: &Option<RewardText>, path: &str| {
        let read = text.as_ref().map(|text| Reward::read(&wish(text), catalogue, path)).transpose();
        read.map_err(|error| mistakes.extend(said(error))).ok().flatten()
    };
    let least = reward(&section.check_in.reward, "incentives.check_in.reward");
    let welcome = reward(&section.referral.invitee, "incentives.referral.invitee");
    let most = match (&least, &section.check_in.most, &section.check_in.reward) {
        (Some(_), Some(most), Some(text)) => reward(&Some(text.of_number(most)), "incentives.check_in.most"),
        _ => least.clone(),
    };
    let check_in = least.zip(most).map(|(least, most)| CheckInTerms { least, most });
    if check_in.as_ref().is_some_and(domain::incentives::CheckInTerms::is_upside_down) {
        mistakes.push("incentives.check_in.most: must not be less than the reward".to_owned());
    }
    let mut money = |text: &str, path: &str| {
        let money = Money::parse_minor(text, catalogue.currency).ok().filter(|money| money.is_positive());
        if money.is_none() {
            mistakes.push(format!("{path}: must be an amount above zero in billing.currency"));
        }
        money
    };
    let for_inviter = section.referral.inviter.as_deref().and_then(|text| money(text, "incentives.referral.inviter"));
    let least_transfer = money(&section.referral.least_transfer, "incentives.referral.least_transfer");
    let rewarded_on = RewardedOn::parse(&section.referral.rewarded_on);
    if rewarded_on.is_none() {
        mistakes.push("incentives.referral.rewarded_on: must be registration or first_payment".to_owned());
    }
    match (least_transfer, rewarded_on) {
        (Some(least_transfer), Some(rewarded_on)) if mistakes.is_empty() => {
            let referral = ReferralTerms { rewarded_on, inviter: for_inviter, invitee: welcome, least_transfer };
            Ok(IncentiveTerms { check_in, referral })
        }
        _ => Err(mistakes),
    }
}

fn wish(text: &RewardText) -> RewardWish {
    RewardWish {
        amount: text.amount.clone(),
        meter: text.meter.clone(),
        quantity: text.quantity.clone(),
        models: text.models.clone(),
        valid_days: text.valid_days,
    }
}

impl RewardText {
    fn of_number(&self, number: &str) -> Self {
        let number = Some(number.to_owned());
        match self.amount {
            Some(_) => Self { amount: number, ..self.clone() },
            None => Self { quantity: number, ..self.clone() },
        }
    }
}

fn said(error: Error) -> Vec<String> {
    match error {
        Error::Invalid(fields) => {
            fields.into_iter().map(|field| format!("{}: {}", field.field, field.reason)).collect()
        }
        other => vec![format!("incentives: {other}")],
    }
}
