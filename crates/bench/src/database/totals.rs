//! Whether the database holds exactly what was answered.

use super::{Engine, Fresh};
use anyhow::bail;
use sea_orm::{ConnectionTrait, Statement};

/// Sums over the whole database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Usage rows, and the sum of their quantities.
    pub rows: i64,
    pub quantity: i64,
    /// Used by all counters.
    pub used: i64,
    pub hourly_events: i64,
    pub hourly_quantity: i64,
    pub daily_events: i64,
    pub daily_quantity: i64,
}

/// Events of one unit each: what every sum must have grown by.
impl Totals {
    fn grown_by(self, events: i64) -> Self {
        Self {
            rows: self.rows + events,
            quantity: self.quantity + events,
            used: self.used + events,
            hourly_events: self.hourly_events + events,
            hourly_quantity: self.hourly_quantity + events,
            daily_events: self.daily_events + events,
            daily_quantity: self.daily_quantity + events,
        }
    }
}

impl Fresh {
    pub async fn totals(&self) -> anyhow::Result<Totals> {
        Ok(Totals {
            rows: self.number("COUNT(*)", "usage_records").await?,
            quantity: self.number("SUM(quantity)", "usage_records").await?,
            used: self.number("SUM(used)", "quota_counters").await?,
            hourly_events: self.number("SUM(events)", "usage_hourly").await?,
            hourly_quantity: self.number("SUM(quantity)", "usage_hourly").await?,
            daily_events: self.number("SUM(events)", "usage_daily").await?,
            daily_quantity: self.number("SUM(quantity)", "usage_daily").await?,
        })
    }

    /// Fails unless every sum grew by the events that were answered, and no key was booked twice.
    pub async fn verify(&self, before: Totals, events: u64) -> anyhow::Result<()> {
        let (wanted, found) = (before.grown_by(i64::try_from(events)?), self.totals().await?);
        if wanted != found {
            bail!("{} does not hold what was answered: wanted {wanted:?}, found {found:?}", self.engine);
        }
        let twice = "(SELECT 1 AS one FROM usage_records WHERE usage_key NOT LIKE 'filled-%' \
                     GROUP BY account_id, usage_key HAVING COUNT(*) > 1) twice";
        let twice = self.number("COUNT(*)", twice).await?;
        if twice > 0 {
            bail!("{} holds {twice} usage keys twice", self.engine);
        }
        Ok(())
    }

    /// One number out of a table; 0 for a sum of nothing.
    pub async fn number(&self, expression: &str, table: &str) -> anyhow::Result<i64> {
        let integer = if self.engine == Engine::MariaDb { "SIGNED" } else { "BIGINT" };
        let query = format!("SELECT CAST(COALESCE({expression}, 0) AS {integer}) AS number FROM {table}");
        let statement = Statement::from_string(self.connection.get_database_backend(), query);
        let row = self.connection.query_one_raw(statement).await?;
        Ok(row.map(|row| row.try_get("", "number")).transpose()?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sum_grows_by_every_event() {
        let before = Totals { rows: 3, used: 2, ..Totals::default() };
        let after = before.grown_by(5);
        assert_eq!((after.rows, after.used, after.daily_quantity), (8, 7, 5));
        assert_ne!(Totals { hourly_events: 4, ..after }, after);
    }
}
