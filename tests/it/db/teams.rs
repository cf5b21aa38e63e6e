//! Teams, memberships, allocations and invitations in the database.

use chrono::{DateTime, TimeDelta, Utc};
use domain::accounts::{Account, MemberRole};
use domain::id::{AccountId, InvitationId, UserId};
use domain::identity::{KeyAllowance, TokenKind, samples as people};
use domain::page::PageRequest;
use domain::quantity::Quantity;
use domain::store::{Repositories, Store, StoreError, UnitOfWork};
use domain::teams::{Invitation, JoinPolicy, Membership, MembershipStatus, Team, samples};
use harness::db_test;
use infra::db::Database;

fn now() -> DateTime<Utc> {
    samples::founded_at() + TimeDelta::microseconds(123_456)
}

async fn begin(database: &Database) -> Box<dyn UnitOfWork> {
    database.begin().await.unwrap()
}

async fn insert_team(database: &Database, team: &Team) -> Result<(), StoreError> {
    let work = database.begin().await?;
    work.teams().insert(team).await?;
    work.commit().await
}

async fn insert_members(database: &Database, members: &[Membership]) {
    let work = begin(database).await;
    for member in members {
        work.members().insert(member).await.unwrap();
    }
    work.commit().await.unwrap();
}

fn team() -> (Team, Account, Membership) {
    samples::team(UserId::new(now()))
}

db_test!(a_team_reads_back_whole_by_its_id_account_and_code, async |database: &Database| {
    let (founded, account, _) = team();
    insert_team(database, &founded).await.unwrap();
    assert_eq!(database.teams().find(founded.id).await.unwrap(), Some(founded.clone()));
    assert_eq!(database.teams().find_by_invite_code("123456").await.unwrap(), Some(founded.clone()));
    let changed = Team {
        team_code: Some("writers".to_owned()),
        join_policy: JoinPolicy::Open,
        ..founded.activated(now()).unwrap().with_invite_code("012345".to_owned(), now())
    };
    let work = begin(database).await;
    work.teams().save(&changed).await.unwrap();
    work.commit().await.unwrap();
    let nobody = AccountId::new(now());
    assert_eq!(database.teams().of_accounts(&[account.id, nobody]).await.unwrap(), [changed]);
    assert_eq!(database.teams().find_by_invite_code("123456").await.unwrap(), None);
    assert!(database.teams().of_accounts(&[]).await.unwrap().is_empty());
});

db_test!(codes_are_unique_among_teams_and_free_again_after_a_deletion, async |database: &Database| {
    let (first, second) = (team().0, team().0);
    insert_team(database, &first).await.unwrap();
    assert!(matches!(insert_team(database, &second).await, Err(StoreError::Duplicate)));
    let named = |team: &Team| Team { team_code: Some("a".to_owned()), ..team.clone() };
    let other = named(&second.with_invite_code("654321".to_owned(), now()));
    insert_team(database, &other).await.unwrap();
    let work = begin(database).await;
    assert!(matches!(work.teams().save(&named(&first)).await, Err(StoreError::Duplicate)));
    drop(work);
    let work = begin(database).await;
    work.teams().save(&first.deleted(now())).await.unwrap();
    work.teams().save(&other.deleted(now())).await.unwrap();
    work.commit().await.unwrap();
    insert_team(database, &team().0).await.unwrap();
});

