use crate::settings::Settings;

fn load(environment: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let named = |(key, value): &(&str, &str)| (format!("SUANPAN__PAYMENTS__ONLINE__{key}"), (*value).to_owned());
    let mut all: Vec<_> = environment.iter().filter(|(key, _)| !key.starts_with('=')).map(named).collect();
    let bare = environment.iter().filter_map(|(key, value)| Some((key.strip_prefix('=')?, value)));
    all.extend(bare.map(|(key, value)| (key.to_owned(), (*value).to_owned())));
    Settings::load(None, all)
}

const STRIPE: [(&str, &str); 2] =
    [("STRIPE__SECRET_KEY", "sk_test_abc"), ("STRIPE__WEBHOOK_SECRETS", "whsec_one,whsec_two")];
const PRODUCTION: [(&str, &str); 2] = [
    ("=SUANPAN__PROFILE", "production"),
    ("=SUANPAN__SECURITY__ENCRYPTION_KEYS", "a:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
];

#[test]
fn nothing_is_offered_by_default() {
    let online = load(&[]).unwrap().payments.online;
    assert!(!online.offers_wechat() && !online.offers_alipay() && !online.offers_stripe());
    assert!(online.build("http://127.0.0.1:8080").unwrap().is_empty());
}

#[test]
fn a_provider_comes_from_the_environment_alone() {
    let online = load(&STRIPE).unwrap().payments.online;
    assert_eq!(online.stripe.webhook_secrets.len(), 2);
    assert_eq!(online.build("https://shop.example").unwrap().len(), 1);
}

#[test]
fn a_mistake_names_its_key_and_not_the_secret() {
    let mistakes = load(&[("STRIPE__SECRET_KEY", "canary")]).unwrap_err();
    assert_eq!(mistakes, ["payments.online.stripe.secret_key: must begin with sk_ or rk_"]);
    let missing = load(&[("STRIPE__SECRET_KEY", "file:/nowhere/key")]).unwrap_err();
    assert!(missing[0].starts_with("payments.online.stripe.secret_key: /nowhere/key: "), "{missing:?}");
    let short = load(&[("WECHAT__APP_ID", "wx1"), ("WECHAT__API_V3_KEY", "canary")]).unwrap_err();
    assert!(!short.concat().contains("canary"), "{short:?}");
}

#[test]
fn a_key_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "sk_test_from_a_file\n").unwrap();
    let value = format!("file:{}", path.display());
    let all = [("STRIPE__SECRET_KEY", value.as_str()), STRIPE[1]];
    assert_eq!(load(&all).unwrap().payments.online.build("https://shop.example").unwrap().len(), 1);
}

#[test]
fn production_refuses_providers_on_this_machine() {
    let near = [("STRIPE__BASE_URL", "http://127.0.0.1:8090")];
    let all: Vec<_> = STRIPE.into_iter().chain(near).chain(PRODUCTION).collect();
    let mistakes = load(&all).unwrap_err();
    assert_eq!(mistakes, ["payments.online.stripe.base_url: must not be this machine in production"]);
    assert!(load(&STRIPE.into_iter().chain(PRODUCTION).collect::<Vec<_>>()).is_ok());
}
