//! The life of a payment: placed, paid, closed, refunded, and found in the daily bill.

use domain::orders::{BillRowKind, Closing, PayAction, PayMethod, PaymentState, ProviderError, RefundState};
use domain::wallet::Provider;
use fakepay::book::RefundStanding;
use fakepay::{Kind, RefundManner, actions};
use harness::payments::{KINDS, adapter, fake, order, refund_of, today, yuan};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_is_the_same_payment() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        assert_eq!(provider.provider().name(), kind.name());
        let order = order();
        let placed = provider.place(&order).await.unwrap();
        assert_eq!(provider.place(&order).await.unwrap(), placed, "{kind:?}");
        assert_eq!(fake.shared.book().trades(kind).count(), 1);
        let leads = match &placed.action {
            PayAction::ScanQr(content) => content.clone(),
            PayAction::Open(url) => url.clone(),
            PayAction::Follow(words) => panic!("{words}"),
        };
        assert_eq!(leads, fake.shared.pay_page(kind, &order.number.to_string()));
        // The same number for another amount is refused, not another payment.
        let dearer = domain::orders::PlaceRequest { amount: yuan("11.00"), ..order };
        assert!(matches!(provider.place(&dearer).await, Err(ProviderError::Refused { .. })), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_open_until_the_customer_pays_at_its_page() {
    let fake = fake();
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let order = order();
        assert_eq!(provider.query(order.number, None).await, Ok(PaymentState::NotFound), "{kind:?}");
        let placed = provider.place(&order).await.unwrap();
        let before = provider.query(order.number, placed.reference.clone()).await.unwrap();
        let unseen = if kind == Kind::Alipay { PaymentState::NotFound } else { PaymentState::Open };
        assert_eq!(before, unseen, "{kind:?}");
        let page = fake.shared.pay_page(kind, &order.number.to_string());
        let shown = browser.get(&page).send().await.unwrap().text().await.unwrap();
        assert!(shown.contains("<button>"), "{shown}");
        assert_eq!(provider.query(order.number, placed.reference.clone()).await, Ok(PaymentState::Open));
        assert_eq!(browser.post(&page).send().await.unwrap().text().await.unwrap(), "paid\n");
        assert_eq!(browser.post(&page).send().await.unwrap().status(), 409);
        // Also when the answer that had the provider's id was lost.
        for reference in [placed.reference.clone(), None] {
            let state = provider.query(order.number, reference).await.unwrap();
            let PaymentState::Captured(capture) = state else { panic!("{kind:?}: {state:?}") };
            assert_eq!(capture.amount, order.amount);
            assert!(capture.payee_is_ours && !capture.transaction.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_says_whether_it_was_closed_paid_or_unknown() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let never = order();
        assert_eq!(provider.close(never.number, None).await, Ok(Closing::NotFound), "{kind:?}");
        let unpaid = order();
        let reference = provider.place(&unpaid).await.unwrap().reference;
        actions::scan(&fake.shared, kind, &unpaid.number.to_string()).unwrap();
        for _ in 0..2 {
            assert_eq!(provider.close(unpaid.number, reference.clone()).await, Ok(Closing::Closed), "{kind:?}");
        }
        assert_eq!(provider.query(unpaid.number, reference).await, Ok(PaymentState::Closed));
        assert!(actions::pay(&fake.shared, kind, &unpaid.number.to_string()).is_err());
        let paid = order();
        let reference = provider.place(&paid).await.unwrap().reference;
        actions::pay(&fake.shared, kind, &paid.number.to_string()).unwrap();
        assert_eq!(provider.close(paid.number, reference).await, Ok(Closing::Paid), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_happens_once_however_often_it_is_asked_for() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let order = order();
        let reference = provider.place(&order).await.unwrap().reference;
        actions::pay(&fake.shared, kind, &order.number.to_string()).unwrap();
        let paid = provider.query(order.number, reference).await.unwrap();
        let part = refund_of(&order, &paid, "4.00");
        assert_eq!(provider.query_refund(&part).await, Ok(RefundState::NotFound), "{kind:?}");
        for _ in 0..3 {
            let state = provider.refund(&part).await.unwrap();
            assert!(matches!(state, RefundState::Succeeded { .. } | RefundState::Processing), "{kind:?}: {state:?}");
        }
        assert!(matches!(provider.query_refund(&part).await, Ok(RefundState::Succeeded { .. })), "{kind:?}");
        assert_eq!(fake.shared.book().refunded(kind, &order.number.to_string()), 400);
        let too_much = refund_of(&order, &paid, "6.01");
        assert!(matches!(provider.refund(&too_much).await, Err(ProviderError::Refused { .. })), "{kind:?}");
        provider.refund(&refund_of(&order, &paid, "6.00")).await.unwrap();
        assert_eq!(fake.shared.book().refunded(kind, &order.number.to_string()), 1000);
        // What is given back in full was paid all the same.
        let state = provider.query(order.number, provider.place(&order).await.ok().and_then(|placed| placed.reference));
        assert!(matches!(state.await, Ok(PaymentState::Captured(_))), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_stuck_is_neither_done_nor_refused() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        fake.shared.manners().refunds = RefundManner::Stuck;
        let order = order();
        let reference = provider.place(&order).await.unwrap().reference;
        actions::pay(&fake.shared, kind, &order.number.to_string()).unwrap();
        let paid = provider.query(order.number, reference).await.unwrap();
        let refund = refund_of(&order, &paid, "10.00");
        assert_eq!(provider.refund(&refund).await, Ok(RefundState::Processing), "{kind:?}");
        let number = fake.shared.book().refunds(kind).next().unwrap().number.clone();
        actions::decide_refund(&fake.shared, kind, &number, RefundStanding::Succeeded).unwrap();
        assert!(matches!(provider.query_refund(&refund).await, Ok(RefundState::Succeeded { .. })), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daily_bill_has_every_payment_and_every_refund() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let before = today(kind).pred_opt().unwrap();
        assert_eq!(provider.daily_bill(before).await, Ok(Vec::new()), "{kind:?}");
        let (unpaid, order) = (order(), order());
        let reference = provider.place(&order).await.unwrap().reference;
        provider.place(&unpaid).await.unwrap();
        actions::pay(&fake.shared, kind, &order.number.to_string()).unwrap();
        let paid = provider.query(order.number, reference).await.unwrap();
        let refund = refund_of(&order, &paid, "2.50");
        provider.refund(&refund).await.unwrap();
        let rows = provider.daily_bill(today(kind)).await.unwrap();
        assert_eq!(rows.len(), 2, "{kind:?}: {rows:?}");
        for (row_kind, number, amount) in
            [(BillRowKind::Payment, order.number, order.amount), (BillRowKind::Refund, refund.number, refund.amount)]
        {
            let row = rows.iter().find(|row| row.kind == row_kind).unwrap();
            assert_eq!((row.number.as_str(), row.amount), (number.to_string().as_str(), amount), "{kind:?}");
            assert_eq!(row.transaction, refund.transaction, "{kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alipays_page_is_an_address_that_leads_to_paying() {
    let fake = fake();
    let provider = adapter(&fake, Kind::Alipay);
    assert_eq!(provider.provider(), Provider::Alipay);
    let order = domain::orders::PlaceRequest { method: PayMethod::Page, ..order() };
    let PayAction::Open(url) = provider.place(&order).await.unwrap().action else { panic!("no page") };
    assert_eq!(provider.query(order.number, None).await, Ok(PaymentState::NotFound));
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(browser.get(&url).send().await.unwrap().text().await.unwrap().contains("<button>"));
    assert_eq!(provider.query(order.number, None).await, Ok(PaymentState::Open));
    // A changed address is no order.
    let other = browser.get(url.replace("10.00", "00.01")).send().await.unwrap().text().await.unwrap();
    assert!(other.contains("isv.invalid-signature"), "{other}");
}
