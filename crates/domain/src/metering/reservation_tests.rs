use super::*;
use crate::plans::MeterDisplay;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn meter(kind: MeterKind) -> Meter {
    Meter {
        code: MeterCode::parse("words").unwrap(),
        unit: "word".into(),
        scale: 0,
        kind,
        display: MeterDisplay { name: "字".into(), per: 1 },
    }
}

fn reserve(quantity: i64, ttl: TimeDelta) -> Reserve {
    let wanted = Consume {
        account: AccountId::from_uuid(uuid::Uuid::nil()),
        meter: MeterCode::parse("words").unwrap(),
        quantity: Quantity::atoms(quantity),
        key: UsageKey::parse("k").unwrap(),
        occurred_at: None,
        dimensions: Dimensions::default(),
        user: None,
        api_key: None,
        key_is_limited: false,
    };
    Reserve { wanted, ttl }
}

fn reservation(ended: Option<Ended>) -> Reservation {
    Reservation {
        id: ReservationId::new(at(0)),
        account: AccountId::from_uuid(uuid::Uuid::nil()),
        key: "k".into(),
        fingerprint: String::new(),
        meter: MeterCode::parse("words").unwrap(),
        quantity: Quantity::atoms(10),
        period_start: at(0),
        user: None,
        api_key: None,
        dimensions: Dimensions::default(),
        parts: Vec::new(),
        created_at: at(0),
        expires_at: at(60),
        ended,
    }
}

#[test]
fn a_reservation_lives_from_one_second_to_a_day() {
    let milli = TimeDelta::milliseconds(1);
    for (ttl, fits) in
        [(MIN_TTL - milli, false), (MIN_TTL, true), (DEFAULT_TTL, true), (MAX_TTL, true), (MAX_TTL + milli, false)]
    {
        assert_eq!(reserve(1, ttl).admit(&meter(MeterKind::Counter)).is_ok(), fits, "{ttl}");
    }
}

#[test]
fn only_a_counter_and_only_more_than_nothing_can_be_reserved() {
    assert!(reserve(1, DEFAULT_TTL).admit(&meter(MeterKind::Gauge)).is_err());
    for quantity in [0, -1, i64::MAX, i64::MIN] {
        assert!(reserve(quantity, DEFAULT_TTL).admit(&meter(MeterKind::Counter)).is_err(), "{quantity}");
    }
}

#[test]
fn a_capture_is_above_zero_and_bounded() {
    let most = i64::try_from(MAX_ATOMS).unwrap();
    for (quantity, fits) in [(0, false), (-1, false), (1, true), (most, true), (most + 1, false), (i64::MAX, false)] {
        assert_eq!(Ending::Capture(Quantity::atoms(quantity)).admit().is_ok(), fits, "{quantity}");
    }
}

#[test]
fn it_is_due_at_its_expiry_and_not_before() {
    assert!(!reservation(None).is_due(at(59)));
    assert!(reservation(None).is_due(at(60)));
}

#[test]
fn another_time_to_live_is_another_content() {
    assert_ne!(reserve(1, MIN_TTL).fingerprint(), reserve(1, MAX_TTL).fingerprint());
    assert_ne!(reserve(1, MIN_TTL).fingerprint(), reserve(2, MIN_TTL).fingerprint());
    assert_eq!(reserve(1, MIN_TTL).fingerprint(), reserve(1, MIN_TTL).fingerprint());
}

#[test]
fn no_client_can_use_the_key_of_a_capture() {
    let id = ReservationId::new(at(0));
    let key = UsageKey::of_reservation(id);
    assert_eq!(UsageKey::parse(key.as_str()), None);
    assert_eq!(UsageKey::reservation(key.as_str()), Some(id));
    assert_eq!(UsageKey::reservation(&id.to_string()), None);
}

#[test]
fn only_the_same_end_under_the_same_key_is_a_repetition() {
    let ended = Ended {
        status: ReservationStatus::Captured,
        at: at(1),
        key: Some("end".into()),
        captured: Quantity::atoms(10),
        shortfall: Quantity::atoms(2),
        usage: None,
    };
    let captured = reservation(Some(ended));
    let end = |how, key: Option<&str>| End {
        account: captured.account,
        reservation: captured.id,
        how,
        key: key.map(str::to_owned),
    };
    let capture = |atoms| Ending::Capture(Quantity::atoms(atoms));
    for (end, repeats) in [
        (end(capture(12), Some("end")), true),
        (end(capture(12), Some("other")), false),
        (end(capture(12), None), false),
        (end(capture(10), Some("end")), false),
        (end(Ending::Release, Some("end")), false),
        (end(Ending::Expire, Some("end")), false),
    ] {
        assert_eq!(captured.ended_by(&end), repeats, "{end:?}");
    }
}
