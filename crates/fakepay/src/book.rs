//! What the fake remembers: trades and refunds of all three providers, and the rules that all three have.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which provider is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    WeChat,
    Alipay,
    Stripe,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::WeChat => "wechat",
            Self::Alipay => "alipay",
            Self::Stripe => "stripe",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::WeChat, Self::Alipay, Self::Stripe].into_iter().find(|kind| kind.name() == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Waiting,
    Paid,
    Closed,
    Failed,
}

#[derive(Clone, Debug, Serialize)]
pub struct Trade {
    pub kind: Kind,
    /// The merchant's number.
    pub number: String,
    /// In the currency's smallest unit.
    pub amount: i64,
    pub currency: String,
    pub subject: String,
    pub notify_url: Option<String>,
    pub return_url: Option<String>,
    /// Everything that a repetition must repeat.
    pub fingerprint: String,
    pub standing: Standing,
    /// The provider's own number.
    pub transaction: String,
    /// Whether the customer has seen it: Alipay knows no trade before.
    pub seen: bool,
    pub created: DateTime<Utc>,
    pub expires: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefundStanding {
    Processing,
    Succeeded,
    Abnormal,
    Closed,
}

#[derive(Clone, Debug, Serialize)]
pub struct Refund {
    pub kind: Kind,
    pub number: String,
    pub trade: String,
    pub amount: i64,
    pub standing: RefundStanding,
    pub transaction: String,
    pub reason: String,
    pub notify_url: Option<String>,
    pub at: DateTime<Utc>,
}

/// Why the book says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotFound,
    /// Repeated with other content.
    Different,
    AlreadyPaid,
    AlreadyClosed,
    NotPaid,
    TooMuch,
}

#[derive(Default)]
pub struct Book {
    trades: BTreeMap<(Kind, String), Trade>,
    refunds: BTreeMap<(Kind, String), Refund>,
    counter: u64,
}

impl Book {
    /// A number that no trade or refund had before.
    pub fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Takes an order, or the same one again.
    pub fn place(&mut self, trade: Trade) -> Result<&Trade, Refusal> {
        let key = (trade.kind, trade.number.clone());
        if let Some(old) = self.trades.get(&key) {
            return match old.standing {
                Standing::Paid => Err(Refusal::AlreadyPaid),
                Standing::Closed | Standing::Failed => Err(Refusal::AlreadyClosed),
                Standing::Waiting if old.fingerprint != trade.fingerprint => Err(Refusal::Different),
                Standing::Waiting => Ok(&self.trades[&key]),
            };
        }
        Ok(self.trades.entry(key).or_insert(trade))
    }

    /// Gives a trade that is over another number, so that its own is free for the next.
    pub fn shelve(&mut self, kind: Kind, number: &str, other: &str) -> bool {
        let key = (kind, number.to_owned());
        match self.trades.get(&key) {
            Some(trade) if trade.standing != Standing::Waiting => {}
            _ => return false,
        }
        let Some(trade) = self.trades.remove(&key) else { return false };
        self.trades.insert((kind, other.to_owned()), Trade { number: other.to_owned(), ..trade });
        true
    }

    pub fn trade(&self, kind: Kind, number: &str) -> Option<&Trade> {
        self.trades.get(&(kind, number.to_owned()))
    }

    pub fn trade_mut(&mut self, kind: Kind, number: &str) -> Result<&mut Trade, Refusal> {
        self.trades.get_mut(&(kind, number.to_owned())).ok_or(Refusal::NotFound)
    }

    pub fn trades(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Trade> {
        self.trades.values().filter(move |trade| trade.kind == kind)
    }

    /// The customer pays.
    pub fn pay(&mut self, kind: Kind, number: &str, now: DateTime<Utc>) -> Result<Trade, Refusal> {
        let trade = self.trade_mut(kind, number)?;
        match trade.standing {
            Standing::Paid => return Err(Refusal::AlreadyPaid),
            Standing::Closed | Standing::Failed => return Err(Refusal::AlreadyClosed),
            Standing::Waiting if trade.expires <= now => {
                trade.standing = Standing::Closed;
                return Err(Refusal::AlreadyClosed);
            }
            Standing::Waiting => {}
        }
        (trade.standing, trade.seen, trade.paid_at) = (Standing::Paid, true, Some(now));
        Ok(trade.clone())
    }

    pub fn close(&mut self, kind: Kind, number: &str) -> Result<(), Refusal> {
        let trade = self.trade_mut(kind, number)?;
        match trade.standing {
            Standing::Paid => Err(Refusal::AlreadyPaid),
            Standing::Closed | Standing::Failed => Err(Refusal::AlreadyClosed),
            Standing::Waiting => {
                trade.standing = Standing::Closed;
                Ok(())
            }
        }
    }

    /// Gives money back, once per number. True when it is new.
    pub fn refund(&mut self, refund: Refund) -> Result<(Refund, bool), Refusal> {
        let trade = self.trade(refund.kind, &refund.trade).ok_or(Refusal::NotFound)?;
        let key = (refund.kind, refund.number.clone());
        if let Some(old) = self.refunds.get(&key) {
            let same = old.amount == refund.amount && old.trade == refund.trade;
            return if same { Ok((old.clone(), false)) } else { Err(Refusal::Different) };
        }
        if trade.standing != Standing::Paid {
            return Err(Refusal::NotPaid);
        }
        let left = trade.amount - self.refunded(refund.kind, &refund.trade);
        if refund.amount <= 0 || refund.amount > left {
            return Err(Refusal::TooMuch);
        }
        self.refunds.insert(key, refund.clone());
        Ok((refund, true))
    }

    /// What was given back or is on its way.
    pub fn refunded(&self, kind: Kind, trade: &str) -> i64 {
        let of_trade = self.refunds.values().filter(|refund| refund.kind == kind && refund.trade == trade);
        of_trade.filter(|refund| refund.standing != RefundStanding::Closed).map(|refund| refund.amount).sum()
    }

    pub fn refund_of(&self, kind: Kind, number: &str) -> Option<&Refund> {
        self.refunds.get(&(kind, number.to_owned()))
    }

    pub fn refunds(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Refund> {
        self.refunds.values().filter(move |refund| refund.kind == kind)
    }

    /// Decides a refund that is under way, or one that was decided otherwise.
    pub fn decide_refund(
        &mut self,
        kind: Kind,
        number: &str,
        standing: RefundStanding,
        now: DateTime<Utc>,
    ) -> Result<Refund, Refusal> {
        let refund = self.refunds.get_mut(&(kind, number.to_owned())).ok_or(Refusal::NotFound)?;
        (refund.standing, refund.at) = (standing, now);
        Ok(refund.clone())
    }
}
