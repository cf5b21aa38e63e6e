//! Orders, payments and refunds as clients see them.

use crate::http::time;
use domain::id::BillId;
use domain::orders::{Attempt, Order, OrderView, PayAction, Payment, Purpose, Refund};
use fast_qr::QRBuilder;
use fast_qr::convert::svg::SvgBuilder;
use serde::Serialize;
use utoipa::ToSchema;

/// What is bought.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "ord_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11", "purpose": "top_up", "product": null, "bill": null,
    "description": "Top-up 10.00 CNY", "amount": "10.00", "currency": "CNY", "status": "created", "shop_status": 0,
    "close_reason": null, "expires_at": "2026-11-21T08:30:00Z", "delivered_at": null, "closed_at": null, "created_at": "2026-11-21T08:00:00Z"
}))]
pub struct OrderBody {
    id: String,
    account: String,
    /// `product`, `top_up` or `bill`.
    purpose: &'static str,
    /// The code of the product.
    product: Option<String>,
    /// The bill that it pays.
    bill: Option<String>,
    description: String,
    amount: String,
    currency: String,
    /// `created`, `closing`, `closed`, `awaiting_delivery` or `delivered`.
    status: &'static str,
    /// 0 created, 1 awaiting delivery, 2 delivered, 3 closed.
    shop_status: u8,
    /// `expired`, `cancelled` or `undeliverable`.
    close_reason: Option<&'static str>,
    expires_at: String,
    delivered_at: Option<String>,
    closed_at: Option<String>,
    created_at: String,
}

impl From<&Order> for OrderBody {
    fn from(order: &Order) -> Self {
        let (product, bill) = match &order.purpose {
            Purpose::Product(product) => (Some(product.code.clone()), None),
            Purpose::TopUp => (None, None),
            Purpose::Bill { bill } => (None, Some(BillId::from_uuid(*bill).to_string())),
        };
        Self {
            id: order.id.to_string(),
            account: order.account.to_string(),
            purpose: order.purpose.name(),
            product,
            bill,
            description: order.description.clone(),
            amount: order.amount.to_decimal(),
            currency: order.amount.currency().code().to_owned(),
            status: order.status.name(),
            shop_status: order.status.shop_code(),
            close_reason: order.close_reason.map(domain::orders::CloseReason::name),
            expires_at: time::text(order.expires_at),
            delivered_at: order.delivered_at.map(time::text),
            closed_at: order.closed_at.map(time::text),
            created_at: time::text(order.created_at),
        }
    }
}

/// One request for money at one provider. What is to be done to pay stands in exactly one of `qr_content` (with
/// `qr_svg`), `pay_url` and `instructions`, once the provider has answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentBody {
    id: String,
    order: String,
    provider: &'static str,
    /// `unknown` (the provider has not answered yet), `pending`, `paid`, `failed`, `cancelled`, `partially_refunded` or
    /// `refunded`.
    status: &'static str,
    /// 0 waiting, 1 paid, 2 failed, 3 given up.
    shop_status: u8,
    amount: String,
    currency: String,
    qr_content: Option<String>,
    /// An image for the content; only while it can be paid.
    qr_svg: Option<String>,
    pay_url: Option<String>,
    instructions: Option<String>,
    /// What came in, with its currency.
    captured: Option<String>,
    captured_currency: Option<String>,
    /// The provider's number of it.
    transaction: Option<String>,
    refunded: String,
    paid_at: Option<String>,
    expires_at: String,
    created_at: String,
}

impl From<&Payment> for PaymentBody {
    fn from(payment: &Payment) -> Self {
        let action = payment.action.clone().filter(|_| payment.status.is_open());
        let (mut qr_content, mut pay_url, mut instructions) = (None, None, None);
        match action {
            Some(PayAction::ScanQr(content)) => qr_content = Some(content),
            Some(PayAction::Open(page)) => pay_url = Some(page),
            Some(PayAction::Follow(words)) => instructions = Some(words),
            None => {}
        }
        Self {
            id: payment.id.to_string(),
            order: payment.order.to_string(),
            provider: payment.provider.name(),
            status: payment.status.name(),
            shop_status: payment.status.shop_code(),
            amount: payment.amount.to_decimal(),
            currency: payment.amount.currency().code().to_owned(),
            qr_svg: qr_content.as_deref().and_then(qr_svg),
            qr_content,
            pay_url,
            instructions,
            captured: payment.captured.map(domain::money::Money::to_decimal),
            captured_currency: payment.captured.map(|money| money.currency().code().to_owned()),
            transaction: payment.transaction.clone(),
            refunded: payment.refunded.to_decimal(),
            paid_at: payment.paid_at.map(time::text),
            expires_at: time::text(payment.expires_at),
            created_at: time::text(payment.created_at),
        }
    }
}

/// Content that no QR code holds has no image.
fn qr_svg(content: &str) -> Option<String> {
    let code = QRBuilder::new(content).build().ok()?;
    Some(SvgBuilder::default().to_str(&code))
}

/// Money on its way back.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundView {
    id: String,
    payment: String,
    order: String,
    amount: String,
    currency: String,
    reason: String,
    /// `unknown`, `processing`, `succeeded`, `failed` or `abnormal`.
    status: &'static str,
    /// What the provider said about a failure.
    problem: Option<String>,
    created_at: String,
    ended_at: Option<String>,
}

impl From<&Refund> for RefundView {
    fn from(refund: &Refund) -> Self {
        Self {
            id: refund.id.to_string(),
            payment: refund.payment.to_string(),
            order: refund.order.to_string(),
            amount: refund.amount.to_decimal(),
            currency: refund.amount.currency().code().to_owned(),
            reason: refund.reason.clone(),
            status: refund.status.name(),
            problem: refund.problem.clone(),
            created_at: time::text(refund.created_at),
            ended_at: refund.ended_at.map(time::text),
        }
    }
}

/// An order and the attempt to pay it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptBody {
    order: OrderBody,
    payment: PaymentBody,
}

impl From<&Attempt> for AttemptBody {
    fn from(attempt: &Attempt) -> Self {
        Self { order: (&attempt.order).into(), payment: (&attempt.payment).into() }
    }
}

/// An order with everything that was paid for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderDetailBody {
    order: OrderBody,
    payments: Vec<PaymentBody>,
    refunds: Vec<RefundView>,
}

impl From<&OrderView> for OrderDetailBody {
    fn from(view: &OrderView) -> Self {
        Self {
            order: (&view.order).into(),
            payments: view.payments.iter().map(PaymentBody::from).collect(),
            refunds: view.refunds.iter().map(RefundView::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_an_image_and_what_no_code_holds_becomes_none() {
        let svg = qr_svg("weixin://wxpay/bizpayurl?pr=abc").unwrap();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"), "{svg}");
        assert_eq!(qr_svg(&"x".repeat(10_000)), None);
    }
}
