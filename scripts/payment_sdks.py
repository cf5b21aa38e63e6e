"""Speaks to the fake provider with the providers' own libraries: what these accept, the fake speaks as the public
protocols say, and the contract tests hold our adapters to the same fake. Called by payment-sdks.sh."""

import http.server
import json
import sys
import threading
import time
import urllib.request
import uuid

BASE = sys.argv[1]
CALLS = []


class Listener(http.server.BaseHTTPRequestHandler):
    """Takes what the fake sends, as a merchant's server."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        CALLS.append((self.path, dict(self.headers), body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"success")

    def log_message(self, *_):
        pass


def listen():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def fake(path, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    method = method or ("GET" if data is None else "POST")
    request = urllib.request.Request(BASE + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def told(path, which=lambda call: True):
    """The message that was sent to a path."""
    for _ in range(100):
        for call in CALLS:
            if call[0] == path and which(call):
                return call
        time.sleep(0.1)
    raise AssertionError(f"nothing came to {path}")


def number():
    return uuid.uuid4().hex


def wechat(merchant, here):
    from wechatpayv3 import WeChatPay, WeChatPayType

    serial, key = next(iter(merchant["platform_keys"].items()))
    pay = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE, mchid=merchant["merchant_id"], private_key=merchant["merchant_key"],
        cert_serial_no=merchant["merchant_serial"], apiv3_key=merchant["api_v3_key"], appid=merchant["app_id"],
        notify_url=here + "/wechat", public_key=key, public_key_id=serial,
    )
    pay._core._gate_way = BASE
    order, refund = number(), number()
    code, text = pay.pay(description="test", out_trade_no=order, amount={"total": 1000, "currency": "CNY"})
    assert code == 200 and json.loads(text)["code_url"], (code, text)
    fake("/_fake/pay", {"kind": "wechat", "number": order})
    _, headers, body = told("/wechat")
    callback = pay.callback({name.title(): value for name, value in headers.items()}, body)
    assert callback and callback["resource"]["out_trade_no"] == order, callback
    forged = dict(headers, **{"Wechatpay-Nonce": "another"})
    assert not pay.callback({name.title(): value for name, value in forged.items()}, body)
    code, text = pay.query(out_trade_no=order)
    assert (code, json.loads(text)["trade_state"]) == (200, "SUCCESS"), text
    amount = {"refund": 400, "total": 1000, "currency": "CNY"}
    code, text = pay.refund(out_refund_no=refund, out_trade_no=order, amount=amount)
    assert code == 200 and json.loads(text)["out_refund_no"] == refund, text
    code, text = pay.query_refund(refund)
    assert code == 200 and json.loads(text)["amount"]["refund"] == 400, text
    other = number()
    pay.pay(description="test", out_trade_no=other, amount={"total": 1, "currency": "CNY"})
    assert pay.close(other)[0] == 204
    return "place, notification, query, refund, query of a refund, close"


def alipay(merchant, here):
    from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
    from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
    from alipay.aop.api.request.AlipayTradePrecreateRequest import AlipayTradePrecreateRequest
    from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
    from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest
    from alipay.aop.api.util.SignatureUtils import verify_with_rsa
    from alipay.aop.api.util import WebUtils
    from urllib.parse import parse_qsl, urlsplit
    import http.client

    def connection(url, query, timeout):
        """The library's own knows ports 80 and 443 only."""
        at = urlsplit(url)
        return f"{at.path}?{query}", http.client.HTTPConnection(at.hostname, at.port, timeout=timeout)

    WebUtils.get_http_connection = connection

    bare = lambda pem: "".join(line for line in pem.splitlines() if not line.startswith("-----"))
    config = AlipayClientConfig()
    config.server_url, config.app_id = merchant["base_url"], merchant["app_id"]
    # The library reads the older form of a private key only.
    config.app_private_key = bare(pkcs1(merchant["app_key"]))
    config.alipay_public_key = bare(merchant["alipay_key"])
    client = DefaultAlipayClient(alipay_client_config=config)
    order = number()

    def ask(request, content):
        request.biz_content = content
        request.notify_url = here + "/alipay"
        return json.loads(client.execute(request))

    placed = ask(AlipayTradePrecreateRequest(), {"out_trade_no": order, "total_amount": "10.00", "subject": "测试"})
    assert placed["code"] == "10000" and placed["qr_code"], placed
    fake("/_fake/pay", {"kind": "alipay", "number": order})
    fields = dict(parse_qsl(told("/alipay")[2].decode(), keep_blank_values=True))
    sign = fields.pop("sign")
    fields.pop("sign_type")
    content = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    assert verify_with_rsa(merchant["alipay_key"], content.encode(), sign), fields
    found = ask(AlipayTradeQueryRequest(), {"out_trade_no": order})
    assert found["trade_status"] == "TRADE_SUCCESS" and found["total_amount"] == "10.00", found
    back = {"out_trade_no": order, "refund_amount": "4.00", "out_request_no": number()}
    refunded = ask(AlipayTradeRefundRequest(), back)
    assert refunded["fund_change"] == "Y" and refunded["refund_fee"] == "4.00", refunded
    return "precreate, notification, query, refund; every answer's signature"


