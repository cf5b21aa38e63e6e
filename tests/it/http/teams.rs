//! Teams over HTTP: how one is founded, joined, run and left, and what strangers and roles may not.

use harness::app::{Answer, TestApp, User};
use harness::databases::{Fresh, sqlite};
use harness::db_test;
use serde_json::{Value, json};

/// An active team with its owner and whoever joined.
struct Stage {
    app: TestApp,
    owner: User,
    team: String,
    account: String,
    code: String,
}

fn id_of(user: &User) -> String {
    user.customer.actor.user.to_string()
}

impl Stage {
    async fn new(fresh: &Fresh) -> Self {
        let stage = Self::suspended(fresh).await;
        stage.activate(3).await.expect(200);
        stage
    }

    async fn suspended(fresh: &Fresh) -> Self {
        let app = TestApp::new(&fresh.url).await;
        let owner = app.user(None).await;
        let made = app.by(&owner.token).post("/teams", &json!({"name": "Writers"})).await.expect(201);
        let (team, account, code) = (made.text("/id"), made.text("/account"), made.text("/invite_code"));
        Self { app, owner, team, account, code }
    }

    async fn activate(&self, seats: u32) -> Answer {
        let path = format!("/admin/accounts/{}/subscription", self.account);
        self.app.by(&self.app.operator).post(&path, &json!({"plan": "team", "seats": seats})).await
    }

    fn path(&self, rest: &str) -> String {
        format!("/teams/{}{rest}", self.team)
    }

    async fn join(&self, user: &User, code: &str) -> Answer {
        self.app.by(&user.token).post("/teams/join", &json!({"invite_code": code})).await
    }

    async fn approve(&self, by: &User, user: &User) -> Answer {
        self.app.by(&by.token).send("POST", &self.path(&format!("/members/{}/approve", id_of(user))), None).await
    }

    async fn member(&self) -> User {
        let user = self.app.user(None).await;
        self.join(&user, &self.code).await.expect(200);
        self.approve(&self.owner, &user).await.expect(200);
        user
    }

    async fn role(&self, user: &User, role: &str) -> Answer {
        let path = self.path(&format!("/members/{}", id_of(user)));
        self.app.by(&self.owner.token).patch(&path, &json!({"role": role})).await
    }

    async fn members(&self, by: &User) -> Vec<Value> {
        let list = self.app.by(&by.token).get(&self.path("/members")).await.expect(200);
        list.body["data"].as_array().unwrap().clone()
    }
}

db_test!(a_team_is_suspended_until_it_is_paid_for_and_then_its_members_use_it, async |fresh: &Fresh| {
    let stage = Stage::suspended(fresh).await;
    let owner = stage.app.by(&stage.owner.token);
    let team = owner.get(&stage.path("")).await.expect(200);
    assert_eq!(
        (team.text("/status"), team.text("/role"), team.body["members"].clone()),
        ("suspended".to_owned(), "owner".to_owned(), json!(1))
    );
    let words = json!({"meter": "words", "quantity": 1, "key": "k", "account": stage.account});
    let refused = owner.post("/usage", &words).await.expect(402);
    assert_eq!((refused.code().as_str(), refused.text("/raised_by").as_str()), ("subscription_suspended", "owner"));
    let quota = format!("/quota?account={}", stage.account);
    assert_eq!(owner.get(&quota).await.expect(200).text("/status"), "suspended");
    stage.activate(3).await.expect(200);
    owner.post("/usage", &words).await.expect(201);
    let quota = owner.get(&quota).await.expect(200);
    assert_eq!((quota.text("/status"), quota.text("/plan")), ("active".to_owned(), "team".to_owned()));
    let list = owner.get("/teams").await.expect(200);
    let expected = json!({"id": stage.team, "account": stage.account, "name": "Writers", "status": "active",
        "role": "owner", "membership": "active"});
    assert_eq!(list.body, json!({"data": [expected], "next_cursor": null}));
});

