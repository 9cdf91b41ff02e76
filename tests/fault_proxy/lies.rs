//! Answers that say one thing and are another. None of them may reach the caller, as bytes or as an error.

use std::ops::Range;

use super::support::proxy::{Answer, Fault};
use super::*;

/// What is asked for where a lie is about a range.
const ASKED: Range<usize> = 1000..2000;

/// The ways to ask for it, and for the whole object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    Whole,
    Range,
    /// Parts of it, in one request.
    Parts,
    /// It and another range, in a request each.
    Apart,
}

pub(super) const RANGES: [Question; 3] = [Question::Range, Question::Parts, Question::Apart];

impl Question {
    /// Asks, and compares with what the object holds.
    async fn is_answered(self, store: &FailoverStore) -> Result<bool> {
        match self {
            Self::Whole => Ok(store.get(&key()).await?.bytes().await? == content()),
            Self::Range => Ok(store.get_range(&key(), 1000..2000).await? == part(ASKED)),
            Self::Parts => are_right(store, &[1000..1100, 1900..2000]).await,
            Self::Apart => are_right(store, &[1000..2000, 1_900_000..1_900_100]).await,
        }
    }
}

async fn are_right(store: &FailoverStore, ranges: &[Range<u64>]) -> Result<bool> {
    let parts = store.get_ranges(&key(), ranges).await?;
    Ok(parts.into_iter().eq(ranges.iter().map(|range| part(range.start as usize..range.end as usize))))
}

/// A lie that the first region tells to everybody, and stores that are about to hear it.
pub(super) struct Told {
    lie: Answer,
    rig: Rig,
    stores: Vec<(&'static str, FailoverStore)>,
}

impl Told {
    pub(super) async fn new(lie: Answer) -> Self {
        let rig = Rig::new().await;
        rig.proxies[0].set(lie.clone());
        Self { lie, stores: rig.stores().into(), rig }
    }

    /// Only to the store that knows what was on the wire: nothing else tells that it is one.
    pub(super) fn on_the_wire(mut self) -> Self {
        self.stores.retain(|(kind, _)| *kind == "built");
        self
    }

