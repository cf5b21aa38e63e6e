//! What SQLite plans for statements that name rows by ids: it knows no sizes, takes an index of anything else for better than
//! one of many ids, and then reads all that the other condition holds for.
#![expect(clippy::expect_used, reason = "a test whose statements cannot be explained fails")]

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

/// How many ids a list may hold.
const MANY: usize = 256;
/// What is as good as a list of ids to begin a search with.
const FIRST: [&str; 2] = ["account_id", "rowid"];

/// The texts that are not searched by ids that they name.
pub async fn searched_otherwise(connection: &DatabaseConnection, texts: Vec<String>) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts {
        let (longer, columns) = with_many_ids(&text);
        if columns.is_empty() {
            continue;
        }
        let explain = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {longer}"));
        let rows = connection.query_all_raw(explain).await.expect(&text);
        let plan: Vec<String> = rows.iter().map(|row| row.try_get("", "detail").expect("a step")).collect();
        let begins = |step: &String| FIRST.iter().chain(&columns).any(|column| step.contains(&format!("({column}=?")));
        if !plan.iter().any(begins) {
            found.push(format!("{plan:?} by no id: {text}"));
        }
    }
    found
}

/// The text with lists of many ids, and the columns that they are of.
fn with_many_ids(text: &str) -> (String, Vec<&str>) {
    const BEGIN: &str = "\" IN (?";
    let (mut longer, mut columns, mut rest) = (String::new(), Vec::new(), text);
    while let Some(at) = rest.find(BEGIN) {
        let column = rest[..at].rsplit('"').next().unwrap_or_default();
        let (list, end) = (at + BEGIN.len() - 1, rest[at..].find(')').map_or(rest.len(), |end| at + end));
        longer.push_str(&rest[..list]);
        if column == "id" || column.ends_with("_id") {
            columns.push(column);
            longer.push_str(&vec!["?"; MANY].join(", "));
        } else {
            longer.push_str(&rest[list..end]);
        }
        rest = &rest[end..];
    }
    longer.push_str(rest);
    (longer, columns)
}

#[cfg(test)]
mod tests {
    use super::{MANY, searched_otherwise, with_many_ids};
    use sea_orm::ConnectionTrait;

    const TWO_LISTS: &str = r#"SELECT 1 FROM "t" WHERE "t"."id" IN (?, ?) AND "t"."status" IN (?, ?) AND 1"#;

    #[test]
    fn lists_of_ids_become_long_and_others_stay() {
        let (longer, columns) = with_many_ids(TWO_LISTS);
        assert_eq!(columns, ["id"]);
        assert_eq!(longer.matches('?').count(), MANY + 2);
        assert!(longer.starts_with(r#"SELECT 1 FROM "t" WHERE "t"."id" IN (?, "#));
        assert!(longer.ends_with(r#"?) AND "t"."status" IN (?, ?) AND 1"#));
    }

    #[tokio::test]
    async fn a_search_by_what_waits_is_found_and_one_by_ids_is_not() {
        let connection = sea_orm::Database::connect("sqlite::memory:").await.unwrap();
        let table = "CREATE TABLE t (id BLOB PRIMARY KEY, closed_at TEXT); CREATE INDEX open ON t (closed_at)";
        connection.execute_unprepared(table).await.unwrap();
        let asked = |closed: &str| format!(r#"SELECT "id" FROM "t" WHERE "t"."id" IN (?) AND {closed} IS NULL"#);
        assert_eq!(searched_otherwise(&connection, vec![asked("closed_at")]).await.len(), 1);
        assert_eq!(searched_otherwise(&connection, vec![asked("+closed_at")]).await, [""; 0]);
    }
}