db_test!(whoever_comes_with_the_code_waits_for_approval_and_seats_limit_members, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let (one, two, three) = (stage.app.user(None).await, stage.app.user(None).await, stage.app.user(None).await);
    for user in [&one, &two, &three] {
        let asked = stage.join(user, &stage.code).await.expect(200);
        assert_eq!((asked.text("/membership"), asked.text("/id")), ("pending".to_owned(), stage.team.clone()));
        stage.app.by(&user.token).get(&stage.path("")).await.expect(404);
        stage.app.by(&user.token).get(&format!("/quota?account={}", stage.account)).await.expect(404);
    }
    stage.join(&one, &stage.code).await.expect(200);
    assert_eq!(stage.approve(&stage.owner, &one).await.expect(200).text("/status"), "active");
    stage.approve(&stage.owner, &one).await.expect(409);
    stage.join(&one, &stage.code).await.expect(409);
    stage.approve(&one, &two).await.expect(403);
    stage.approve(&stage.owner, &two).await.expect(200);
    assert_eq!(stage.approve(&stage.owner, &three).await.expect(409).code(), "no_seat_left");
    stage.activate(2).await.expect(422);
    stage.activate(4).await.expect(200);
    stage.approve(&stage.owner, &three).await.expect(200);
    let pending = stage.app.by(&stage.owner.token).get(&stage.path("/members?status=pending")).await.expect(200);
    assert_eq!(pending.body["data"], json!([]));
    assert_eq!(stage.members(&stage.owner).await.len(), 4);
});

db_test!(an_invitation_is_good_for_one_and_needs_no_approval, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let owner = stage.app.by(&stage.owner.token);
    let wish = json!({"email": "li@example.cn", "role": "admin"});
    let made = owner.post(&stage.path("/invitations"), &wish).await.expect(201);
    assert_eq!((made.text("/status"), made.text("/email")), ("open".to_owned(), "li@example.cn".to_owned()));
    let (user, late) = (stage.app.user(None).await, stage.app.user(None).await);
    let joined = stage.join(&user, &made.text("/invite_code")).await.expect(200);
    assert_eq!((joined.text("/membership"), joined.text("/role")), ("active".to_owned(), "admin".to_owned()));
    stage.join(&late, &made.text("/invite_code")).await.expect(404);
    // An admin invites members, and admins only the owner.
    let admin = stage.app.by(&user.token);
    admin.post(&stage.path("/invitations"), &json!({"role": "admin"})).await.expect(403);
    let second = admin.post(&stage.path("/invitations"), &json!({})).await.expect(201);
    let revoke = |answer: &Answer| stage.path(&format!("/invitations/{}", answer.text("/id")));
    owner.delete(&revoke(&second)).await.expect(204);
    owner.delete(&revoke(&made)).await.expect(409);
    stage.join(&late, &second.text("/invite_code")).await.expect(404);
    let list = owner.get(&stage.path("/invitations")).await.expect(200);
    let states: Vec<_> = list.body["data"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(
        (states, list.body["data"][1]["email"].clone()),
        (vec![json!("revoked"), json!("accepted")], Value::Null)
    );
});

db_test!(guessing_codes_is_throttled_for_the_user_also_with_the_right_one, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let user = stage.app.user(None).await;
    let wrong = if stage.code == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(stage.join(&user, wrong).await.expect(404).code(), "not_found");
    }
    let locked = stage.join(&user, &stage.code).await.expect(429);
    assert!(locked.header("retry-after").is_some());
    stage.join(&stage.app.user(None).await, &stage.code).await.expect(200);
    for odd in ["12345", "1234567", "abcdef", "１２３４５６", ""] {
        stage.join(&stage.app.user(None).await, odd).await.expect(422);
    }
});

db_test!(a_rotated_code_opens_nothing_any_more, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let owner = stage.app.by(&stage.owner.token);
    let rotated = owner.send("POST", &stage.path("/invite-code/rotate"), None).await.expect(200).text("/invite_code");
    assert!(rotated != stage.code && rotated.len() == 6);
    let user = stage.app.user(None).await;
    stage.join(&user, &stage.code).await.expect(404);
    stage.join(&user, &rotated).await.expect(200);
});

