//! The rules of Suanpan: pure types, ports and services, without I/O.
//!
//! | where is the rule for … | file |
//! |---|---|
//! | reading and writing decimals | `decimal` |
//! | money and its one rounding | `money` |
//! | periods, day-31 anchors, DST | `time` |
//! | what a role may do on an account | `accounts::rights` |
//! | who is a member, and since when | `teams::member` |
//! | what a member's allocation lets through | `metering::member_books` |
//! | what a consume costs and whether it fits | `metering::decide` |
//! | counters, gauges, grants | `quota::counter`, `quota::grant` |
//! | what a reservation holds, and how it ends | `metering::holding`, `metering::reservation` |
//! | which usage rows may be deleted | `metering::month` |
//! | whether the audit log is whole | `audit_chain` |
//! | what operators may change at run time | `site_options` |
//! | whom an identity provider's word opens | `identity::oauth`, `accounts::oauth` |
//! | when a warning fires | `quota::warning` |
//! | who hears of an event, and in which order | `notices::fan_out`, `notices::lane` |
//! | when a delivery is tried again or given up | `notices::lane`, `notices::delivery` |
//! | which addresses webhooks may reach | `notices::egress` |
//! | what a transfer is, and what a wallet lets through | `wallet::ledger`, `wallet::steps` |
//! | how a payment provider's answers are understood | `orders::provider` |
//! | what a code, a check-in and a referral are worth, and when | `incentives::reward`, `incentives::redemption` … |
//! | which ID numbers can be, and how they are kept | `identity::id_number`, `accounts::verification` |
//! | which ciphertexts are encrypted anew | `sealed` |
//! | what a bill asks for beyond the allowance, tier by tier | `billing::rating` |
//! | what a bill is, and what may still change of it | `billing::bill` |
//! | when bills are issued, due and chased | `plans::BillTerms` |
//! | what a receipt says | `billing::describing`, `billing::document` |
//! | what operators' reports sum up | `billing::report` |
//! | what becomes of an order and of its payments | `orders::order_status`, `orders::payment_status` |
//! | what money that came in settles, and what it does not | `orders::settling` |
//! | what a refund takes back | `orders::delivering`, `orders::refund` |
//! | where a provider's bill and our books differ | `orders::reconciliation` |
//! | retries when units of work collide | `store::Retry` |

pub mod accounts;
pub mod actor;
pub mod audit;
pub mod audit_chain;
pub mod billing;
pub mod change;
pub mod decimal;
pub mod error;
pub mod id;
pub mod idempotency;
pub mod identity;
pub mod incentives;
pub mod metering;
pub mod money;
pub mod notices;
pub mod options;
pub mod orders;
pub mod outbox;
pub mod page;
pub mod plans;
pub mod quantity;
pub mod quota;
pub mod sealed;
pub mod search;
pub mod site_options;
pub mod store;
pub mod teams;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod time;
pub mod wallet;
