//! What an attacker could learn with a clock. Measured, so it runs in `make soak` and not beside other tests.

use axum::{body::Body, http::Request};
use citadel_domain::{Random, SeededRandom};

use crate::support::TestApp;

/// Calls of each class.
const CALLS: usize = 20_000;
/// Welch's t above which two classes are told apart (the usual bound of leakage tests).
const BOUND: f64 = 4.5;

mod soak {
    use super::*;
    use crate::soak;

    /// P4: an unknown client id and a secret that is wrong at its first, middle or last character take the same time.
    #[tokio::test]
    async fn p04_bad_credentials_take_the_same_time() {
        let finding = soak::begin(
            "P4",
            format!("{CALLS} calls with each of 4 kinds of bad key"),
            format!("|t| < {BOUND}"),
        );
        let app = TestApp::on_sqlite().await;
        let client = app.client("acme").await;
        let (id, unknown) = (client.id.to_string(), "f".repeat(32));
        let wrong_at = |at: usize| {
            let mut bytes = client.secret.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            String::from_utf8(bytes).unwrap()
        };
        let classes = [
            ("unknown id", &unknown, client.secret.clone()),
            ("wrong at first", &id, wrong_at(8)),
            ("wrong in the middle", &id, wrong_at(28)),
            ("wrong at last", &id, wrong_at(47)),
        ];
        let random = SeededRandom::new(4);
        let mut times: [Vec<f64>; 4] = Default::default();
        while times.iter().any(|times| times.len() < CALLS) {
            // Interleaved by chance, so that a slow moment of the machine hits every class alike.
            let mut byte = [0];
            random.fill(&mut byte);
            let class = usize::from(byte[0] % 4);
            let (_, id, secret) = &classes[class];
            let request = Request::get("/v1/providers/adp/").header("X-Access-Client-Id", *id);
            let request = request.header("X-Access-Secret", secret).body(Body::empty()).unwrap();
            let started = tokio::time::Instant::now();
            let reply = app.send(request).await;
            times[class].push(started.elapsed().as_secs_f64() * 1e6);
            assert_eq!(reply.status, 401);
        }
        // The slowest twentieth is the machine's business.
        let mut all: Vec<f64> = times.iter().flatten().copied().collect();
        all.sort_by(f64::total_cmp);
        let cut = all[all.len() * 19 / 20];
        let stats = times.map(|times| Stats::of(times.into_iter().filter(|time| *time < cut).collect()));
        let mut worst = 0.0_f64;
        for (left, (name, ..)) in classes.iter().enumerate() {
            println!("{name}: {:.2} µs", stats[left].mean);
            for right in left + 1..classes.len() {
                let t =
                    (stats[left].mean - stats[right].mean) / (stats[left].error + stats[right].error).sqrt();
                println!("  against {}: t = {t:.2}", classes[right].0);
                worst = worst.max(t.abs());
            }
        }
        finding.end(format!("|t| {worst:.2} at most"), worst < BOUND);
    }
}

struct Stats {
    mean: f64,
    /// Variance over count.
    error: f64,
}

impl Stats {
    fn of(times: Vec<f64>) -> Self {
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { mean, error: variance / count }
    }
}
