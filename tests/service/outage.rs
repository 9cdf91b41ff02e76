//! Regions that die under the service.

use axum::http::StatusCode;
use futures::StreamExt;
use tokio::time::{sleep, timeout};

use crate::site::{Answer, LONG, REGIONS, Site, bytes};
use crate::stage::Act;

const LARGE: usize = 8 * 1024 * 1024;

impl Site {
    fn all(&self, act: Act) {
        for region in REGIONS {
            assert!(self.service.stage.as_ref().unwrap().act(region, act));
        }
    }
}

#[tokio::test]
async fn a_body_comes_as_it_is_read_and_outlives_its_region() {
    let site = Site::embedded().await;
    let answer = site.send("GET", "/objects/large.bin", &[], "").await;
    let serving = answer.headers()["x-served-by"].to_str().unwrap().to_owned();
    let mut body = answer.into_body().into_data_stream();
    let mut read = body.next().await.unwrap().unwrap().to_vec();
    assert!(read.len() < LARGE / 2, "{} bytes at once: it was held", read.len());
    site.service.stage.as_ref().unwrap().act(&serving, Act::Kill);
    while let Some(piece) = timeout(LONG, body.next()).await.unwrap() {
        read.extend_from_slice(&piece.unwrap());
    }
    assert!(read == bytes(0..LARGE), "{} bytes, or others", read.len());
}

#[tokio::test]
async fn where_no_region_is_left_it_says_503_and_when_to_come_again() {
    let site = Site::embedded().await;
    site.all(Act::Kill);
    let mut answers = Vec::new();
    // As many as it takes for every circuit to open, and then some.
    while site.get("/ready").await.status == StatusCode::OK || answers.len() < 20 {
        answers.push(site.get("/objects/hello.txt").await);
        assert!(answers.len() < 1000, "the circuits stay closed");
    }
    for answer in &answers {
        is_later(answer);
        assert!(!answer.text().contains("127.0.0.1") && !answer.text().contains("hello.txt"), "{}", answer.text());
    }
    assert!(answers.iter().any(|answer| answer.text().contains("admits")), "some were refused without being sent");
    is_later(&site.ask("GET", "/objects/hello.txt", &[("range", "bytes=0-1")]).await);
    assert_eq!(site.get("/live").await.status, StatusCode::OK);
    assert_eq!(site.get("/health").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.region(REGIONS[0]).await["read"]["state"], "open");
    assert_eq!(site.ask("HEAD", "/objects/hello.txt", &[]).await.status, StatusCode::SERVICE_UNAVAILABLE);

    site.all(Act::Revive);
    let served = async {
        while site.get("/objects/hello.txt").await.status != StatusCode::OK {
            sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, served).await.unwrap();
}

/// Seven lines a second: within half a minute nobody could read how it began.
#[tokio::test]
async fn an_outage_of_everything_washed_its_own_beginning_out_of_the_log() {
    let site = Site::embedded().await;
    site.all(Act::Kill);
    let began = std::time::Instant::now();
    // Every circuit opens, and is asked early for a while.
    while began.elapsed() < std::time::Duration::from_millis(3_500) {
        site.get("/objects/hello.txt").await;
        sleep(std::time::Duration::from_millis(20)).await;
    }
    let (lines, _) = site.service.journal.since(0);
    let lines: Vec<_> = lines.iter().map(|entry| serde_json::to_value(&**entry).unwrap()["text"].as_str().unwrap().to_owned()).collect();
    let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!(count("circuit open: 5 failures in a row"), 3, "{lines:?}");
    assert_eq!(count("no region could be reached"), 1, "{lines:?}");
    assert_eq!((count("early probe"), count("found no other region")), (0, 0), "{lines:?}");
}

/// An orchestrator sends no requests to what is not ready, and without requests no circuit closes.
#[tokio::test]
async fn a_service_that_was_once_not_ready_is_ready_again_though_nobody_asks_it_anything() {
    let site = Site::impatient().await;
    site.all(Act::Kill);
    while site.get("/ready").await.status == StatusCode::OK {
        site.get("/objects/hello.txt").await;
    }
    site.all(Act::Revive);
    let ready = async {
        while site.get("/ready").await.status != StatusCode::OK {
            sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, ready).await.unwrap();
    assert_eq!(site.get("/health").await.status, StatusCode::SERVICE_UNAVAILABLE, "no circuit is closed yet");
    for region in REGIONS {
        site.post(&format!("/regions/{region}/drain")).await;
    }
    assert_eq!(site.get("/ready").await.status, StatusCode::SERVICE_UNAVAILABLE, "what is drained takes no trial");
    for region in REGIONS {
        site.post(&format!("/regions/{region}/undrain")).await;
    }
    // The requests that come now are the trials.
    let healthy = async {
        while site.get("/health").await.status != StatusCode::OK {
            assert_eq!(site.get("/objects/hello.txt").await.status, StatusCode::OK);
        }
    };
    timeout(LONG, healthy).await.unwrap();
}

#[tokio::test]
async fn a_key_that_may_exist_where_nobody_can_look_is_503_and_never_404() {
    let site = Site::embedded().await;
    for region in &REGIONS[1..] {
        site.service.stage.as_ref().unwrap().act(region, Act::Kill);
    }
    for _ in 0..8 {
        let answer = site.get("/objects/no/such").await;
        is_later(&answer);
    }
    assert_eq!(site.get("/objects/hello.txt").await.status, StatusCode::OK);
    assert_eq!(site.get("/ready").await.status, StatusCode::OK, "one region is enough");
}

fn is_later(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}
