use super::*;
use crate::plans_check;
use domain::plans::{Allowance, Interval};
use domain::quantity::Quantity;
use secrecy::ExposeSecret;
use std::path::PathBuf;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let owned = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Settings::from_layers(Some(("test.yaml", file)), owned.collect::<Vec<_>>())
}

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

#[test]
fn the_defaults_need_no_file() {
    let settings = Settings::load(None, []).unwrap();
    assert_eq!(settings.profile, Profile::Development);
    assert_eq!((settings.server.port, settings.metrics.port), (8080, 9464));
    assert_eq!(settings.database.url.expose_secret(), "sqlite://data/suanpan.db");
    let professional = &settings.catalogue().plans["professional"];
    assert_eq!(professional.price(Interval::Year, 1).unwrap().to_decimal(), "999.00");
    let team = &settings.catalogue().plans["team"];
    assert_eq!(team.meters["words"].allowance(3), Allowance::Limited(Quantity::atoms(900_000)));
}

#[test]
fn a_file_overrides_key_by_key_and_the_environment_overrides_both() {
    let file = "server: { port: 9000, host: 0.0.0.0 }\nwarnings: { at: [50] }";
    let settings = load(file, &[]).unwrap();
    assert_eq!((settings.server.port, settings.server.drain_seconds), (9000, 20));
    let environment =
        [("SUANPAN__SERVER__PORT", "9001"), ("SUANPAN__CLOCK__TEST", "true"), ("SUANPAN__WARNINGS__AT", "70, 90")];
    let settings = load(file, &environment).unwrap();
    assert_eq!((settings.server.port, settings.server.host.to_string()), (9001, "0.0.0.0".to_owned()));
    assert!(settings.clock.test);
    let warnings = &settings.catalogue().plans["free"].warnings;
    assert_eq!(warnings.iter().map(|percent| percent.get()).collect::<Vec<_>>(), [70, 90]);
}

#[test]
fn lists_come_as_lists_or_with_commas() {
    let listed = load("server: { trusted_proxies: [10.0.0.0/8, '::1'] }", &[]).unwrap();
    let commas = load("", &[("SUANPAN__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1")]).unwrap();
    assert_eq!(listed.server.trusted_proxies.len(), 2);
    assert_eq!(listed.server.trusted_proxies, commas.server.trusted_proxies);
    assert!(load("", &[("SUANPAN__SERVER__TRUSTED_PROXIES", "")]).unwrap().server.trusted_proxies.is_empty());
    assert!(load("server: { trusted_proxies: [nobody] }", &[]).is_err());
}

#[test]
fn database_url_is_understood_and_our_own_variable_is_stronger() {
    let url = |environment: &[(&str, &str)]| {
        load("database: { url: 'sqlite://file.db' }", environment).unwrap().database.url.expose_secret().to_owned()
    };
    let common = ("DATABASE_URL", "postgres://a@b/c");
    assert_eq!(url(&[]), "sqlite://file.db");
    assert_eq!(url(&[common]), "postgres://a@b/c");
    assert_eq!(url(&[common, ("SUANPAN__DATABASE__URL", "mysql://a@b/c")]), "mysql://a@b/c");
}

#[test]
fn the_database_password_is_never_printed() {
    let settings = load("", &[("DATABASE_URL", "postgres://user:canary@host/name")]).unwrap();
    assert!(!format!("{settings:?}").contains("canary"));
    let mistakes = load("", &[("DATABASE_URL", "oracle://user:canary@host/name")]).unwrap_err();
    assert_eq!(mistakes.len(), 1);
    assert!(mistakes[0].starts_with("database.url") && !mistakes[0].contains("canary"), "{mistakes:?}");
}

#[test]
fn a_file_replaces_meters_and_plans_as_a_whole() {
    let settings = Settings::load(Some(&config("zz3d.yaml")), []).unwrap();
    let catalogue = settings.catalogue();
    assert_eq!(catalogue.meters.keys().map(domain::plans::MeterCode::as_str).collect::<Vec<_>>(), ["cost"]);
    assert_eq!(catalogue.plans.keys().map(domain::plans::PlanCode::as_str).collect::<Vec<_>>(), ["free"]);
    assert_eq!(settings.server.port, 8080);
}

#[test]
fn keys_that_are_unknown_and_values_of_the_wrong_type_are_named() {
    for (file, environment, word) in [
        ("server: { prot: 1 }", None, "prot"),
        ("sever: {}", None, "sever"),
        ("server: { port: 70000 }", None, "server.port"),
        ("profile: staging", None, "staging"),
        ("a: [", None, "test.yaml"),
        ("", Some(("SUANPAN__SERVER__PROT", "1")), "prot"),
        ("", Some(("SUANPAN__SERVER__PORT", "many")), "server.port"),
        ("limits: { batch_events: 1001 }", None, "limits.batch_events"),
        ("limits: { commit_batch: 0 }", None, "limits.commit_batch"),
        ("limits: { commit_batch: 2001 }", None, "limits.commit_batch"),
        ("sessions: { ttl_hours: 0 }", None, "sessions.ttl_hours"),
        ("plans: {}", None, "billing.default_plan"),
    ] {
        let mistakes = load(file, environment.as_slice()).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].contains(word), "{file} {environment:?}: {mistakes:?}");
        assert!(!mistakes[0].contains('\n'));
    }
}

