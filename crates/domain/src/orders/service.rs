//! Use cases of whoever buys: order, see, try another way to pay.

use super::attempts::{Attempt, Draft};
use super::hooks::ChargeCollector;
use super::order::{Order, Purpose};
use super::payment::Payment;
use super::ports::OrderFilter;
use super::provider::PayMethod;
use super::refund::Refund;
use super::rules::{PaymentProviders, PaymentRules};
use super::settling::Settlement;
use crate::accounts::{Account, AccountRef, Act, resolve};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::{OrderId, PaymentId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::page::{Page, PageRequest};
use crate::plans::Catalogue;
use crate::store::{Repositories, Store, retrying};
use crate::time::Clock;
use crate::wallet::Provider;
use std::sync::Arc;

/// What is to be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A product, by its id or code.
    Product(String),
    /// A decimal amount, and the code of its currency.
    TopUp { amount: String, currency: String },
}

/// An order as a client asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderWish {
    pub wanted: Wanted,
    pub provider: Provider,
    pub method: PayMethod,
}

/// An order with all its attempts and their refunds, oldest first.
#[derive(Clone, Debug)]
pub struct OrderView {
    pub order: Order,
    pub payments: Vec<Payment>,
    pub refunds: Vec<Refund>,
}

/// Use cases of orders and payments.
#[derive(Clone)]
pub struct OrderService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub catalogue: Arc<Catalogue>,
    pub providers: PaymentProviders,
    pub settlement: Settlement,
    pub rules: Arc<PaymentRules>,
    /// None: no provider charges by itself here.
    pub collector: Option<Arc<dyn ChargeCollector>>,
}

/// Buying is for people in a session, and for the host product's service key.
pub(super) fn require_buyer(actor: &Actor) -> Result<()> {
    if actor.is_service() { Ok(()) } else { actor.require_session() }
}

impl OrderService {
    /// Orders, and asks the provider for the payment. The same key answers the same order.
    pub async fn order(
        &self,
        actor: &Actor,
        which: &AccountRef,
        wish: &OrderWish,
        once: &IdempotentRequest,
    ) -> Result<Answered<Attempt>> {
        require_buyer(actor)?;
        let made = retrying!(self.store, self.try_order(actor, which, wish, once))?;
        self.placed(made).await
    }

    async fn try_order(
        &self,
        actor: &Actor,
        which: &AccountRef,
        wish: &OrderWish,
        once: &IdempotentRequest,
    ) -> Result<Answered<(OrderId, PaymentId)>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, once).await? {
            return Ok(answered);
        }
        let account = self.lock_buyer(&*work, actor, which).await?;
        let (purpose, amount, description) = self.read(&*work, &wish.wanted).await?;
        let draft = Draft {
            account: account.id,
            user: actor.user,
            purpose,
            amount,
            description,
            provider: wish.provider,
            method: wish.method,
        };
        let made = self.begin(&*work, draft, now).await?;
        let ids = (made.order.id, made.payment.id);
        idempotency::keep(&*work, once, &ids, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(ids))
    }

    /// Another attempt at an order, at the same provider or another. Not while the outcome of one is unknown.
    pub async fn try_again(
        &self,
        actor: &Actor,
        id: OrderId,
        (provider, method): (Provider, PayMethod),
        once: &IdempotentRequest,
    ) -> Result<Answered<Attempt>> {
        require_buyer(actor)?;
        let made = retrying!(self.store, self.try_attempt(actor, id, (provider, method), once))?;
        self.placed(made).await
    }

    async fn try_attempt(
        &self,
        actor: &Actor,
        id: OrderId,
        (provider, method): (Provider, PayMethod),
        once: &IdempotentRequest,
    ) -> Result<Answered<(OrderId, PaymentId)>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, once).await? {
            return Ok(answered);
        }
        let found = self.visible(&*work, actor, id, Act::Buy).await?;
        self.lock_buyer(&*work, actor, &AccountRef::Id(found.account)).await?;
        let order = work.orders().find(id).await?.ok_or(Error::NotFound("order"))?;
        let payment = self.attempt(&*work, &order, (provider, method), now).await?;
        let ids = (order.id, payment.id);
        idempotency::keep(&*work, once, &ids, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(ids))
    }

    async fn placed(&self, made: Answered<(OrderId, PaymentId)>) -> Result<Answered<Attempt>> {
        let value = self.place(made.value.1).await?;
        Ok(Answered { value, replayed: made.replayed })
    }

    /// One order; `fresh` asks the provider first, when that was not done a moment ago.
    pub async fn view(&self, actor: &Actor, id: OrderId, fresh: bool) -> Result<OrderView> {
        require_buyer(actor)?;
        let order = self.visible(&*self.store, actor, id, Act::ReadOrders).await?;
        if fresh && order.status.takes_money() {
            self.look_again(&order).await;
        }
        self.shown(id).await
    }

    /// The account's orders, newest first.
    pub async fn list(&self, actor: &Actor, which: &AccountRef, page: PageRequest) -> Result<Page<Order>> {
        require_buyer(actor)?;
        let account = resolve(&*self.store, actor, which, Act::ReadOrders).await?;
        let filter = OrderFilter { account: Some(account.id), status: None };
        Ok(self.store.orders().list(&filter, page).await?)
    }

    pub(super) async fn shown(&self, id: OrderId) -> Result<OrderView> {
        let order = self.store.orders().find(id).await?.ok_or(Error::NotFound("order"))?;
        let payments = self.store.payments().of_orders(&[id]).await?;
        let ids: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
        let refunds = self.store.refunds().of_payments(&ids).await?;
        Ok(OrderView { order, payments, refunds })
    }

    /// An order that the caller may see; a stranger's does not exist.
    pub(super) async fn visible(
        &self,
        repositories: &dyn Repositories,
        actor: &Actor,
        id: OrderId,
        act: Act,
    ) -> Result<Order> {
        let order = repositories.orders().find(id).await?.ok_or(Error::NotFound("order"))?;
        match resolve(repositories, actor, &AccountRef::Id(order.account), act).await {
            Ok(_) => Ok(order),
            Err(Error::NotFound(_)) => Err(Error::NotFound("order")),
            Err(error) => Err(error),
        }
    }

    async fn lock_buyer(&self, work: &dyn Repositories, actor: &Actor, which: &AccountRef) -> Result<Account> {
        let named = resolve(work, actor, which, Act::Buy).await?;
        work.accounts().lock(named.id).await?.ok_or(Error::NotFound("account"))
    }

    async fn read(&self, work: &dyn Repositories, wanted: &Wanted) -> Result<(Purpose, crate::money::Money, String)> {
        match wanted {
            Wanted::TopUp { amount, currency } => {
                let amount = self.rules.read_top_up(amount, currency)?;
                Ok((Purpose::TopUp, amount, format!("Top-up {} {}", amount.to_decimal(), amount.currency())))
            }
            Wanted::Product(name) => {
                let found = match name.parse() {
                    Ok(id) => work.products().find(id).await?,
                    Err(_) if super::product::Product::is_code(name) => work.products().find_by_code(name).await?,
                    Err(_) => None,
                };
                let product = found.filter(|product| product.enabled);
                let product = product.ok_or_else(|| Error::invalid("product", "is not on sale"))?;
                Ok((Purpose::Product(product.snapshot()), product.price, product.name))
            }
        }
    }
}
