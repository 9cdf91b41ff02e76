//! Lies that are hard to tell from the truth: what is done about them, and what is not.
//!
//! Nothing tells a region that serves an object cut short, with headers to match, from one that has a shorter object: it is believed. A
//! `Content-Range` that ends at the largest number of all makes object_store 0.14.2 panic in builds that check for overflow.

use super::lies::{BREAK, Question, Told, failures, is_continued_truly, part, said, said_part};
use super::support::proxy::Answer;
use super::*;

#[tokio::test]
async fn a_range_behind_the_end_of_the_object_that_it_is_said_to_be_of() {
    Told::new(said_part(1000..2000, 500).body(part(1000..2000))).await.on_the_wire().to(Question::Range).await;
}

#[tokio::test]
async fn a_part_where_the_whole_object_was_asked_for() {
    Told::new(said_part(0..1000, LENGTH).body(part(0..1000))).await.on_the_wire().to(Question::Whole).await;
}

#[tokio::test]
async fn an_answer_that_was_only_accepted() {
    Told::new(said(202).body(part(0..1000))).await.on_the_wire().to(Question::Whole).await;
}

/// Once a panic, with nobody lying.
#[tokio::test]
async fn ranges_behind_the_end_of_the_object_are_an_error() {
    let rig = Rig::new().await;
    let end = LENGTH as u64;
    for (_, store) in rig.stores() {
        let error = store.get_ranges(&key(), &[end - 20..end - 10, end + 10..end + 20]).await.unwrap_err();
        assert!(error.to_string().contains("object was only"), "{error}");
        assert_eq!(failures(&store), [0; 3]);
        let whole = store.get_ranges(&key(), &[end - 20..end - 10, end - 10..end + 20]).await.unwrap();
        assert_eq!(whole, [part(LENGTH - 20..LENGTH - 10), part(LENGTH - 10..LENGTH)]);
    }
}

/// Once a panic: the same, where it is a region that says so.
#[tokio::test]
async fn ranges_cut_short_by_the_end_of_an_object_that_is_longer_are_an_error() {
    let rig = Rig::new().await;
    rig.proxies.iter().for_each(|proxy| proxy.set(said_part(1000..1500, 1500).body(part(1000..1500))));
    for (_, store) in rig.stores() {
        store.get_ranges(&key(), &[1000..1100, 1900..2000]).await.unwrap_err();
    }
}

/// The lie is found out, but the caller has been told the wrong size by then: all that is left is an error.
#[tokio::test]
async fn a_whole_body_longer_than_it_is_said_to_be_ends_in_an_error() {
    let rig = Rig::new().await;
    rig.proxies.iter().for_each(|proxy| proxy.set(said(200).header("content-length", 1000).chunked(&content())));
    for (_, store) in rig.stores() {
        let read = async { store.get(&key()).await?.bytes().await };
        read.await.unwrap_err();
    }
}

/// Once an error, though a third region has the rest.
#[tokio::test]
async fn the_rest_of_a_body_said_to_be_of_another_object() {
    let rest = || part(BREAK..LENGTH);
    is_continued_truly(said_part(BREAK..LENGTH, LENGTH + 1).body(rest())).await;
}

/// As above, from a server that knows nothing of `If-Match`.
#[tokio::test]
async fn the_rest_of_a_body_of_another_version() {
    let other = Answer::new(206)
        .header("etag", "\"1\"")
        .header("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT")
        .header("content-range", format!("bytes {BREAK}-{}/{LENGTH}", LENGTH - 1));
    is_continued_truly(other.body(part(BREAK..LENGTH))).await;
}
