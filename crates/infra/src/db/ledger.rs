//! Wallets in `wallets` with their statements in `wallet_entries`, transfers in `ledger_transfers`.

use super::bulk::Existing;
use super::columns::{corrupt, currency, one_of, rows_per_statement};
use super::entity::{ledger_transfer, wallet, wallet_entry};
use super::error::store_error;
use super::ledger_totals;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::{AccountId, TransferId};
use domain::money::{Currency, Money};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use domain::wallet::{
    LedgerAccount, LedgerRepository, LedgerTotal, Posting, StatementLine, Transfer, TransferKind, Wallet, WalletEntry,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;
use uuid::Uuid;

const WALLETS: &str = "wallets";
const TRANSFERS: &str = "ledger_transfers";
const ENTRIES: &str = "wallet_entries";
/// How a wallet that exists is overwritten.
const PUTTING: Existing = Existing::Replace(&["account_id", "currency"], &["balance", "held", "entries"]);

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> LedgerRepository for Repos<C> {
    async fn wallets(&self, accounts: &[AccountId]) -> StoreResult<Vec<Wallet>> {
        let mut wallets = Vec::new();
        for chunk in accounts.chunks(rows_per_statement(1)) {
            let ids = chunk.iter().map(|account| account.as_uuid()).collect();
            let mine = one_of(self.conn.get_database_backend(), wallet::Column::AccountId, ids);
            let rows = wallet::Entity::find().filter(mine).all(&self.conn).await.map_err(store_error)?;
            for row in &rows {
                wallets.push(wallet_of(row)?);
            }
        }
        Ok(wallets)
    }

    async fn book(&self, posting: &Posting) -> StoreResult<()> {
        let transfers: Vec<_> = posting.transfers().iter().map(transfer_row).collect();
        let entries: Vec<_> = posting.entries().iter().map(entry_row).collect();
        let wallets: Vec<_> = posting.wallets().map(wallet_row).collect();
        // A transfer that was booked before must show before anything else was done for nothing.
        self.together()
            .insert::<ledger_transfer::Entity>(&transfers, Existing::Fail)
            .insert::<wallet_entry::Entity>(&entries, Existing::Fail)
            .insert::<wallet::Entity>(&wallets, PUTTING)
            .execute(&self.conn)
            .await
    }

    async fn find(&self, kind: TransferKind, reference: &str) -> StoreResult<Option<Transfer>> {
        let query = ledger_transfer::Entity::find()
            .filter(ledger_transfer::Column::Kind.eq(kind.name()))
            .filter(ledger_transfer::Column::Reference.eq(reference));
        query.one(&self.conn).await.map_err(store_error)?.as_ref().map(transfer_of).transpose()
    }

    async fn find_by_id(&self, id: TransferId) -> StoreResult<Option<Transfer>> {
        let query = ledger_transfer::Entity::find_by_id(id.as_uuid());
        query.one(&self.conn).await.map_err(store_error)?.as_ref().map(transfer_of).transpose()
    }

    async fn statement(
        &self,
        account: AccountId,
        currency: Currency,
        page: PageRequest,
    ) -> StoreResult<Page<StatementLine>> {
        use wallet_entry::Column;
        let mut query = wallet_entry::Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::Currency.eq(currency.code()))
            .order_by_desc(Column::Number)
            .limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Number.lt(StatementLine::number_of(before)));
        }
        let entries = query.all(&self.conn).await.map_err(store_error)?;
        let transfers = self.transfers_of(&entries).await?;
        let line = |entry: &wallet_entry::Model| {
            let transfer = transfers.get(&entry.transfer_id).cloned();
            let transfer = transfer.ok_or_else(|| corrupt(ENTRIES, "transfer_id"))?;
            Ok(StatementLine { entry: entry_of(entry)?, transfer })
        };
        let lines = entries.iter().map(line).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(lines, page.limit, StatementLine::cursor))
    }

    async fn totals(&self) -> StoreResult<Vec<LedgerTotal>> {
        ledger_totals::load(&self.conn).await
    }
}

