//! Wallets in `wallets`, transfers in `ledger_transfers`.

use super::bulk::{self, Existing};
use super::columns::corrupt;
use super::entity::{ledger_transfer, wallet};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::{AccountId, TransferId};
use domain::money::{Currency, Money};
use domain::store::StoreResult;
use domain::wallet::{LedgerAccount, LedgerRepository, Transfer, TransferKind, Wallet};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

const WALLETS: &str = "wallets";
const TRANSFERS: &str = "ledger_transfers";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> LedgerRepository for Repos<C> {
    async fn wallets(&self, accounts: &[AccountId]) -> StoreResult<Vec<Wallet>> {
        let ids = accounts.iter().map(|account| account.as_uuid());
        let query = wallet::Entity::find().filter(wallet::Column::AccountId.is_in(ids));
        query.all(&self.conn).await.map_err(store_error)?.iter().map(wallet_of).collect()
    }

    async fn save_wallets(&self, wallets: &[Wallet]) -> StoreResult<()> {
        let rows: Vec<_> = wallets.iter().map(wallet_row).collect();
        let replace = Existing::Replace(&["account_id", "currency"], &["balance", "held"]);
        bulk::insert::<wallet::Entity>(&self.conn, &rows, replace).await
    }

    async fn insert(&self, transfers: &[Transfer]) -> StoreResult<()> {
        let rows: Vec<_> = transfers.iter().map(transfer_row).collect();
        bulk::insert::<ledger_transfer::Entity>(&self.conn, &rows, Existing::Fail).await
    }

    async fn find(&self, kind: TransferKind, reference: &str) -> StoreResult<Option<Transfer>> {
        let query = ledger_transfer::Entity::find()
            .filter(ledger_transfer::Column::Kind.eq(kind.name()))
            .filter(ledger_transfer::Column::Reference.eq(reference));
        query.one(&self.conn).await.map_err(store_error)?.as_ref().map(transfer_of).transpose()
    }
}

fn wallet_row(wallet: &Wallet) -> wallet::Model {
    wallet::Model {
        account_id: wallet.account.as_uuid(),
        currency: wallet.balance.currency().code().to_owned(),
        balance: wallet.balance.nanos(),
        held: wallet.held.nanos(),
    }
}

fn wallet_of(row: &wallet::Model) -> StoreResult<Wallet> {
    let currency = Currency::parse(&row.currency).ok_or_else(|| corrupt(WALLETS, "currency"))?;
    Ok(Wallet {
        account: AccountId::from_uuid(row.account_id),
        balance: Money::from_nanos(row.balance, currency),
        held: Money::from_nanos(row.held, currency),
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
    let currency = Currency::parse(&row.currency).ok_or_else(|| corrupt(TRANSFERS, "currency"))?;
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
