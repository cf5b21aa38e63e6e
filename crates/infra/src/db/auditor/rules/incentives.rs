//! Redemption codes, check-ins and referrals.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::whole(
        "C-1",
        "a code was used as often as it says, and not more often than it may be",
        "SELECT c.id AS id, CONCAT('…', c.hint, ': ', c.used, ' of ', c.max_uses, ' used, ', COALESCE(u.uses, 0), ' uses') \
         AS detail FROM redemption_codes c LEFT JOIN (SELECT code_id, COUNT(*) AS uses FROM redemption_uses \
          GROUP BY code_id) u ON u.code_id = c.id WHERE c.used <> COALESCE(u.uses, 0) OR c.used > c.max_uses",
    ),
    Invariant::whole(
        "C-1-batch",
        "a batch has as many codes as it says, each to be used as often as it says",
        "SELECT b.id AS id, CONCAT(b.name, ': ', b.count, ' codes, made ', COUNT(c.id)) AS detail \
         FROM redemption_batches b LEFT JOIN redemption_codes c ON c.batch_id = b.id AND c.max_uses = b.max_uses \
         GROUP BY b.id, b.name, b.count HAVING COUNT(c.id) <> b.count",
    ),
    Invariant::whole(
        "C-2",
        "nobody used a code twice, nor a code of another batch",
        "SELECT u.account_id AS account, u.id AS id, 'used twice, or of another batch' AS detail FROM redemption_uses u \
         LEFT JOIN redemption_codes c ON c.id = u.code_id AND c.batch_id = u.batch_id \
         LEFT JOIN redemption_uses o ON o.user_id = u.user_id AND o.code_id = u.code_id AND o.id <> u.id \
         WHERE c.id IS NULL OR o.id IS NOT NULL",
    ),
    Invariant::accounts(
        "C-3",
        "who redeemed a code was credited its value",
        "SELECT u.account_id AS account, u.id AS id, CONCAT(b.name, ': credited ', COALESCE(t.amount, g.quantity, 0)) \
         AS detail FROM redemption_uses u JOIN redemption_batches b ON b.id = u.batch_id \
         LEFT JOIN ledger_transfers t ON t.kind = 'promotion' \
          AND t.reference = CONCAT('redemption:rdc_', {hex u.code_id}, ':usr_', {hex u.user_id}) \
          AND t.to_account_id = u.account_id \
         LEFT JOIN quota_grants g ON g.account_id = u.account_id \
          AND g.reference = CONCAT('redemption:rdc_', {hex u.code_id}, ':usr_', {hex u.user_id}) \
         WHERE {in u.account_id} AND (COALESCE(t.amount, 0) <> COALESCE(b.amount_nanos, 0) \
          OR COALESCE(t.currency, '') <> COALESCE(b.currency, '') OR COALESCE(g.meter, '') <> COALESCE(b.meter, '') \
          OR COALESCE(g.quantity, 0) <> COALESCE(b.quantity, 0))",
    ),
    Invariant::whole(
        "C-5",
        "who checked in was credited the day's reward",
        "SELECT n.personal_account_id AS account, n.id AS id, CONCAT(c.day, ': credited ', \
          COALESCE(t.amount, g.quantity, 0)) AS detail FROM check_ins c JOIN users n ON n.id = c.user_id \
         LEFT JOIN ledger_transfers t ON t.kind = 'promotion' \
          AND t.reference = CONCAT('check_in:usr_', {hex c.user_id}, ':', c.day) \
         LEFT JOIN quota_grants g ON g.account_id = n.personal_account_id \
          AND g.reference = CONCAT('check_in:usr_', {hex c.user_id}, ':', c.day) \
         WHERE COALESCE(t.amount, 0) <> COALESCE(c.amount_nanos, 0) \
          OR COALESCE(t.currency, '') <> COALESCE(c.currency, '') OR COALESCE(g.meter, '') <> COALESCE(c.meter, '') \
          OR COALESCE(g.quantity, 0) <> COALESCE(c.quantity, 0)",
    ),
    Invariant::whole(
        "C-6",
        "a reward of coming goes to whoever invited",
        "SELECT w.invitee_id AS id, CONCAT(w.earned, ' ', w.currency, ' for somebody who did not invite') AS detail \
         FROM referral_rewards w LEFT JOIN referrals r ON r.user_id = w.invitee_id AND r.inviter_id = w.inviter_id \
         WHERE r.user_id IS NULL",
    ),
    Invariant::whole(
        "C-6-earned",
        "what an inviter earned is the sum of the rewards",
        "SELECT r.user_id AS id, CONCAT(r.earned, ' ', r.currency, ' earned, ', COALESCE(w.total, 0), ' rewarded') AS detail \
         FROM referrals r LEFT JOIN (SELECT inviter_id, currency, SUM(earned) AS total FROM referral_rewards \
          GROUP BY inviter_id, currency) w ON w.inviter_id = r.user_id AND w.currency = r.currency \
         WHERE r.earned <> COALESCE(w.total, 0)",
    ),
    Invariant::whole(
        "C-6-invited",
        "an inviter invited as many as came",
        "SELECT r.user_id AS id, CONCAT(r.invited, ' invited, ', COALESCE(i.came, 0), ' came') AS detail FROM referrals r \
         LEFT JOIN (SELECT inviter_id, COUNT(*) AS came FROM referrals WHERE inviter_id IS NOT NULL \
          GROUP BY inviter_id) i ON i.inviter_id = r.user_id WHERE r.invited <> COALESCE(i.came, 0)",
    ),
    Invariant::whole(
        "C-7",
        "what is gone of an inviter's earnings is in the wallet",
        "SELECT n.personal_account_id AS account, n.id AS id, CONCAT(r.earned - r.available, ' ', r.currency, \
          ' transferred, booked ', COALESCE(t.total, 0)) AS detail FROM referrals r JOIN users n ON n.id = r.user_id \
         LEFT JOIN (SELECT to_account_id, currency, SUM(amount) AS total FROM ledger_transfers \
          WHERE kind = 'promotion' AND reference LIKE 'referral_transfer:%' GROUP BY to_account_id, currency) t \
          ON t.to_account_id = n.personal_account_id AND t.currency = r.currency \
         WHERE r.earned - r.available <> COALESCE(t.total, 0)",
    ),
];
