//! Who sells: what receipts say above the bill.

use serde::{Deserialize, Serialize};

/// Longest of its texts, in characters.
pub const MAX_SELLER_TEXT: usize = 200;

/// `billing.seller`: one line each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    pub name: Option<String>,
    pub address: Option<String>,
    pub tax_id: Option<String>,
    /// An address, a telephone number or the like for questions about bills.
    pub contact: Option<String>,
}
