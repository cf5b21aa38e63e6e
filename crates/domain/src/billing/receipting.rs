//! Use case of receipts: a bill as a PDF for whoever may read it.

use super::describing::Describer;
use super::service::BillingService;
use super::{BillView, Party, ReceiptRenderer};
use crate::accounts::{Account, AccountKind};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::BillId;
use crate::notices::Locale;
use std::sync::Arc;

pub struct ReceiptService {
    pub billing: Arc<BillingService>,
    pub renderer: Arc<dyn ReceiptRenderer>,
    /// For whoever chose no language.
    pub locale: Locale,
}

impl ReceiptService {
    /// The receipt of a bill in a language, or in the one of the caller's settings. The same bill is the same bytes.
    pub async fn pdf(&self, actor: &Actor, id: BillId, locale: Option<Locale>) -> Result<Vec<u8>> {
        let view = self.billing.view(actor, id).await?;
        let locale = match locale {
            Some(locale) => locale,
            None => self.chosen(actor).await?,
        };
        let buyer = self.buyer(&view).await?;
        let receipt = Describer::new(&self.billing.catalogue, locale).receipt(&view, buyer)?;
        self.renderer.render(receipt.document()?).await
    }

    async fn chosen(&self, actor: &Actor) -> Result<Locale> {
        let user = self.billing.store.users().find(actor.user).await?;
        let tag = user.as_ref().and_then(|user| user.profile.settings["locale"].as_str());
        Ok(tag.and_then(Locale::parse).unwrap_or(self.locale))
    }

    async fn buyer(&self, view: &BillView) -> Result<Party> {
        let store = &self.billing.store;
        let account = store.accounts().find(view.issued.bill.account).await?;
        let account: Account = account.ok_or(Error::NotFound("bill"))?;
        let owner = store.users().find(account.owner).await?;
        let name = match (account.kind, &owner) {
            (AccountKind::Personal, Some(owner)) => owner.profile.display_name.clone(),
            _ => account.name.clone(),
        };
        let email = owner.and_then(|owner| owner.email).map(|email| email.as_str().to_owned());
        Ok(Party { name, lines: email.into_iter().collect() })
    }
}
