# Short names for commands of cargo; everything works without `just` too.

postgres := env("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432")
mariadb := env("TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306")

# List the recipes.
default:
    @just --list

# Serve on 127.0.0.1:8080 with SQLite and demo data.
run:
    cargo run

# The whole suite on SQLite.
test:
    cargo test --workspace

# The whole suite on SQLite, PostgreSQL and MariaDB; TEST_POSTGRES_URL and TEST_MARIADB_URL name other servers.
test-all: test
    RUST_TEST_THREADS=4 TEST_POSTGRES_URL={{ postgres }} TEST_MARIADB_URL={{ mariadb }} cargo test --workspace --test it --test program --test chaos -- --ignored postgres mariadb

# Concurrent clients on one scarce thing, a thousand rounds on each of the three databases.
race rounds="1000":
    SUANPAN_RACE_ROUNDS={{ rounds }} TEST_POSTGRES_URL={{ postgres }} TEST_MARIADB_URL={{ mariadb }} cargo test --workspace --test it races -- --include-ignored

# Mutated input for so many seconds: decimals, plan_files, replays, notifications, signatures, bodies or events.
fuzz seconds target:
    SUANPAN_FUZZ_SECONDS={{ seconds }} cargo test -p suanpan-tests --test it -- fuzz_{{ target }} --nocapture

# Formatting, lints and layers; dependencies too where cargo-deny is installed.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace --test it layers
    if command -v cargo-deny >/dev/null; then cargo deny check; fi

# Apply the missing migrations to the configured database.
migrate:
    cargo run -- migrate up

# Create the demo users in the configured database.
seed:
    cargo run -- seed

# Feed a day of a real service through the meter of the demo user.
replay:
    cargo run -- replay tests/data/azure_llm_code_2023.csv --user pro --meter words --quantity GeneratedTokens --model gpt-4o

# Documentation of the crates.
doc:
    cargo doc --workspace --no-deps --open

# Print the OpenAPI document.
openapi:
    cargo run --quiet -- openapi

# How fast a release build is, beside references on the same machine; `just bench --help` lists the options.
bench *arguments:
    cargo build --release -p suanpan -p suanpan-bench
    TEST_POSTGRES_URL={{ postgres }} TEST_MARIADB_URL={{ mariadb }} target/release/bench {{ arguments }}

# How long the pure rules take.
bench-rules:
    cargo bench -p suanpan-bench

# Generated requests against every documented route of a server of its own; needs python3.
schemathesis examples="50":
    scripts/schemathesis.sh {{ examples }}

# Order and pay with each provider of the fake, on a database of its own.
pay-demo:
    scripts/pay-demo.sh

# The fake provider by itself; GET /_fake/merchant says its keys.
fakepay *arguments:
    cargo run -p suanpan-fakepay -- {{ arguments }}

# Ten thousand notifications and a thousand unknown outcomes per provider; TEST_POSTGRES_URL and TEST_MARIADB_URL as above.
storms:
    SUANPAN_STORM_DELIVERIES=10000 SUANPAN_UNKNOWN_RUNS=1000 cargo test --workspace --test it online -- --nocapture

# Kills, cuts, hang-ups, silence and drains under load on the three databases; `--long` for the full figures, `--help` for more.
chaos *arguments:
    cargo build --release -p suanpan -p suanpan-bench
    TEST_POSTGRES_URL={{ postgres }} TEST_MARIADB_URL={{ mariadb }} target/release/chaos {{ arguments }}

# Receipts as PDF: their crate, over HTTP by a server that makes them, and each bill of a year, on the three databases.
receipts:
    cargo test --manifest-path crates/receipts/Cargo.toml
    TEST_POSTGRES_URL={{ postgres }} TEST_MARIADB_URL={{ mariadb }} cargo test --workspace --features suanpan-tests/pdf --test it -- --include-ignored http::receipts flows::year

# A thousand subscriptions closed by two servers at once, one of them killed, twenty times on each of the three databases.
closing rounds="20" accounts="1000":
    SUANPAN_CLOSING_ROUNDS={{ rounds }} SUANPAN_CLOSING_ACCOUNTS={{ accounts }} TEST_POSTGRES_URL={{ postgres }} TEST_MARIADB_URL={{ mariadb }} cargo test --workspace --test it replicas::closing -- --include-ignored --nocapture --test-threads 1

# The domain on one thread with a database in memory: interleaved, failing, over months, seed by seed; `--help` for more.
simulate *arguments="--seeds 200 --steps 1000000":
    cargo run --release -p suanpan-simulation -- {{ arguments }}

# Breaks one rule of the domain at a time and says whether the simulation notices; needs python3.
mutate *arguments:
    scripts/mutate.py {{ arguments }}
