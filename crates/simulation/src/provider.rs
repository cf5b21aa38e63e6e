//! A payment provider that is slow, forgets to answer, and tells things late, twice and in any order.

use crate::core::Sim;
use crate::faults::Fault;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::money::{Currency, Money};
use domain::orders::{
    BillRow, BillRowKind, Capture, Closing, Notification, NotificationRefused, Notified, PayAction, PaymentProvider,
    PaymentState, PlaceRequest, Placed, ProviderError, ProviderNumber, ProviderResult, RawNotification, RefundRequest,
    RefundState, Reply,
};
use domain::time::Clock;
use domain::wallet::Provider;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the provider knows.
#[derive(Default)]
pub struct Desk {
    pub payments: BTreeMap<ProviderNumber, (PlaceRequest, PaymentState)>,
    pub refunds: BTreeMap<ProviderNumber, (RefundRequest, RefundState)>,
    /// What it has told so far, each as often as it is delivered.
    pub messages: Vec<RawNotification>,
    /// Captures beyond the first under one number.
    pub extra: Vec<(ProviderNumber, Capture)>,
    count: u64,
}

impl Desk {
    /// Everything that came in and went back.
    fn rows(&self) -> impl Iterator<Item = BillRow> {
        let captured = self.payments.iter().filter_map(|(number, (_, state))| match state {
            PaymentState::Captured(capture) => Some((number, capture)),
            _ => None,
        });
        let extra = self.extra.iter().map(|(number, capture)| (number, capture));
        let payments = captured.chain(extra).map(|(number, capture)| {
            row(BillRowKind::Payment, *number, &capture.transaction, (capture.amount, capture.captured_at))
        });
        let refunds = self.refunds.iter().filter_map(|(number, (request, state))| match state {
            RefundState::Succeeded { refunded_at } => {
                Some(row(BillRowKind::Refund, *number, &request.transaction, (request.amount, *refunded_at)))
            }
            _ => None,
        });
        payments.chain(refunds)
    }

    /// The days on which anything came in or went back.
    pub fn days(&self) -> BTreeSet<NaiveDate> {
        self.rows().map(|row| day_of(row.at)).collect()
    }
}

fn row(kind: BillRowKind, number: ProviderNumber, transaction: &str, (amount, at): (Money, DateTime<Utc>)) -> BillRow {
    BillRow { kind, number: number.to_string(), transaction: transaction.to_owned(), amount, fee: None, at }
}

/// The provider's own day.
pub fn day_of(time: DateTime<Utc>) -> NaiveDate {
    (time + TimeDelta::hours(8)).date_naive()
}

pub struct SimProvider {
    sim: Arc<Sim>,
    desk: Mutex<Desk>,
}

impl SimProvider {
    pub fn new(sim: Arc<Sim>) -> Self {
        Self { sim, desk: Mutex::default() }
    }

    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A customer pays; money under a number that was closed comes nevertheless now and then.
    pub fn pay(&self, number: ProviderNumber, amount: Money, again: bool) {
        let captured_at = self.sim.now();
        let mut desk = self.desk();
        desk.count += 1;
        let transaction = format!("t{}", desk.count);
        let capture = Capture { transaction, amount, captured_at, payee_is_ours: true };
        let Some((_, state)) = desk.payments.get_mut(&number) else { return };
        match state {
            PaymentState::Captured(_) if !again => return,
            PaymentState::Captured(_) => desk.extra.push((number, capture.clone())),
            state => *state = PaymentState::Captured(capture.clone()),
        }
        let message = message(&format!("m{}", desk.count), number, &capture);
        desk.messages.push(message);
    }

    /// A refund goes on; one that ended stays so.
    pub fn go_on(&self, number: ProviderNumber, after: RefundState) {
        let mut desk = self.desk();
        if let Some((_, state @ (RefundState::Processing | RefundState::Abnormal { .. }))) =
            desk.refunds.get_mut(&number)
        {
            *state = after;
        }
    }

    /// The call is lost on its way there.
    async fn hear(&self) -> ProviderResult<()> {
        match self.sim.enter(false).await {
            None => Ok(()),
            Some(_) => Err(ProviderError::Unavailable),
        }
    }

