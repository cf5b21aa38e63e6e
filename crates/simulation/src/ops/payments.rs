//! Orders: customers order and pay at the provider, the provider tells, and the loops ask.

use super::{Doing, until_answered};
use crate::db::OUTSIDE;
use crate::provider::day_of;
use chrono::{DateTime, Days};
use domain::accounts::AccountRef;
use domain::id::{OrderId, PaymentId, SuspenseId};
use domain::money::Money;
use domain::orders::{
    OrderStatus, OrderWish, PayMethod, PaymentState, ProviderNumber, RefundState, RefundWish, Resolution, ResolveWish,
    SuspenseStatus, Wanted,
};
use domain::time::Clock;
use domain::wallet::Provider;
use uuid::Uuid;

impl Doing {
    pub(super) async fn order(&mut self) {
        let customer = self.customer();
        let wanted = if self.rng.one_in(3) {
            Wanted::Product("pack".to_owned())
        } else {
            let amount = format!("{}.00", self.rng.between(1, 60));
            Wanted::TopUp { amount, currency: "CNY".to_owned() }
        };
        let wish = OrderWish { wanted, provider: Provider::WeChat, method: PayMethod::Default };
        let request = self.request(&customer, "POST /orders");
        let which = AccountRef::Default;
        let answer = until_answered!(self.services().orders.order(&customer, &which, &wish, &request));
        self.count("order", "order refused", &answer);
        if let Ok(made) = &answer {
            let mut book = self.world.book();
            book.answered("order", &request.key, &(made.value.order.id, made.value.payment.id));
            book.orders.insert(made.value.order.id);
        }
        self.tell("orders", &answer.map(|made| (made.value.order.id, made.value.payment.id)));
    }

    /// Pays what waits at the provider; now and then another amount, or a second time.
    pub(super) fn pay_at_provider(&mut self) {
        let dice = self.rng.draw();
        let chosen = self.choose("number", || {
            let desk = self.world.provider.desk();
            let open = desk.payments.iter().filter(|(_, (_, state))| *state == PaymentState::Open);
            let all: Vec<_> = if dice.is_multiple_of(9) {
                desk.payments.keys().collect()
            } else {
                open.map(|(number, _)| number).collect()
            };
            let place = usize::try_from((dice >> 8) % (all.len().max(1) as u64)).unwrap_or(0);
            all.get(place).map_or(0, |number| number.as_uuid().as_u128())
        });
        let number = ProviderNumber::from_uuid(Uuid::from_u128(chosen));
        let Some(asked) = self.world.provider.desk().payments.get(&number).map(|(request, _)| request.amount) else {
            return;
        };
        let again = self.rng.one_in(20);
        let nanos = match self.rng.below(12) {
            0 => asked.nanos() + 10_000_000,
            1 => (asked.nanos() - 10_000_000).max(10_000_000),
            _ => asked.nanos(),
        };
        if self.operation.number == self.operation.twin_of {
            self.world.provider.pay(number, Money::from_nanos(nanos, asked.currency()), again);
            self.tell("pays at the provider", &(number, nanos));
        }
    }

    pub(super) async fn notify(&mut self) {
        let dice = self.rng.draw();
        let known = self.world.provider.desk().messages.len();
        // The newest are likelier, and any of them may come again.
        let back = u128::from(if dice.is_multiple_of(3) { dice >> 8 } else { (dice >> 8) % 4 });
        let place =
            self.choose("message", || (known as u128).saturating_sub(1).saturating_sub(back % (known.max(1) as u128)));
        let place = usize::try_from(place).unwrap_or(0);
        let Some(raw) = self.world.provider.desk().messages.get(place).cloned() else { return };
        let reply = self.services().orders.notified(Provider::WeChat, &raw).await;
        self.count("message", "message not taken", &reply);
        if matches!(&reply, Ok(reply) if reply.status == 200) {
            self.world.book().acknowledged.insert(place);
        }
        self.tell(&format!("is told message {place}"), &reply.map(|reply| reply.status));
    }

