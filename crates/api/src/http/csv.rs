//! Tables as CSV files.

use super::problem::ApiResult;
use actix_web::HttpResponse;
use domain::error::{Error, Result};
use serde::Serialize;

/// A file of rows under the names of their fields.
pub fn file<T: Serialize + Default>(name: &str, rows: &[T]) -> ApiResult {
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("Content-Disposition", format!("attachment; filename=\"{name}.csv\"")))
        .body(table(rows)?))
}

/// The head is there also when nothing is below it.
fn table<T: Serialize + Default>(rows: &[T]) -> Result<String> {
    let text = if rows.is_empty() { written(&[T::default()])? } else { written(rows)? };
    let head = text.split_inclusive('\n').next().unwrap_or_default();
    Ok(if rows.is_empty() { head.to_owned() } else { text })
}

fn written<T: Serialize>(rows: &[T]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(|_| Error::Unavailable)?;
    }
    let bytes = writer.into_inner().map_err(|_| Error::Unavailable)?;
    String::from_utf8(bytes).map_err(|_| Error::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Serialize)]
    struct Row {
        month: String,
        amount: String,
    }

    #[test]
    fn a_table_has_its_head_with_rows_and_without() {
        let row = Row { month: "2026-11".to_owned(), amount: "1,5".to_owned() };
        assert_eq!(table(&[row]).unwrap(), "month,amount\n2026-11,\"1,5\"\n");
        assert_eq!(table::<Row>(&[]).unwrap(), "month,amount\n");
    }
}
