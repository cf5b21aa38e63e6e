//! The published vectors of the three providers; `tests/data/payments_vectors.json` says where each is from.

use super::alipay::sign_content;
use super::keys::{SigningKey, VerifyingKey};
use super::stripe::verify_signature;
use super::wechat::{ResourceKey, request_message};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::orders::NotificationRefused;
use secrecy::SecretString;
use serde_json::Value;

const VECTORS: &str = include_str!("../../../../tests/data/payments_vectors.json");

fn vectors(provider: &str) -> Value {
    serde_json::from_str::<Value>(VECTORS).unwrap()[provider].take()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap()
}

#[test]
fn wechat_requests_are_signed_as_the_documentation_shows() {
    let all = vectors("wechat");
    let key = SigningKey::parse(text(&all, "/merchant_test_private_key_pem_pkcs1")).unwrap();
    for vector in all["signatures"].as_array().unwrap() {
        let signature = key.sign(text(vector, "/message").as_bytes()).unwrap();
        assert_eq!(signature, text(vector, "/signature_b64"), "{}", vector["name"]);
    }
    let get = &all["signatures"][1];
    let message = request_message(
        "GET",
        "/v3/refund/domestic/refunds/123123123123",
        1_554_208_460,
        "593BEC0C930BF1AFEB40B4A08C8FB242",
        "",
    );
    assert_eq!(message, text(get, "/message"));
}

#[test]
fn a_wechat_answer_verifies_and_a_changed_one_does_not() {
    let all = vectors("wechat");
    let answer = &all["response_verify"];
    let key = VerifyingKey::parse(text(answer, "/public_key_pem")).unwrap();
    let signature = text(answer, "/signature_b64");
    let message = |time: &str, body: &str| format!("{time}\n{}\n{body}\n", text(answer, "/nonce"));
    let (time, body) = (text(answer, "/timestamp"), text(answer, "/body"));
    assert!(key.verifies(message(time, body).as_bytes(), signature));
    assert!(!key.verifies(message(time, &format!("{body} ")).as_bytes(), signature));
    assert!(!key.verifies(message("1722850422", body).as_bytes(), signature));
    assert!(!key.verifies(message(time, body).trim_end().as_bytes(), signature));
    assert!(!key.verifies(message(time, body).as_bytes(), &format!("WECHATPAY/SIGNTEST/{signature}")));
}

/// The key inside a certificate: behind the fixed header of an RSA key of 2048 bits.
fn key_of_certificate(pem: &str) -> VerifyingKey {
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    let der = STANDARD.decode(lines.collect::<String>()).unwrap();
    let header = [0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09];
    let start = der.windows(header.len()).position(|bytes| bytes == header).unwrap();
    VerifyingKey::parse(&STANDARD.encode(&der[start..start + 294])).unwrap()
}

#[test]
fn a_published_notification_verifies() {
    let all = vectors("wechat");
    let notification = &all["notification"];
    let key = key_of_certificate(text(notification, "/platform_cert_pem"));
    let parts = ["/timestamp", "/nonce", "/body"].map(|part| text(notification, part));
    assert!(key.verifies(format!("{}\n", parts.join("\n")).as_bytes(), text(notification, "/signature_b64")));
}

#[test]
fn resources_open_with_32_bytes_and_with_no_other_length() {
    let all = vectors("wechat");
    for vector in all["aes_256_gcm"].as_array().unwrap() {
        let key = ResourceKey::new(text(vector, "/key")).unwrap();
        let sealed = text(vector, "/ciphertext_b64");
        let (nonce, associated) = (text(vector, "/nonce"), text(vector, "/aad"));
        let plain = key.open(nonce, associated, sealed).unwrap();
        if let Some(expected) = vector["plaintext"].as_str() {
            assert_eq!(plain, expected.as_bytes());
        } else {
            let hash = domain::text::hex(digest(&SHA256, &plain).as_ref());
            assert_eq!(hash, text(vector, "/plaintext_sha256"));
        }
        let mut cut = STANDARD.decode(sealed).unwrap();
        cut.pop();
        assert_eq!(key.open(nonce, associated, &STANDARD.encode(cut)), None);
        assert_eq!(key.open(nonce, "", sealed), None);
        assert_eq!(key.open(&nonce[..11], associated, sealed), None);
        assert_eq!(ResourceKey::new(&"k".repeat(32)).unwrap().open(nonce, associated, sealed), None);
    }
    assert!(ResourceKey::new(text(&all, "/notification/apiv3_key_16_bytes_so_AES128")).is_none());
}

