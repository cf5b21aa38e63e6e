//! `docs/roles.md` says what the tables of the domain say.

use domain::accounts::{MemberRole, RIGHTS};
use domain::error::LimitKind;
use std::fmt::Write;
use std::path::Path;

/// Set, the page is written instead of compared.
const WRITE_VARIABLE: &str = "SUANPAN_WRITE_DOCS";

const HEAD: &str = "# Roles and limits

Made from `crates/domain/src/accounts/rights.rs` and `crates/domain/src/error.rs` by `SUANPAN_WRITE_DOCS=1 cargo test
--workspace --test it roles`; a test compares the two.

## What each role in a team may do

The owner of a personal account may do on it what the owner of a team may. Operators in a session and service keys may
do everything, except be a member. An API key is worth what its scopes say, and on a team's account no more than its
user's membership. To everybody else an account or team does not exist: 404. Who is a member, but may not do this,
gets 403.

";

const LIMITS: &str = "
## Which limit refuses, and who can raise it

All limits are decided together, in the transaction that books the use: first the API key's allowance, then the member's
allocation, then the account's pool (allowance and grants), then the cap on overage fees. A refusal is status 402 and
names in `limit` the one that lets the least through, and of equals the one nearest to the caller; `remaining` is what it
still lets through, and `raised_by` says who can raise it: `member` is the user whose key it is, `team_admin` an admin
or the owner, `owner` whoever pays, `operator` whoever runs the server.

| `limit` | `code` | `raised_by` |
|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let names: Vec<_> = MemberRole::ALL.iter().map(|role| role.as_str()).collect();
    let _ = writeln!(page, "| may | {} |\n|---|{}", names.join(" | "), ":-:|".repeat(names.len()));
    for right in RIGHTS {
        let marks = MemberRole::ALL.map(|role| if role.may(right.act) { "✓" } else { "–" });
        let _ = writeln!(page, "| {} | {} |", right.words, marks.join(" | "));
    }
    page.push_str(LIMITS);
    for limit in LimitKind::ALL {
        let _ = writeln!(page, "| `{}` | `{}` | `{}` |", limit.name(), limit.code(), limit.raised_by());
    }
    page
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn the_page_of_roles_says_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/roles.md");
    if std::env::var(WRITE_VARIABLE).is_ok() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written, page(), "write it anew: {WRITE_VARIABLE}=1");
}
