//! One violation for each invariant about money, bills, gifts and verified identities.

use super::seeds::{Seed, refused, seed};

pub const MONEY: &[Seed] = &[
    seed(
        "L-1",
        &["P-3", "P-7", "L-11"],
        &[
            "UPDATE ledger_transfers SET from_code = 'revenue', to_code = 'revenue' WHERE kind = 'payment' AND account_id = {payer}",
        ],
    ),
    seed("L-3", &["L-4-last", "L-6"], &["UPDATE wallets SET balance = balance + 1 WHERE account_id = {pro}"]),
    seed("L-3-wallet", &["L-6"], &["DELETE FROM wallets WHERE account_id = {pro}"]),
    refused("L-5", &["UPDATE wallets SET held = balance + 1 WHERE account_id = {pro}"]),
    refused("L-8", &["UPDATE ledger_transfers SET kind = 'payment', reference = 'p1'"]),
    seed("L-6", &["L-3", "L-4-last"], &["UPDATE wallets SET balance = balance - 1 WHERE account_id = {pro}"]),
    seed(
        "L-7",
        &[],
        &["UPDATE ledger_transfers SET account_id = {pro} WHERE kind = 'adjustment' AND to_account_id = {buyer}"],
    ),
    seed("L-9", &[], &["UPDATE ledger_adjustments SET amount = amount + 1 WHERE account_id = {buyer}"]),
    refused("L-9-two", &["UPDATE ledger_adjustments SET decided_by = requested_by WHERE account_id = {buyer}"]),
    seed(
        "L-10",
        &[],
        &[
            "UPDATE ledger_transfers SET reference = 'trf_00000000000000000000000000000000' WHERE kind = 'reversal' AND from_code = 'wallet'",
        ],
    ),
    seed("L-4", &[], &["UPDATE wallet_entries SET balance = balance + 1 WHERE account_id = {buyer} AND number = 1"]),
    seed("L-4-last", &["L-4-missing"], &["UPDATE wallets SET entries = entries + 1 WHERE account_id = {pro}"]),
    seed("L-4-transfer", &[], &["UPDATE wallet_entries SET transfer_id = account_id WHERE account_id = {pro}"]),
    seed("L-4-twice", &["L-4-transfer"], &["UPDATE wallet_entries SET transfer_id = {pro} WHERE account_id = {payer}"]),
    seed(
        "L-4-missing",
        &["L-4-last"],
        &[
            "DELETE FROM wallet_entries WHERE account_id = {pro}",
            "UPDATE wallets SET entries = 0 WHERE account_id = {pro}",
        ],
    ),
    seed("R-7", &[], &["UPDATE wallets SET held = held - 1 WHERE account_id = {payer}"]),
    seed(
        "R-7-open",
        &["R-1"],
        &["UPDATE reservations SET status = 'released', ended_at = created_at WHERE account_id = {payer}"],
    ),
    seed(
        "Q-10",
        &[],
        &["UPDATE usage_records SET transfer_id = account_id WHERE account_id = {payer} AND transfer_id IS NOT NULL"],
    ),
    seed(
        "Q-10-parts",
        &["L-3", "L-4-transfer", "L-6", "Q-10-paid"],
        &["UPDATE ledger_transfers SET amount = amount + 1 WHERE kind = 'usage' AND account_id = {payer}"],
    ),
    seed("Q-10-named", &["Q-9"], &["UPDATE usage_records SET transfer_id = NULL WHERE account_id = {payer}"]),
    seed("Q-10-paid", &["P-1-order", "Q-10"], &["UPDATE ledger_transfers SET kind = 'sale' WHERE kind = 'usage'"]),
    seed("P-1", &[], &["UPDATE orders SET paid_by = id WHERE account_id = {payer}"]),
    seed("P-1-top-up", &[], &["UPDATE orders SET status = 'closed', delivered_at = NULL WHERE account_id = {payer}"]),
    seed(
        "P-1-product",
        &[],
        &[
            "UPDATE orders SET status = 'awaiting_delivery', delivered_at = NULL WHERE account_id = {buyer} AND purpose_kind = 'product'",
        ],
    ),
    seed(
        "P-1-bill",
        &[],
        &["UPDATE orders SET status = 'awaiting_delivery', delivered_at = NULL WHERE purpose_kind = 'bill'"],
    ),
    seed(
        "P-1-order",
        &["P-1-top-up"],
        &[
            "UPDATE ledger_transfers SET reference = 'ord_00000000000000000000000000000000' WHERE kind = 'top_up' AND account_id = {payer}",
        ],
    ),
    refused("P-2", &["UPDATE payments SET transaction_id = 'one' WHERE transaction_id IS NOT NULL"]),
    seed("P-3", &["P-5-status"], &["UPDATE payments SET status = 'pending' WHERE account_id = {payer}"]),
    seed(
        "P-3-payment",
        &["P-3"],
        &["UPDATE ledger_transfers SET reference = 'nothing' WHERE kind = 'payment' AND account_id = {payer}"],
    ),
    seed("P-4", &[], &["UPDATE payments SET amount = amount + 1 WHERE account_id = {payer}"]),
    seed("P-5", &[], &["UPDATE payments SET refunding = refunding + 1 WHERE account_id = {payer}"]),
    seed("P-5-status", &[], &["UPDATE payments SET status = 'partially_refunded' WHERE account_id = {payer}"]),
    seed(
        "P-5-booked",
        &["L-3", "L-4-transfer", "L-6", "L-11-refund"],
        &["UPDATE ledger_transfers SET amount = amount + 1 WHERE kind = 'refund_failed'"],
    ),
    seed(
        "P-5-refund",
        &["P-5-booked"],
        &["UPDATE ledger_transfers SET reference = 'nothing' WHERE kind = 'refund_failed'"],
    ),
    seed("P-5-pack", &[], &["UPDATE refunds SET taken_back = taken_back + 1 WHERE taken_back > 0"]),
    seed(
        "L-11-refund",
        &[],
        &[
            "UPDATE ledger_transfers SET to_code = 'adjustment' WHERE kind = 'refund_reserved' AND from_code = 'revenue' AND reference LIKE 'rfd%'",
        ],
    ),
    seed(
        "P-7",
        &[],
        &[
            "UPDATE suspense_items SET status = 'dismissed' WHERE account_id = {buyer} AND status = 'open' AND reason = 'late'",
        ],
    ),
    seed("P-7-second", &[], &["UPDATE ledger_transfers SET reference = 'nothing' WHERE kind = 'suspended'"]),
    seed("P-7-credited", &[], &["UPDATE ledger_transfers SET reference = 'nothing' WHERE kind = 'resolved'"]),
    seed("P-7-refund", &[], &["UPDATE suspense_items SET refund_id = NULL WHERE status = 'refunded'"]),
    seed("P-7-delivered", &[], &["UPDATE suspense_items SET status = 'delivered' WHERE status = 'credited'"]),
    seed("L-11", &[], &["UPDATE ledger_transfers SET from_code = 'cash:stripe' WHERE kind = 'suspended'"]),
    seed("P-10", &["L-11"], &["UPDATE provider_charges SET amount = amount + 1"]),
    seed("P-10-collected", &["P-10"], &["UPDATE ledger_transfers SET reference = 'another' WHERE kind = 'collected'"]),
    seed("P-10-bill", &[], &["UPDATE provider_subscriptions SET bill_id = id"]),
    refused(
        "B-1",
        &["UPDATE billing_records SET live_key = 'one' WHERE account_id = {buyer} AND live_key IS NOT NULL"],
    ),
    seed("B-2", &[], &["UPDATE billing_lines SET discount_nanos = discount_nanos + 1 WHERE kind = 'base'"]),
    seed("B-2-meters", &[], &["UPDATE billing_overages SET fee_nanos = fee_nanos + 1"]),
    seed("B-2-numbers", &[], &["UPDATE billing_lines SET number = number + 5 WHERE kind = 'base'"]),
    seed("B-4", &[], &["UPDATE billing_overages SET meter = 'storage'"]),
    seed("B-5", &[], &["UPDATE billing_records SET refunded_nanos = refunded_nanos + 1 WHERE refunded_nanos > 0"]),
    seed(
        "B-5-booked",
        &[],
        &["UPDATE ledger_transfers SET kind = 'promotion' WHERE kind = 'refunded' AND reference LIKE 'bil%'"],
    ),
    seed("B-6", &["B-6-paid"], &["UPDATE billing_payments SET amount_nanos = amount_nanos + 1"]),
    seed(
        "B-6-issued",
        &["L-11-bills", "B-9"],
        &["UPDATE billing_records SET status = 'unpaid', live_key = 'another' WHERE status = 'void'"],
    ),
    seed(
        "B-6-paid",
        &[],
        &[
            "UPDATE ledger_transfers SET reference = 'nothing' WHERE kind = 'bill_paid' AND from_code = 'wallet' AND account_id = {buyer}",
        ],
    ),
    seed(
        "L-11-bills",
        &[],
        &[
            "UPDATE ledger_transfers SET from_code = 'adjustment' WHERE kind = 'bill_issued' AND amount = (SELECT MAX(b.total_nanos) FROM billing_records b WHERE b.kind = 'month')",
        ],
    ),
    seed("B-8", &[], &["UPDATE billing_invoices SET outdated_at = NULL WHERE status = 'issued'"]),
    refused(
        "B-8-one",
        &["UPDATE billing_invoices SET status = 'issued', standing_bill_id = bill_id WHERE status = 'reversed'"],
    ),
    seed("B-8-states", &[], &["UPDATE billing_invoices SET reason = NULL WHERE status = 'reversed'"]),
    seed("B-9", &[], &["UPDATE coupons SET uses = uses + 1"]),
    seed("C-1", &[], &["UPDATE redemption_codes SET used = used + 1"]),
    seed("C-1-batch", &[], &["UPDATE redemption_batches SET count = count + 1"]),
    seed("C-2", &["C-1", "C-3"], &["UPDATE redemption_uses SET code_id = id"]),
    seed("C-3", &[], &["UPDATE redemption_batches SET quantity = quantity + 1 WHERE quantity IS NOT NULL"]),
    seed("C-5", &[], &["UPDATE check_ins SET amount_nanos = amount_nanos + 1"]),
    seed("C-6", &["C-6-earned"], &["UPDATE referral_rewards SET inviter_id = invitee_id"]),
    seed("C-6-earned", &[], &["UPDATE referral_rewards SET earned = earned + 1"]),
    seed("C-6-invited", &[], &["UPDATE referrals SET invited = invited + 1 WHERE invited > 0"]),
    seed("C-7", &[], &["UPDATE referrals SET available = available - 1 WHERE available > 0"]),
    seed("S-1", &[], &["UPDATE user_verifications SET id_number = '11010519491231002X'"]),
    seed("S-2", &[], &["UPDATE user_verifications SET user_id = {pro}"]),
    refused(
        "S-4",
        &[
            "INSERT INTO user_verifications (user_id, real_name, id_number, mask, number_index, verified_at) SELECT {pro}, real_name, id_number, mask, number_index, verified_at FROM user_verifications",
        ],
    ),
];