    /// One chunk of the loop that looks after payments; and refunds go on at the provider.
    pub(super) async fn payment_round(&mut self) {
        let (dice, outcome) = (self.rng.draw(), self.rng.below(6));
        let refund = {
            let desk = self.world.provider.desk();
            let place = usize::try_from(dice % (desk.refunds.len().max(1) as u64)).unwrap_or(0);
            desk.refunds.keys().nth(place).copied()
        };
        if let Some(number) = refund {
            let state = match outcome {
                0 => RefundState::Failed { reason: "the account is closed".to_owned() },
                1 => RefundState::Abnormal { reason: "stuck".to_owned() },
                2 => RefundState::Processing,
                _ => RefundState::Succeeded { refunded_at: self.world.sim.now() },
            };
            self.world.provider.go_on(number, state);
        }
        let orders = self.services().orders.clone();
        let expired = orders.expire_due().await;
        let polled = orders.poll_due().await;
        let followed = orders.follow_refunds().await;
        self.tell("looks after payments", &(expired, polled, followed));
    }

    /// A day of the last three, by its bill.
    pub(super) async fn reconcile(&mut self) {
        let back = self.rng.below(4) as u128;
        let back = self.choose("back", || back);
        let since = self.choose("since", || self.world.sim.now().timestamp_micros().unsigned_abs().into());
        let since = i64::try_from(since).ok().and_then(DateTime::from_timestamp_micros).unwrap_or_default();
        let day = day_of(since).checked_sub_days(Days::new(u64::try_from(back).unwrap_or(0))).unwrap_or_default();
        let answer = until_answered!(self.services().orders.reconcile(Provider::WeChat, day));
        self.count("compared", "not compared", &answer);
        let told = answer.map(|compared| (compared.rows, compared.settled, compared.differences.len()));
        self.tell(&format!("compares {day}"), &told);
    }

    pub(super) async fn close_order(&mut self) {
        let id = self.choose_id("order", |tables| {
            let open = tables.orders.values(OUTSIDE).filter(|order| order.status == OrderStatus::Created);
            open.map(|order| order.id.as_uuid()).collect()
        });
        let id = OrderId::from_uuid(id);
        let account = self.world.eyes.lock().tables.orders.get(OUTSIDE, &id).map(|order| order.account);
        let Some(owner) = account.and_then(|account| self.owner_of(account)) else { return };
        let answer = until_answered!(self.services().orders.close(&owner, id));
        self.count("order closed", "order not closed", &answer);
        self.tell(&format!("closes {id}"), &answer.map(|view| view.order.status));
    }

    pub(super) async fn refund_payment(&mut self) {
        let operator = self.operator();
        let id = self.choose_id("payment", |tables| {
            let paid = tables.payments.values(OUTSIDE).filter(|payment| payment.status.has_money());
            paid.map(|payment| payment.id.as_uuid()).collect()
        });
        let id = PaymentId::from_uuid(id);
        let cents = self.rng.between(1, 2_000);
        let amount = (!self.rng.one_in(3)).then(|| format!("{}.{:02}", cents / 100, cents % 100));
        let wish = RefundWish { amount, reason: "sorry".to_owned(), even_if_used: self.rng.one_in(2) };
        let request = self.request(&operator, "POST /payments/refund");
        let answer = until_answered!(self.services().orders.refund(&operator, id, &wish, &request));
        self.count("refund", "refund refused", &answer);
        if let Ok(made) = &answer {
            let mut book = self.world.book();
            book.answered("refund", &request.key, &made.value.id);
            book.refunds.insert(made.value.id);
        }
        self.tell(&format!("refunds {id}"), &answer.map(|made| (made.value.id, made.value.status)));
    }

    pub(super) async fn resolve_suspense(&mut self) {
        let operator = self.operator();
        let id = self.choose_id("item", |tables| {
            let open = tables.suspense.values(OUTSIDE).filter(|item| item.status == SuspenseStatus::Open);
            open.map(|item| item.id.as_uuid()).collect()
        });
        let resolution = [Resolution::Refund, Resolution::Credit, Resolution::Deliver][self.rng.below(3)];
        let wish = ResolveWish { resolution, note: "looked into".to_owned() };
        let (id, request) = (SuspenseId::from_uuid(id), self.request(&operator, "POST /suspense/resolve"));
        let answer = until_answered!(self.services().orders.resolve_suspense(&operator, id, &wish, &request));
        self.count("suspense resolved", "suspense not resolved", &answer);
        self.tell(&format!("resolves {id} by {resolution:?}"), &answer.map(|made| made.value.status));
    }
}
