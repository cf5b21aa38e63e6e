//! A hundred thousand customers like the first one: user, account, subscription, period and counter.

use super::Fresh;
use super::rows::{self, Copying, Value};
use anyhow::Context;
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

/// The customer whose rows are copied; it has consumed once, so that all of them exist.
#[derive(Clone, Copy, Debug)]
pub struct Original {
    pub user: Uuid,
    pub account: Uuid,
}

impl Fresh {
    /// Makes accounts number 0 up to but not including `count`.
    pub async fn add_accounts(&self, original: Original, count: u64) -> anyhow::Result<()> {
        let unused = [("used", Value::Zero), ("peak", Value::Zero), ("from_allowance", Value::Zero)];
        self.add_with_counters(original, &unused, count).await?;
        self.settle().await
    }

    async fn add_with_counters(
        &self,
        original: Original,
        counters: &[(&str, Value<'_>)],
        count: u64,
    ) -> anyhow::Result<()> {
        let id = Value::Id { modulo: count };
        let user = [("id", id), ("personal_account_id", id), ("username", Value::Text("customer"))];
        self.copy(("users", "id", original.user), &user, count).await?;
        self.copy(("accounts", "id", original.account), &[("id", id), ("owner_id", id)], count).await?;
        let subscription = [("account_id", id), ("id", Value::OwnId)];
        self.copy(("user_subscriptions", "account_id", original.account), &subscription, count).await?;
        self.copy(("quota_periods", "account_id", original.account), &[("account_id", id)], count).await?;
        let counter = [&[("account_id", id), ("subject_id", id)][..], counters].concat();
        self.copy(("quota_counters", "account_id", original.account), &counter, count).await
    }

    /// As `add_accounts`, but each has used what the original has, with a usage row for it.
    pub async fn add_owing(&self, original: Original, count: u64) -> anyhow::Result<()> {
        self.add_with_counters(original, &[], count).await?;
        let id = Value::Id { modulo: count };
        let usage = self.usage_of(original).await?.simple().to_string();
        let beside = Value::Beside(&usage[..rows::PREFIX_DIGITS]);
        let row = [("account_id", id), ("id", beside)];
        self.copy(("usage_records", "account_id", original.account), &row, count).await?;
        let key = [("account_id", id), ("usage_id", beside)];
        self.copy(("usage_keys", "account_id", original.account), &key, count).await?;
        self.settle().await
    }

    async fn copy(
        &self,
        (table, column, original): (&str, &str, Uuid),
        replaced: &[(&str, Value<'_>)],
        count: u64,
    ) -> anyhow::Result<()> {
        self.copy_row(&Copying { table, column, original, replaced }, 0, count).await
    }

    /// Adds usage rows `from` up to but not including `to` with their keys, spread over the accounts.
    ///
    /// They are of no period's counters and sums: they are there to be in the way.
    pub async fn add_usage(&self, original: Original, accounts: u64, from: u64, to: u64) -> anyhow::Result<()> {
        let id = Value::Id { modulo: accounts };
        let key = ("usage_key", Value::Text("filled-"));
        let tables = [
            ("usage_records", [("account_id", id), ("id", Value::OwnId), key]),
            ("usage_keys", [("account_id", id), ("usage_id", Value::OwnId), key]),
        ];
        for (table, replaced) in &tables {
            let copying = Copying { table, column: "account_id", original: original.account, replaced };
            self.copy_row(&copying, from, to).await?;
        }
        Ok(())
    }

    /// The original's usage row.
    async fn usage_of(&self, original: Original) -> anyhow::Result<Uuid> {
        let account = rows::id_literal(self.engine, original.account);
        let find = format!("SELECT id FROM usage_records WHERE account_id = {account}");
        let backend = self.connection.get_database_backend();
        let row = self.connection.query_one_raw(Statement::from_string(backend, find)).await?;
        Ok(row.context("the original has used nothing")?.try_get_by_index(0)?)
    }
}
