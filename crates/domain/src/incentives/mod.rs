//! What is given away: redemption and gift codes, check-in, referrals. Each credit is one transfer or grant by a
//! unique reference, in the unit of work of what it is for.

mod batches;
mod check_in;
mod checking_in;
mod code;
mod ports;
mod redeeming;
mod redemption;
mod referral;
mod referring;
mod reward;
mod steps;

pub use batches::{BatchWish, ExportedCode};
pub use check_in::{CheckIn, CheckInTerms};
pub use checking_in::{CheckInService, CheckInView};
pub use code::{AffCode, CodeText};
pub use ports::{
    CheckInRepository, CodeVault, RedemptionBatchRepository, RedemptionCodeRepository, RedemptionUseRepository,
    ReferralRepository,
};
#[cfg(any(test, feature = "testing"))]
pub use ports::{
    MockCheckInRepository, MockCodeVault, MockRedemptionBatchRepository, MockRedemptionCodeRepository,
    MockRedemptionUseRepository, MockReferralRepository,
};
pub use redeeming::{Redeemed, RedemptionService};
pub use redemption::{MAX_CODES, MAX_USES, RedemptionBatch, RedemptionCode, RedemptionUse, SealedCode};
pub use referral::{Referral, ReferralReward, ReferralTerms, RewardedOn};
pub use referring::{ReferralService, ReferralTransfer, Referrals};
pub use reward::{MAX_VALID_DAYS, QuotaReward, Reward, RewardWish};
