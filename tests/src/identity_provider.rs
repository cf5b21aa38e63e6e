//! An identity provider on a free port, with real keys and real HTTP: OpenID Connect, GitHub's and WeChat's ways, and
//! every way of misbehaving that tests need.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test whose provider cannot be set up fails")]

use actix_web::dev::ServerHandle;
use actix_web::http::header::{AUTHORIZATION, LOCATION};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256};
use aws_lc_rs::{digest, hmac, rsa};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::time::Clock;
use infra::clock::SystemClock;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

pub const CLIENT_ID: &str = "suanpan";
pub const CLIENT_SECRET: &str = "s3cret & odd+letters";

/// What the provider does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    WrongAudience,
    SharedAudience,
    WrongIssuer,
    WrongNonce,
    NoNonce,
    Expired,
    NotYetValid,
    AlgorithmNone,
    /// HS256 with the text of the public key as the secret.
    SymmetricWithPublicKey,
    /// Signed by another key under the name of the published one.
    AnotherKey,
    UnknownKey,
    ChangedAfterSigning,
    NoToken,
    TooLong,
    Redirect,
    ServerError,
}

/// A key pair and what is published of it.
enum Signer {
    Rsa(Box<aws_lc_rs::signature::RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
}

struct Key {
    name: String,
    signer: Signer,
}

impl Key {
    fn rsa(name: &str) -> Self {
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        Self { name: name.to_owned(), signer: Signer::Rsa(Box::new(pair)) }
    }

    fn ec(name: &str) -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).unwrap();
        Self { name: name.to_owned(), signer: Signer::Ec(Box::new(pair)) }
    }

    fn algorithm(&self) -> &'static str {
        match self.signer {
            Signer::Rsa(_) => "RS256",
            Signer::Ec(_) => "ES256",
        }
    }

    fn published(&self) -> Value {
        match &self.signer {
            Signer::Rsa(pair) => {
                // RSAPublicKey of 2048 bits: two headers, the modulus from its tenth byte, the exponent 65537.
                let modulus = &pair.public_key().as_ref()[9..265];
                json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.name, "n": encoded(modulus), "e": "AQAB"})
            }
            Signer::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (encoded(&point[1..33]), encoded(&point[33..65]));
                json!({"kty": "EC", "use": "sig", "crv": "P-256", "kid": self.name, "x": x, "y": y})
            }
        }
    }

    fn sign(&self, message: &str) -> String {
        let random = SystemRandom::new();
        match &self.signer {
            Signer::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
                encoded(&signature)
            }
            Signer::Ec(pair) => encoded(pair.sign(&random, message.as_bytes()).unwrap().as_ref()),
        }
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Who comes, and how the provider behaves.
#[derive(Clone, Debug)]
pub struct Person {
    pub subject: String,
    pub email: String,
    pub email_verified: bool,
}

struct Inner {
    issuer: String,
    key: Key,
    person: Person,
    fault: Fault,
    /// The query of the authorization request, by its code.
    codes: HashMap<String, HashMap<String, String>>,
    key_fetches: usize,
}

/// A running provider; it stops with the test.
pub struct IdentityProvider {
    pub address: String,
    inner: Arc<Mutex<Inner>>,
    handle: ServerHandle,
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

type Shared = web::Data<Arc<Mutex<Inner>>>;
type Query = web::Query<HashMap<String, String>>;

impl IdentityProvider {
    pub fn start() -> Self {
        let person = Person { subject: "42".to_owned(), email: "z@example.cn".to_owned(), email_verified: true };
        let inner = Arc::new(Mutex::new(Inner {
            issuer: String::new(),
            key: Key::rsa("first"),
            person,
            fault: Fault::None,
            codes: HashMap::new(),
            key_fetches: 0,
        }));
        let shared = inner.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(shared.clone()))
                .route("/.well-known/openid-configuration", web::get().to(discovery))
                .route("/authorize", web::get().to(authorize))
                .route("/token", web::post().to(token))
                .route("/jwks", web::get().to(jwks))
                .route("/user", web::get().to(user))
                .route("/user/emails", web::get().to(emails))
                .route("/wechat/token", web::get().to(wechat_token))
                .route("/wechat/user", web::get().to(wechat_user))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}", server.addrs()[0]);
        inner.lock().unwrap().issuer.clone_from(&address);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, inner, handle }
    }

    pub fn misbehave(&self, fault: Fault) {
        self.inner.lock().unwrap().fault = fault;
    }

    pub fn send(&self, subject: &str, email: &str, email_verified: bool) {
        let (subject, email) = (subject.to_owned(), email.to_owned());
        self.inner.lock().unwrap().person = Person { subject, email, email_verified };
    }

    /// Signs with a new elliptic-curve key from now on, and publishes only that.
    pub fn change_key(&self, name: &str) {
        self.inner.lock().unwrap().key = Key::ec(name);
    }

    pub fn key_fetches(&self) -> usize {
        self.inner.lock().unwrap().key_fetches
    }

    /// Settings of a provider of that kind, named as the environment names them.
    pub fn settings(&self, name: &str, kind: &str) -> Vec<(String, String)> {
        let at = |path: &str| format!("{}{path}", self.address);
        let mut fields = vec![("kind", kind.to_owned()), ("client_id", CLIENT_ID.to_owned())];
        fields.push(("client_secret", CLIENT_SECRET.to_owned()));
        match kind {
            "oidc" => fields.push(("issuer", self.address.clone())),
            "wechat" => fields.extend([
                ("authorize_url", at("/authorize")),
                ("token_url", at("/wechat/token")),
                ("userinfo_url", at("/wechat/user")),
            ]),
            _ => fields.extend([
                ("authorize_url", at("/authorize")),
                ("token_url", at("/token")),
                ("userinfo_url", at("/user")),
            ]),
        }
        if kind == "github" {
            fields.push(("emails_url", at("/user/emails")));
        }
        let key = |field: &str| format!("SUANPAN__OAUTH__PROVIDERS__{name}__{field}").to_uppercase();
        fields.into_iter().map(|(field, value)| (key(field), value)).collect()
    }
}

