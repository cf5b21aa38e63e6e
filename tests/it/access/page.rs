//! `docs/access.md` says what `table.txt` says.

use super::table::{self, CALLERS, PROOF};
use std::fmt::Write;
use std::path::Path;

/// Set, the page is written instead of compared.
const WRITE_VARIABLE: &str = "SUANPAN_WRITE_DOCS";

const HEAD: &str = "# Who may call what

Made from `tests/it/access/table.txt` by `SUANPAN_WRITE_DOCS=1 cargo test --workspace --test it access::page`; a test
compares the two, and another calls every route as everybody.

The objects in the path are those of a team: its account, keys of its owner, its webhook endpoints. Each column is a
caller:

- **nobody**: without a token. **stranger**: a user who is not in the team.
- **member**, **admin**, **owner**: of the team, in a session.
- **member's key**: a plain member's API key on the team's account, with `usage:read` and `usage:write`.
- **key:read**, **key:write**: keys of the owner on the team's account with the one scope.
- **key:service**, **key:admin**: keys of an operator with the scope `service` or `admin`.
- **operator**: a user with the role `admin`, in a session. **root**: with the role `root`.

✓ is let in: the answer depends on what is asked, not on who asks. 401 is who are you, 403 is not for you, 404 is that to
this caller the object does not exist. *proof* is a route that nobody has to log in for, and that wants another proof: a
provider's signature, the cookie of a log-in under way, a one-time code.

";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "| route | {} |\n|---|{}", CALLERS.join(" | "), ":-:|".repeat(CALLERS.len()));
    for (name, cells) in table::read() {
        let shown = cells.iter().map(|cell| match cell.as_str() {
            "in" => "✓",
            PROOF => "*proof*",
            code => code,
        });
        let _ = writeln!(page, "| `{name}` | {} |", shown.collect::<Vec<_>>().join(" | "));
    }
    page
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn the_page_of_access_says_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/access.md");
    if std::env::var(WRITE_VARIABLE).is_ok() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written, page(), "write it anew: {WRITE_VARIABLE}=1");
}
