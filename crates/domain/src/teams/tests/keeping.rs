//! What becomes of a team: allocations, its owner, its code, its end.

use super::*;

#[pollster::test]
async fn allocations_are_read_in_their_meters_decimals_and_lifted_by_null() {
    let cast = cast();
    let wish = |meter: &str, text: Option<&str>| MemberChange {
        allocations: [(meter.to_owned(), text.map(str::to_owned))].into(),
        ..MemberChange::default()
    };
    for (text, atoms) in [(Some("1.5"), Some(150_000)), (Some("0"), Some(0)), (None, None)] {
        let mut work = heard(cast.work());
        let right = move |_: &_, _: &_, meter: &str, quantity: &Option<Quantity>| {
            meter == "traffic" && quantity.map(Quantity::as_atoms) == atoms
        };
        work.members.expect_allocate().once().withf(right).returning(|_, _, _, _| Ok(()));
        let store = once(work);
        let service = service(&store, 3);
        service
            .change_member(&cast.admin.as_actor(), cast.team.id, cast.member.id, wish("traffic", text))
            .await
            .unwrap();
        assert_eq!(store.commits(), 1);
    }
    for (meter, text) in [("traffic", "-1"), ("traffic", "0.000001"), ("traffic", "1e3"), ("unknown", "1")] {
        let store = Arc::new(MockStore::default());
        let service = service(&store, 3);
        let answer =
            service.change_member(&cast.admin.as_actor(), cast.team.id, cast.member.id, wish(meter, Some(text))).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{meter} {text}");
    }
}

#[pollster::test]
async fn a_team_is_handed_to_an_active_member_and_its_former_owner_stays_as_admin() {
    let cast = cast();
    let (owner, next) = (cast.owner.id, cast.member.clone());
    let mut work = heard(cast.work());
    work.users.expect_find().returning(move |_| Ok(Some(next.clone())));
    let next = cast.member.id;
    let roles = move |m: &Membership| {
        (m.user == owner && m.role == MemberRole::Admin) || (m.user == next && m.role == MemberRole::Owner)
    };
    work.members.expect_save().times(2).withf(roles).returning(|_| Ok(()));
    work.members.expect_count().returning(|_, _| Ok(3));
    work.accounts.expect_save().once().withf(move |account| account.owner == next).returning(|_| Ok(()));
    let store = once(work);
    service(&store, 3).transfer_ownership(&cast.owner.as_actor(), cast.team.id, next).await.unwrap();
    assert_eq!(store.commits(), 1);
    let (owner, stranger) = (cast.owner.as_actor(), cast.stranger.id);
    let answer = service(&once(cast.work()), 3).transfer_ownership(&owner, cast.team.id, stranger).await;
    assert!(matches!(answer, Err(Error::NotFound("member"))));
}

#[pollster::test]
async fn a_deletion_ends_members_keys_and_invitations_and_freezes_the_account() {
    let cast = cast();
    let mut work = heard(cast.work());
    work.teams.expect_save().once().withf(|t| !t.exists() && t.invite_code.is_none()).returning(|_| Ok(()));
    work.members.expect_end_all().once().returning(|_, _| Ok(()));
    work.invitations.expect_end_all().once().returning(|_, _| Ok(()));
    work.api_keys.expect_revoke_of_account().once().returning(|_, _| Ok(3));
    let frozen = |account: &Account| account.status == crate::accounts::AccountStatus::Frozen;
    work.accounts.expect_save().once().withf(frozen).returning(|_| Ok(()));
    let store = once(work);
    service(&store, 3).delete(&cast.owner.as_actor(), cast.team.id).await.unwrap();
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn a_taken_team_code_is_a_conflict_and_an_odd_one_is_invalid() {
    let cast = cast();
    let mut work = cast.work();
    work.accounts.expect_save().returning(|_| Ok(()));
    work.teams.expect_save().returning(|_| Err(StoreError::Duplicate));
    let change = |code: &str| TeamChange { team_code: Change::Set(code.to_owned()), ..TeamChange::default() };
    let (admin, id) = (cast.admin.as_actor(), cast.team.id);
    let answer = service(&once(work), 3).update(&admin, id, change("Writers-1")).await;
    assert!(matches!(answer, Err(Error::Conflict { .. })), "{answer:?}");
    for code in ["ab", "a b", "写作组", &"a".repeat(51)] {
        let answer = service(&Arc::new(MockStore::default()), 3).update(&admin, id, change(code)).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{code}");
    }
}

#[pollster::test]
async fn an_accepted_invitation_is_not_revoked_and_an_open_one_is_told_without_its_secrets() {
    let cast = cast();
    let accepted = samples::invitation(cast.account.id, cast.owner.id).accepted(cast.member.id, now());
    let mut work = cast.work();
    work.invitations.expect_find().returning(move |_, _| Ok(Some(accepted.clone())));
    let store = once(work);
    let which = InvitationId::new(now());
    let answer = service(&store, 3).revoke_invitation(&cast.admin.as_actor(), cast.team.id, which).await;
    assert!(matches!(answer, Err(Error::Conflict { .. })));

    let mut work = cast.work();
    work.invitations.expect_count_open().returning(|_, _| Ok(199));
    work.invitations.expect_insert().once().returning(|_| Ok(()));
    work.audit.expect_append().returning(|_| Ok(()));
    let quiet = |events: &[crate::outbox::Event]| !events[0].payload.to_string().contains("example.cn");
    work.outbox.expect_push().once().withf(quiet).returning(|_| Ok(()));
    let store = once(work);
    let wish = InvitationWish { email: Email::parse("li@example.cn").ok(), role: MemberRole::Member };
    let made = service(&store, 3).invite(&cast.admin.as_actor(), cast.team.id, wish).await.unwrap();
    assert_eq!((made.code.len(), made.is_open(now()), store.commits()), (32, true, 1));
}

#[pollster::test]
async fn a_paid_bill_activates_a_suspended_team_once_and_no_personal_account() {
    let cast = cast();
    let mut work = cast.work();
    work.teams.expect_save().once().withf(|team| team.status == TeamStatus::Active).returning(|_| Ok(()));
    work.outbox.expect_push().once().returning(|_| Ok(()));
    activate(&work, &cast.account, now()).await.unwrap();
    let mut active = MockWork::default();
    let team = cast.team.activated(now()).unwrap();
    active.teams.expect_of_accounts().returning(move |_| Ok(vec![team.clone()]));
    activate(&active, &cast.account, now()).await.unwrap();
    let personal = Account::personal(cast.account.id, cast.owner.id, "own".to_owned(), now());
    activate(&MockWork::default(), &personal, now()).await.unwrap();
    assert_eq!(active_members(&MockWork::default(), &personal).await.unwrap(), 0);
}
