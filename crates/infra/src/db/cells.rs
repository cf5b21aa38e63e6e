//! Reading wide rows by the places of their columns: what every commit reads of each of its accounts.
//!
//! By name, each column of each row costs a string and a search in a map, which was a tenth of a committer's processor
//! time.

use super::entity::{quota_counter, user_subscription};
use sea_orm::{DbErr, QueryResult, TryGetable};

/// The columns of a row, one after the other, as they were selected.
pub struct Cells<'r> {
    row: &'r QueryResult,
    next: usize,
}

impl<'r> Cells<'r> {
    pub fn of(row: &'r QueryResult) -> Self {
        Self { row, next: 0 }
    }

    pub fn read<T: TryGetable>(&mut self) -> Result<T, DbErr> {
        let place = self.next;
        self.next += 1;
        self.row.try_get_by_index(place)
    }
}

/// An entity whose columns can be read in the order in which it declares them, which is that of a SELECT.
pub trait InOrder: Sized {
    const COLUMNS: &'static [&'static str];

    fn read(cells: &mut Cells<'_>) -> Result<Self, DbErr>;

    /// The other side of an outer join: nothing where the first column, part of the key, is NULL.
    fn read_optional(cells: &mut Cells<'_>) -> Result<Option<Self>, DbErr> {
        let first = Cells { row: cells.row, next: cells.next }.read::<Option<uuid::Uuid>>()?;
        if first.is_some() {
            return Self::read(cells).map(Some);
        }
        cells.next += Self::COLUMNS.len();
        Ok(None)
    }
}

macro_rules! in_order {
    ($entity:ident: $($column:ident),+ $(,)?) => {
        impl InOrder for $entity::Model {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];

            fn read(cells: &mut Cells<'_>) -> Result<Self, DbErr> {
                Ok(Self { $($column: cells.read()?),+ })
            }
        }
    };
}

in_order!(user_subscription:
    account_id, id, plan_version_id, plan_code, plan_interval, seats, status, anchor_day, time_zone, term_start, term_end,
    paid_nanos, paid_currency, period_start, period_end, closed_until, selected_ai_model, scheduled_change,
    awaiting_payment, cancel_at_term_end, started_at, cancelled_at, created_at, updated_at, auto_pay,
);
in_order!(quota_counter:
    account_id, period_start, subject_id, meter, period_end, used, reserved, held_grants, peak, from_allowance,
    from_grants, from_overage, from_wallet, overage_fee_nanos, wallet_paid_nanos, wallet_held_nanos, currency,
    warnings_fired, warned_limit, warning_generation, updated_at,
);

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::{EntityTrait, IdenStatic, Iterable};

    fn declared<E: EntityTrait>() -> Vec<&'static str> {
        E::Column::iter().map(|column| column.as_str()).collect()
    }

    #[test]
    fn columns_are_read_in_the_order_in_which_they_are_selected() {
        assert_eq!(user_subscription::Model::COLUMNS, declared::<user_subscription::Entity>());
        assert_eq!(quota_counter::Model::COLUMNS, declared::<quota_counter::Entity>());
    }
}
