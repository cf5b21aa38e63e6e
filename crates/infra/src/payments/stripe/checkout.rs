//! Single payments: a Checkout session each.

use super::Stripe;
use super::amounts::{from_stripe, to_stripe};
use super::calls::{Fields, List, escaped, field, is};
use crate::payments::outside::cut;
use chrono::{DateTime, TimeDelta, Utc};
use domain::orders::{
    Capture, Closing, PayAction, PaymentState, PlaceRequest, Placed, ProviderError, ProviderNumber, ProviderResult,
};
use serde::Deserialize;

pub const MISSING: &str = "resource_missing";
/// Pages of a hundred sessions that are looked through for one whose id is not known.
const MAX_PAGES: usize = 20;
/// How much earlier than its number's time a session may seem to have been made: clocks differ.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::hours(1);
/// A query looks at most so far back for a session whose id is not known.
const SESSION_LIFE: TimeDelta = TimeDelta::hours(25);

/// An id, or the object that it names when it was asked for.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Expandable<T> {
    Id(String),
    Object(T),
}

#[derive(Deserialize)]
pub struct Intent {
    pub id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    latest_charge: Option<Expandable<Charge>>,
}

#[derive(Deserialize)]
pub struct Charge {
    #[serde(default)]
    created: i64,
}

#[derive(Deserialize)]
pub struct Session {
    pub id: String,
    pub mode: String,
    #[serde(default)]
    pub client_reference_id: Option<String>,
    #[serde(default)]
    pub url: Option<String>,
    pub status: Option<String>,
    pub payment_status: String,
    #[serde(default)]
    amount_total: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    payment_intent: Option<Expandable<Intent>>,
    #[serde(default)]
    livemode: bool,
    #[serde(default)]
    pub customer: Option<Expandable<serde_json::Value>>,
    #[serde(default)]
    pub subscription: Option<Expandable<serde_json::Value>>,
}

impl Session {
    pub fn number(&self) -> Option<ProviderNumber> {
        self.client_reference_id.as_deref().and_then(ProviderNumber::parse)
    }
}

impl Stripe {
    pub(super) async fn place_session(&self, request: &PlaceRequest) -> ProviderResult<Placed> {
        let units = to_stripe(request.amount).ok_or(ProviderError::Unsupported)?;
        let number = request.number.to_string();
        let back = request.return_url.as_deref().unwrap_or(&self.return_url);
        let fields = vec![
            field("mode", "payment"),
            field("client_reference_id", &number),
            field("metadata[number]", &number),
            // From here it comes to the charge, which the daily bill names.
            field("payment_intent_data[metadata][number]", &number),
            field("line_items[0][quantity]", "1"),
            field("line_items[0][price_data][currency]", request.amount.currency().code().to_ascii_lowercase()),
            field("line_items[0][price_data][unit_amount]", units.to_string()),
            field("line_items[0][price_data][product_data][name]", cut(&request.description, 120)),
            field("success_url", back),
            field("cancel_url", back),
        ];
        let session: Session = self.post("/v1/checkout/sessions", &format!("payment-{number}"), &fields).await?;
        self.placed(session, request.number)
    }

    fn placed(&self, session: Session, number: ProviderNumber) -> ProviderResult<Placed> {
        if session.number() != Some(number) {
            return Err(self.outside.untrusted("the answer is about another payment"));
        }
        // The stored answer of the first call also comes when the session is over.
        let url =
            session.url.ok_or_else(|| self.outside.refused("session_over", "the session has no page any more"))?;
        Ok(Placed { action: PayAction::Open(url), reference: Some(session.id) })
    }

    pub(super) async fn query_session(
        &self,
        number: ProviderNumber,
        reference: Option<String>,
    ) -> ProviderResult<PaymentState> {
        let Some(id) = self.session_id(number, reference).await? else { return Ok(PaymentState::NotFound) };
        match self.session(&id).await {
            Ok(session) if session.number() == Some(number) => {
                let state = self.state_of(&session, None);
                state.ok_or_else(|| self.outside.untrusted("the payment's state is none we know"))
            }
            Ok(_) => Err(self.outside.untrusted("the answer is about another payment")),
            Err(error) if is(&error, MISSING) => Ok(PaymentState::NotFound),
            Err(error) => Err(error),
        }
    }

