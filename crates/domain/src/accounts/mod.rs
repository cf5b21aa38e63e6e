//! Who pays: accounts, who may use which, and how users come by theirs and by keys that draw from them.

mod access;
mod account;
mod account_search;
mod identities;
mod keys;
mod oauth;
mod operators;
mod options;
mod ports;
mod registration;
mod rights;
mod service;
mod set_up;
#[cfg(test)]
mod tests;
mod verification;

pub use access::{AccountRef, resolve, resolve_reader, standing};
pub use account::{Account, AccountKind, AccountStatus};
pub use account_search::AccountSearch;
pub use keys::{IssuedKey, KeyChange, KeyService, KeyWish};
pub use oauth::{Begun, Ended, OAuthService, Returned};
pub use operators::{AccountOrder, OperatorService, UserOrder};
pub use options::OptionService;
pub use ports::{AccountRepository, MembershipRepository, Newcomer, RegistrationHook};
#[cfg(any(test, feature = "testing"))]
pub use ports::{MockAccountRepository, MockMembershipRepository};
pub use registration::{Registered, Registration, RegistrationService};
pub use rights::{Act, MemberRole, RIGHTS, Right, Standing};
pub use service::AccountService;
pub use verification::{VerificationService, VerificationView};