#[test]
fn alipays_published_signatures_verify() {
    let all = vectors("alipay");
    let published = &all["published_verify"];
    let key = VerifyingKey::parse(text(published, "/public_key_spki_b64")).unwrap();
    for case in published["cases"].as_array().unwrap() {
        assert!(key.verifies(text(case, "/content").as_bytes(), text(case, "/sign")));
        assert!(!key.verifies(text(case, "/content").replace("&sign_type=RSA2", "").as_bytes(), text(case, "/sign")));
    }
}

#[test]
fn alipays_requests_are_signed_over_sorted_parameters() {
    let all = vectors("alipay");
    let computed = &all["computed_with_published_keypair"];
    let signing = SigningKey::parse(text(computed, "/private_key_pkcs8_b64")).unwrap();
    let verifying = VerifyingKey::parse(text(computed, "/public_key_spki_b64")).unwrap();
    let content = text(computed, "/request/content");
    let mut parameters: Vec<_> = content
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    parameters.reverse();
    parameters.push(("empty", String::new()));
    parameters.push(("sign", "x".to_owned()));
    assert_eq!(sign_content(&parameters), content);
    assert_eq!(signing.sign(content.as_bytes()).unwrap(), text(computed, "/request/sign"));
    for part in ["notify", "sync_response"] {
        let (content, sign) = (&computed[part]["content"], &computed[part]["sign"]);
        assert!(verifying.verifies(content.as_str().unwrap().as_bytes(), sign.as_str().unwrap()), "{part}");
    }
}

#[test]
fn stripes_signature_is_checked_with_time_scheme_and_every_byte() {
    let all = vectors("stripe");
    let (secret, body, header) = (text(&all, "/secret"), text(&all, "/payload"), text(&all, "/header"));
    let time = all["timestamp"].as_i64().unwrap();
    let secrets = [SecretString::from("another"), SecretString::from(secret)];
    let check = |header: &str, body: &str, now: i64| verify_signature(&secrets, header, body.as_bytes(), now);
    assert_eq!(check(header, body, time), Ok(()));
    assert_eq!(check(header, body, time + 300), Ok(()));
    assert_eq!(check(header, body, time + 301), Err(NotificationRefused::Time));
    assert_eq!(check(header, body, time - 301), Err(NotificationRefused::Time));
    assert_eq!(check(header, body.trim_end(), time), Err(NotificationRefused::Signature));
    let right = text(&all, "/v1");
    assert_eq!(check(&format!("t={time},v1=00,v1={right}"), body, time), Ok(()));
    for wrong in [
        format!("t={time},v0={right}"),
        format!("t={},v1={right}", time + 1),
        format!("t={time},t={time},v1={right}"),
        format!("v1={right}"),
        format!("t={time},v1="),
        format!("t={time},v1={}", &right[1..]),
        String::new(),
    ] {
        assert_eq!(check(&wrong, body, time), Err(NotificationRefused::Signature), "{wrong}");
    }
}

#[test]
fn keys_are_read_in_every_shape_and_never_printed() {
    let all = vectors("wechat");
    let pem = text(&all, "/merchant_test_private_key_pem_pkcs1");
    assert!(SigningKey::parse(&pem.replace('\n', "\r\n")).is_some());
    assert_eq!(format!("{:?}", SigningKey::parse(pem).unwrap()), "SigningKey([REDACTED])");
    for nonsense in ["", "-----BEGIN PRIVATE KEY-----", "AAAA", &"A".repeat(20_000)] {
        assert!(SigningKey::parse(nonsense).is_none());
        assert!(VerifyingKey::parse(nonsense).is_none());
    }
    let public = text(&all, "/response_verify/public_key_pem");
    assert!(SigningKey::parse(public).is_none() && VerifyingKey::parse(pem).is_none());
}