async fn discovery(shared: Shared) -> HttpResponse {
    let issuer = shared.lock().unwrap().issuer.clone();
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
    }))
}

/// The person says yes at once.
async fn authorize(shared: Shared, query: Query) -> HttpResponse {
    let code = Uuid::now_v7().simple().to_string();
    let back = format!("{}?code={code}&state={}&iss=x", query["redirect_uri"], query["state"]);
    shared.lock().unwrap().codes.insert(code, query.into_inner());
    HttpResponse::Found().insert_header((LOCATION, back)).finish()
}

/// Codes work once, with the right verifier, for the right client.
async fn token(shared: Shared, request: HttpRequest, form: web::Form<HashMap<String, String>>) -> HttpResponse {
    let mut inner = shared.lock().unwrap();
    let Some(asked) = inner.codes.get(&form["code"]).cloned() else { return refused() };
    let hashed = digest::digest(&digest::SHA256, form["code_verifier"].as_bytes());
    let proved = asked["code_challenge"] == encoded(hashed.as_ref()) && asked["redirect_uri"] == form["redirect_uri"];
    if !proved || !is_client(&request, &form) {
        return refused();
    }
    inner.codes.remove(&form["code"]);
    match inner.fault {
        Fault::TooLong => return HttpResponse::Ok().body("x".repeat(300_000)),
        Fault::Redirect => return HttpResponse::Found().insert_header((LOCATION, "/jwks")).finish(),
        Fault::ServerError => return HttpResponse::InternalServerError().finish(),
        Fault::NoToken => return HttpResponse::Ok().json(json!({"access_token": "a"})),
        _ => {}
    }
    let token = inner.id_token(asked.get("nonce").map(String::as_str).unwrap_or_default());
    HttpResponse::Ok().json(json!({"access_token": "person's token", "token_type": "Bearer", "id_token": token}))
}

fn refused() -> HttpResponse {
    HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}))
}

fn is_client(request: &HttpRequest, form: &HashMap<String, String>) -> bool {
    if let (Some(id), Some(secret)) = (form.get("client_id"), form.get("client_secret")) {
        return id == CLIENT_ID && secret == CLIENT_SECRET;
    }
    // The credentials are written as forms write them.
    let basic = base64::engine::general_purpose::STANDARD.encode("suanpan:s3cret+%26+odd%2Bletters");
    request.headers().get(AUTHORIZATION).is_some_and(|header| header == format!("Basic {basic}").as_str())
}

impl Inner {
    fn id_token(&self, nonce: &str) -> String {
        let now = SystemClock.now().timestamp();
        let mut claims = json!({
            "iss": self.issuer, "sub": self.person.subject, "aud": CLIENT_ID, "exp": now + 300, "iat": now,
            "nonce": nonce, "name": "Zhang", "email": self.person.email, "email_verified": self.person.email_verified,
        });
        match self.fault {
            Fault::WrongAudience => claims["aud"] = json!("another"),
            Fault::SharedAudience => claims["aud"] = json!([CLIENT_ID, "another"]),
            Fault::WrongIssuer => claims["iss"] = json!("https://elsewhere.example"),
            Fault::WrongNonce => claims["nonce"] = json!("another"),
            Fault::NoNonce => drop(claims.as_object_mut().unwrap().remove("nonce")),
            Fault::Expired => claims["exp"] = json!(now - 61),
            Fault::NotYetValid => claims["nbf"] = json!(now + 120),
            _ => {}
        }
        self.signed(claims)
    }

