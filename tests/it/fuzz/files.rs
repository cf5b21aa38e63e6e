//! Files that operators write: plans, and usage to replay.

use super::engine::Inputs;
use api::cli::{ReplayArguments, replay};
use api::settings::Settings;
use harness::scene::Scene;
use std::fs;

#[test]
fn fuzz_plan_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plans.yaml");
    let mut understood = 0;
    for input in Inputs::of("plan_files", 400) {
        fs::write(&file, &input).unwrap();
        match Settings::load(Some(&file), []) {
            Ok(settings) => {
                understood += 1;
                assert!(!settings.catalogue().plans.is_empty(), "{:?}", String::from_utf8_lossy(&input));
            }
            Err(mistakes) => {
                let said = !mistakes.is_empty() && mistakes.iter().all(|mistake| !mistake.is_empty());
                assert!(said, "nothing is said about {:?}", String::from_utf8_lossy(&input));
            }
        }
    }
    assert!(understood > 0);
}

#[tokio::test]
async fn fuzz_replays() {
    let fresh = harness::databases::sqlite().await;
    let scene = Scene::new(&fresh.url).await;
    let (customer, user, _) = scene.customer_in_session("a password of tests").await;
    let folder = tempfile::tempdir().unwrap();
    let arguments = ReplayArguments {
        file: folder.path().join("usage.csv"),
        user,
        meter: "words".to_owned(),
        quantity: "GeneratedTokens".to_owned(),
        time: "TIMESTAMP".to_owned(),
        model: None,
    };
    let (mut rows, mut refused) = (0, 0);
    for input in Inputs::of("replays", 150) {
        fs::write(&arguments.file, &input).unwrap();
        match replay(&scene.services, &arguments, |_, _| {}).await {
            Ok(report) => {
                let counted = report.accepted + report.duplicates + report.refused + report.invalid;
                assert_eq!(counted, report.rows, "{:?}", String::from_utf8_lossy(&input));
                rows += report.rows;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(rows > 0 && refused > 0);
    assert!(scene.quota(customer.account, "words").await.used.as_atoms() >= 0);
    let found = harness::auditor::violations(&fresh.url).await;
    assert!(found.is_empty(), "{found:#?}");
}
