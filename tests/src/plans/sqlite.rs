//! What SQLite plans for statements that name rows by ids: it knows no sizes, takes an index of anything else for better than
//! one of many ids, and then reads all that the other condition holds for.
#![expect(clippy::expect_used, reason = "a test whose statements cannot be explained fails")]

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

/// How many ids a list may hold.
const MANY: usize = 256;

/// The texts that are not searched by ids that they name.
pub async fn searched_otherwise(connection: &DatabaseConnection, texts: Vec<String>) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts {
        let Some(longer) = with_many_ids(&text) else { continue };
        let explain = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {longer}"));
        let rows = connection.query_all_raw(explain).await.expect(&text);
        let plan: Vec<String> = rows.iter().map(|row| row.try_get("", "detail").expect("a step")).collect();
        if !plan.iter().any(|step| step.contains("id=?")) {
            found.push(format!("{plan:?} by no id: {text}"));
        }
    }
    found
}

/// The text with lists of many ids, if it has lists of ids.
fn with_many_ids(text: &str) -> Option<String> {
    const BEGIN: &str = "\" IN (?";
    let (mut longer, mut names_ids, mut rest) = (String::new(), false, text);
    while let Some(at) = rest.find(BEGIN) {
        let column = rest[..at].rsplit('"').next().unwrap_or_default();
        let (list, end) = (at + BEGIN.len() - 1, rest[at..].find(')').map_or(rest.len(), |end| at + end));
        longer.push_str(&rest[..list]);
        if column == "id" || column.ends_with("_id") {
            names_ids = true;
            longer.push_str(&vec!["?"; MANY].join(", "));
        } else {
            longer.push_str(&rest[list..end]);
        }
        rest = &rest[end..];
    }
    longer.push_str(rest);
    names_ids.then_some(longer)
}

#[cfg(test)]
mod tests {
    use super::{MANY, with_many_ids};

    const TWO_LISTS: &str = r#"SELECT 1 FROM "t" WHERE "t"."id" IN (?, ?) AND "t"."status" IN (?, ?) AND 1"#;

    #[test]
    fn lists_of_ids_become_long_and_others_stay() {
        let longer = with_many_ids(TWO_LISTS).unwrap();
        assert_eq!(longer.matches('?').count(), MANY + 2);
        assert!(longer.starts_with(r#"SELECT 1 FROM "t" WHERE "t"."id" IN (?, "#));
        assert!(longer.ends_with(r#"?) AND "t"."status" IN (?, ?) AND 1"#));
        assert_eq!(with_many_ids(r#"SELECT 1 FROM "t" WHERE "t"."status" IN (?, ?)"#), None);
    }
}
