//! Codes, check-in, referrals and verified identities over HTTP.

use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use sea_orm::ConnectionTrait;
use serde_json::json;

const GIVING: [(&str, &str); 6] = [
    ("SUANPAN__INCENTIVES__CHECK_IN__REWARD__METER", "words"),
    ("SUANPAN__INCENTIVES__CHECK_IN__REWARD__QUANTITY", "100"),
    ("SUANPAN__INCENTIVES__CHECK_IN__MOST", "500"),
    ("SUANPAN__INCENTIVES__REFERRAL__INVITER", "5.00"),
    ("SUANPAN__INCENTIVES__REFERRAL__INVITEE__AMOUNT", "2.00"),
    ("SUANPAN__VERIFICATION__ENABLED", "true"),
];

/// The clear codes of a batch that an operator makes.
pub async fn codes(app: &TestApp, body: &serde_json::Value, key: &str) -> (String, Vec<String>) {
    let operator = app.by(&app.operator).header("Idempotency-Key", key);
    let id = operator.post("/admin/redemption-batches", body).await.expect(201).text("/id");
    let actor = app.scene.operator();
    let exported = app.scene.services.redemptions.export(&actor, id.parse().unwrap()).await.unwrap();
    (id, exported.iter().map(|exported| exported.text.expose()).collect())
}

db_test!(a_code_is_redeemed_once_per_user_and_as_often_as_it_says, async |fresh: &Fresh| {
    let app = TestApp::with(&fresh.url, &GIVING).await;
    let users = [app.user(None).await, app.user(None).await, app.user(None).await];
    let body = json!({"name": "Spring", "count": 2, "max_uses": 2, "value": {"meter": "words", "quantity": 50}});
    let (batch, codes) = codes(&app, &body, "b").await;
    assert_eq!(codes.len(), 2);
    let redeem = async |user: usize, code: &str| {
        app.by(&users[user].token).post("/redemptions/redeem", &json!({ "code": code })).await
    };
    let first = redeem(0, &codes[0].to_lowercase().replace('-', " ")).await.expect(201);
    let again = redeem(0, &codes[0]).await.expect(200);
    assert_eq!((first.text("/id"), again.body["duplicate"].clone()), (again.text("/id"), json!(true)));
    redeem(1, &codes[0]).await.expect(201);
    assert_eq!(redeem(2, &codes[0]).await.expect(409).code(), "code_used_up");
    assert_eq!(app.by(&users[0].token).get("/quota").await.body["meters"][3]["granted"], json!("50"));
    let operator = app.by(&app.operator);
    let path = format!("/admin/redemption-batches/{batch}");
    assert_eq!(operator.get(&format!("{path}/uses")).await.expect(200).body["data"].as_array().unwrap().len(), 2);
    operator.patch(&path, &json!({"enabled": false})).await.expect(200);
    assert_eq!(redeem(2, &codes[1]).await.expect(409).code(), "code_disabled");
    for _ in 0..5 {
        redeem(2, "0000-0000").await.expect(404);
    }
    redeem(2, &codes[1]).await.expect(429);
    let history = app.by(&users[0].token).get("/redemptions").await.expect(200);
    assert_eq!(history.text("/data/0/value/quantity"), "50");
    app.by(&users[0].token).get(&path).await.expect(403);
    let (media_type, file) = operator.file(&format!("{path}/codes.csv")).await;
    assert_eq!(media_type, "text/csv; charset=utf-8");
    let mut file = csv::Reader::from_reader(file.as_slice());
    assert_eq!(file.headers().unwrap(), vec!["code", "hint", "used", "max_uses", "enabled"]);
    let mut rows: Vec<_> =
        file.records().map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()).collect();
    let place = |row: &Vec<String>| codes.iter().position(|code| *code == row[0]);
    rows.sort_by_key(place);
    let expected = |code: &str, used: &str| [code, &code[..5], used, "2", "false"].map(str::to_owned);
    assert_eq!(rows, [expected(&codes[0], "2"), expected(&codes[1], "0")]);
    let log = operator.get("/admin/audit-log?action=redemption_batch.export").await.expect(200);
    assert_eq!(log.body["data"].as_array().unwrap().len(), 2);
});

db_test!(a_day_is_rewarded_once_and_days_on_end_are_counted, async |fresh: &Fresh| {
    let app = TestApp::with(&fresh.url, &GIVING).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let first = me.send("POST", "/check-in", None).await.expect(201);
    let again = me.send("POST", "/check-in", None).await.expect(200);
    assert_eq!(first.body, again.body);
    let quantity: i64 = first.text("/value/quantity").parse().unwrap();
    assert!((100..=500).contains(&quantity));
    assert_eq!(me.get("/quota").await.body["meters"][3]["granted"], json!(quantity.to_string()));
    app.scene.move_clock(app.scene.now() + chrono::TimeDelta::days(1));
    assert_eq!(me.send("POST", "/check-in", None).await.expect(201).body["streak"], json!(2));
    app.scene.move_clock(app.scene.now() + chrono::TimeDelta::days(2));
    assert_eq!(me.get("/check-in").await.expect(200).body["streak"], json!(0));
});