impl<C: ConnectionTrait> Repos<C> {
    async fn transfers_of(&self, entries: &[wallet_entry::Model]) -> StoreResult<HashMap<Uuid, Transfer>> {
        if entries.is_empty() {
            return Ok(HashMap::new());
        }
        let ids = entries.iter().map(|entry| entry.transfer_id).collect();
        let among = one_of(self.conn.get_database_backend(), ledger_transfer::Column::Id, ids);
        let rows = ledger_transfer::Entity::find().filter(among).all(&self.conn).await.map_err(store_error)?;
        rows.iter().map(|row| Ok((row.id, transfer_of(row)?))).collect()
    }
}

fn entry_row(entry: &WalletEntry) -> wallet_entry::Model {
    wallet_entry::Model {
        account_id: entry.account.as_uuid(),
        currency: entry.amount.currency().code().to_owned(),
        number: entry.number,
        transfer_id: entry.transfer.as_uuid(),
        amount: entry.amount.nanos(),
        balance: entry.balance.nanos(),
    }
}

fn entry_of(row: &wallet_entry::Model) -> StoreResult<WalletEntry> {
    let currency = currency(&row.currency, ENTRIES)?;
    Ok(WalletEntry {
        account: AccountId::from_uuid(row.account_id),
        number: row.number,
        transfer: TransferId::from_uuid(row.transfer_id),
        amount: Money::from_nanos(row.amount, currency),
        balance: Money::from_nanos(row.balance, currency),
    })
}

fn wallet_row(wallet: &Wallet) -> wallet::Model {
    wallet::Model {
        account_id: wallet.account.as_uuid(),
        currency: wallet.balance.currency().code().to_owned(),
        balance: wallet.balance.nanos(),
        held: wallet.held.nanos(),
        entries: wallet.entries,
    }
}

fn wallet_of(row: &wallet::Model) -> StoreResult<Wallet> {
    let currency = currency(&row.currency, WALLETS)?;
    Ok(Wallet {
        account: AccountId::from_uuid(row.account_id),
        balance: Money::from_nanos(row.balance, currency),
        held: Money::from_nanos(row.held, currency),
        entries: row.entries,
    })
}

fn transfer_row(transfer: &Transfer) -> ledger_transfer::Model {
    let wallet = |side: LedgerAccount| side.wallet().map(AccountId::as_uuid);
    ledger_transfer::Model {
        id: transfer.id.as_uuid(),
        kind: transfer.kind.name().to_owned(),
        reference: transfer.reference.clone(),
        from_code: transfer.from.code().to_owned(),
        from_account_id: wallet(transfer.from),
        to_code: transfer.to.code().to_owned(),
        to_account_id: wallet(transfer.to),
        amount: transfer.amount.nanos(),
        currency: transfer.amount.currency().code().to_owned(),
        account_id: transfer.about.map(AccountId::as_uuid),
        reason: transfer.reason.clone(),
        booked_at: transfer.booked_at,
    }
}

fn transfer_of(row: &ledger_transfer::Model) -> StoreResult<Transfer> {
    let side = |code: &str, wallet: Option<Uuid>, column| {
        LedgerAccount::parse(code, wallet.map(AccountId::from_uuid)).ok_or_else(|| corrupt(TRANSFERS, column))
    };
    let currency = currency(&row.currency, TRANSFERS)?;
    Ok(Transfer {
        id: TransferId::from_uuid(row.id),
        kind: TransferKind::parse(&row.kind).ok_or_else(|| corrupt(TRANSFERS, "kind"))?,
        reference: row.reference.clone(),
        from: side(&row.from_code, row.from_account_id, "from_code")?,
        to: side(&row.to_code, row.to_account_id, "to_code")?,
        amount: Money::from_nanos(row.amount, currency),
        about: row.account_id.map(AccountId::from_uuid),
        reason: row.reason.clone(),
        booked_at: row.booked_at,
    })
}
