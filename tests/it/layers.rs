//! The layers, kept by reading the manifests and the sources: what may be named where, which context may import
//! which, and how large and how blunt a file may be.

use std::fs;
use std::path::{Path, PathBuf};

/// All that rules may depend on: types, serialising and pure computation.
const DOMAIN_MAY_NAME: [&str; 12] = [
    "async-trait",
    "chrono",
    "chrono-tz",
    "ipnet",
    "mockall",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "tracing",
    "unicode-normalization",
    "uuid",
];
/// A context imports only those before it.
const CONTEXTS: [&str; 11] = [
    "identity",
    "accounts",
    "teams",
    "plans",
    "quota",
    "wallet",
    "metering",
    "notices",
    "orders",
    "incentives",
    "billing",
];
/// The index of ports names every context, and so do the builders for tests.
const INDEX_FILES: [&str; 2] = ["store.rs", "testing.rs"];
/// What is asynchronous in every context.
const ASYNCHRONOUS: [&str; 4] = ["mod.rs", "ports.rs", "service.rs", "steps.rs"];
/// Parts of services, and steps, that have a file of their own.
const USE_CASES: &[&str] = &[
    "accounts/access.rs",
    "accounts/identities.rs",
    "accounts/keys.rs",
    "accounts/oauth.rs",
    "accounts/operators.rs",
    "accounts/options.rs",
    "accounts/registration.rs",
    "accounts/set_up.rs",
    "accounts/verification.rs",
    "incentives/batches.rs",
    "incentives/checking_in.rs",
    "incentives/redeeming.rs",
    "incentives/referring.rs",
    "billing/charging.rs",
    "billing/chasing.rs",
    "billing/closing.rs",
    "billing/coupons.rs",
    "billing/deriving.rs",
    "billing/evidence.rs",
    "billing/hook.rs",
    "billing/interim.rs",
    "billing/invoicing.rs",
    "billing/issuing.rs",
    "billing/mirroring.rs",
    "billing/paying.rs",
    "billing/purchasing.rs",
    "billing/receipting.rs",
    "billing/recomputing.rs",
    "billing/recurring.rs",
    "billing/refunding.rs",
    "billing/renewing.rs",
    "billing/reporting.rs",
    "metering/load.rs",
    "metering/member_quota.rs",
    "metering/quota_view.rs",
    "metering/report.rs",
    "metering/reports.rs",
    "metering/reservations.rs",
    "metering/retention.rs",
    "metering/upkeep.rs",
    "notices/courier.rs",
    "notices/dead_letters.rs",
    "notices/fan_out.rs",
    "notices/sweeping.rs",
    "notices/webhooks.rs",
    "orders/asking_refunds.rs",
    "orders/attempts.rs",
    "orders/closing.rs",
    "orders/confirming.rs",
    "orders/delivering.rs",
    "orders/gathering.rs",
    "orders/hooks.rs",
    "orders/notifications.rs",
    "orders/polling.rs",
    "orders/provider.rs",
    "orders/reconciling.rs",
    "orders/refunding.rs",
    "orders/resolving.rs",
    "orders/settling.rs",
    "orders/shop.rs",
    "orders/subscription_provider.rs",
    "orders/telling.rs",
    "plans/altering.rs",
    "plans/meter_agreement.rs",
    "plans/orders.rs",
    "plans/publishing.rs",
    "plans/team_plans.rs",
    "quota/carry.rs",
    "teams/invitations.rs",
    "teams/joining.rs",
    "teams/members.rs",
    "teams/ownership.rs",
    "teams/samples.rs",
    "wallet/adjusting.rs",
];
const MAX_LINES: usize = 600;
/// The only reader of the system's clock.
const CLOCK: &str = "crates/infra/src/clock.rs";