db_test!(who_invites_earns_and_transfers_what_was_earned, async |fresh: &Fresh| {
    let app = TestApp::with(&fresh.url, &GIVING).await;
    let user = app.user(None).await;
    let me = app.by(&user.token);
    let code = me.get("/referral").await.expect(200).text("/aff_code");
    let newcomer =
        |name: &str, code: &str| json!({"username": name, "password": harness::app::PASSWORD, "aff_code": code});
    app.anonymous().post("/auth/register", &newcomer("nobody", "ZZZZZZZZ")).await.expect(422);
    app.anonymous().post("/auth/register", &newcomer("nobody", "\0")).await.expect(422);
    let invited = app.anonymous().post("/auth/register", &newcomer("invited", &code.to_lowercase())).await.expect(201);
    let wallet = app.by(&invited.text("/token")).get("/wallet").await.expect(200);
    assert!(wallet.body.to_string().contains("2.00"), "{}", wallet.body);
    app.anonymous().post("/auth/register", &newcomer("invited2", &code)).await.expect(201);
    let stands = me.get("/referral").await.expect(200);
    assert_eq!((stands.body["invited"].clone(), stands.text("/earned")), (json!(2), "10.00".to_owned()));
    let transfer = |amount: &str, key: &str| {
        let (caller, body) = (me.clone().header("Idempotency-Key", key), json!({ "amount": amount }));
        async move { caller.post("/referral/transfer", &body).await }
    };
    transfer("9.99", "a").await.expect(422);
    assert_eq!(transfer("10.01", "b").await.expect(409).code(), "referral_balance_too_low");
    transfer("10.00", "c").await.expect(201);
    assert_eq!(transfer("10.00", "c").await.expect(201).header("idempotent-replayed"), Some("true"));
    assert_eq!(me.get("/referral").await.text("/transferable"), "0.00");
    assert!(me.get("/wallet").await.expect(200).body.to_string().contains("10.00"));
});

const NAME: &str = "金丝雀";
const NUMBER: &str = "11010519491231002X";

db_test!(an_identity_is_claimed_once_shown_masked_and_opened_by_operators_with_a_reason, async |fresh: &Fresh| {
    let app = TestApp::with(&fresh.url, &GIVING).await;
    let (user, other) = (app.user(None).await, app.user(None).await);
    let (me, operator) = (app.by(&user.token), app.by(&app.operator));
    let claim = json!({"real_name": NAME, "id_number": NUMBER.to_lowercase()});
    for bad in [
        json!({"real_name": NAME, "id_number": "110105194912310021"}),
        json!({"real_name": NAME, "id_number": 110_105_194_912_310_021_i64}),
    ] {
        let refused = me.put("/me/verification", &bad).await.expect(422);
        assert!(
            !refused.body.to_string().contains("1949") && !refused.body.to_string().contains(NAME),
            "{}",
            refused.body
        );
    }
    let shown = me.put("/me/verification", &claim).await.expect(200);
    assert_eq!(
        (shown.text("/real_name"), shown.text("/id_number")),
        ("金**".to_owned(), "1****************X".to_owned())
    );
    assert_eq!(me.get("/me/verification").await.expect(200).body, shown.body);
    assert_eq!(me.get("/me").await.body["is_verified"], json!(true));
    assert_eq!(me.put("/me/verification", &claim).await.expect(409).code(), "already_verified");
    assert_eq!(app.by(&other.token).put("/me/verification", &claim).await.expect(409).code(), "id_number_taken");
    let path = format!("/admin/users/{}/verification", user.customer.actor.user);
    operator.get(&path).await.expect(422);
    me.get(&format!("{path}?reason=x")).await.expect(403);
    assert_eq!(operator.get(&format!("{path}?reason=court")).await.expect(200).text("/id_number"), NUMBER);
    let log = operator.get("/admin/audit-log?action=verification.read").await.expect(200);
    assert_eq!(log.text("/data/0/detail/reason"), "court");
    let whole = operator.get("/admin/audit-log?limit=200").await.body.to_string();
    assert!(!whole.contains(NUMBER) && !whole.contains(NAME));
    // A ciphertext that was moved to another column is not shown.
    let database = sea_orm::Database::connect(&fresh.url).await.unwrap();
    database.execute_unprepared("UPDATE user_verifications SET id_number = real_name").await.unwrap();
    let refused = operator.get(&format!("{path}?reason=court")).await.expect(500);
    assert!(!refused.body.to_string().contains(NAME));
    operator.post(&format!("{path}/reset"), &json!({"reason": "misspelt"})).await.expect(204);
    assert_eq!(me.get("/me/verification").await.body["verified"], json!(false));
    me.put("/me/verification", &claim).await.expect(200);
});
