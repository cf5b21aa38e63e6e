//! Logging in through other providers, against a provider with real keys over real HTTP.

mod hostile;
mod linking;
mod log_in;
mod providers;

use harness::app::{Answer, TestApp};
use harness::identity_provider::IdentityProvider;
use reqwest::redirect::Policy;

/// Where browsers see the server; only the path is used.
const PUBLIC_URL: &str = "http://suanpan.test";

/// A server that knows the provider under these names and kinds.
async fn app_with(url: &str, provider: &IdentityProvider, kinds: &[(&str, &str)]) -> TestApp {
    let mut settings: Vec<_> = kinds.iter().flat_map(|(name, kind)| provider.settings(name, kind)).collect();
    settings.push(("SUANPAN__OAUTH__PUBLIC_URL".to_owned(), PUBLIC_URL.to_owned()));
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    TestApp::with(url, &settings).await
}

/// A log-in under way: where the provider sends the browser back to, and the cookie that the browser keeps.
#[derive(Clone, Debug)]
struct Trip {
    /// Path and query under the API's base.
    back: String,
    cookie: String,
}

impl Trip {
    async fn finish(&self, app: &TestApp) -> Answer {
        app.anonymous().header("Cookie", &self.cookie).get(&self.back).await
    }
}

/// Begins, and lets the person say yes.
async fn travel(app: &TestApp, provider: &str, query: &str) -> Trip {
    let start = app.anonymous().get(&format!("/auth/oauth/{provider}/start{query}")).await.expect(303);
    let cookie = cookie_of(&start);
    consent(start.header("location").unwrap(), cookie).await
}

/// The browser follows to the provider and learns where to go back to.
async fn consent(location: &str, cookie: String) -> Trip {
    let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let answer = browser.get(location).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    let back = answer.headers()["location"].to_str().unwrap();
    let back = back.strip_prefix(PUBLIC_URL).and_then(|path| path.strip_prefix("/api/v1")).unwrap().to_owned();
    Trip { back, cookie }
}

fn cookie_of(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}
