//! Reading webhooks: the signature, then the envelope, then the object, for payments and for subscriptions.

use super::Stripe;
use super::checkout::{Expandable, Session};
use super::invoices::Invoice;
use super::refunds::Refund;
use super::subscriptions::Subscription;
use chrono::{DateTime, Utc};
use domain::orders::{
    Notification, NotificationRefused, Notified, PaymentState, RawNotification, SubscriptionEvent, SubscriptionMessage,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Event<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
}

impl Event<'_> {
    fn created(&self) -> Result<DateTime<Utc>, NotificationRefused> {
        DateTime::from_timestamp(self.created, 0).ok_or(NotificationRefused::Content)
    }

    fn object<T: DeserializeOwned>(&self) -> Result<T, NotificationRefused> {
        serde_json::from_str(self.data.object.get()).map_err(|_| NotificationRefused::Content)
    }
}

impl Stripe {
    fn event<'r>(&self, raw: &'r RawNotification) -> Result<Event<'r>, NotificationRefused> {
        self.verify(raw, self.surroundings.clock.now().timestamp())?;
        let event: Event = serde_json::from_slice(&raw.body).map_err(|_| NotificationRefused::Content)?;
        if event.id.is_empty() { Err(NotificationRefused::Content) } else { Ok(event) }
    }

    pub(super) fn verified_notification(&self, raw: &RawNotification) -> Result<Notification, NotificationRefused> {
        let event = self.event(raw)?;
        let about = match event.kind.as_str() {
            "checkout.session.completed"
            | "checkout.session.async_payment_succeeded"
            | "checkout.session.async_payment_failed"
            | "checkout.session.expired" => self.payment_in(&event)?,
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => refund_in(&event)?,
            _ => Notified::Other { kind: event.kind.clone() },
        };
        Ok(Notification { message: event.id, about })
    }

    fn payment_in(&self, event: &Event) -> Result<Notified, NotificationRefused> {
        let session: Session = event.object()?;
        let Some(number) = session.number().filter(|_| session.mode == "payment") else {
            return Ok(Notified::Other { kind: event.kind.clone() });
        };
        let state = if event.kind.ends_with("async_payment_failed") {
            PaymentState::Failed
        } else {
            self.state_of(&session, Some(event.created()?)).ok_or(NotificationRefused::Content)?
        };
        Ok(Notified::Payment { number, state })
    }

    pub(super) fn verified_event(&self, raw: &RawNotification) -> Result<SubscriptionMessage, NotificationRefused> {
        let event = self.event(raw)?;
        let occurred_at = event.created()?;
        let told = match event.kind.as_str() {
            "checkout.session.completed" => checked_out(event.object()?),
            "customer.subscription.created"
            | "customer.subscription.updated"
            | "customer.subscription.deleted"
            | "customer.subscription.paused"
            | "customer.subscription.resumed" => {
                let subscription = event.object::<Subscription>()?.read().ok_or(NotificationRefused::Content)?;
                Some(SubscriptionEvent::Changed(Box::new(subscription)))
            }
            "invoice.paid" => event.object::<Invoice>()?.read(true)?.map(SubscriptionEvent::Paid),
            "invoice.payment_failed" => event.object::<Invoice>()?.read(false)?.map(SubscriptionEvent::PaymentFailed),
            _ => None,
        };
        let event_told = told.unwrap_or_else(|| SubscriptionEvent::Other { kind: event.kind.clone() });
        Ok(SubscriptionMessage { message: event.id, occurred_at, event: event_told })
    }
}

fn refund_in(event: &Event) -> Result<Notified, NotificationRefused> {
    let refund: Refund = event.object()?;
    let Some(number) = refund.number() else {
        return Ok(Notified::Other { kind: event.kind.clone() });
    };
    let state = refund.state().ok_or(NotificationRefused::Content)?;
    Ok(Notified::Refund { number, state })
}

fn checked_out(session: Session) -> Option<SubscriptionEvent> {
    let number = session.number().filter(|_| session.mode == "subscription")?;
    Some(SubscriptionEvent::CheckedOut {
        number,
        customer: id_of(session.customer?)?,
        subscription: id_of(session.subscription?)?,
    })
}

fn id_of(named: Expandable<Value>) -> Option<String> {
    match named {
        Expandable::Id(id) => Some(id),
        Expandable::Object(object) => object.get("id").and_then(Value::as_str).map(str::to_owned),
    }
}
