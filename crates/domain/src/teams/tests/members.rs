//! Whoever joins, is let in, leaves or is removed.

use super::*;

#[pollster::test]
async fn the_teams_code_makes_one_wait_and_an_open_team_makes_one_a_member() {
    for (policy, expected) in
        [(JoinPolicy::Approval, MembershipStatus::Pending), (JoinPolicy::Open, MembershipStatus::Active)]
    {
        let mut cast = cast();
        cast.team.join_policy = policy;
        let mut work = unthrottled(heard(cast.work()));
        work.members.expect_count().returning(|_, _| Ok(1));
        work.members.expect_insert().once().withf(move |m| m.status == expected).returning(|_| Ok(()));
        let store = once(work);
        let joined = service(&store, 2).join(&cast.stranger.as_actor(), "123456").await.unwrap();
        assert_eq!((joined.membership.status, store.commits()), (expected, 1));
    }
}

#[pollster::test]
async fn a_full_team_takes_nobody_and_a_wrong_code_is_counted_and_not_found() {
    let mut cast = cast();
    cast.team.join_policy = JoinPolicy::Open;
    let mut work = unthrottled(cast.work());
    work.members.expect_count().returning(|_, _| Ok(3));
    let store = once(work);
    let answer = service(&store, 3).join(&cast.stranger.as_actor(), "123456").await;
    assert!(matches!(answer, Err(Error::Conflict { code: "no_seat_left", .. })));
    assert_eq!(store.commits(), 0);

    let mut work = unthrottled(cast.work());
    work.throttles.expect_insert().times(2).returning(|_| Ok(()));
    let store = once(work);
    let actor = Actor { ip: "10.0.0.1".parse().ok(), ..cast.stranger.as_actor() };
    assert!(matches!(service(&store, 3).join(&actor, "000000").await, Err(Error::NotFound("team"))));
    assert_eq!(store.commits(), 1, "the failure is kept");
    assert!(matches!(service(&store, 3).join(&actor, "12345").await, Err(Error::Invalid(_))));
}

#[pollster::test]
async fn who_guessed_too_often_is_not_heard_even_with_the_right_code() {
    let cast = cast();
    let mut work = cast.work();
    let locked = |key: &ThrottleKey| {
        let first = LoginThrottle::first_failure(key.clone(), now());
        Ok(Some((0..5).fold(first, |throttle, _| throttle.after_failure(now()))))
    };
    work.throttles.expect_lock().returning(locked);
    work.throttles.expect_find().returning(locked);
    let store = once(work);
    let answer = service(&store, 3).join(&cast.stranger.as_actor(), "123456").await;
    assert!(matches!(answer, Err(Error::RateLimited { retry_after_seconds: 1.. })), "{answer:?}");
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn an_invitation_makes_one_a_member_in_its_role_and_is_used_up_by_it() {
    let cast = cast();
    let open = Invitation { role: MemberRole::Admin, ..samples::invitation(cast.account.id, cast.owner.id) };
    let (found, code, stranger) = (open.clone(), open.code.clone(), cast.stranger.id);
    let mut work = unthrottled(heard(cast.work()));
    work.invitations.expect_find_by_code().returning(move |_| Ok(Some(found.clone())));
    let used = move |i: &Invitation| i.accepted_by == Some(stranger) && i.email.is_none();
    work.invitations.expect_save().once().withf(used).returning(|_| Ok(()));
    work.members.expect_count().returning(|_, _| Ok(2));
    let joined = move |m: &Membership| m.role == MemberRole::Admin && m.is_active() && m.invitation == Some(open.id);
    work.members.expect_insert().once().withf(joined).returning(|_| Ok(()));
    let store = once(work);
    service(&store, 3).join(&cast.stranger.as_actor(), &code).await.unwrap();
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn an_invitation_that_ended_is_a_wrong_code() {
    let cast = cast();
    let open = samples::invitation(cast.account.id, cast.owner.id);
    for ended in
        [open.revoked(now()), open.accepted(cast.member.id, now()), Invitation { expires_at: now(), ..open.clone() }]
    {
        let mut work = unthrottled(cast.work());
        work.invitations.expect_find_by_code().returning(move |_| Ok(Some(ended.clone())));
        work.throttles.expect_insert().returning(|_| Ok(()));
        let answer = service(&once(work), 3).join(&cast.stranger.as_actor(), &open.code).await;
        assert!(matches!(answer, Err(Error::NotFound("team"))));
    }
}

#[pollster::test]
async fn an_approval_needs_a_seat_and_somebody_who_asked() {
    let cast = cast();
    let asked = Membership::asked(cast.account.id, cast.stranger.id, now());
    for (seats, found, fits) in [(4, Some(asked.clone()), true), (3, Some(asked.clone()), false), (4, None, false)] {
        let mut work = heard(cast.work());
        work.members.checkpoint();
        work.members.expect_find().returning(move |_, _| Ok(found.clone()));
        work.members.expect_count().returning(|_, _| Ok(3));
        work.members.expect_save().times(usize::from(fits)).withf(Membership::is_active).returning(|_| Ok(()));
        let store = once(work);
        let answer = service(&store, seats).approve(&cast.admin.as_actor(), cast.team.id, cast.stranger.id).await;
        assert_eq!((answer.is_ok(), store.commits()), (fits, usize::from(fits)));
    }
}

#[pollster::test]
async fn a_removal_ends_the_membership_and_the_keys_on_the_account_together() {
    let cast = cast();
    let (account, member) = (cast.account.id, cast.member.id);
    for leaving in [false, true] {
        let mut work = heard(cast.work());
        let ended = move |m: &Membership| m.user == member && m.removed_at == Some(now()) && !m.is_active();
        work.members.expect_save().once().withf(ended).returning(|_| Ok(()));
        let keys = move |user: &UserId, on: &Option<_>, _: &_| *user == member && *on == Some(account);
        work.api_keys.expect_revoke_all().once().withf(keys).returning(|_, _, _| Ok(2));
        let store = once(work);
        let done = if leaving {
            service(&store, 3).leave(&cast.member.as_actor(), cast.team.id).await
        } else {
            service(&store, 3).remove_member(&cast.admin.as_actor(), cast.team.id, member).await
        };
        assert!(done.is_ok() && store.commits() == 1);
    }
}

#[pollster::test]
async fn the_owner_neither_leaves_nor_is_removed() {
    let cast = cast();
    let (owner, id) = (cast.owner.as_actor(), cast.team.id);
    let conflict = |answer: Result<(), Error>| assert!(matches!(answer, Err(Error::Conflict { .. })), "{answer:?}");
    conflict(service(&once(cast.work()), 3).leave(&owner, id).await);
    conflict(service(&once(cast.work()), 3).remove_member(&owner, id, cast.owner.id).await);
    let operator = Actor { role: Role::Admin, ..cast.stranger.as_actor() };
    conflict(service(&once(cast.work()), 3).remove_member(&operator, id, cast.owner.id).await);
    let as_admin = MemberChange { role: Some(MemberRole::Admin), ..MemberChange::default() };
    conflict(service(&once(cast.work()), 3).change_member(&owner, id, cast.owner.id, as_admin).await);
}