    async fn session(&self, id: &str) -> ProviderResult<Session> {
        self.get(&format!("/v1/checkout/sessions/{}?expand[]=payment_intent.latest_charge", escaped(id))).await
    }

    /// The id that the provider gave; looked for when the answer that had it was lost.
    async fn session_id(&self, number: ProviderNumber, reference: Option<String>) -> ProviderResult<Option<String>> {
        if reference.is_some() {
            return Ok(reference);
        }
        let since = self.made_after(number).timestamp();
        let mut after = String::new();
        for _ in 0..MAX_PAGES {
            let page: List<Session> =
                self.get(&format!("/v1/checkout/sessions?limit=100&created[gte]={since}{after}")).await?;
            if let Some(found) = page.data.iter().find(|session| session.number() == Some(number)) {
                return Ok(Some(found.id.clone()));
            }
            match page.data.last() {
                Some(last) if page.has_more => after = format!("&starting_after={}", escaped(&last.id)),
                _ => return Ok(None),
            }
        }
        Err(self.outside.untrusted("there are too many sessions to look through"))
    }

    /// Our numbers begin with the time at which they were made.
    fn made_after(&self, number: ProviderNumber) -> DateTime<Utc> {
        let now = self.surroundings.clock.now();
        let made = number.as_uuid().get_timestamp().and_then(|time| {
            let (seconds, _) = time.to_unix();
            DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
        });
        made.unwrap_or(now - SESSION_LIFE).min(now) - CLOCKS_DIFFER
    }

    pub(super) async fn expire_session(
        &self,
        number: ProviderNumber,
        reference: Option<String>,
    ) -> ProviderResult<Closing> {
        let Some(id) = self.session_id(number, reference).await? else { return Ok(Closing::NotFound) };
        let path = format!("/v1/checkout/sessions/{}/expire", escaped(&id));
        let expired = self.post::<Session>(&path, &format!("close-{number}"), &Fields::new()).await;
        match expired {
            Ok(session) if session.status.as_deref() == Some("expired") => Ok(Closing::Closed),
            Err(error) if is(&error, MISSING) => Ok(Closing::NotFound),
            // Only an open session can be expired: this one was paid, or had expired.
            Ok(_) | Err(ProviderError::Refused { .. }) => match self.query_session(number, Some(id)).await? {
                PaymentState::Captured(_) => Ok(Closing::Paid),
                PaymentState::Closed | PaymentState::Failed => Ok(Closing::Closed),
                PaymentState::NotFound => Ok(Closing::NotFound),
                // The bank has not said yet.
                PaymentState::Open => Err(ProviderError::Unavailable),
            },
            Err(error) => Err(error),
        }
    }

    /// `None` when something is missing that a session of this state has. A webhook brings no charge; the event's time
    /// stands for the charge's.
    pub(super) fn state_of(&self, session: &Session, happened: Option<DateTime<Utc>>) -> Option<PaymentState> {
        match (session.status.as_deref()?, session.payment_status.as_str()) {
            ("open", _) => Some(PaymentState::Open),
            ("expired", _) => Some(PaymentState::Closed),
            ("complete", "paid") => {
                let (transaction, charged) = match session.payment_intent.as_ref()? {
                    Expandable::Id(id) => (id, None),
                    Expandable::Object(intent) => (&intent.id, charged_at(intent)),
                };
                Some(PaymentState::Captured(Capture {
                    transaction: transaction.clone(),
                    amount: from_stripe(session.amount_total?, session.currency.as_deref()?)?,
                    captured_at: charged.or(happened)?,
                    payee_is_ours: session.livemode == self.live,
                }))
            }
            // Gone through the page; the bank transfers later, or not.
            ("complete", "unpaid") => match &session.payment_intent {
                Some(Expandable::Object(intent)) if tried_in_vain(intent) => Some(PaymentState::Failed),
                _ => Some(PaymentState::Open),
            },
            _ => None,
        }
    }
}

fn charged_at(intent: &Intent) -> Option<DateTime<Utc>> {
    match intent.latest_charge.as_ref()? {
        Expandable::Object(charge) => DateTime::from_timestamp(charge.created, 0),
        Expandable::Id(_) => None,
    }
}

fn tried_in_vain(intent: &Intent) -> bool {
    ["requires_payment_method", "canceled"].contains(&intent.status.as_str())
}
