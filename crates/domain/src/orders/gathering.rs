//! Our side of a provider's day: what the bill's numbers name here, and what came in and went out on the day.

use super::provider::{BillRow, BillRowKind, ProviderNumber};
use super::reconciliation::OurSide;
use super::service::OrderService;
use crate::error::Result;
use crate::id::{PaymentId, RefundId};
use crate::wallet::Provider;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// Where the days of WeChat Pay and Alipay begin and end: UTC+8, all year. Stripe's are UTC's.
const CHINA: TimeDelta = TimeDelta::hours(8);
/// Rows read at a time.
const CHUNK: u32 = 500;

impl OrderService {
    pub(super) async fn our_side(&self, provider: Provider, day: NaiveDate, bill: &[BillRow]) -> Result<OurSide> {
        let mut ours = OurSide::default();
        let span = span_of(provider, day);
        let mut after = None;
        loop {
            let chunk = self.store.payments().captured_between(provider, span, after, CHUNK).await?;
            after = chunk.last().map(|payment| payment.id);
            let done = chunk.len() < CHUNK as usize;
            ours.payments_of_day.extend(chunk.iter().map(|payment| payment.id));
            ours.payments.extend(chunk.into_iter().map(|payment| (payment.id, payment)));
            if done {
                break;
            }
        }
        self.our_refunds(provider, span, &mut ours).await?;
        self.our_charges(provider, span, &mut ours).await?;
        for row in bill {
            match (row.kind, ProviderNumber::parse(&row.number)) {
                (BillRowKind::Payment, Some(number)) => self.known_payment(provider, number, &mut ours).await?,
                (BillRowKind::Refund, Some(number)) => self.known_refund(number, &mut ours).await?,
                (BillRowKind::Charge, _) => self.known_charge(provider, &row.number, &mut ours).await?,
                (BillRowKind::Payment | BillRowKind::Refund, None) => {}
            }
        }
        Ok(ours)
    }

    async fn our_charges(
        &self,
        provider: Provider,
        span: (DateTime<Utc>, DateTime<Utc>),
        ours: &mut OurSide,
    ) -> Result<()> {
        let mut after = None;
        loop {
            let chunk = self.store.charges().charged_between(provider, span, after, CHUNK).await?;
            after = chunk.last().map(|charge| charge.reference.clone());
            let done = chunk.len() < CHUNK as usize;
            ours.charges_of_day.extend(chunk.iter().map(|charge| charge.reference.clone()));
            ours.charges.extend(chunk.into_iter().map(|charge| (charge.reference.clone(), charge)));
            if done {
                return Ok(());
            }
        }
    }

    async fn our_refunds(
        &self,
        provider: Provider,
        span: (DateTime<Utc>, DateTime<Utc>),
        ours: &mut OurSide,
    ) -> Result<()> {
        let mut after = None;
        loop {
            let chunk = self.store.refunds().succeeded_between(span, after, CHUNK).await?;
            after = chunk.last().map(|refund| refund.id);
            let done = chunk.len() < CHUNK as usize;
            for refund in chunk {
                let payment = self.store.payments().find(refund.payment).await?;
                if payment.is_some_and(|payment| payment.provider == provider) {
                    ours.refunds_of_day.insert(refund.id);
                    ours.refunds.insert(refund.id, refund);
                }
            }
            if done {
                return Ok(());
            }
        }
    }

    async fn known_payment(&self, provider: Provider, number: ProviderNumber, ours: &mut OurSide) -> Result<()> {
        let id = PaymentId::from_uuid(number.as_uuid());
        if !ours.payments.contains_key(&id) {
            let found = self.store.payments().find(id).await?.filter(|payment| payment.provider == provider);
            ours.payments.extend(found.map(|payment| (id, payment)));
        }
        Ok(())
    }

    async fn known_refund(&self, number: ProviderNumber, ours: &mut OurSide) -> Result<()> {
        let id = RefundId::from_uuid(number.as_uuid());
        if !ours.refunds.contains_key(&id) {
            ours.refunds.extend(self.store.refunds().find(id).await?.map(|refund| (id, refund)));
        }
        Ok(())
    }

    async fn known_charge(&self, provider: Provider, reference: &str, ours: &mut OurSide) -> Result<()> {
        if !ours.charges.contains_key(reference) {
            let found = self.store.charges().find(provider, reference).await?;
            ours.charges.extend(found.map(|charge| (reference.to_owned(), charge)));
        }
        Ok(())
    }
}

/// How much earlier than UTC's the provider's days begin.
pub(super) const fn offset(provider: Provider) -> TimeDelta {
    match provider {
        Provider::WeChat | Provider::Alipay | Provider::Manual => CHINA,
        Provider::Stripe => TimeDelta::zero(),
    }
}

/// The provider's day in UTC.
fn span_of(provider: Provider, day: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
    let start = day.and_time(NaiveTime::MIN).and_utc() - offset(provider);
    (start, start + TimeDelta::days(1))
}