db_test!(a_membership_reads_back_with_its_allocations_alone_and_among_others, async |database: &Database| {
    let (_, account, owner) = team();
    let mut member = samples::member(account.id, UserId::new(now()), MemberRole::Admin);
    member.invited_by = Some(owner.user);
    member.invitation = Some(InvitationId::new(now()));
    insert_members(database, &[owner.clone(), member.clone()]).await;
    let ended = member.ended(now());
    let work = begin(database).await;
    work.members().save(&ended).await.unwrap();
    for (meter, quantity) in
        [("words", Some(5)), ("words", Some(100_000)), ("cu", Some(0)), ("storage", Some(1)), ("storage", None)]
    {
        let quantity = quantity.map(Quantity::atoms);
        work.members().allocate(account.id, ended.user, meter, quantity).await.unwrap();
    }
    work.commit().await.unwrap();
    let allocations = [("cu".to_owned(), Quantity::ZERO), ("words".to_owned(), Quantity::atoms(100_000))];
    let ended = Membership { allocations: allocations.into(), ..ended };
    assert_eq!(database.members().find(account.id, ended.user).await.unwrap(), Some(ended.clone()));
    let stranger = UserId::new(now());
    let pairs = [owner.user, ended.user, stranger].map(|user| (account.id, user));
    let mut found = database.members().find_many(&pairs).await.unwrap();
    found.sort_by_key(|found| found.user);
    let mut expected = vec![owner, ended];
    expected.sort_by_key(|member| member.user);
    assert_eq!(found, expected);
    assert!(database.members().find_many(&[]).await.unwrap().is_empty());
});

db_test!(only_an_active_member_has_a_role_on_the_account, async |database: &Database| {
    let (_, account, owner) = team();
    let asked = Membership::asked(account.id, UserId::new(now()), now());
    let left = samples::member(account.id, UserId::new(now()), MemberRole::Admin).ended(now());
    insert_members(database, &[owner.clone(), asked.clone(), left.clone()]).await;
    let role = async |account, user| database.memberships().role_on(account, user).await.unwrap();
    assert_eq!(role(account.id, owner.user).await, Some(MemberRole::Owner));
    for user in [asked.user, left.user, UserId::new(now())] {
        assert_eq!(role(account.id, user).await, None);
    }
    assert_eq!(role(AccountId::new(now()), owner.user).await, None);
});