def pkcs1(pem):
    from cryptography.hazmat.primitives import serialization as form

    key = form.load_pem_private_key(pem.encode(), None)
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption()).decode()


def stripe(merchant, here):
    import stripe as sdk

    fake("/_fake/manners", dict(fake("/_fake/manners"), stripe_webhook_url=here + "/stripe"), "PUT")
    client = sdk.StripeClient(merchant["secret_key"], base_addresses={"api": BASE})
    order = number()
    item = {
        "quantity": 1,
        "price_data": {"currency": "cny", "unit_amount": 1000, "product_data": {"name": "test"}},
    }
    session = client.v1.checkout.sessions.create(params={
        "mode": "payment", "line_items": [item], "client_reference_id": order, "success_url": here,
        "metadata": {"number": order}, "payment_intent_data": {"metadata": {"number": order}},
    })
    assert session.url and session.payment_status == "unpaid", session
    fake("/_fake/pay", {"kind": "stripe", "number": order})
    of_order = lambda call: order.encode() in call[2] and b"checkout.session.completed" in call[2]
    _, headers, body = told("/stripe", of_order)
    signature = next(value for name, value in headers.items() if name.lower() == "stripe-signature")
    event = sdk.Webhook.construct_event(body, signature, merchant["webhook_secrets"][-1])
    assert event["data"]["object"]["payment_status"] == "paid", event
    try:
        sdk.Webhook.construct_event(body + b" ", signature, merchant["webhook_secrets"][-1])
        raise AssertionError("a changed event was believed")
    except sdk.SignatureVerificationError:
        pass
    paid = client.v1.checkout.sessions.retrieve(session.id)
    refund = client.v1.refunds.create(params={"payment_intent": paid.payment_intent, "amount": 400})
    assert refund.status == "succeeded" and refund.amount == 400, refund
    invoice = charged(client, here, item)
    assert invoice.status == "paid" and invoice.amount_paid == 1000, invoice
    return "checkout session, event, retrieve, refund, subscription, invoice of a charge"


def charged(client, here, item):
    """The invoice of a subscription's first charge, as the day's charges lead to it."""
    term = dict(item, price_data=dict(item["price_data"], recurring={"interval": "month"}))
    plan = number()
    client.v1.checkout.sessions.create(params={
        "mode": "subscription", "line_items": [term], "client_reference_id": plan, "success_url": here,
        "subscription_data": {"metadata": {"number": plan}},
    })
    fake("/_fake/pay", {"kind": "stripe", "number": plan})
    day = client.v1.balance_transactions.list(params={"limit": 100, "expand": ["data.source"]})
    charges = [row.source for row in day.data if row.type == "charge"]
    intent = next(charge.payment_intent for charge in charges if "number" not in charge.metadata)
    of = {"type": "payment_intent", "payment_intent": intent}
    payments = client.v1.invoice_payments.list(params={"payment": of})
    return client.v1.invoices.retrieve(payments.data[0].invoice)


def main():
    here, merchant = listen(), fake("/_fake/merchant")
    for name, speak in [("wechat", wechat), ("alipay", alipay), ("stripe", stripe)]:
        print(f"{name}: {speak(merchant[name], here)}: all as the library expects", flush=True)


main()
