//! Wallets, transfers, statements and adjustments.

use super::{Repos, page};
use crate::db::{Stop, hash};
use async_trait::async_trait;
use domain::id::{AccountId, AdjustmentId, TransferId};
use domain::money::Currency;
use domain::page::{Page, PageRequest};
use domain::store::{StoreError, StoreResult};
use domain::wallet::{
    Adjustment, AdjustmentRepository, AdjustmentStatus, LedgerRepository, LedgerTotal, Posting, StatementLine,
    Transfer, TransferKind, Wallet,
};
use std::collections::BTreeMap;

#[async_trait]
impl LedgerRepository for Repos {
    async fn wallets(&self, accounts: &[AccountId]) -> StoreResult<Vec<Wallet>> {
        let mine = |wallet: &&Wallet| accounts.contains(&wallet.account);
        self.call(|tables, cx| Ok(tables.wallets.values(cx.tx).filter(mine).cloned().collect())).await
    }

    async fn book(&self, posting: &Posting) -> StoreResult<()> {
        self.call(|tables, cx| {
            let transfers: Vec<_> = posting.transfers().iter().map(|row| (row.id, row.clone())).collect();
            let entries = posting.entries().iter();
            let code = |currency: Currency| currency.code().to_owned();
            let entries: Vec<_> =
                entries.map(|row| ((row.account, code(row.amount.currency()), row.number), row.clone())).collect();
            let wallets: Vec<_> =
                posting.wallets().map(|row| ((row.account, code(row.currency())), row.clone())).collect();
            tables.transfers.prepare(cx, &transfers)?;
            tables.wallet_entries.prepare(cx, &entries)?;
            tables.wallets.prepare(cx, &wallets)?;
            tables.transfers.insert(cx, transfers)?;
            tables.wallet_entries.insert(cx, entries)?;
            tables.wallets.upsert(cx, wallets, |_, after| after)
        })
        .await
    }

    async fn find(&self, kind: TransferKind, reference: &str) -> StoreResult<Option<Transfer>> {
        let key = hash(&(kind, reference));
        self.call(|tables, cx| Ok(tables.transfers.by_unique(cx.tx, 0, key).cloned())).await
    }

    async fn find_by_id(&self, id: TransferId) -> StoreResult<Option<Transfer>> {
        self.call(|tables, cx| Ok(tables.transfers.get(cx.tx, &id).cloned())).await
    }

    async fn statement(
        &self,
        account: AccountId,
        currency: Currency,
        wanted: PageRequest,
    ) -> StoreResult<Page<StatementLine>> {
        self.call(|tables, cx| {
            let mine = tables.wallet_entries.iter(cx.tx);
            let mine = mine.filter(|((owner, code, _), _)| *owner == account && code == currency.code());
            let lines = mine.filter_map(|(_, entry)| {
                let transfer = tables.transfers.get(cx.tx, &entry.transfer)?.clone();
                Some(StatementLine { entry: entry.clone(), transfer })
            });
            Ok(page(lines, wanted, StatementLine::cursor))
        })
        .await
    }

    async fn totals(&self) -> StoreResult<Vec<LedgerTotal>> {
        self.call(|tables, cx| {
            let mut totals: BTreeMap<(&'static str, Currency), (i128, i128)> = BTreeMap::new();
            for transfer in tables.transfers.values(cx.tx) {
                let (currency, nanos) = (transfer.amount.currency(), i128::from(transfer.amount.nanos()));
                totals.entry((transfer.from.code(), currency)).or_default().1 += nanos;
                totals.entry((transfer.to.code(), currency)).or_default().0 += nanos;
            }
            let total = |((code, currency), (received, paid)): ((&str, Currency), (i128, i128))| LedgerTotal {
                code: code.to_owned(),
                currency,
                received,
                paid,
            };
            Ok(totals.into_iter().map(total).collect())
        })
        .await
    }
}

#[async_trait]
impl AdjustmentRepository for Repos {
    async fn insert(&self, adjustment: &Adjustment) -> StoreResult<()> {
        self.call(|tables, cx| tables.adjustments.insert(cx, vec![(adjustment.id, adjustment.clone())])).await
    }

    async fn find(&self, id: AdjustmentId) -> StoreResult<Option<Adjustment>> {
        self.call(|tables, cx| Ok(tables.adjustments.get(cx.tx, &id).cloned())).await
    }

    async fn decide(&self, adjustment: &Adjustment) -> StoreResult<()> {
        self.call(|tables, cx| {
            let waiting =
                |before: &Adjustment| (before.status == AdjustmentStatus::Pending).then(|| adjustment.clone());
            let decided = tables.adjustments.update(cx, &adjustment.id, waiting)?;
            if decided { Ok(()) } else { Err(Stop::Failed(StoreError::Contended)) }
        })
        .await
    }

    async fn list(&self, status: Option<AdjustmentStatus>, wanted: PageRequest) -> StoreResult<Page<Adjustment>> {
        let fits = |row: &&Adjustment| status.is_none_or(|status| row.status == status);
        self.call(|tables, cx| {
            Ok(page(tables.adjustments.values(cx.tx).filter(fits).cloned(), wanted, |row| row.id.as_uuid()))
        })
        .await
    }
}
