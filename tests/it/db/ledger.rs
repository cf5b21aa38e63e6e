//! Wallets, transfers and statements as the databases keep them.

use chrono::{DateTime, Utc};
use domain::error::{Error, LimitKind};
use domain::id::{AccountId, TransferId};
use domain::money::{Currency, Money};
use domain::page::PageRequest;
use domain::store::{Repositories, Store, StoreError};
use domain::wallet::{self, LedgerAccount, Provider, Transfer, TransferKind, Wallet};
use harness::databases::Fresh;
use harness::db_test;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap()
}

fn cny(nanos: i64) -> Money {
    Money::from_nanos(nanos, Currency::CNY)
}

fn usd(nanos: i64) -> Money {
    Money::from_nanos(nanos, Currency::parse("USD").unwrap())
}

fn account() -> AccountId {
    AccountId::new(now())
}

fn credit(account: AccountId, reference: &str, amount: Money) -> Transfer {
    let sides = (LedgerAccount::Promotion, LedgerAccount::Wallet(account));
    Transfer::new((TransferKind::Promotion, reference), sides, amount, now()).unwrap()
}

fn debit(account: AccountId, reference: &str, amount: Money) -> Transfer {
    let sides = (LedgerAccount::Wallet(account), LedgerAccount::Revenue);
    Transfer::new((TransferKind::Sale, reference), sides, amount, now()).unwrap()
}

async fn post(fresh: &Fresh, transfers: &[Transfer]) -> Result<(), Error> {
    let work = fresh.begin().await?;
    wallet::post(&*work, transfers).await?;
    Ok(work.commit().await?)
}

async fn held(fresh: &Fresh, account: AccountId, amount: Money) -> Result<(), Error> {
    let work = fresh.begin().await?;
    wallet::hold(&*work, account, amount).await?;
    Ok(work.commit().await?)
}

async fn only_wallet(fresh: &Fresh, account: AccountId) -> Wallet {
    let mut found = fresh.ledger().wallets(&[account]).await.unwrap();
    assert_eq!(found.len(), 1);
    found.pop().unwrap()
}

db_test!(a_transfer_reads_back_as_it_was_booked, async |fresh: &Fresh| {
    let account = account();
    let plain = credit(account, "plain", cny(7));
    let told = debit(account, "told", cny(3)).because("because the customer asked 谢谢");
    let sides = (LedgerAccount::Cash(Provider::Alipay), LedgerAccount::Suspense);
    let about = Transfer::new((TransferKind::Suspended, "about"), sides, usd(1), now()).unwrap().about(account);
    post(fresh, &[plain.clone(), told.clone(), about.clone()]).await.unwrap();
    for transfer in [plain, told, about] {
        let ledger = fresh.ledger();
        assert_eq!(ledger.find(transfer.kind, &transfer.reference).await.unwrap().as_ref(), Some(&transfer));
        assert_eq!(ledger.find_by_id(transfer.id).await.unwrap(), Some(transfer));
    }
    assert_eq!(fresh.ledger().find(TransferKind::Sale, "plain").await.unwrap(), None);
    assert_eq!(fresh.ledger().find_by_id(TransferId::new(now())).await.unwrap(), None);
});

db_test!(a_kind_and_reference_are_booked_once, async |fresh: &Fresh| {
    let account = account();
    post(fresh, &[credit(account, "one", cny(5))]).await.unwrap();
    let again = post(fresh, &[credit(account, "two", cny(5)), credit(account, "one", cny(5))]).await;
    assert!(matches!(again, Err(Error::Store(StoreError::Duplicate))));
    assert_eq!(only_wallet(fresh, account).await.balance, cny(5));
    post(fresh, &[debit(account, "one", cny(5))]).await.unwrap();
    assert_eq!(only_wallet(fresh, account).await.balance, cny(0));
});

db_test!(each_currency_is_a_wallet_of_its_own, async |fresh: &Fresh| {
    let (one, other) = (account(), account());
    post(fresh, &[credit(one, "a", cny(5)), credit(one, "b", usd(9)), credit(other, "c", usd(1))]).await.unwrap();
    let refused = post(fresh, &[debit(one, "d", cny(6))]).await;
    assert!(matches!(refused, Err(Error::Barred(LimitKind::Wallet))));
    let mut wallets = fresh.ledger().wallets(&[one]).await.unwrap();
    wallets.sort_by_key(Wallet::currency);
    let wallets: Vec<_> = wallets.into_iter().map(|wallet| (wallet.balance, wallet.entries)).collect();
    assert_eq!(wallets, [(cny(5), 1), (usd(9), 1)]);
});