db_test!(members_are_counted_and_listed_by_status_and_by_user, async |database: &Database| {
    let (_, account, owner) = team();
    let (_, other, _) = team();
    let asked = Membership::asked(account.id, owner.user, now());
    let mut everybody = vec![owner.clone()];
    everybody.extend((0..4).map(|_| Membership::asked(account.id, UserId::new(now()), now())));
    insert_members(database, &everybody).await;
    insert_members(database, &[Membership { account: other.id, ..asked }]).await;
    let count = async |status| database.members().count(account.id, status).await.unwrap();
    assert_eq!((count(MembershipStatus::Active).await, count(MembershipStatus::Pending).await), (1, 4));
    assert_eq!(database.members().count_owned(owner.user).await.unwrap(), 1);
    let pending = Some(MembershipStatus::Pending);
    let first = database.members().list(account.id, pending, PageRequest { limit: 3, before: None }).await.unwrap();
    let rest = PageRequest { limit: 3, before: first.next };
    let second = database.members().list(account.id, pending, rest).await.unwrap();
    assert_eq!((first.rows.len(), second.rows.len(), second.next), (3, 1, None));
    assert!(first.rows.windows(2).all(|pair| pair[0].user > pair[1].user));
    let mine = database.members().list_of_user(owner.user, PageRequest::default()).await.unwrap().rows;
    let mine: Vec<_> = mine.iter().map(|member| member.account).collect();
    let mut newest_first = [other.id, account.id];
    newest_first.sort_by(|one, two| two.cmp(one));
    assert_eq!(mine, newest_first);
    let work = begin(database).await;
    work.members().end_all(account.id, now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(database.members().count(account.id, MembershipStatus::Removed).await.unwrap(), 5);
    assert_eq!(database.members().count_owned(owner.user).await.unwrap(), 0);
    let mine = database.members().list_of_user(owner.user, PageRequest::default()).await.unwrap().rows;
    assert_eq!(mine.len(), 1, "the other team's row is not touched");
});

db_test!(an_invitation_reads_back_and_ends_without_its_address, async |database: &Database| {
    let (_, account, owner) = team();
    let open = samples::invitation(account.id, owner.user);
    let accepted = Invitation {
        id: InvitationId::new(now() + TimeDelta::seconds(1)),
        code: "ff".repeat(16),
        ..open.accepted(UserId::new(now()), now())
    };
    let work = begin(database).await;
    for invitation in [&open, &accepted] {
        work.invitations().insert(invitation).await.unwrap();
    }
    let again = Invitation { id: InvitationId::new(now()), ..open.clone() };
    work.commit().await.unwrap();
    let work = begin(database).await;
    assert!(matches!(work.invitations().insert(&again).await, Err(StoreError::Duplicate)));
    drop(work);
    let invitations = database.invitations();
    assert_eq!(invitations.find_by_code(&open.code).await.unwrap(), Some(open.clone()));
    assert_eq!(invitations.find(account.id, accepted.id).await.unwrap(), Some(accepted.clone()));
    assert_eq!(invitations.find(AccountId::new(now()), open.id).await.unwrap(), None, "another team's");
    assert_eq!(invitations.count_open(account.id, now()).await.unwrap(), 1);
    assert_eq!(invitations.count_open(account.id, open.expires_at).await.unwrap(), 0);
    let page = invitations.list(account.id, PageRequest::default()).await.unwrap();
    assert_eq!(page.rows, [accepted.clone(), open.clone()]);
    let work = begin(database).await;
    work.invitations().end_all(account.id, now()).await.unwrap();
    work.commit().await.unwrap();
    let ended = invitations.find(account.id, open.id).await.unwrap();
    assert_eq!(ended, Some(open.revoked(now())));
    assert_eq!(invitations.find(account.id, accepted.id).await.unwrap(), Some(accepted));
});

db_test!(a_demoted_operator_keeps_the_keys_of_the_own_teams, async |database: &Database| {
    let user = people::user("former");
    let (_, account, owner) = samples::team(UserId::new(now()));
    let (_, left, _) = samples::team(UserId::new(now()));
    let key = |account, byte| {
        let mut key = people::api_key(&user, &people::token(TokenKind::ApiKey, byte));
        key.account = account;
        key.draft.allowance = Some(KeyAllowance {
            meter: "words".to_owned(),
            quantity: Quantity::MAX,
            used: Quantity::ZERO,
            held: Quantity::ZERO,
        });
        key
    };
    let (shared, strange) = (key(account.id, 1), key(left.id, 2));
    let work = begin(database).await;
    work.users().insert(&user).await.unwrap();
    for key in [&shared, &strange] {
        work.api_keys().insert(key).await.unwrap();
    }
    work.members().insert(&owner).await.unwrap();
    work.members().insert(&samples::member(account.id, user.id, MemberRole::Member)).await.unwrap();
    work.members().insert(&samples::member(left.id, user.id, MemberRole::Member).ended(now())).await.unwrap();
    work.commit().await.unwrap();
    let work = begin(database).await;
    assert_eq!(work.api_keys().revoke_operating(user.id, now()).await.unwrap(), 1);
    assert!(work.api_keys().find(user.id, shared.id).await.unwrap().is_some());
    assert!(work.api_keys().find(user.id, strange.id).await.unwrap().is_none());
    assert_eq!(work.api_keys().revoke_of_account(account.id, now()).await.unwrap(), 1);
    assert!(work.api_keys().find(user.id, shared.id).await.unwrap().is_none());
});

db_test!(users_and_accounts_are_found_together, async |database: &Database| {
    let (_, account, _) = team();
    let user = people::user("zhang");
    let long = Account { name: "团".repeat(100), ..account };
    let work = begin(database).await;
    work.users().insert(&user).await.unwrap();
    work.accounts().insert(&long).await.unwrap();
    work.commit().await.unwrap();
    let users = database.users().find_many(&[user.id, UserId::new(now())]).await.unwrap();
    assert_eq!(users, [user]);
    assert_eq!(database.accounts().find_many(&[long.id, AccountId::new(now())]).await.unwrap(), [long]);
    assert!(database.users().find_many(&[]).await.unwrap().is_empty());
});
