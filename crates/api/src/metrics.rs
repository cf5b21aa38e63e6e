//! Prometheus metrics on a listener of their own, and the middleware that counts requests.

use crate::settings::Settings;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::{Duration, Instant};

const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
const SIZES: [f64; 9] = [1.0, 4.0, 16.0, 64.0, 128.0, 256.0, 512.0, 1_024.0, 2_048.0];
const UPKEEP: Duration = Duration::from_secs(1);
const REQUESTS: &str = "suanpan_http_requests_total";
const DURATION: &str = "suanpan_http_request_duration_seconds";
/// Recorded by the committer.
pub const COMMIT: &str = "suanpan_commit_seconds";
pub const BATCH: &str = "suanpan_commit_batch_size";
pub const QUEUE: &str = "suanpan_commit_queue_depth";

/// Starts recording and serves `GET /metrics`; it stops with the process.
pub fn serve(settings: &Settings) -> anyhow::Result<()> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(BATCH.to_owned()), &SIZES)?;
    let handle = recorder.install_recorder().context("metrics were started before")?;
    metrics::describe_counter!(REQUESTS, "Requests by method, route and status.");
    metrics::describe_histogram!(DURATION, "Seconds from a request's head to its answer.");
    metrics::describe_histogram!(COMMIT, "Seconds of one commit, from the queue to the database's answer.");
    metrics::describe_histogram!(BATCH, "Commands of one commit.");
    metrics::describe_gauge!(QUEUE, "Callers that wait for the next commit.");
    tokio::spawn(keep_up(handle.clone()));
    let (host, port) = (settings.metrics.host, settings.metrics.port);
    let server = HttpServer::new(move || {
        App::new().app_data(web::Data::new(handle.clone())).route("/metrics", web::get().to(render))
    })
    .workers(1)
    .disable_signals()
    .bind((host, port))
    .with_context(|| format!("cannot listen on {host}:{port} for metrics; set metrics.port, 0 for any"))?;
    tokio::spawn(server.run());
    Ok(())
}

/// Folds what was recorded into the histograms: samples wait in memory until somebody does.
async fn keep_up(handle: PrometheusHandle) {
    let mut every = tokio::time::interval(UPKEEP);
    loop {
        every.tick().await;
        handle.run_upkeep();
    }
}

async fn render(handle: web::Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(handle.render())
}

/// Counts and times a request under its route's pattern, never under its path: ids would be endless labels.
pub async fn middleware<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let started = Instant::now();
    let method = request.method().as_str().to_owned();
    let response = next.call(request).await?;
    let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    let status = response.status().as_u16().to_string();
    metrics::counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status).increment(1);
    metrics::histogram!(DURATION, "route" => route).record(started.elapsed().as_secs_f64());
    Ok(response)
}
