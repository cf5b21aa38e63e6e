//! Many rows of one statement, whose texts, numbers and times read back as they were written.

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::AccountId;
use domain::metering::{Consume, Dimensions};
use domain::money::{Currency, Money};
use domain::store::{Repositories, Store};
use domain::wallet::{self, LedgerAccount, Provider, Transfer, TransferKind};
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};
use std::collections::BTreeMap;

const TEXTS: [&str; 16] = [
    "plain",
    "",
    "null",
    "\"quoted\" 'and' `again`",
    "\\u0041 \\ \\\\ \\n",
    "a\nb\tc\r\u{1}\u{1f}\u{7f}",
    "算盘 谢谢 😀👩‍👩‍👧",
    "é e\u{301} ß ǅ \u{feff}",
    "\u{2028}\u{2029}\u{85}\u{a0}",
    "ends in blanks  ",
    "  begins with them",
    "$[0] ${x} $1 ? ?? :name %s {}",
    "[1,2],{\"a\":1}",
    "--; DROP TABLE users /* */ #",
    "0x41 X'41' 1e5 -0",
    "\u{10ffff}\u{e000}",
];
const MOST: i64 = 9_223_372_036_854_775_807;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 999_999_000).unwrap()
}

/// Between accounts of ours, so that no wallet has to hold the sum.
fn transfer(number: usize, reason: Option<String>) -> Transfer {
    let sides = (LedgerAccount::Cash(Provider::Alipay), LedgerAccount::Suspense);
    let amount = Money::from_nanos(MOST - i64::try_from(number).unwrap(), Currency::CNY);
    let at = start() + TimeDelta::microseconds(i64::try_from(number).unwrap());
    let transfer = Transfer::new((TransferKind::Suspended, &format!("n{number}")), sides, amount, at).unwrap();
    let transfer = if number.is_multiple_of(3) { transfer.about(AccountId::new(at)) } else { transfer };
    Transfer { reason, ..transfer }
}

async fn texts_numbers_and_times_of_many_rows_read_back_as_they_were_written(fresh: &Fresh) {
    let widest = ["算".repeat(64), "算".repeat(65), "😀".repeat(255)];
    let texts = TEXTS.into_iter().map(str::to_owned).chain(widest).map(Some).chain([None]);
    let transfers: Vec<Transfer> = texts.enumerate().map(|(number, text)| transfer(number, text)).collect();
    for together in [&transfers[..1], &transfers[1..3], &transfers[3..]] {
        let work = fresh.begin().await.unwrap();
        wallet::post(&*work, together).await.unwrap();
        work.commit().await.unwrap();
    }
    for transfer in transfers {
        assert_eq!(fresh.ledger().find_by_id(transfer.id).await.unwrap(), Some(transfer));
    }
}

db_test!(letters, texts_numbers_and_times_of_many_rows_read_back_as_they_were_written);

/// SQLite has no widths and keeps it; the others refuse it.
async fn a_text_that_is_too_long_is_kept_whole_or_refused_with_all_beside_it(fresh: &Fresh) {
    let transfers = [transfer(1, None), transfer(2, Some("盘".repeat(256)))];
    let work = fresh.begin().await.unwrap();
    let is_kept = wallet::post(&*work, &transfers).await.is_ok();
    if is_kept {
        work.commit().await.unwrap();
    } else {
        drop(work);
    }
    assert_eq!(is_kept, fresh.url.starts_with("sqlite:"));
    for transfer in transfers {
        let kept = fresh.ledger().find_by_id(transfer.id).await.unwrap();
        assert_eq!(kept, is_kept.then_some(transfer));
    }
}

db_test!(too_long, a_text_that_is_too_long_is_kept_whole_or_refused_with_all_beside_it);

/// As long as labels may be, each row its own, among rows that have none.
fn labelled(account: AccountId, number: usize) -> Consume {
    let label = |label: usize| (format!("label{label}"), format!("{number}{}", "盘".repeat(120)));
    let labels: BTreeMap<_, _> = (0..number % 8).map(label).collect();
    Consume { dimensions: Dimensions::new(labels).unwrap(), ..command(account, "words", 1, &format!("k{number}")) }
}

async fn long_labels_of_many_rows_read_back_as_they_were_written(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let accounts = scene.accounts(2).await;
    let batch: Vec<Consume> = (0..40).map(|number| labelled(accounts[number % 2], number)).collect();
    let outcomes = scene.services.metering.consume(&batch).await.unwrap();
    for (outcome, command) in outcomes.into_iter().zip(&batch) {
        let told = outcome.unwrap().record;
        let keys = [(command.account, command.key.as_str().to_owned())];
        let kept = scene.services.store.usage().find_by_keys(&keys).await.unwrap().pop().unwrap().record.unwrap();
        assert_eq!(kept.dimensions, command.dimensions);
        assert_eq!(kept, told);
    }
}

db_test!(labels, long_labels_of_many_rows_read_back_as_they_were_written);