db_test!(members_see_the_team_and_not_what_is_the_admins, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let (member, other) = (stage.member().await, stage.member().await);
    let caller = stage.app.by(&member.token);
    let seen = caller.get(&stage.path("")).await.expect(200);
    assert_eq!((seen.text("/role"), seen.body["invite_code"].clone()), ("member".to_owned(), Value::Null));
    let words = json!({"meter": "words", "quantity": 7, "key": "k", "account": stage.account});
    caller.post("/usage", &words).await.expect(201);
    let members = stage.members(&member).await;
    assert_eq!(members.len(), 3);
    for seen in &members {
        let own = seen["user"] == json!(id_of(&member));
        assert_eq!(seen["meters"].is_array(), own, "{seen}");
        assert!(seen.get("email").is_none() && seen.get("phone").is_none());
    }
    let path = stage.path(&format!("/members/{}", id_of(&other)));
    for (method, path, body) in [
        ("PATCH", stage.path(""), json!({"name": "Mine"})),
        ("PATCH", path.clone(), json!({"allocations": {"words": 1}})),
        ("PATCH", path.clone(), json!({"role": "admin"})),
        ("POST", stage.path("/invitations"), json!({})),
        ("POST", stage.path("/transfer-ownership"), json!({"user": id_of(&member)})),
        ("PATCH", format!("/accounts/{}", stage.account), json!({"spend_cap": "1.00"})),
        ("POST", "/subscription".to_owned(), json!({"plan": "professional", "account": stage.account})),
    ] {
        let answer = caller.keyed().send(method, &path, Some(&body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"), "{method} {path}: {}", answer.body);
    }
    for (method, path) in [
        ("DELETE", path),
        ("DELETE", stage.path("")),
        ("GET", stage.path("/invitations")),
        ("POST", stage.path("/invite-code/rotate")),
    ] {
        caller.send(method, &path, None).await.expect(403);
    }
});

db_test!(to_strangers_a_team_does_not_exist, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let (member, stranger) = (stage.member().await, stage.app.user(None).await);
    let caller = stage.app.by(&stranger.token);
    let of_member = stage.path(&format!("/members/{}", id_of(&member)));
    for (method, path, body) in [
        ("GET", stage.path(""), None),
        ("PATCH", stage.path(""), Some(json!({"name": "Mine"}))),
        ("DELETE", stage.path(""), None),
        ("GET", stage.path("/members"), None),
        ("PATCH", of_member.clone(), Some(json!({"allocations": {"words": 0}}))),
        ("DELETE", of_member.clone(), None),
        ("POST", format!("{of_member}/approve"), None),
        ("GET", stage.path("/invitations"), None),
        ("POST", stage.path("/invitations"), Some(json!({}))),
        ("POST", stage.path("/invite-code/rotate"), None),
        ("POST", stage.path("/transfer-ownership"), Some(json!({"user": id_of(&stranger)}))),
        ("POST", stage.path("/leave"), None),
        ("GET", format!("/accounts/{}", stage.account), None),
        ("POST", "/api-keys".to_owned(), Some(json!({"name": "k", "account": stage.account}))),
        (
            "POST",
            "/usage".to_owned(),
            Some(json!({"meter": "words", "quantity": 1, "key": "k", "account": stage.account})),
        ),
    ] {
        let answer = caller.send(method, &path, body.as_ref()).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{method} {path}: {}", answer.body);
    }
    caller.get("/teams/team_x").await.expect(404);
    assert_eq!(caller.get("/teams").await.expect(200).body["data"], json!([]));
});

db_test!(a_team_is_handed_over_left_and_deleted, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let (admin, member) = (stage.member().await, stage.member().await);
    assert_eq!(stage.role(&admin, "admin").await.expect(200).text("/role"), "admin");
    stage.role(&admin, "owner").await.expect(422);
    let owner = stage.app.by(&stage.owner.token);
    let words = json!({"name": "k", "account": stage.account});
    let key = stage.app.by(&admin.token).post("/api-keys", &words).await.expect(201).text("/key");
    stage.app.by(&key).get("/quota").await.expect(200);
    // An admin decides about members, not about the owner.
    let of = |user: &User| stage.path(&format!("/members/{}", id_of(user)));
    stage.app.by(&admin.token).delete(&of(&stage.owner)).await.expect(403);
    stage.app.by(&admin.token).delete(&of(&member)).await.expect(204);
    stage.app.by(&admin.token).delete(&of(&member)).await.expect(404);
    // The owner hands over and may then leave.
    owner.send("POST", &stage.path("/leave"), None).await.expect(409);
    let to = json!({"user": id_of(&admin)});
    let handed = owner.post(&stage.path("/transfer-ownership"), &to).await.expect(200);
    assert_eq!((handed.text("/owner"), handed.text("/role")), (id_of(&admin), "admin".to_owned()));
    owner.delete(&stage.path("")).await.expect(403);
    owner.send("POST", &stage.path("/leave"), None).await.expect(204);
    owner.get(&stage.path("")).await.expect(404);
    stage.app.by(&admin.token).delete(&stage.path("")).await.expect(204);
    stage.app.by(&key).get("/quota").await.expect(401);
    stage.app.by(&admin.token).get(&stage.path("")).await.expect(404);
    stage.join(&member, &stage.code).await.expect(404);
});

