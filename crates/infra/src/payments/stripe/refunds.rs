//! Refunds: looked for before they are asked for, for Stripe forgets idempotency keys after a day.

use super::Stripe;
use super::amounts::to_stripe;
use super::calls::{List, escaped, field};
use chrono::DateTime;
use domain::orders::{ProviderError, ProviderNumber, ProviderResult, RefundRequest, RefundState};
use serde::Deserialize;

/// More refunds of one payment than anybody makes.
const MAX_PAGES: usize = 10;

#[derive(Default, Deserialize)]
pub struct Metadata {
    #[serde(default)]
    pub number: Option<String>,
}

#[derive(Deserialize)]
pub struct Refund {
    pub id: String,
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    created: i64,
    #[serde(default)]
    failure_reason: Option<String>,
}

impl Refund {
    pub fn number(&self) -> Option<ProviderNumber> {
        self.metadata.number.as_deref().and_then(ProviderNumber::parse)
    }

    pub fn state(&self) -> Option<RefundState> {
        let reason = || self.failure_reason.clone().unwrap_or_else(|| "no reason given".to_owned());
        match self.status.as_deref()? {
            "pending" => Some(RefundState::Processing),
            "succeeded" => {
                DateTime::from_timestamp(self.created, 0).map(|refunded_at| RefundState::Succeeded { refunded_at })
            }
            "requires_action" => Some(RefundState::Abnormal { reason: "the customer has to do something".to_owned() }),
            "failed" | "canceled" => Some(RefundState::Failed { reason: reason() }),
            _ => None,
        }
    }
}

impl Stripe {
    pub(super) async fn ask_for_refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        let units = to_stripe(request.amount).ok_or(ProviderError::Unsupported)?;
        match self.find_refund(request).await? {
            RefundState::NotFound => {}
            state => return Ok(state),
        }
        let number = request.number.to_string();
        let fields = vec![
            field("payment_intent", &request.transaction),
            field("amount", units.to_string()),
            field("reason", "requested_by_customer"),
            field("metadata[number]", &number),
            field("metadata[payment]", request.payment.to_string()),
        ];
        let refund: Refund = self.post("/v1/refunds", &format!("refund-{number}"), &fields).await?;
        if refund.number() != Some(request.number) {
            return Err(self.outside.untrusted("the answer is about another refund"));
        }
        refund.state().ok_or_else(|| self.outside.untrusted("the refund's state is none we know"))
    }

    pub(super) async fn find_refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        let mut after = String::new();
        for _ in 0..MAX_PAGES {
            let intent = escaped(&request.transaction);
            let page: List<Refund> = self.get(&format!("/v1/refunds?limit=100&payment_intent={intent}{after}")).await?;
            if let Some(found) = page.data.iter().find(|refund| refund.number() == Some(request.number)) {
                return found.state().ok_or_else(|| self.outside.untrusted("the refund's state is none we know"));
            }
            match page.data.last() {
                Some(last) if page.has_more => after = format!("&starting_after={}", escaped(&last.id)),
                _ => return Ok(RefundState::NotFound),
            }
        }
        Err(self.outside.untrusted("there are too many refunds to look through"))
    }
}
