//! A payment provider of a test's own: it keeps what it was asked, pays on command, and fails on command.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test whose provider is poisoned fails")]

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::money::Money;
use domain::orders::{
    BillRow, BillRowKind, Capture, Closing, Notification, NotificationRefused, Notified, PayAction, PaymentProvider,
    PaymentState, PlaceRequest, Placed, ProviderError, ProviderNumber, ProviderResult, RawNotification, RefundRequest,
    RefundState, Reply,
};
use domain::wallet::Provider;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// What goes wrong with the next call, whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done.
    Unavailable,
    /// It is done, and the answer is lost.
    AnswerLost,
}

#[derive(Default)]
struct Book {
    payments: BTreeMap<ProviderNumber, (PlaceRequest, PaymentState)>,
    refunds: BTreeMap<ProviderNumber, (RefundRequest, RefundState)>,
    faults: Vec<Fault>,
    /// What a new refund is answered; succeeded when `None`.
    next_refund: Option<RefundState>,
    bill: Vec<BillRow>,
}

/// The provider `wechat` of a test.
#[derive(Default)]
pub struct ScriptedProvider {
    book: Mutex<Book>,
}

impl ScriptedProvider {
    /// The customer pays what was asked for, whatever became of the order.
    pub fn pay(&self, number: ProviderNumber, now: DateTime<Utc>) -> Capture {
        let amount = self.book.lock().unwrap().payments[&number].0.amount;
        self.capture(number, amount, now)
    }

    /// So much arrives.
    pub fn capture(&self, number: ProviderNumber, amount: Money, captured_at: DateTime<Utc>) -> Capture {
        let capture = Capture { transaction: format!("t-{number}"), amount, captured_at, payee_is_ours: true };
        let mut book = self.book.lock().unwrap();
        if let Some(payment) = book.payments.get_mut(&number) {
            payment.1 = PaymentState::Captured(capture.clone());
        }
        capture
    }

    pub fn fail_next(&self, fault: Fault) {
        self.book.lock().unwrap().faults.push(fault);
    }

    pub fn answer_refunds(&self, state: RefundState) {
        self.book.lock().unwrap().next_refund = Some(state);
    }

    pub fn finish_refund(&self, number: ProviderNumber, state: RefundState) {
        self.book.lock().unwrap().refunds.get_mut(&number).unwrap().1 = state;
    }

    /// What was paid back, by payment.
    pub fn paid_back(&self, payment: ProviderNumber) -> i64 {
        let book = self.book.lock().unwrap();
        let done = book.refunds.values().filter(|(request, state)| {
            request.payment == payment && !matches!(state, RefundState::Failed { .. } | RefundState::NotFound)
        });
        done.map(|(request, _)| request.amount.nanos()).sum()
    }

    pub fn bill(&self, number: ProviderNumber, amount: Money, at: DateTime<Utc>) {
        let row = BillRow {
            kind: BillRowKind::Payment,
            number: number.to_string(),
            transaction: format!("t-{number}"),
            amount,
            fee: None,
            at,
        };
        self.book.lock().unwrap().bill.push(row);
    }

    /// A notification as this provider writes it; `key` is its signature's.
    pub fn notification(message: &str, number: ProviderNumber, capture: &Capture, key: &str) -> RawNotification {
        let currency = capture.amount.currency();
        let fields = [
            message,
            &number.to_string(),
            &capture.transaction,
            &capture.amount.nanos().to_string(),
            currency.code(),
            &capture.captured_at.timestamp_micros().to_string(),
            if capture.payee_is_ours { "ours" } else { "theirs" },
        ];
        RawNotification { headers: vec![("signature".to_owned(), key.to_owned())], body: fields.join("|").into_bytes() }
    }

    fn fault(&self) -> Option<Fault> {
        self.book.lock().unwrap().faults.pop()
    }
}

fn read(body: &[u8]) -> Option<Notification> {
    let text = std::str::from_utf8(body).ok()?;
    let fields: Vec<&str> = text.split('|').collect();
    let [message, number, transaction, nanos, currency, micros, payee] = fields[..] else { return None };
    let amount = Money::from_nanos(nanos.parse().ok()?, domain::money::Currency::parse(currency)?);
    let captured_at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
    let capture = Capture { transaction: transaction.to_owned(), amount, captured_at, payee_is_ours: payee == "ours" };
    let about = Notified::Payment { number: ProviderNumber::parse(number)?, state: PaymentState::Captured(capture) };
    Some(Notification { message: message.to_owned(), about })
}

#[async_trait]
impl PaymentProvider for ScriptedProvider {
    fn provider(&self) -> Provider {
        Provider::WeChat
    }

    async fn place(&self, request: &PlaceRequest) -> ProviderResult<Placed> {
        let fault = self.fault();
        if fault == Some(Fault::Unavailable) {
            return Err(ProviderError::Unavailable);
        }
        let mut book = self.book.lock().unwrap();
        book.payments.entry(request.number).or_insert_with(|| (request.clone(), PaymentState::Open));
        if fault == Some(Fault::AnswerLost) {
            return Err(ProviderError::Unknown);
        }
        Ok(Placed { action: PayAction::ScanQr(format!("pay://{}", request.number)), reference: None })
    }

    async fn query(&self, number: ProviderNumber, _: Option<String>) -> ProviderResult<PaymentState> {
        if self.fault().is_some() {
            return Err(ProviderError::Unavailable);
        }
        let book = self.book.lock().unwrap();
        Ok(book.payments.get(&number).map_or(PaymentState::NotFound, |(_, state)| state.clone()))
    }

    async fn close(&self, number: ProviderNumber, _: Option<String>) -> ProviderResult<Closing> {
        let fault = self.fault();
        if fault == Some(Fault::Unavailable) {
            return Err(ProviderError::Unavailable);
        }
        let mut book = self.book.lock().unwrap();
        let closing = match book.payments.get_mut(&number) {
            None => Closing::NotFound,
            Some((_, PaymentState::Captured(_))) => Closing::Paid,
            Some((_, state)) => {
                *state = PaymentState::Closed;
                Closing::Closed
            }
        };
        if fault.is_some() { Err(ProviderError::Unknown) } else { Ok(closing) }
    }

    async fn refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        let fault = self.fault();
        if fault == Some(Fault::Unavailable) {
            return Err(ProviderError::Unavailable);
        }
        let mut book = self.book.lock().unwrap();
        let answer = book.next_refund.clone().unwrap_or(RefundState::Succeeded { refunded_at: DateTime::UNIX_EPOCH });
        let (_, state) = book.refunds.entry(request.number).or_insert_with(|| (request.clone(), answer));
        if fault.is_some() { Err(ProviderError::Unknown) } else { Ok(state.clone()) }
    }

    async fn query_refund(&self, request: &RefundRequest) -> ProviderResult<RefundState> {
        let book = self.book.lock().unwrap();
        Ok(book.refunds.get(&request.number).map_or(RefundState::NotFound, |(_, state)| state.clone()))
    }

    fn read_notification(&self, raw: &RawNotification) -> Result<Notification, NotificationRefused> {
        let signed = raw.headers.iter().any(|(name, value)| name == "signature" && value == "right");
        if !signed {
            return Err(NotificationRefused::Signature);
        }
        read(&raw.body).ok_or(NotificationRefused::Content)
    }

    fn reply(&self, accepted: bool) -> Reply {
        Reply { status: if accepted { 200 } else { 400 }, content_type: "text/plain", body: "" }
    }

    async fn daily_bill(&self, _: NaiveDate) -> ProviderResult<Vec<BillRow>> {
        Ok(self.book.lock().unwrap().bill.clone())
    }
}
