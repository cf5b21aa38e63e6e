//! Reading daily bills: tables whose columns are found by name, for providers add some now and then.

use std::collections::HashMap;

/// The columns of a bill.
pub struct Columns<'a> {
    places: HashMap<&'a str, usize>,
    count: usize,
    /// The one whose text is the merchant's and may hold the separator.
    free_text: Option<usize>,
}

impl<'a> Columns<'a> {
    pub fn new(names: impl Iterator<Item = &'a str>, free_text: &str) -> Self {
        let places: HashMap<_, _> = names.enumerate().map(|(place, name)| (name.trim(), place)).collect();
        Self { count: places.len(), free_text: places.get(free_text).copied(), places }
    }

    /// The row's fields by the columns' names; `None` when it has too few or too many.
    pub fn row<'r>(&'a self, fields: Vec<&'r str>) -> Option<Row<'a, 'r>> {
        let surplus = fields.len().checked_sub(self.count)?;
        if surplus > 0 && self.free_text.is_none() {
            return None;
        }
        Some(Row { columns: self, fields, surplus })
    }
}

/// A row; surplus fields are parts of the free text.
pub struct Row<'c, 'r> {
    columns: &'c Columns<'c>,
    fields: Vec<&'r str>,
    surplus: usize,
}

impl<'r> Row<'_, 'r> {
    /// A field without the blanks that pad it; `None` when there is no such column.
    pub fn get(&self, name: &str) -> Option<&'r str> {
        let place = *self.columns.places.get(name)?;
        let behind = self.columns.free_text.is_some_and(|free| place > free);
        self.fields.get(if behind { place + self.surplus } else { place }).map(|field| field.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_the_free_text_moves_no_other_column() {
        let columns = Columns::new("id,name,amount".split(','), "name");
        let row = columns.row("1,a,b,c, 2.00\t".split(',').collect()).unwrap();
        assert_eq!((row.get("id"), row.get("amount"), row.get("fee")), (Some("1"), Some("2.00"), None));
        assert!(columns.row(vec!["1", "2"]).is_none());
        assert!(Columns::new("id,amount".split(','), "name").row(vec!["1", "2", "3"]).is_none());
    }
}