db_test!(what_is_held_cannot_be_spent_until_it_is_released, async |fresh: &Fresh| {
    let account = account();
    post(fresh, &[credit(account, "a", cny(10))]).await.unwrap();
    held(fresh, account, cny(8)).await.unwrap();
    assert!(matches!(held(fresh, account, cny(3)).await, Err(Error::Barred(LimitKind::Wallet))));
    assert!(matches!(post(fresh, &[debit(account, "b", cny(3))]).await, Err(Error::Barred(LimitKind::Wallet))));
    post(fresh, &[debit(account, "b", cny(2))]).await.unwrap();
    let work = fresh.begin().await.unwrap();
    wallet::release(&*work, account, cny(8)).await.unwrap();
    wallet::post(&*work, &[debit(account, "c", cny(8))]).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(only_wallet(fresh, account).await.balance, cny(0));
});

db_test!(a_statement_is_read_page_by_page_with_the_balance_after_each_line, async |fresh: &Fresh| {
    let account = account();
    let transfers: Vec<_> = (1..=5).map(|n| credit(account, &n.to_string(), cny(n))).collect();
    post(fresh, &transfers).await.unwrap();
    post(fresh, &[debit(account, "all", cny(15)), credit(account, "other", usd(1))]).await.unwrap();
    let page = async |limit, before| {
        let request = PageRequest { limit, before };
        let page = fresh.ledger().statement(account, Currency::CNY, request).await.unwrap();
        let lines = page.rows.iter().map(|line| (line.entry.amount.nanos(), line.entry.balance.nanos()));
        (lines.collect::<Vec<_>>(), page.next)
    };
    let (first, next) = page(4, None).await;
    assert_eq!(first, [(-15, 0), (5, 15), (4, 10), (3, 6)]);
    let (second, next) = page(4, next).await;
    assert_eq!((second, next), (vec![(2, 3), (1, 1)], None));
    let whole = fresh.ledger().statement(account, Currency::CNY, PageRequest::default()).await.unwrap();
    let found: Vec<_> = whole.rows.into_iter().skip(1).map(|line| line.transfer).collect();
    assert_eq!(found, transfers.into_iter().rev().collect::<Vec<_>>());
});

db_test!(the_totals_of_the_book_sum_to_zero_beyond_64_bits, async |fresh: &Fresh| {
    let most = i64::MAX - 7;
    let transfers: Vec<_> = (0..3).map(|n| credit(account(), &n.to_string(), cny(most))).collect();
    post(fresh, &transfers).await.unwrap();
    post(fresh, &[credit(account(), "usd", usd(4))]).await.unwrap();
    let totals = fresh.ledger().totals().await.unwrap();
    let balance = |code: &str, currency: Currency| {
        let total = totals.iter().find(|total| total.code == code && total.currency == currency);
        total.map(domain::wallet::LedgerTotal::balance)
    };
    assert_eq!(balance("wallet", Currency::CNY), Some(3 * i128::from(most)));
    assert_eq!(balance("promotion", Currency::CNY), Some(-3 * i128::from(most)));
    assert_eq!(balance("wallet", usd(0).currency()), Some(4));
    assert_eq!(totals.iter().map(domain::wallet::LedgerTotal::balance).sum::<i128>(), 0);
});

db_test!(the_database_itself_refuses_a_wallet_that_holds_more_than_it_has, async |fresh: &Fresh| {
    let account = account();
    post(fresh, &[credit(account, "a", cny(10))]).await.unwrap();
    let sql = sea_orm::Database::connect(&fresh.url).await.unwrap();
    for broken in ["held = 11", "balance = -1", "held = -1"] {
        use sea_orm::ConnectionTrait;
        assert!(sql.execute_unprepared(&format!("UPDATE wallets SET {broken}")).await.is_err(), "{broken}");
    }
});

db_test!(many_transfers_are_one_booking, async |fresh: &Fresh| {
    let accounts: Vec<_> = (0..300).map(|_| account()).collect();
    let transfers: Vec<_> = accounts.iter().map(|account| credit(*account, &account.to_string(), cny(1))).collect();
    post(fresh, &transfers).await.unwrap();
    let wallets = fresh.ledger().wallets(&accounts).await.unwrap();
    assert!(wallets.iter().all(|wallet| wallet.balance == cny(1)) && wallets.len() == 300);
});
