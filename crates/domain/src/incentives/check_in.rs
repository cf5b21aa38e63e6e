//! Check-in: once per local day, for a reward that is fixed or drawn.

use super::reward::Reward;
use crate::id::UserId;
use chrono::{DateTime, NaiveDate, Utc};

/// What a day is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckInTerms {
    /// The least, and the only one when nothing is drawn.
    pub least: Reward,
    /// The same reward at its most.
    pub most: Reward,
}

impl CheckInTerms {
    /// Whether the most is less than the least.
    pub fn is_upside_down(&self) -> bool {
        self.most.number() < self.least.number()
    }

    /// The reward of 64 random bits: each step from the least to the most is equally likely, within 2⁻³².
    pub fn draw(&self, random: [u8; 32]) -> Reward {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&random[..8]);
        let (least, step) = (i128::from(self.least.number()), i128::from(self.least.step()));
        let steps = (i128::from(self.most.number()) - least).max(0) / step + 1;
        let drawn = (i128::from(u64::from_le_bytes(bytes)) * steps) >> 64;
        let number = i64::try_from(least + drawn * step).unwrap_or(self.least.number());
        self.least.of_number(number)
    }
}

/// A user came on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckIn {
    pub user: UserId,
    /// In the billing time zone.
    pub day: NaiveDate,
    /// Days on end, this one included; at least 1.
    pub streak: u32,
    pub reward: Reward,
    pub checked_in_at: DateTime<Utc>,
}

impl CheckIn {
    /// The reference of its one credit.
    pub fn reference(&self) -> String {
        format!("check_in:{}:{}", self.user, self.day)
    }
}

/// Days on end up to `today` as they stand after `last`: a day that is not over breaks nothing.
pub fn streak(last: Option<&CheckIn>, today: NaiveDate) -> u32 {
    let unbroken = |last: &&CheckIn| last.day == today || Some(last.day) == today.pred_opt();
    last.filter(unbroken).map_or(0, |last| last.streak)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, Money};

    fn fen(count: i64) -> Reward {
        Reward::Money(Money::from_nanos(count * 10_000_000, Currency::CNY))
    }

    fn random(first: u64) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&first.to_le_bytes());
        bytes
    }

    #[test]
    fn the_least_and_the_most_are_drawn_and_nothing_beyond() {
        let terms = CheckInTerms { least: fen(10), most: fen(14) };
        assert_eq!(terms.draw(random(0)), fen(10));
        assert_eq!(terms.draw(random(u64::MAX)), fen(14));
        let fifth = u64::MAX / 5;
        let drawn: Vec<Reward> = (0..5).map(|part| terms.draw(random(fifth * part + fifth / 2))).collect();
        assert_eq!(drawn, (10..15).map(fen).collect::<Vec<_>>());
    }

    #[test]
    fn a_fixed_reward_is_itself_whatever_is_drawn() {
        let terms = CheckInTerms { least: fen(10), most: fen(10) };
        assert!([0, 1, u64::MAX / 2, u64::MAX].into_iter().all(|first| terms.draw(random(first)) == fen(10)));
    }

    #[test]
    fn a_streak_lasts_until_a_whole_day_is_missed() {
        let day = |day: u32| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let last = CheckIn { user: UserId::new(at), day: day(20), streak: 4, reward: fen(1), checked_in_at: at };
        let streaks: Vec<u32> = [19, 20, 21, 22].map(|today| streak(Some(&last), day(today))).to_vec();
        assert_eq!(streaks, [0, 4, 4, 0]);
        assert_eq!(streak(None, day(20)), 0);
    }
}
