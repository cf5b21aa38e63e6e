//! Tests of the chain of audit rows: whatever is done to it afterwards is found, at the first place.

use super::*;
use proptest::prelude::*;

fn row(number: u128) -> ChainRow {
    ChainRow {
        position: 0,
        id: Uuid::from_u128(number),
        account: number.is_multiple_of(2).then(|| Uuid::from_u128(7)),
        actor_user: Some(Uuid::from_u128(8)),
        actor_key: None,
        action: "grant.give".to_owned(),
        target: format!("grt_{number}"),
        detail: "{\"meter\":\"words\"}".to_owned(),
        created_at_micros: 1_800_000_000_000_000,
        previous_hash: String::new(),
        hash: String::new(),
    }
}

fn start() -> ChainHead {
    ChainHead { position: 0, hash: GENESIS.to_owned(), unchained: 0 }
}

fn chain(length: u128) -> (Vec<ChainRow>, ChainHead) {
    let mut head = start();
    let rows = (1..=length)
        .map(|number| {
            let row = row(number).chained(&head);
            head = head.after(&row);
            row
        })
        .collect();
    (rows, head)
}

fn check(rows: &[ChainRow], head: &ChainHead) -> Result<(), Broken> {
    let mut check = ChainCheck::default();
    rows.iter().try_for_each(|row| check.row(row))?;
    check.finish(head, 0)
}

#[test]
fn an_untouched_chain_is_in_order_and_so_is_an_empty_one() {
    let (rows, head) = chain(5);
    assert_eq!(check(&rows, &head), Ok(()));
    assert_eq!(check(&[], &start()), Ok(()));
}

#[test]
fn a_changed_row_is_named_even_when_its_own_hash_was_made_anew() {
    let (mut rows, head) = chain(5);
    rows[2].detail.push(' ');
    assert_eq!(check(&rows, &head), Err(Broken::Changed { position: 3, id: AuditId::from_uuid(rows[2].id) }));
    rows[2].hash = rows[2].proper_hash();
    assert_eq!(check(&rows, &head), Err(Broken::Unlinked { position: 4, id: AuditId::from_uuid(rows[3].id) }));
}

#[test]
fn a_row_taken_out_is_missed_also_at_the_end() {
    let (mut rows, head) = chain(5);
    let last = rows.pop().unwrap();
    assert_eq!(check(&rows, &head), Err(Broken::Head { position: 4, head: 5 }));
    rows.push(last);
    rows.remove(1);
    assert_eq!(check(&rows, &head), Err(Broken::Missing { position: 2 }));
}

#[test]
fn two_rows_that_change_places_are_found_at_the_first_of_them() {
    let (mut rows, head) = chain(5);
    rows.swap(1, 3);
    (rows[1].position, rows[3].position) = (2, 4);
    assert_eq!(check(&rows, &head), Err(Broken::Changed { position: 2, id: AuditId::from_uuid(rows[1].id) }));
}

#[test]
fn a_row_beside_the_chain_is_counted() {
    let (rows, head) = chain(2);
    let mut walk = ChainCheck::default();
    rows.iter().try_for_each(|row| walk.row(row)).unwrap();
    assert_eq!(walk.finish(&head, 1), Err(Broken::Unchained { found: 1, known: 0 }));
}

#[test]
fn a_chain_that_was_made_anew_from_some_row_on_is_not_the_one_that_was_noted() {
    let (noted, head) = chain(3);
    let mut forged = noted.clone();
    forged[1].target = "grt_x".to_owned();
    let mut last = start();
    for row in &mut forged {
        *row = row.clone().chained(&last);
        last = last.after(row);
    }
    assert_eq!(check(&forged, &last), Ok(()));
    let mut walk = ChainCheck::expecting(head.position, head.hash.clone());
    assert_eq!(forged.iter().try_for_each(|row| walk.row(row)), Err(Broken::Noted { position: 3 }));
    let mut short = ChainCheck::expecting(head.position, head.hash);
    noted[..2].iter().try_for_each(|row| short.row(row)).unwrap();
    assert_eq!(
        short.finish(&ChainHead { position: 2, hash: noted[1].hash.clone(), unchained: 0 }, 0),
        Err(Broken::Missing { position: 3 })
    );
}

proptest! {
    #[test]
    fn fields_cannot_lend_each_other_letters(action in ".{0,12}", target in ".{0,12}", cut in 0_usize..12) {
        let one = ChainRow { action: action.clone(), target: target.clone(), ..row(1) };
        let whole = format!("{action}{target}");
        let cut = (0..=cut.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at)).unwrap();
        let other = ChainRow { action: whole[..cut].to_owned(), target: whole[cut..].to_owned(), ..row(1) };
        prop_assert_eq!(one.proper_hash() == other.proper_hash(), one == other);
    }

    #[test]
    fn any_change_of_any_stored_row_is_found(length in 1_usize..8, at in 0_usize..8, what in 0..7) {
        let (mut rows, head) = chain(length as u128);
        let row = &mut rows[at % length];
        match what {
            0 => row.action.push('x'),
            1 => row.target.push('x'),
            2 => row.detail.push('x'),
            3 => row.created_at_micros += 1,
            4 => row.actor_user = None,
            5 => row.account = Some(Uuid::from_u128(99)),
            _ => row.actor_key = Some(Uuid::from_u128(99)),
        }
        let found = check(&rows, &head);
        let changed_position = rows[at % length].position;
        let expected = Broken::Changed { position: changed_position, id: AuditId::from_uuid(rows[at % length].id) };
        prop_assert_eq!(found, Err(expected));
    }
}