#[test]
fn production_refuses_what_is_unsafe() {
    let file = "profile: production\nclock: { test: true }\nserver: { trusted_proxies: [0.0.0.0/0] }\n\
                database: { url: 'sqlite::memory:' }\n\
                webhooks: { plain_http: true, allowed_networks: ['::/0'] }\n\
                mail: { enabled: true, from: a@example.com, tls: none, username: u }";
    let mistakes = load(file, &[]).unwrap_err();
    assert_eq!(mistakes.len(), 7, "{mistakes:?}");
    assert!(load("profile: production", &[KEY]).is_ok());
    assert!(load(&file.replace("production", "development"), &[]).is_ok());
}

const KEY: (&str, &str) = ("SUANPAN__SECURITY__ENCRYPTION_KEYS", "a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");

#[test]
fn production_needs_an_encryption_key_only_for_webhooks() {
    let mistakes = load("profile: production", &[]).unwrap_err();
    assert!(mistakes[0].starts_with("security.encryption_keys: "), "{mistakes:?}");
    assert!(load("profile: production\nwebhooks: { enabled: false }", &[]).is_ok());
}

#[test]
fn a_mistake_in_a_key_or_in_mail_is_named_without_the_key() {
    let short = ("SUANPAN__SECURITY__ENCRYPTION_KEYS", "a:c2hvcnQtc2VjcmV0");
    let mistakes = load("mail: { enabled: true, host: '', locale: xx }", &[short]).unwrap_err();
    assert_eq!(mistakes.len(), 4, "{mistakes:?}");
    assert!(!mistakes.concat().contains("c2hvcnQtc2VjcmV0"), "{mistakes:?}");
    let settings = load("", &[KEY, ("SUANPAN__MAIL__PASSWORD", "hunter2")]).unwrap();
    let printed = format!("{settings:?}");
    assert!(!printed.contains("AAAA") && !printed.contains("hunter2"));
}

#[test]
fn every_preset_is_correct() {
    for preset in ["default", "kg", "openai-shop", "veloera", "aimake", "zz3d"] {
        let (report, ok) = plans_check(Some(&config(&format!("{preset}.yaml"))));
        assert!(ok, "{preset}: {report}");
    }
    assert!(plans_check(None).1);
}

#[test]
fn the_default_sells_what_kg_does() {
    let kg = Settings::load(Some(&config("kg.yaml")), []).unwrap();
    assert_eq!(kg.catalogue(), Settings::load(None, []).unwrap().catalogue());
}

#[test]
fn a_file_with_twelve_mistakes_makes_a_report_of_twelve_lines() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TWELVE_MISTAKES).unwrap();
    let (report, ok) = plans_check(Some(file.path()));
    assert!(!ok);
    assert_eq!(report.lines().count(), 12, "{report}");
    assert!(report.contains("plans.pro.meters.words.overage.tiers[1].up_to: must be larger"), "{report}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (report, ok) = plans_check(Some(Path::new("/nowhere/plans.yaml")));
    assert!(!ok && report.starts_with("/nowhere/plans.yaml: "), "{report}");
}

const TWELVE_MISTAKES: &str = r#"
meters:
  words: { unit: word, scale: 12, kind: counter }
  Storage: { unit: MB, scale: 3, kind: gauge }
plans:
  free:
    price: { month: "0.00 CNY" }
    meters:
      words: { included: 1.5, on_exhausted: refuse }
  pro:
    price: { month: "-1.00 CNY" }
    colour: red
    fallback: 7
    meters:
      tokens: { included: 1, on_exhausted: refuse }
      words:
        on_exhausted: overage
        overage: { tiers: [{ up_to: 5, per: 1, price: "1 CNY" }, { up_to: 5, per: 1, price: "1 CNY" }, { per: 1, price: "1 CNY" }] }
warnings: { at: [80, 80] }
billing: { time_zone: Mars, default_plan: gold }
"#;

#[test]
fn a_provider_takes_its_secret_from_the_environment_and_never_shows_it() {
    let file = "oauth: { providers: { hub: { kind: github, client_id: id } } }";
    let settings = load(file, &[("SUANPAN__OAUTH__PROVIDERS__HUB__CLIENT_SECRET", "hidden-secret")]).unwrap();
    let providers = settings.oauth.provider_settings();
    assert_eq!(providers[0].callback_url, "http://127.0.0.1:8080/api/v1/auth/oauth/hub/callback");
    assert!(!format!("{settings:?} {providers:?}").contains("hidden-secret"));
}

#[test]
fn every_mistake_of_a_provider_is_named_and_production_wants_tls() {
    let provider =
        |fields: &str| format!("oauth: {{ providers: {{ p: {{ client_id: id, client_secret: s, {fields} }} }} }}");
    for (fields, path) in [
        ("kind: sms", "oauth.providers.p: kind"),
        ("kind: oidc", "oauth.providers.p.issuer"),
        ("kind: oauth2, authorize_url: 'https://a.cn', token_url: 'https://a.cn'", "oauth.providers.p.userinfo_url"),
        ("kind: oidc, issuer: 'ftp://a.cn'", "oauth.providers.p.issuer"),
        ("kind: github, client_id: ''", "client_id"),
    ] {
        let mistakes = load(
            &provider(fields)
                .replace("client_id: id, client_secret: s, kind: github", "client_secret: s, kind: github"),
            &[],
        )
        .unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.contains(path)), "{fields}: {mistakes:?}");
    }
    let file = provider("kind: oidc, issuer: 'http://a.cn'");
    assert!(load(&file, &[]).is_ok());
    let mistakes = load(&format!("profile: production\n{file}"), &[]).unwrap_err();
    assert!(mistakes.iter().any(|mistake| mistake.contains("oauth.public_url")), "{mistakes:?}");
    assert!(mistakes.iter().any(|mistake| mistake.contains("oauth.providers.p.issuer")), "{mistakes:?}");
}
