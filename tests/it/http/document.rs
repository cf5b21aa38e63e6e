//! The OpenAPI document: it lists what the server answers, and says of everything what may go wrong.

use harness::app::TestApp;
use insta::assert_json_snapshot;
use serde_json::Value;
use std::collections::BTreeSet;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

async fn document(app: &TestApp) -> Value {
    app.anonymous().get("/openapi.json").await.expect(200).body
}

/// Path, method and operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let found = METHODS.into_iter().filter_map(|method| Some((method.to_owned(), item.get(method)?.clone())));
        found.map(|(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

fn filled(path: &str) -> String {
    let fill = |segment: &str| match segment.split_once('}') {
        Some((_, ending)) => format!("x{ending}"),
        None => segment.to_owned(),
    };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// Whether a template matches a path, or another template, of as many segments.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let same = |(wanted, given): (&&str, &&str)| wanted == given || wanted.starts_with('{');
    template.len() == path.len() && template.iter().zip(&path).all(same)
}

#[tokio::test]
async fn it_lists_exactly_the_routes_that_the_server_answers() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let operations = operations(&document(&app).await);
    let listed: BTreeSet<String> =
        operations.iter().map(|(path, method, _)| format!("{} {path}", method.to_uppercase())).collect();
    assert_json_snapshot!("routes", listed);
    for path in operations.iter().map(|(path, ..)| path).collect::<BTreeSet<_>>() {
        for method in METHODS {
            let method = method.to_uppercase();
            let answer = app.anonymous().at_root(&method, &filled(path)).await;
            // A fixed segment is also an id to the routes that take any there.
            let takes = |(listed, of, _): &(String, String, Value)| of.to_uppercase() == method && fits(listed, path);
            let expected = operations.iter().any(takes);
            // A route may well say that the object named x is not there.
            let nothing_here = answer.status == 405 || answer.text("/detail") == "this path was not found";
            assert_eq!(!nothing_here, expected, "{method} {path}: {}", answer.status);
            assert_eq!(answer.header("allow").is_some(), !expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_operation_says_what_may_go_wrong() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    for (path, method, operation) in operations(&document(&app).await) {
        let responses = operation["responses"].as_object().unwrap();
        let problems: Vec<_> = responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])).collect();
        let takes_nothing = operation.get("parameters").is_none() && operation.get("requestBody").is_none();
        let is_public = operation["security"] == serde_json::json!([{}]);
        let can_be_wrong = !(takes_nothing && is_public);
        assert_eq!(problems.iter().any(|(status, _)| status.starts_with('4')), can_be_wrong, "{method} {path}");
        for (status, response) in problems {
            let types: Vec<_> = response["content"].as_object().unwrap().keys().collect();
            assert_eq!(types, ["application/problem+json"], "{method} {path} {status}");
        }
        assert_eq!(responses.contains_key("401"), !is_public || path.ends_with("/login"), "{method} {path}");
    }
}

#[tokio::test]
async fn only_what_is_sent_with_a_body_declares_one_and_conflicts_are_said() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let document = document(&app).await;
    for (path, method, operation) in operations(&document) {
        let takes_body = operation.get("requestBody").is_some();
        assert!(!takes_body || ["post", "put", "patch"].contains(&method.as_str()), "{method} {path}");
    }
    let said = |path: &str, method: &str, status: &str| {
        let operation = &document["paths"][format!("/api/v1{path}")][method];
        assert!(operation["responses"].get(status).is_some(), "{method} {path} {status}");
    };
    for (path, method) in
        [("/api-keys", "post"), ("/me", "patch"), ("/subscription", "patch"), ("/subscription", "post")]
    {
        said(path, method, "409");
    }
    for (path, method) in [("/subscription", "post"), ("/subscription", "patch"), ("/subscription/cancel", "post")] {
        said(path, method, "402");
    }
}

#[tokio::test]
async fn every_schema_of_a_request_body_has_an_example() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let document = document(&app).await;
    let has_example = |schema: &Value| {
        let said = |value: &Value| value.get("example").is_some() || value.get("examples").is_some();
        said(schema) || schema["properties"].as_object().is_some_and(|fields| fields.values().any(said))
    };
    for (path, method, operation) in operations(&document) {
        let contents = operation.pointer("/requestBody/content").and_then(Value::as_object);
        // What may come with the wrong type has a body.
        assert_eq!(contents.is_some(), operation["responses"].get("415").is_some(), "{method} {path}");
        let Some(contents) = contents else { continue };
        for content in contents.values() {
            let schema = &content["schema"];
            let reference = schema["$ref"].as_str().or_else(|| schema["items"]["$ref"].as_str()).unwrap();
            let named = document.pointer(reference.trim_start_matches('#')).unwrap();
            assert!(has_example(named) || content.get("example").is_some(), "{method} {path}: {reference}");
        }
    }
}
