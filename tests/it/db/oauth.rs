//! Identities and log-ins under way in the database.

use chrono::TimeDelta;
use domain::id::SessionId;
use domain::identity::{
    ExchangeChallenge, ExternalIdentity, FlowSecrets, OAuthFlow, OAuthIdentity, ProviderName, Purpose, Token,
    TokenKind, samples,
};
use domain::store::{Repositories, Store, StoreError};
use harness::db_test;
use infra::db::Database;

fn name(text: &str) -> ProviderName {
    ProviderName::parse(text).unwrap()
}

db_test!(an_identity_reads_back_and_its_subject_is_its_own_byte_by_byte, async |database: &Database| {
    let (user, now) = (samples::user("zhang"), samples::created_at());
    let who = |subject: &str| ExternalIdentity::read(subject, Some("张"), Some("z@example.cn"), true).unwrap();
    let mut identity = OAuthIdentity::new(user.id, name("corp"), &who("Abc"), now);
    let other = OAuthIdentity::new(user.id, name("corp"), &who("abc"), now + TimeDelta::seconds(1));
    let work = database.begin().await.unwrap();
    work.oauth_identities().insert(&identity).await.unwrap();
    work.oauth_identities().insert(&other).await.unwrap();
    work.oauth_identities().insert(&OAuthIdentity::new(user.id, name("hub"), &who("Abc"), now)).await.unwrap();
    identity.last_signed_at = Some(now);
    work.oauth_identities().save(&identity).await.unwrap();
    work.commit().await.unwrap();
    let found = database.oauth_identities().find_by_subject(&name("corp"), "Abc").await.unwrap();
    assert_eq!(found.as_ref(), Some(&identity));
    assert_eq!(database.oauth_identities().find(user.id, other.id).await.unwrap(), Some(other));
    assert_eq!(database.oauth_identities().find(samples::user("x").id, identity.id).await.unwrap(), None);
    assert_eq!(database.oauth_identities().list(user.id).await.unwrap().len(), 3);
    let work = database.begin().await.unwrap();
    let stolen = OAuthIdentity::new(samples::user("x").id, name("corp"), &who("Abc"), now);
    assert!(matches!(work.oauth_identities().insert(&stolen).await, Err(StoreError::Duplicate)));
    drop(work);
    let work = database.begin().await.unwrap();
    work.oauth_identities().delete(user.id, identity.id).await.unwrap();
    assert_eq!(work.oauth_identities().list(user.id).await.unwrap().len(), 2);
});

db_test!(a_flow_of_each_purpose_reads_back_is_taken_once_and_swept, async |database: &Database| {
    let (user, now) = (samples::user("zhang"), samples::created_at());
    let challenge = ExchangeChallenge::parse(&"a".repeat(64)).unwrap();
    let token = |kind, byte| Token::from_random(kind, [byte; 32]);
    let flow = |byte, purpose| {
        let secrets =
            FlowSecrets { state: token(TokenKind::OAuthState, byte), browser: token(TokenKind::OAuthBrowser, 9) };
        OAuthFlow::begun(&secrets, name("corp"), purpose, now)
    };
    let flows = [
        flow(1, Purpose::LogIn { challenge: None }),
        flow(2, Purpose::LogIn { challenge: Some(challenge.clone()) }),
        flow(3, Purpose::Link { user: user.id, session: SessionId::new(now) }),
        OAuthFlow::waiting(&token(TokenKind::OAuthCode, 4), name("corp"), (user.id, challenge), now),
    ];
    let work = database.begin().await.unwrap();
    for flow in &flows {
        work.oauth_flows().insert(flow).await.unwrap();
        assert_eq!(work.oauth_flows().find(flow.token_hash).await.unwrap().as_ref(), Some(flow));
    }
    assert!(work.oauth_flows().take(flows[0].token_hash).await.unwrap());
    assert!(!work.oauth_flows().take(flows[0].token_hash).await.unwrap());
    assert_eq!(work.oauth_flows().delete_expired(now + TimeDelta::minutes(2)).await.unwrap(), 1);
    assert_eq!(work.oauth_flows().delete_expired(now + TimeDelta::minutes(11)).await.unwrap(), 2);
});