    /// The answer is lost on its way back.
    async fn answer<T: Send>(&self, answer: T) -> ProviderResult<T> {
        match self.sim.enter(false).await {
            None => Ok(answer),
            Some(Fault::Contended) => Err(ProviderError::Unavailable),
            Some(_) => Err(ProviderError::Unknown),
        }
    }
}

fn message(id: &str, number: ProviderNumber, capture: &Capture) -> RawNotification {
    let currency = capture.amount.currency();
    let body = [
        id,
        &number.to_string(),
        &capture.transaction,
        &capture.amount.nanos().to_string(),
        currency.code(),
        &capture.captured_at.timestamp_micros().to_string(),
    ];
    RawNotification { headers: Vec::new(), body: body.join("|").into_bytes() }
}

fn read(body: &[u8]) -> Option<Notification> {
    let text = std::str::from_utf8(body).ok()?;
    let fields: Vec<&str> = text.split('|').collect();
    let [id, number, transaction, nanos, currency, micros] = fields[..] else { return None };
    let capture = Capture {
        transaction: transaction.to_owned(),
        amount: Money::from_nanos(nanos.parse().ok()?, Currency::parse(currency)?),
        captured_at: DateTime::<Utc>::from_timestamp_micros(micros.parse().ok()?)?,
        payee_is_ours: true,
    };
    let number = ProviderNumber::parse(number)?;
    let about = Notified::Payment { number, state: PaymentState::Captured(capture) };
    Some(Notification { message: id.to_owned(), about })
}

#[async_trait]
impl PaymentProvider for SimProvider {
    fn provider(&self) -> Provider {
        Provider::WeChat
    }

    async fn place(&self, request: &PlaceRequest) -> ProviderResult<Placed> {
        self.hear().await?;
        let known = {
            let mut desk = self.desk();
            let entry = desk.payments.entry(request.number);
            entry.or_insert_with(|| (request.clone(), PaymentState::Open)).1.clone()
        };
        if known != PaymentState::Open {
            return Err(ProviderError::Refused { code: "ORDERPAID".to_owned(), message: format!("{known:?}") });
        }
        self.answer(Placed { action: PayAction::ScanQr(request.number.to_string()), reference: None }).await
    }

    async fn query(&self, number: ProviderNumber, _: Option<String>) -> ProviderResult<PaymentState> {
        self.hear().await?;
        let state = self.desk().payments.get(&number).map_or(PaymentState::NotFound, |(_, state)| state.clone());
        self.answer(state).await
    }

    async fn close(&self, number: ProviderNumber, _: Option<String>) -> ProviderResult<Closing> {
        self.hear().await?;
        let closing = match self.desk().payments.get_mut(&number) {
            None => Closing::NotFound,
            Some((_, PaymentState::Captured(_))) => Closing::Paid,
            Some((_, state)) => {
                *state = PaymentState::Closed;
                Closing::Closed
            }
        };
        self.answer(closing).await
    }

    async fn refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        self.hear().await?;
        let state = {
            let mut desk = self.desk();
            let entry = desk.refunds.entry(request.number);
            entry.or_insert_with(|| (request.clone(), RefundState::Processing)).1.clone()
        };
        self.answer(state).await
    }

    async fn query_refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        self.hear().await?;
        let known = self.desk().refunds.get(&request.number).map(|(_, state)| state.clone());
        self.answer(known.unwrap_or(RefundState::NotFound)).await
    }

    fn read_notification(&self, raw: &RawNotification) -> Result<Notification, NotificationRefused> {
        read(&raw.body).ok_or(NotificationRefused::Content)
    }

    fn reply(&self, accepted: bool) -> Reply {
        Reply { status: if accepted { 200 } else { 500 }, content_type: "text/plain", body: "" }
    }

    async fn daily_bill(&self, day: NaiveDate) -> ProviderResult<Vec<BillRow>> {
        self.hear().await?;
        let rows: Vec<BillRow> = self.desk().rows().filter(|row| day_of(row.at) == day).collect();
        self.answer(rows).await
    }
}
