//! Where customers pay: a page with a button, or one POST.

use crate::actions::{self, PayError};
use crate::book::{Kind, Standing, Trade};
use crate::shared::Shared;
use actix_web::web::{Data, Path, ServiceConfig, get, post};
use actix_web::{HttpRequest, HttpResponse};

pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/", get().to(welcome))
        .route("/pay/{kind}/{number}", get().to(page))
        .route("/pay/{kind}/{number}", post().to(pay));
}

async fn welcome() -> HttpResponse {
    html("A fake payment provider", "<p>WeChat Pay, Alipay and Stripe for development. No money moves here.</p>")
}

type Address = Path<(Kind, String)>;

/// Opening it is what scanning the code is.
async fn page(shared: Data<Shared>, address: Address) -> HttpResponse {
    let (kind, number) = address.into_inner();
    let seen = shared.book().trade_mut(kind, &number).map(|trade| {
        trade.seen = true;
        trade.clone()
    });
    let Ok(trade) = seen else { return nothing() };
    let button = r#"<form method="post"><button>Pay / 支付</button></form>"#;
    let state = match trade.standing {
        Standing::Waiting => button,
        Standing::Paid => "<p>Paid. / 已支付</p>",
        Standing::Closed => "<p>Closed. / 已关闭</p>",
        Standing::Failed => "<p>Failed. / 支付失败</p>",
    };
    html(kind.name(), &format!("{}{state}", described(&trade)))
}

async fn pay(shared: Data<Shared>, request: HttpRequest, address: Address) -> HttpResponse {
    let (kind, number) = address.into_inner();
    let paid = actions::pay(&shared.into_inner(), kind, &number);
    // A browser is shown a page and sent back to the shop; curl is told in a word.
    let browser = request.headers().get("accept").is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
    match paid {
        Ok(trade) if browser => {
            let back = trade.return_url.as_deref().map(|url| format!(r#"<p><a href="{}">Back</a></p>"#, escaped(url)));
            html("Paid. / 已支付", &format!("{}{}", described(&trade), back.unwrap_or_default()))
        }
        Ok(_) => HttpResponse::Ok().content_type("text/plain").body("paid\n"),
        Err(PayError::NotFound) => nothing(),
        Err(PayError::Over) => HttpResponse::Conflict().content_type("text/plain").body("paid or closed before\n"),
    }
}

fn described(trade: &Trade) -> String {
    let amount = format!("{} (smallest units) {}", trade.amount, escaped(&trade.currency));
    format!("<p>{}</p><p>{amount}</p>", escaped(&trade.subject))
}

fn nothing() -> HttpResponse {
    HttpResponse::NotFound().content_type("text/plain").body("no such payment\n")
}

fn html(title: &str, body: &str) -> HttpResponse {
    let title = escaped(title);
    let page = format!(
        "<!doctype html><meta charset=utf-8><meta name=viewport content=width=device-width><title>{title}</title>\
         <h1>{title}</h1>{body}<p><small>Fake provider, for development.</small></p>"
    );
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