    fn signed(&self, mut claims: Value) -> String {
        let foreign = [Fault::AnotherKey, Fault::UnknownKey].contains(&self.fault);
        let other = foreign.then(|| Key::rsa("other"));
        let signer = other.as_ref().unwrap_or(&self.key);
        let (algorithm, name, key) = match self.fault {
            Fault::AlgorithmNone => ("none", "first", &self.key),
            Fault::SymmetricWithPublicKey => ("HS256", "first", &self.key),
            Fault::AnotherKey => ("RS256", "first", signer),
            Fault::UnknownKey => ("RS256", "other", signer),
            _ => (self.key.algorithm(), self.key.name.as_str(), &self.key),
        };
        let header = encoded(json!({"alg": algorithm, "kid": name, "typ": "JWT"}).to_string().as_bytes());
        let message = format!("{header}.{}", encoded(claims.to_string().as_bytes()));
        let signature = match self.fault {
            Fault::AlgorithmNone => String::new(),
            Fault::SymmetricWithPublicKey => {
                let secret = self.key.published()["n"].as_str().unwrap().to_owned();
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
                encoded(hmac::sign(&key, message.as_bytes()).as_ref())
            }
            _ => key.sign(&message),
        };
        if self.fault == Fault::ChangedAfterSigning {
            claims["sub"] = json!("43");
            return format!("{header}.{}.{signature}", encoded(claims.to_string().as_bytes()));
        }
        format!("{message}.{signature}")
    }
}

async fn jwks(shared: Shared) -> HttpResponse {
    let mut inner = shared.lock().unwrap();
    inner.key_fetches += 1;
    // One of a kind that nobody knows does no harm.
    HttpResponse::Ok().json(json!({"keys": [{"kty": "odd"}, inner.key.published()]}))
}

fn has_token(request: &HttpRequest) -> bool {
    request.headers().get(AUTHORIZATION).is_some_and(|header| header == "Bearer person's token")
}

async fn user(shared: Shared, request: HttpRequest) -> HttpResponse {
    if !has_token(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    let person = shared.lock().unwrap().person.clone();
    let id: i64 = person.subject.parse().unwrap();
    // An address here is what the person shows, verified or not.
    HttpResponse::Ok()
        .json(json!({"id": id, "login": "zhang", "username": "zhang", "name": null, "email": person.email}))
}

async fn emails(shared: Shared, request: HttpRequest) -> HttpResponse {
    if !has_token(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    let person = shared.lock().unwrap().person.clone();
    HttpResponse::Ok().json(json!([
        {"email": "old@example.cn", "primary": false, "verified": true},
        {"email": person.email, "primary": true, "verified": person.email_verified},
    ]))
}

/// WeChat answers 200 to everything, and calls it text.
async fn wechat_token(shared: Shared, query: Query) -> HttpResponse {
    let known = query["appid"] == CLIENT_ID && query["secret"] == CLIENT_SECRET;
    let mut inner = shared.lock().unwrap();
    let answer = if known && inner.codes.remove(&query["code"]).is_some() {
        json!({"access_token": "wx", "openid": format!("o{}", inner.person.subject), "unionid": "u1", "expires_in": 7200})
    } else {
        json!({"errcode": 40029, "errmsg": "invalid code"})
    };
    HttpResponse::Ok().content_type("text/plain").body(answer.to_string())
}

async fn wechat_user(query: Query) -> HttpResponse {
    assert_eq!(query["access_token"], "wx");
    // A profile that claims to be another's is not believed over what came with the token.
    HttpResponse::Ok().content_type("text/plain").body(json!({"openid": "o1", "nickname": "张小三"}).to_string())
}

/// Telegram's fields as its servers sign them.
pub fn telegram_fields(bot_token: &str, id: &str, auth_date: i64) -> Vec<(String, String)> {
    let mut fields = vec![
        ("auth_date".to_owned(), auth_date.to_string()),
        ("first_name".to_owned(), "Zhang".to_owned()),
        ("id".to_owned(), id.to_owned()),
        ("username".to_owned(), "zhang".to_owned()),
    ];
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let secret = digest::digest(&digest::SHA256, bot_token.as_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref());
    let hash = domain::text::hex(hmac::sign(&key, lines.join("\n").as_bytes()).as_ref());
    fields.push(("hash".to_owned(), hash));
    fields
}