    /// Nobody is deceived, whichever region is asked first. How many failures the liar is charged with, by each store.
    pub(super) async fn to(&self, question: Question) -> [u64; 2] {
        let told_before = self.rig.proxies[0].counts().struck;
        let mut charged = [0; 2];
        for ((kind, store), charged) in self.stores.iter().zip(&mut charged) {
            let before = failures(store);
            for _ in 0..3 {
                match soon(question.is_answered(store)).await {
                    Ok(right) => assert!(right, "{kind}, {question:?}: wrong bytes were passed on from {:?}", self.lie),
                    Err(error) => panic!("{kind}, {question:?}: {error} was passed on from {:?}", self.lie),
                }
            }
            let after = failures(store);
            assert_eq!(after[1..], before[1..], "{kind}, {question:?}: who told the truth is charged, too");
            *charged = after[0] - before[0];
        }
        assert!(self.rig.proxies[0].counts().struck > told_before, "{question:?}: the lie was never told");
        charged
    }
}

pub(super) fn failures(store: &FailoverStore) -> Vec<u64> {
    store.health().regions.iter().map(|region| region.failures).collect()
}

/// Nobody is deceived, and the region is charged.
async fn deceive_nobody(lies: impl IntoIterator<Item = Answer>, questions: &[Question]) {
    for lie in lies {
        let told = Told::new(lie).await;
        for question in questions {
            let charged = told.to(*question).await;
            assert!(charged.iter().all(|failures| *failures > 0), "{question:?}: nobody is charged for {:?}", told.lie);
        }
    }
}

/// The head of an answer about the object, as its own server writes it.
pub(super) fn said(status: u16) -> Answer {
    Answer::new(status).header("etag", "\"0\"").header("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT")
}

/// Said to be this range of so many bytes.
pub(super) fn said_part(range: Range<usize>, total: usize) -> Answer {
    said(206).header("content-range", format!("bytes {}-{}/{total}", range.start, range.end - 1))
}

pub(super) fn part(range: Range<usize>) -> Bytes {
    content().slice(range)
}

#[tokio::test]
async fn these_tests_lie_only_where_they_mean_to() {
    let rig = Rig::new().await;
    assert_eq!(rig.built().head(&key()).await.unwrap().e_tag.unwrap(), "\"0\"");
    assert_eq!(Told::new(said_part(ASKED, LENGTH).body(part(ASKED))).await.to(Question::Range).await, [0, 0]);
    assert_eq!(Told::new(said(200).body(content())).await.to(Question::Whole).await, [0, 0]);
}

#[tokio::test]
async fn what_is_not_the_range_that_was_asked_for_is_read_elsewhere() {
    let lies = [
        said(200).body(content()),
        said(200).body(part(ASKED)),
        said(204),
        said(206).body(content()),
        said(206).body(part(ASKED)),
        said_part(0..1000, LENGTH).body(part(0..1000)),
        said_part(0..1000, LENGTH).body(part(ASKED)),
        said_part(999..1999, LENGTH).body(part(ASKED)),
        said_part(1000..1999, LENGTH).body(part(1000..1999)),
        said_part(500..2500, LENGTH).body(part(500..2500)),
        said(206).header("content-range", format!("bytes all/{LENGTH}")).body(part(ASKED)),
        said(206).header("content-range", "bytes 1000-1999/*").body(part(ASKED)),
        said(206).header("content-range", format!("bytes 1999-1000/{LENGTH}")).body(part(ASKED)),
        Answer::error(200, "InternalError"),
    ];
    deceive_nobody(lies, &RANGES).await;
}

#[tokio::test]
async fn a_body_that_is_not_as_long_as_its_range_is_mended_elsewhere() {
    let lies = [
        said_part(ASKED, LENGTH).body(part(1000..1500)),
        said_part(ASKED, LENGTH),
        said_part(ASKED, LENGTH).body(part(1000..2001)),
        said_part(ASKED, LENGTH).body(part(1000..900_000)),
        said_part(ASKED, LENGTH).chunked(&part(1000..1500)),
        said_part(ASKED, LENGTH).chunked(&part(1000..2500)),
        said_part(ASKED, LENGTH).header("content-length", 1000).chunked(&part(1000..2500)),
        said_part(ASKED, LENGTH).header("content-length", 1000).header("connection", "close").body(part(1000..1400)),
    ];
    deceive_nobody(lies, &RANGES).await;
    // What comes after the last byte that was asked for is nobody's business.
    Told::new(said_part(ASKED, LENGTH).chunked(&part(1000..3000))).await.to(Question::Range).await;
}

#[tokio::test]
async fn a_whole_body_that_is_not_as_long_as_it_is_said_to_be_is_mended_elsewhere() {
    let lies = [
        said(200).header("content-length", LENGTH).header("connection", "close").body(part(0..1000)),
        said(200).header("content-length", LENGTH).chunked(&part(0..1000)),
        said(200).header("content-length", LENGTH).chunked(&[&content()[..], b"more"].concat()),
        said(200).chunked(&content()),
        said(204).header("content-length", LENGTH),
    ];
    deceive_nobody(lies, &[Question::Whole]).await;
}

/// The first region breaks a body, the second lies about the rest of it, the third has it.
pub(super) async fn is_continued_truly(lie: Answer) {
    let rig = Rig::new().await;
    let mut told = 0;
    for (kind, store) in rig.stores() {
        for _ in 0..4 {
            // The first region begins, whoever is asked first.
            rig.proxies[0].set(Fault::CloseAfter(BREAK as u64));
            rig.proxies[1..].iter().for_each(|proxy| proxy.set(Answer::new(500)));
            let answer = store.get(&key()).await.unwrap();
            rig.proxies[1].set(lie.clone());
            rig.proxies[2].set(Fault::Pass);
            let before = rig.proxies[1].counts();
            match soon(answer.bytes()).await {
                Ok(bytes) => assert!(bytes == content(), "{kind}: wrong bytes were passed on from {lie:?}"),
                Err(error) => panic!("{kind}: {error} was passed on from {lie:?}"),
            }
            told += (rig.proxies[1].counts() - before).struck;
        }
    }
    assert!(told > 1, "the lie was hardly ever told");
}

/// Where the first region breaks a body.
pub(super) const BREAK: usize = 700_000;

#[tokio::test]
async fn a_lie_about_the_rest_of_a_body_is_not_joined_to_it() {
    let rest = BREAK..LENGTH;
    let lies = [
        said(200).body(content()),
        said(206).body(part(rest.clone())),
        said_part(0..LENGTH, LENGTH).body(content()),
        said_part(BREAK..LENGTH - 1, LENGTH).body(part(BREAK..LENGTH - 1)),
        said_part(BREAK + 1..LENGTH, LENGTH).body(part(BREAK + 1..LENGTH)),
        said_part(rest.clone(), LENGTH).body(part(BREAK..1_000_000)),
        said_part(rest.clone(), LENGTH).chunked(&[&content()[BREAK..], b"more"].concat()),
        Answer::error(503, "SlowDown"),
    ];
    for lie in lies {
        is_continued_truly(lie).await;
    }
}
