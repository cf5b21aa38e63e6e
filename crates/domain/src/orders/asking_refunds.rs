//! Asking providers for refunds, and what became of them.

use super::provider::{ProviderError, RefundRequest, RefundState};
use super::refund::{Refund, RefundStatus};
use super::refunding::lock_refund;
use super::service::OrderService;
use crate::error::{Error, Result};
use crate::id::RefundId;
use crate::store::retrying;
use crate::wallet::Provider;

/// Refunds asked about between two looks at the clock.
pub const REFUND_CHUNK: u32 = 50;

impl OrderService {
    /// Asks the provider for a refund that is not over; answers it as it is then.
    pub(super) async fn send_refund(&self, id: RefundId) -> Result<Refund> {
        let refund = self.store.refunds().find(id).await?.ok_or(Error::NotFound("refund"))?;
        if refund.status != RefundStatus::Unknown {
            return Ok(refund);
        }
        let (provider, request) = self.refund_request(&refund).await?;
        let adapter = self.providers.get(provider).ok_or(Error::Unavailable)?;
        let state = match adapter.refund(&request).await {
            Ok(state) => Some(state),
            Err(ProviderError::Unavailable | ProviderError::Unknown) => None,
            Err(ProviderError::Unsupported) => Some(failed("the provider does not refund")),
            // It may have been done before: what holds is what the provider answers to a query.
            Err(ProviderError::Refused { code, message }) => match adapter.query_refund(&request).await {
                Ok(RefundState::NotFound) => Some(failed(&format!("{code}: {message}"))),
                Ok(state) => Some(state),
                Err(_) => None,
            },
        };
        if let Some(state) = state {
            self.apply_refund(id, None, &state, None).await.map(drop)?;
        } else {
            tracing::warn!(refund = %id, "whether the provider refunds is not known; it is asked again");
        }
        self.store.refunds().find(id).await?.ok_or(Error::NotFound("refund"))
    }

    /// Asks about a chunk of the refunds that are due; how many that were.
    pub async fn follow_refunds(&self) -> Result<u32> {
        let due = self.store.refunds().due(self.clock.now(), REFUND_CHUNK).await?;
        let count = u32::try_from(due.len()).unwrap_or(u32::MAX);
        for refund in due {
            if let Err(error) = self.follow(&refund).await {
                tracing::warn!(refund = %refund.id, error = ?error, "a refund could not be followed");
            }
        }
        Ok(count)
    }

    async fn follow(&self, refund: &Refund) -> Result<()> {
        // First the next look, so that a provider who does not answer does not hold up the others.
        retrying!(self.store, self.note_check(refund.id))?;
        let (provider, request) = self.refund_request(refund).await?;
        let Some(adapter) = self.providers.get(provider) else { return Ok(()) };
        match adapter.query_refund(&request).await {
            Ok(RefundState::NotFound) if refund.status == RefundStatus::Unknown => {
                self.send_refund(refund.id).await.map(drop)
            }
            Ok(state) => self.apply_refund(refund.id, None, &state, None).await.map(drop),
            Err(error) => {
                tracing::warn!(refund = %refund.id, %error, "the provider could not be asked");
                Ok(())
            }
        }
    }

    async fn note_check(&self, id: RefundId) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let Some((refund, _)) = lock_refund(&*work, id).await? else { return Ok(()) };
        work.refunds().save(&refund.checked(now)).await?;
        Ok(work.commit().await?)
    }

    pub(super) async fn refund_request(&self, refund: &Refund) -> Result<(Provider, RefundRequest)> {
        let payment = self.store.payments().find(refund.payment).await?.ok_or(Error::NotFound("payment"))?;
        let item = match refund.suspense {
            Some(id) => self.store.suspense().find(id).await?,
            None => None,
        };
        let transaction = item.as_ref().map(|item| item.transaction.clone()).or_else(|| payment.transaction.clone());
        let request = RefundRequest {
            number: refund.number(),
            payment: payment.number(),
            transaction: transaction.unwrap_or_default(),
            amount: refund.amount,
            paid: item.map(|item| item.amount).or(payment.captured).unwrap_or(payment.amount),
            reason: refund.reason.clone(),
        };
        Ok((payment.provider, request))
    }
}

fn failed(reason: &str) -> RefundState {
    RefundState::Failed { reason: reason.to_owned() }
}
