#!/bin/sh
# Sends generated requests, valid and not, to every route of a server of its own and compares the answers with the
# OpenAPI document. Needs python3; the tool is installed under target/. Usage: scripts/schemathesis.sh [EXAMPLES]
set -eu
cd "$(dirname "$0")/.."
examples=${1:-50}
tool=target/schemathesis
if [ ! -x "$tool/bin/st" ]; then
    python3 -m venv "$tool"
    "$tool/bin/pip" install --quiet 'schemathesis==4.32.5'
fi
cargo build --quiet
server=$PWD/target/debug/suanpan
st=$PWD/$tool/bin/st
config=$PWD/scripts/schemathesis.toml
report=$PWD/target/schemathesis.log
folder=$(mktemp -d)
cd "$folder"
export SUANPAN__DATABASE__URL="sqlite://$folder/fuzz.db" SUANPAN__SERVER__PORT=0 SUANPAN__METRICS__PORT=0
"$server" seed --json > seed.json
token=$(python3 -c 'import json; print(json.load(open("seed.json"))["admin"]["token"])')
"$server" > server.log 2>&1 &
process=$!
trap 'kill $process 2>/dev/null; wait $process 2>/dev/null; rm -rf "$folder"' EXIT
base=
for _ in $(seq 100); do
    base=$(sed -n 's/^Suanpan serves \(http:[^ ]*\).*/\1/p' server.log)
    [ -n "$base" ] && break
    sleep 0.1
done
status=0
# Logging out would end the session that everything else is sent with.
"$st" --config-file "$config" run "$base/api/v1/openapi.json" --header "Authorization: Bearer $token" --seed 1 --max-examples "$examples" \
    --workers 2 --no-color --continue-on-failure --exclude-path /api/v1/auth/logout \
    --exclude-checks positive_data_acceptance,unsupported_method > "$report" 2>&1 || status=$?
if grep -E 'panicked|storage failed' server.log >> "$report"; then status=1; fi
tail -n 40 "$report"
exit $status
