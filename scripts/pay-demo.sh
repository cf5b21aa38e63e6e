#!/usr/bin/env bash
# A server with its fake provider on a database of its own; an order is placed and paid with each of the three.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cargo build -q
export SUANPAN__DATABASE__URL="sqlite://$work/demo.db" SUANPAN__SERVER__PORT="${PORT:-8082}" SUANPAN__METRICS__PORT=0
export SUANPAN__PAYMENTS__FAKE__PORT=0 SUANPAN__LOG__LEVEL=warn
target/debug/suanpan >"$work/out" 2>"$work/err" &
server=$!
for _ in $(seq 100); do grep -q 'serves http' "$work/out" && break || sleep 0.1; done
api="http://127.0.0.1:$SUANPAN__SERVER__PORT/api/v1"
password=$(sed -n 's/^Demo user pro .*password //p' "$work/out")
field() { python3 -c 'import json,sys; v=json.load(sys.stdin)
for k in sys.argv[1].split("."): v=v[int(k)] if k.isdigit() else v[k]
print(v or "")' "$1"; }
post() { curl -sS -H 'Content-Type: application/json' "$@"; }
token=$(post "$api/auth/login" -d "{\"login\": \"pro\", \"password\": \"$password\"}" | field token)
for provider in wechat alipay stripe; do
    wish="{\"topup\": {\"amount\": \"10.00\", \"currency\": \"CNY\"}, \"provider\": \"$provider\"}"
    order=$(post "$api/orders" -H "Authorization: Bearer $token" -H "Idempotency-Key: $provider" -d "$wish")
    page=$(field payment.qr_content <<<"$order")
    [ -n "$page" ] || page=$(field payment.pay_url <<<"$order")
    echo "$provider: pay at $page: $(curl -sS -X POST "$page")"
    sleep 1
    echo "  balance $(curl -sS "$api/wallet" -H "Authorization: Bearer $token" | field balances.0.balance) CNY"
done