db_test!(a_team_is_renamed_and_named_by_its_own_code_and_may_be_open, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let owner = stage.app.by(&stage.owner.token);
    let change = json!({"name": "写作组", "team_code": "Writers-1", "join_policy": "open"});
    let changed = owner.patch(&stage.path(""), &change).await.expect(200);
    assert_eq!((changed.text("/name"), changed.text("/team_code")), ("写作组".to_owned(), "writers-1".to_owned()));
    let user = stage.app.user(None).await;
    assert_eq!(stage.join(&user, &stage.code).await.expect(200).text("/membership"), "active");
    // Whoever was a member before waits all the same.
    stage.app.by(&user.token).send("POST", &stage.path("/leave"), None).await.expect(204);
    assert_eq!(stage.join(&user, &stage.code).await.expect(200).text("/membership"), "pending");
    let other = stage.app.user(None).await;
    let second = stage.app.by(&other.token).post("/teams", &json!({"name": "Other"})).await.expect(201).text("/id");
    let taken = stage.app.by(&other.token).patch(&format!("/teams/{second}"), &json!({"team_code": "WRITERS-1"})).await;
    assert_eq!(taken.expect(409).code(), "conflict");
    let cleared = owner.patch(&stage.path(""), &json!({"team_code": null})).await.expect(200);
    assert_eq!(cleared.body["team_code"], Value::Null);
});

#[tokio::test]
async fn odd_bodies_are_refused_and_change_nothing() {
    let fresh = sqlite().await;
    let stage = Stage::new(&fresh).await;
    let member = stage.member().await;
    let owner = stage.app.by(&stage.owner.token);
    let path = stage.path(&format!("/members/{}", id_of(&member)));
    for body in [
        json!({"allocations": {"words": -1}}),
        json!({"allocations": {"words": "1.5"}}),
        json!({"allocations": {"words": 1.5}}),
        json!({"allocations": {"nothing": 1}}),
        json!({"allocations": {"words": "9223372036854775808"}}),
        json!({"allocations": [1]}),
        json!({"role": "root"}),
        json!({"roles": "admin"}),
    ] {
        owner.patch(&path, &body).await.expect(422);
    }
    for body in [
        json!({"name": ""}),
        json!({"name": "a".repeat(101)}),
        json!({"name": "a\u{202E}b"}),
        json!({}),
        json!({"name": "x", "seats": 9}),
    ] {
        owner.post("/teams", &body).await.expect(422);
    }
    for body in [json!({"email": "not an address"}), json!({"role": "owner"}), json!({"email": null, "code": "1"})] {
        owner.post(&stage.path("/invitations"), &body).await.expect(422);
    }
    owner.patch(&stage.path(""), &json!({"join_policy": "anyone"})).await.expect(422);
    owner.post(&stage.path("/transfer-ownership"), &json!({"user": "li"})).await.expect(422);
    owner.get(&stage.path("/members?status=gone")).await.expect(422);
    let unchanged = stage.members(&stage.owner).await;
    let words =
        |member: &Value| member["meters"].as_array().unwrap().iter().find(|m| m["meter"] == "words").unwrap().clone();
    assert!(unchanged.iter().all(|member| words(member)["allocation"].is_null()));
    let most = json!({"allocations": {"words": "9223372036854775807", "cu": "0.001"}});
    owner.patch(&path, &most).await.expect(200);
}

db_test!(a_plain_member_lists_the_reservations_that_are_the_members_own, async |fresh: &Fresh| {
    let stage = Stage::new(fresh).await;
    let member = stage.member().await;
    let hold = async |user: &User| {
        let words = json!({"meter": "words", "quantity": 3, "account": stage.account});
        let caller = stage.app.by(&user.token).header("Idempotency-Key", &id_of(user));
        caller.post("/reservations", &words).await.expect(201).text("/id")
    };
    let (of_owner, of_member) = (hold(&stage.owner).await, hold(&member).await);
    let listed = async |user: &User| {
        let path = format!("/reservations?account={}&status=open", stage.account);
        let list = stage.app.by(&user.token).get(&path).await.expect(200);
        let rows = list.body["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&member).await, std::slice::from_ref(&of_member));
    assert_eq!(listed(&stage.owner).await, [of_member.clone(), of_owner.clone()]);
    stage.role(&member, "admin").await.expect(200);
    assert_eq!(listed(&member).await, [of_member, of_owner]);
});
