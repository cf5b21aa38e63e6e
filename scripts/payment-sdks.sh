#!/usr/bin/env bash
# Checks the fake provider with the providers' own Python libraries; needs python3 and PyPI. Optional: not part of CI.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'kill "${fake:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q --disable-pip-version-check install wechatpayv3 alipay-sdk-python stripe
cargo build -q -p suanpan-fakepay
port=${1:-8091}
target/debug/fakepay --port "$port" >"$work/out" &
fake=$!
for _ in $(seq 50); do grep -q listens "$work/out" && break || sleep 0.1; done
"$work/venv/bin/python" scripts/payment_sdks.py "http://127.0.0.1:$port"
