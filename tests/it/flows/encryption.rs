//! Encrypting anew with the newest key: everything, once, beside who writes, and again after a run that was cut off.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::idempotency::IdempotentRequest;
use domain::incentives::{BatchWish, RewardWish};
use domain::money::{Currency, Money};
use domain::notices::WebhookWish;
use domain::orders::PaidHook;
use domain::sealed::{SealedColumn, SealedText};
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::Scene;

const CODES: u32 = 450;

async fn scene(fresh: &Fresh, names: &[(&str, u8)]) -> Scene {
    let keys: Vec<_> = names.iter().map(|(name, fill)| format!("{name}:{}", STANDARD.encode([*fill; 32]))).collect();
    let settings = [
        ("SUANPAN__SECURITY__ENCRYPTION_KEYS", &*keys.join(",")),
        ("SUANPAN__VERIFICATION__ENABLED", "true"),
        ("SUANPAN__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1"),
        ("SUANPAN__WEBHOOKS__PLAIN_HTTP", "true"),
    ];
    Scene::with(&fresh.url, &settings).await
}

async fn everything_is_encrypted_anew_and_what_is_written_meanwhile_wins(fresh: &Fresh) {
    let old = scene(fresh, &[("a", 1)]).await;
    let customer = old.customer(None).await;
    let claimed = old.services.verifications.claim(&customer.actor, "金丝雀", "11010519491231002X").await.unwrap();
    let hook = WebhookWish { url: "http://127.0.0.1:9/".to_owned(), ..WebhookWish::default() };
    old.services.webhooks.create(&customer.actor, hook).await.unwrap();
    let reward = RewardWish { amount: Some("1".to_owned()), ..RewardWish::default() };
    let (name, operator) = ("batch".to_owned(), old.operator());
    let wish =
        BatchWish { name, count: CODES, reward, max_uses: 1, is_gift: true, valid_from: None, valid_until: None };
    let key = "k".to_owned();
    let once = IdempotentRequest { user: operator.user, scope: "batch", fingerprint: key.clone(), key };
    let batch = old.services.redemptions.make(&operator, &wish, &once).await.unwrap().value.id;
    let codes = old.services.redemptions.export(&operator, batch).await.unwrap();

    let both = scene(fresh, &[("b", 2), ("a", 1)]).await;
    let all = u64::from(CODES) + 4;
    assert_eq!(both.services.resealing.stale().await.unwrap(), Some(all));
    // A replacement that names a text which no longer lies there changes nothing.
    let row = codes[0].code.id.as_uuid();
    let gone = SealedText { row, text: "v1.a.gone".to_owned() };
    let work = both.services.store.begin().await.unwrap();
    assert!(!work.sealed().replace(SealedColumn::RedemptionCode, &gone, "v1.b.x").await.unwrap());
    // As a run that was cut off leaves it: one is done, the others are not.
    let sealed = SealedText { row, text: codes[0].code.sealed.0.clone() };
    let anew = both.services.resealing.keys.reseal(SealedColumn::RedemptionCode, &sealed).unwrap();
    assert!(work.sealed().replace(SealedColumn::RedemptionCode, &sealed, &anew).await.unwrap());
    work.commit().await.unwrap();
    let done = both.services.resealing.reseal_all(|_| ()).await.unwrap();
    assert_eq!((done.done, done.overtaken, done.unreadable), (all - 1, 0, 0));
    assert_eq!(both.services.resealing.reseal_all(|_| ()).await.unwrap().seen(), 0);

    let new = scene(fresh, &[("b", 2)]).await;
    let exported = new.services.redemptions.export(&operator, batch).await.unwrap();
    let texts =
        |codes: &[domain::incentives::ExportedCode]| codes.iter().map(|code| code.text.expose()).collect::<Vec<_>>();
    assert_eq!(texts(&exported), texts(&codes));
    let shown = new.services.verifications.view(&customer.actor).await.unwrap().unwrap();
    assert_eq!(shown.masked, claimed.masked);
    assert!(old.services.redemptions.export(&operator, batch).await.is_err());
    let unreadable = scene(fresh, &[("c", 3)]).await.services.resealing.reseal_all(|_| ()).await.unwrap();
    assert_eq!((unreadable.done, unreadable.unreadable), (0, all));
}

db_test!(rotation, everything_is_encrypted_anew_and_what_is_written_meanwhile_wins);

async fn a_first_payment_is_rewarded_once(fresh: &Fresh) {
    let settings = [
        ("SUANPAN__INCENTIVES__REFERRAL__REWARDED_ON", "first_payment"),
        ("SUANPAN__INCENTIVES__REFERRAL__INVITER", "5.00"),
        ("SUANPAN__INCENTIVES__REFERRAL__INVITEE__AMOUNT", "2.00"),
    ];
    let scene = Scene::with(&fresh.url, &settings).await;
    let inviter = scene.customer(None).await;
    let code = scene.services.referrals.view(&inviter.actor).await.unwrap().code;
    let username = Some(domain::identity::Username::parse("invited").unwrap());
    let wish =
        domain::accounts::Registration { username, aff_code: Some(code.as_str().to_owned()), ..Default::default() };
    let password = domain::identity::Password::choose("a password of tests").unwrap();
    let newcomer = scene.services.registration.register(wish, &password, None).await.unwrap();
    let earned = async || scene.services.referrals.view(&inviter.actor).await.unwrap().earned.to_decimal();
    assert_eq!(earned().await, "0.00");
    for _ in 0..2 {
        let work = scene.services.store.begin().await.unwrap();
        work.accounts().lock(newcomer.account.id).await.unwrap();
        let (hook, paid) = (&scene.services.referrals.referrals, Money::from_nanos(1_000_000_000, Currency::CNY));
        hook.paid(&*work, newcomer.account.id, paid, scene.now()).await.unwrap();
        work.commit().await.unwrap();
        assert_eq!(earned().await, "5.00");
    }
    let wallets = scene.services.store.ledger().wallets(&[newcomer.account.id]).await.unwrap();
    assert_eq!(wallets[0].balance.to_decimal(), "2.00");
}

db_test!(first_payment, a_first_payment_is_rewarded_once);
