//! Fifty clients on one wallet: what came in with an order is refunded or spent, never both.

use super::{Till, cny, once};
use crate::flows::wallet::PAID_FROM_THE_WALLET;
use crate::races::rounds;
use domain::actor::Actor;
use domain::error::{Error, LimitKind};
use domain::id::{AccountId, PaymentId};
use domain::metering::{Command, Done, End, Ending, Rejection, Reserve};
use domain::orders::{Attempt, RefundWish};
use domain::quantity::Quantity;
use domain::store::StoreError;
use futures_util::future::join_all;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Customer, command};
use std::sync::Arc;

const CLIENTS: usize = 50;
/// Words of one use, and what they cost; a refund is as much.
const WORDS: i64 = 40;
const EACH: &str = "0.40";
const LOOKS: usize = 5;

/// Two servers on one database.
struct Street {
    tills: [Arc<Till>; 2],
    operator: Actor,
}

impl Street {
    async fn new(fresh: &Fresh) -> Self {
        let one = Till::with(&fresh.url, &PAID_FROM_THE_WALLET).await;
        let other = one.beside(&PAID_FROM_THE_WALLET).await;
        let operator = one.scene.operator();
        Self { tills: [Arc::new(one), Arc::new(other)], operator }
    }

    /// A new customer whose balance came in with one order.
    async fn topped_up(&self, amount: &str) -> (Customer, Attempt) {
        let till = &self.tills[0];
        let customer = till.scene.customer(None).await;
        let made = till.top_up(&customer, amount).await;
        till.provider.pay(made.payment.number(), till.scene.now());
        till.orders.view(&customer.actor, made.order.id, true).await.unwrap();
        assert_eq!(till.balance(&customer).await, cny(amount));
        (customer, made)
    }

    /// So many clients at once, refunds and uses by turns; how many of each succeeded. Operators look at the payment before,
    /// more often in some rounds than in others, so that uses come first as well.
    async fn race(&self, round: usize, bought: (&Customer, &Attempt), amount: Option<&'static str>) -> (usize, usize) {
        let (customer, made) = bought;
        let clients = (0..CLIENTS).map(|client| {
            let till = self.tills[client / 2 % 2].clone();
            let (operator, account, payment) = (self.operator.clone(), customer.account, made.payment.id);
            tokio::spawn(async move {
                match client % 2 {
                    0 => {
                        for _ in 0..round % LOOKS {
                            till.orders.show_payment(&operator, payment).await.unwrap();
                        }
                        refunded(&till, &operator, payment, amount).await
                    }
                    _ => used(&till, account, client).await,
                }
            })
        });
        let outcomes: Vec<bool> = join_all(clients).await.into_iter().map(Result::unwrap).collect();
        let succeeded = |first: usize| outcomes.iter().skip(first).step_by(2).filter(|done| **done).count();
        (succeeded(0), succeeded(1))
    }

    /// What the provider paid back and what uses cost, in nanos.
    async fn gone(&self, customer: &Customer, made: &Attempt) -> (i64, i64) {
        let till = &self.tills[0];
        let spent = till.scene.quota(customer.account, "words").await.wallet_paid.nanos();
        (till.provider.paid_back(made.payment.number()), spent)
    }
}

/// Whether a refund went through; the balance, or the payment's other refunds, may have left nothing for it.
async fn refunded(till: &Till, operator: &Actor, payment: PaymentId, amount: Option<&str>) -> bool {
    let wish = RefundWish { amount: amount.map(str::to_owned), reason: "a race".to_owned(), even_if_used: false };
    let once = once(operator);
    loop {
        match till.orders.refund(operator, payment, &wish, &once).await {
            Ok(_) => return true,
            Err(Error::Barred(LimitKind::Wallet) | Error::Conflict { code: "refund_too_large", .. }) => return false,
            // Told to come again, as a client of HTTP is.
            Err(Error::Unavailable | Error::Store(StoreError::Contended)) => {}
            Err(other) => unreachable!("{other:?}"),
        }
    }
}

/// Whether a use was paid; every third client reserves first and captures then.
async fn used(till: &Till, account: AccountId, client: usize) -> bool {
    let wanted = command(account, "words", WORDS, &format!("c{client}"));
    let committer = &till.scene.services.committer;
    let refused = |rejection: Rejection| match rejection {
        Rejection::Refused(refusal) => assert_eq!(refusal.limit, LimitKind::Wallet),
        other => unreachable!("{other:?}"),
    };
    if !client.is_multiple_of(3) {
        let outcome = committer.book(vec![Command::Consume(wanted)]).await.unwrap().pop().unwrap();
        return outcome.map_err(refused).is_ok();
    }
    let ttl = chrono::TimeDelta::minutes(5);
    let reserve = Command::Reserve(Reserve { wanted, ttl });
    let held = match committer.book(vec![reserve]).await.unwrap().pop().unwrap() {
        Ok(Done::Settled(settlement)) => settlement.reservation,
        Ok(other) => unreachable!("{other:?}"),
        Err(rejection) => {
            refused(rejection);
            return false;
        }
    };
    let how = Ending::Capture(Quantity::atoms(WORDS));
    let end = Command::End(End { account, reservation: held.id, how, key: None });
    let captured = committer.book(vec![end]).await.unwrap().pop().unwrap();
    assert!(captured.is_ok(), "what was held is never refused: {captured:?}");
    true
}

async fn a_balance_is_refunded_or_spent_part_by_part(fresh: &Fresh) {
    let (street, mut of_refunds) = (Street::new(fresh).await, 0);
    for round in 0..rounds() {
        let (customer, made) = street.topped_up("10.10").await;
        let (refunds, uses) = street.race(round, (&customer, &made), Some(EACH)).await;
        assert_eq!(refunds + uses, 25, "round {round}: {refunds} refunds and {uses} uses");
        of_refunds += refunds;
        let each = cny(EACH).nanos();
        let all = [refunds, uses].map(|count| i64::try_from(count).unwrap() * each);
        assert_eq!(street.gone(&customer, &made).await, (all[0], all[1]), "round {round}");
        assert_eq!(street.tills[0].scene.purse(customer.account).await, (cny("0.10").nanos(), 0), "round {round}");
        assert_eq!(street.tills[0].on("refund").await, 0, "round {round}: no refund is under way");
    }
    println!("{of_refunds} of {} parts refunded, the others spent", 25 * rounds());
}
db_test!(parts, a_balance_is_refunded_or_spent_part_by_part);

async fn all_of_a_balance_is_refunded_or_all_of_it_spent(fresh: &Fresh) {
    let street = Street::new(fresh).await;
    let (whole, mut ways) = (cny("10.00").nanos(), [0, 0]);
    for round in 0..rounds() {
        let (customer, made) = street.topped_up("10.00").await;
        let (refunds, uses) = street.race(round, (&customer, &made), None).await;
        let (back, spent) = street.gone(&customer, &made).await;
        let (wanted, way) = if refunds == 1 { ((0, (whole, 0)), 0) } else { ((25, (0, whole)), 1) };
        assert_eq!((uses, (back, spent)), wanted, "round {round}: {refunds} refunds");
        assert_eq!(street.tills[0].scene.purse(customer.account).await, (0, 0), "round {round}");
        ways[way] += 1;
    }
    println!("{} times refunded whole, {} times spent whole", ways[0], ways[1]);
}
db_test!(whole, all_of_a_balance_is_refunded_or_all_of_it_spent);
