//! People who want the same thing of a team at the same moment; every round also checks the books.

use super::rounds;
use domain::accounts::MemberRole;
use domain::actor::Actor;
use domain::error::{Error, Result};
use domain::id::UserId;
use domain::metering::MemberQuota;
use domain::teams::{InvitationWish, JoinPolicy, MembershipStatus};
use harness::crew::Crew;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::Scene;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const JOINERS: usize = 50;
const SEATS: u32 = 3;
/// How often somebody asks again who was told that the server is busy.
const TRIES: usize = 20;
/// How many consume at once while the member is removed.
const CONSUMERS: usize = 4;

async fn all<T: Send + 'static>(racers: Vec<impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let racers = racers.into_iter().map(tokio::spawn);
    futures_util::future::join_all(racers).await.into_iter().map(|racer| racer.unwrap()).collect()
}

fn joining(scene: &Arc<Scene>, actor: &Actor, code: &str) -> impl Future<Output = Result<()>> + Send + use<> {
    let (scene, actor, code) = (scene.clone(), actor.clone(), code.to_owned());
    async move {
        for _ in 0..TRIES {
            match scene.services.teams.join(&actor, &code).await {
                // Collided too often: over HTTP that is 503, and a client comes again.
                Err(Error::Unavailable | Error::Store(_)) => tokio::task::yield_now().await,
                joined => return joined.map(drop),
            }
        }
        scene.services.teams.join(&actor, &code).await.map(drop)
    }
}

fn active(members: &[MemberQuota]) -> Vec<UserId> {
    let active = members.iter().filter(|member| member.membership.is_active());
    active.map(|member| member.membership.user).collect()
}

async fn the_last_seats_are_taken_once(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    let (owner, joiners) = (scene.people(1).await.remove(0), scene.people(JOINERS).await);
    for round in 0..rounds() {
        let crew = scene.crew(&owner, SEATS, JoinPolicy::Open).await;
        let outcomes = all(joiners.iter().map(|joiner| joining(&scene, joiner, &crew.code)).collect()).await;
        let seated = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(seated, SEATS as usize - 1, "round {round}");
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(matches!(refused, Error::Conflict { code: "no_seat_left", .. }), "round {round}: {refused:?}");
        }
        assert_eq!(active(&scene.members(&crew).await).len(), SEATS as usize, "round {round}");
        scene.services.teams.delete(&owner, crew.team).await.unwrap();
    }
}

db_test!(last_seat, the_last_seats_are_taken_once);

async fn one_invitation_lets_one_person_in_and_one_request_is_one_row(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    let owner = scene.people(1).await.remove(0);
    let crew = scene.crew(&owner, 100, JoinPolicy::Approval).await;
    let wish = InvitationWish { email: None, role: MemberRole::Member };
    for round in 0..rounds() {
        let pair = scene.people(2).await;
        let code = scene.services.teams.invite(&owner, crew.team, wish.clone()).await.unwrap().code;
        let outcomes = all(pair.iter().map(|joiner| joining(&scene, joiner, &code)).collect()).await;
        let lost: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert!(matches!(lost[..], [Error::NotFound("team")]), "round {round}: {lost:?}");
        // The same user twice, with the team's own code.
        let guest = scene.people(1).await.remove(0);
        for outcome in all(vec![joining(&scene, &guest, &crew.code), joining(&scene, &guest, &crew.code)]).await {
            outcome.unwrap();
        }
        let members = scene.services.store.members();
        let keys: Vec<_> = pair.iter().map(|actor| (crew.account, actor.user)).collect();
        let entered = members.find_many(&keys).await.unwrap();
        assert_eq!(entered.iter().filter(|member| member.is_active()).count(), 1, "round {round}");
        let asked = members.find(crew.account, guest.user).await.unwrap().unwrap();
        assert_eq!(asked.status, MembershipStatus::Pending, "round {round}");
        for user in [entered.iter().find(|member| member.is_active()).unwrap().user, guest.user] {
            scene.services.teams.remove_member(&owner, crew.team, user).await.unwrap();
        }
    }
}

db_test!(same_code, one_invitation_lets_one_person_in_and_one_request_is_one_row);

async fn a_team_handed_over_twice_at_once_has_one_owner(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    let people = scene.people(3).await;
    let crew = scene.crew(&people[0], SEATS, JoinPolicy::Open).await;
    for joiner in &people[1..] {
        scene.services.teams.join(joiner, &crew.code).await.unwrap();
    }
    let mut owner = people[0].clone();
    for round in 0..rounds() {
        let hand_over = |to: &Actor| {
            let (scene, owner, team, to) = (scene.clone(), owner.clone(), crew.team, to.user);
            async move { scene.services.teams.transfer_ownership(&owner, team, to).await }
        };
        let others: Vec<_> = people.iter().filter(|person| person.user != owner.user).collect();
        let outcomes = all(others.iter().map(|to| hand_over(to)).collect()).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "round {round}");
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(matches!(refused, Error::Forbidden(_)), "round {round}: {refused:?}");
        }
        let account = scene.services.store.accounts().find(crew.account).await.unwrap().unwrap();
        let members = scene.members(&crew).await;
        let owners = members.iter().filter(|member| member.membership.role == MemberRole::Owner);
        let owners: Vec<_> = owners.map(|member| member.membership.user).collect();
        assert_eq!(owners, [account.owner], "round {round}");
        owner = people.iter().find(|person| person.user == account.owner).unwrap().clone();
    }
}

db_test!(two_transfers, a_team_handed_over_twice_at_once_has_one_owner);

async fn nothing_is_used_by_a_member_once_the_removal_is_done(fresh: &Fresh) {
    let scene = Arc::new(Scene::new(&fresh.url).await);
    let people = scene.people(2).await;
    let (owner, member) = (people[0].clone(), people[1].clone());
    let crew = scene.crew(&owner, SEATS, JoinPolicy::Approval).await;
    let wish = InvitationWish { email: None, role: MemberRole::Member };
    for round in 0..rounds() {
        let code = scene.services.teams.invite(&owner, crew.team, wish.clone()).await.unwrap().code;
        scene.services.teams.join(&member, &code).await.unwrap();
        let removed = Arc::new(AtomicBool::new(false));
        let consumers = (0..CONSUMERS).map(|consumer| {
            let (scene, crew, user, removed) = (scene.clone(), crew.clone(), member.user, removed.clone());
            tokio::spawn(async move { consume_until_refused(&scene, &crew, user, (round, consumer), &removed).await })
        });
        let consumers: Vec<_> = consumers.collect();
        scene.services.teams.remove_member(&owner, crew.team, member.user).await.unwrap();
        removed.store(true, Ordering::SeqCst);
        for consumer in consumers {
            consumer.await.unwrap();
        }
        let pool = scene.quota(crew.account, "words").await.used.as_atoms();
        assert_eq!(scene.sum_of_members(&crew, "words").await, pool, "round {round}");
    }
}

/// What begins after the removal is done must be refused; what began before may be either.
async fn consume_until_refused(scene: &Scene, crew: &Crew, user: UserId, at: (usize, usize), removed: &AtomicBool) {
    for use_number in 0.. {
        let after = removed.load(Ordering::SeqCst);
        let command = crew.command(user, "words", 1, &format!("{at:?}-{use_number}"));
        let outcome = scene.consume_one(command).await;
        assert!(!(after && outcome.is_ok()), "{at:?}: used after the removal");
        if outcome.is_err() {
            return;
        }
    }
}

db_test!(removal_against_consume, nothing_is_used_by_a_member_once_the_removal_is_done);
