//! What operators do to users.

use super::*;

fn operating(target: &User, roots: Vec<UserId>) -> MockWork {
    let mut work = MockWork::default();
    let locked = target.clone();
    work.users.expect_lock_roots().returning(move || Ok(roots.clone()));
    work.users.expect_lock().returning(move |_| Ok(Some(locked.clone())));
    work.users.expect_save().returning(|_| Ok(()));
    work.audit.expect_append().returning(|_| Ok(()));
    work
}

async fn order(actor: &User, target: &User, work: MockWork, order: UserOrder) -> crate::error::Result<User> {
    let store = Arc::new(MockStore::default().beginning(work));
    OperatorService { store, clock: clock() }.update_user(&actor.as_actor(), target.id, order).await
}

fn role(role: Role) -> UserOrder {
    UserOrder { role: Some(role), ..UserOrder::default() }
}

fn disable() -> UserOrder {
    UserOrder { status: Some(UserStatus::Disabled), ..UserOrder::default() }
}

#[pollster::test]
async fn disabling_a_user_ends_sessions_and_keys() {
    let (admin, user) = (User { role: Role::Admin, ..samples::user("admin") }, samples::user("user"));
    let mut work = operating(&user, vec![]);
    work.sessions.expect_end_all().times(1).returning(|_, _| Ok(()));
    work.api_keys.expect_revoke_all().times(1).returning(|_, _, _| Ok(2));
    assert!(!order(&admin, &user, work, disable()).await.unwrap().may_act());
}

#[pollster::test]
async fn who_is_no_operator_any_more_loses_the_keys_that_only_operators_have() {
    let root = User { role: Role::Root, ..samples::user("root") };
    let admin = User { role: Role::Admin, ..samples::user("admin") };
    for (next, revoked) in [(Role::User, 1), (Role::Root, 0)] {
        let mut work = operating(&admin, vec![root.id]);
        work.api_keys.expect_revoke_operating().times(revoked).returning(|_, _| Ok(1));
        assert!(order(&root, &admin, work, role(next)).await.is_ok());
    }
}

#[pollster::test]
async fn only_a_root_gives_roles_and_an_admin_does_not_touch_equals() {
    let admin = User { role: Role::Admin, ..samples::user("admin") };
    let (user, other) = (samples::user("user"), User { role: Role::Admin, ..samples::user("other") });
    let gives = order(&admin, &user, operating(&user, vec![]), role(Role::Admin)).await;
    let touches = order(&admin, &other, operating(&other, vec![]), disable()).await;
    assert!(matches!(gives, Err(Error::Forbidden(_))) && matches!(touches, Err(Error::Forbidden(_))));
    let root = User { role: Role::Root, ..samples::user("root") };
    assert!(order(&root, &user, operating(&user, vec![root.id]), role(Role::Admin)).await.is_ok());
}

#[pollster::test]
async fn the_last_root_can_neither_step_down_nor_be_disabled() {
    let root = User { role: Role::Root, ..samples::user("root") };
    for change in [role(Role::User), disable()] {
        let answer = order(&root, &root, operating(&root, vec![root.id]), change).await;
        assert!(matches!(answer, Err(Error::Conflict { .. })));
    }
    let another = UserId::new(samples::created_at());
    let mut work = operating(&root, vec![root.id, another]);
    work.api_keys.expect_revoke_operating().times(1).returning(|_, _| Ok(0));
    let answer = order(&root, &root, work, role(Role::User)).await;
    assert!(answer.is_ok());
}

#[pollster::test]
async fn customers_are_no_operators() {
    let user = samples::user("user");
    assert!(matches!(order(&user, &user, MockWork::default(), disable()).await, Err(Error::Forbidden(_))));
}