struct Source {
    /// From the root of the workspace, with forward slashes.
    path: String,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.starts_with("tests/")
            || name == "tests.rs"
            || name.ends_with("_tests.rs")
            || self.path.contains("/tests/")
            || self.path.contains("/benches/")
    }

    /// The lines, from 1, without comments and without the modules of tests at the end of a file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        let lines = self.text[..end].lines().enumerate();
        lines.map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    read_folder(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no sources");
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn read_folder(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            found.push(Source { path: relative, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

fn all_sources() -> Vec<Source> {
    ["crates", "migration/src", "tests"].into_iter().flat_map(sources).collect()
}

/// The names under `[dependencies]` of a manifest; those for tests are free.
fn dependencies(manifest: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(manifest)).unwrap();
    let section = text.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    let names: Vec<_> = section
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| line.split(['.', '=', ' ']).next().unwrap_or_default().to_owned())
        .collect();
    assert!(!names.is_empty(), "{manifest} has no dependencies");
    names
}

/// Where code outside tests contains one of the words.
fn uses(sources: &[Source], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        for (line, code) in source.code() {
            found.extend(
                words.iter().filter(|word| code.contains(*word)).map(|word| format!("{}: {word}", source.at(line))),
            );
        }
    }
    found
}

#[track_caller]
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_domain_depends_on_pure_crates_only() {
    let others = dependencies("crates/domain/Cargo.toml").into_iter();
    let others: Vec<_> = others.filter(|name| !DOMAIN_MAY_NAME.contains(&name.as_str())).collect();
    assert_none(&others);
}

#[test]
fn the_adapters_know_neither_http_nor_settings() {
    let named = dependencies("crates/infra/Cargo.toml").into_iter();
    let named: Vec<_> = named.filter(|name| ["actix-web", "api", "config"].contains(&name.as_str())).collect();
    assert_none(&named);
    assert_none(&uses(&sources("crates/infra/src"), &["actix_web", "config::"]));
}

#[test]
fn the_api_knows_no_database_library() {
    let named = dependencies("crates/api/Cargo.toml").into_iter();
    let named: Vec<_> = named.filter(|name| name.starts_with("sea-orm") || name == "sqlx").collect();
    assert_none(&named);
    assert_none(&uses(&sources("crates/api/src"), &["sea_orm::", "sqlx::Pool", "migration::sea_orm"]));
}

#[test]
fn the_migrations_stand_alone() {
    let named = dependencies("migration/Cargo.toml").into_iter();
    let named: Vec<_> = named.filter(|name| ["api", "domain", "infra"].contains(&name.as_str())).collect();
    assert_none(&named);
}

#[test]
fn the_benchmarks_measure_the_server_from_outside() {
    let named = dependencies("crates/bench/Cargo.toml").into_iter();
    assert_none(&named.filter(|name| ["api", "migration"].contains(&name.as_str())).collect::<Vec<_>>());
}

#[test]
fn the_simulation_knows_the_domain_only() {
    let named = dependencies("crates/simulation/Cargo.toml").into_iter();
    let others = ["api", "infra", "migration", "sea-orm", "sqlx", "tokio"];
    assert_none(&named.filter(|name| others.contains(&name.as_str())).collect::<Vec<_>>());
}

#[test]
fn the_fake_provider_signs_for_itself() {
    let named = dependencies("crates/fakepay/Cargo.toml").into_iter();
    assert_none(&named.filter(|name| ["api", "migration", "sea-orm"].contains(&name.as_str())).collect::<Vec<_>>());
    // What both read the same wrong way would be found by nobody.
    assert_none(&uses(&sources("crates/fakepay/src"), &["infra::payments", "infra::db"]));
    assert_none(&uses(&sources("crates/infra/src"), &["fakepay"]));
}

/// The context of a file of the domain; none for the kernel's.
fn context_of(source: &Source) -> Option<&str> {
    let path = source.path.strip_prefix("crates/domain/src/")?;
    path.split_once('/').map(|(context, _)| context)
}

#[test]
fn every_folder_of_the_domain_is_a_context_with_a_place_in_the_order() {
    let all = sources("crates/domain/src");
    let unknown = all.iter().filter(|source| context_of(source).is_some_and(|context| !CONTEXTS.contains(&context)));
    assert_none(&unknown.map(|source| source.path.clone()).collect::<Vec<_>>());
}

#[test]
fn a_context_imports_only_earlier_ones() {
    let mut broken = Vec::new();
    for source in sources("crates/domain/src") {
        let name = source.path.trim_start_matches("crates/domain/src/");
        if source.is_test() || INDEX_FILES.contains(&name) {
            continue;
        }
        let own = context_of(&source).and_then(|own| CONTEXTS.iter().position(|context| *context == own));
        for (line, code) in source.code() {
            let later = CONTEXTS.iter().enumerate().filter(|(place, _)| own.is_none_or(|own| *place > own));
            let named = later.filter(|(_, context)| names_context(code, context));
            broken.extend(named.map(|(_, context)| format!("{} imports {context}", source.at(line))));
        }
    }
    assert_none(&broken);
}

/// `crate::plans::…`, and `plans::{` inside `use crate::{…}`, which this project does not write over several lines.
fn names_context(code: &str, context: &str) -> bool {
    code.match_indices("crate::").any(|(at, path)| {
        let rest = &code[at + path.len()..];
        let listed = rest
            .strip_prefix('{')
            .is_some_and(|list| list.split([',', ' ', '}']).any(|item| is_path_in(item, context)));
        listed || is_path_in(rest, context)
    })
}

fn is_path_in(path: &str, context: &str) -> bool {
    path.strip_prefix(context).is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
}

/// Ports, services and steps are asynchronous; everything else in a context is a noun.
fn is_noun(source: &Source) -> bool {
    let path = source.path.trim_start_matches("crates/domain/src/");
    let Some((_, file)) = path.split_once('/') else { return false };
    let within = file.starts_with("service/") || ASYNCHRONOUS.contains(&file) || USE_CASES.contains(&path);
    !within && !source.is_test()
}

#[test]
fn nouns_are_synchronous() {
    let all = sources("crates/domain/src").into_iter();
    let nouns: Vec<_> = all.filter(is_noun).collect();
    assert_none(&uses(&nouns, &["async fn", ".await"]));
}

#[test]
fn no_file_is_too_long() {
    let long = all_sources().into_iter().map(|source| (source.text.lines().count(), source.path));
    let long: Vec<_> =
        long.filter(|(lines, _)| *lines > MAX_LINES).map(|(lines, path)| format!("{path}: {lines}")).collect();
    assert_none(&long);
}

#[test]
fn nothing_outside_tests_unwraps_without_a_reason() {
    let mut broken = Vec::new();
    for source in all_sources().iter().filter(|source| !source.is_test()) {
        let lines: Vec<_> = source.text.lines().collect();
        for (line, code) in source.code().filter(|(_, code)| code.contains(".unwrap()") || code.contains(".expect(")) {
            if !has_reason(&lines[..line]) {
                broken.push(format!("{}: {}", source.at(line), code.trim()));
            }
        }
    }
    assert_none(&broken);
}

/// Whether the item around the last line was marked `#[expect(clippy::unwrap_used | expect_used, reason = …)]`.
fn has_reason(lines: &[&str]) -> bool {
    let item = lines.iter().rposition(|line| line.trim_start().starts_with("fn ") || line.contains(" fn "));
    let near = lines[item.unwrap_or(0).saturating_sub(4)..].join(" ");
    near.contains("#[expect(") && near.contains("reason =")
}

#[test]
fn only_its_adapter_reads_the_clock() {
    let all: Vec<_> = all_sources().into_iter().filter(|source| source.path != CLOCK).collect();
    assert_none(&uses(&all, &["Utc::now", "Local::now", "SystemTime::now"]));
}

/// The names of the document's schemas are those of the types, whatever module they stand in: of two with one name, one
/// would silently describe the other's bodies.
#[test]
fn no_two_schemas_have_one_name() {
    let mut names: Vec<String> = sources("crates/api/src").iter().flat_map(schemas).collect();
    names.sort();
    let twice = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone());
    assert_none(&twice.collect::<Vec<_>>());
}

fn schemas(source: &Source) -> Vec<String> {
    let mut derived = false;
    let mut names = Vec::new();
    for (_, code) in source.code() {
        derived |= code.contains("ToSchema)") || code.contains("ToSchema,");
        let name = code.split_once("struct ").or_else(|| code.split_once("enum ")).map(|(_, name)| name);
        if let Some(name) = name.filter(|_| derived && !code.trim_start().starts_with("use ")) {
            names.push(name.chars().take_while(|next| next.is_alphanumeric()).collect());
            derived = false;
        }
    }
    names
}
