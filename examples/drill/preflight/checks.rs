//! What was seen of a region, as lines with a verdict and the remedy.

use std::time::Duration;

use object_store::path::Path;
use object_store_failover::{FailoverConfig, Flavor};

use super::alike::{Alike, Compared};
use super::asked::{Asked, Listing, No};
use super::notes::Seen;
use super::{Check, Region, Word};
use crate::clock::millis;
use crate::tuning::Tuning;

/// S3 refuses signatures of another time than its own by this much.
const REFUSED: Duration = Duration::from_secs(15 * 60);
/// Beyond this a clock is nobody's care.
const DRIFTING: Duration = Duration::from_secs(60);

/// All lines about one region. One that does not answer has one.
pub(super) fn of(config: &FailoverConfig, index: usize, region: &Region, listing: &Listing, asked: &Asked, alike: &Alike) -> Vec<Check> {
    let reach = reach(config, region, listing, asked);
    if reach.word == Word::Fail {
        return vec![reach];
    }
    let is_minio = config.regions[index].flavor == Flavor::Minio;
    let last = region.notes.as_ref().and_then(|notes| notes.last());
    let mut checks = vec![reach, credentials(asked), list(listing)];
    checks.extend(last.as_ref().map(clock));
    checks.push(tags(alike, &alike.of[index]));
    checks.extend(versions(asked));
    checks.extend(proxying(&alike.of[index], is_minio, listing));
    checks
}

fn check(name: &'static str, word: Word, text: impl Into<String>) -> Check {
    Check { name, word, text: text.into() }
}

/// Whether there was any answer at all, and how long the first byte takes.
fn reach(config: &FailoverConfig, region: &Region, listing: &Listing, asked: &Asked) -> Check {
    let Some(notes) = &region.notes else {
        return check("reach", Word::Ok, "no wire: files or memory of this machine");
    };
    let (Some(first), Some(last)) = (notes.first(), notes.last()) else {
        let no = match (listing, asked) {
            (Err(no), _) | (_, Asked::Refused(no)) => no.text.as_str(),
            _ => "no answer",
        };
        return check(
            "reach",
            Word::Fail,
            format!(
                "{no}; is the endpoint right, is its name known here, is its port open from here, is its certificate trusted (ca_file)?"
            ),
        );
    };
    let attempt = config.timeouts.attempt.unwrap_or_else(|| Tuning::shipped().attempt);
    let text = format!("first byte after {} ms on a new connection, {} ms on an open one", millis(first.took), millis(last.took));
    match last.took > attempt / 2 {
        true => {
            check("reach", Word::Warn, format!("{text}: more than half of the attempt limit of {attempt:?}; raise timeouts.attempt for it"))
        }
        false => check("reach", Word::Ok, text),
    }
}

fn credentials(asked: &Asked) -> Check {
    match asked {
        Asked::Served { .. } => check("credentials", Word::Ok, "GET of a listed key is served"),
        Asked::NotFound => check("credentials", Word::Ok, "GET is answered: 404, it lacks the key that was asked for"),
        Asked::Refused(no) => check("credentials", Word::Fail, format!("GET: {}: {}", no.text, remedy(no))),
    }
}

/// What would mend it.
fn remedy(no: &No) -> String {
    match (no.status, no.code.as_deref()) {
        (_, Some("InvalidAccessKeyId")) => {
            "this region does not know the access key: create it there, or name its own in options.access_key_id".into()
        }
        (_, Some("SignatureDoesNotMatch")) => "the secret is another one there, or something on the way changes the Host header".into(),
        (_, Some("RequestTimeTooSkewed")) => "its clock and ours differ by more than 15 min: run NTP on both".into(),
        (_, Some("NoSuchBucket")) => "there is no such bucket: create it, or correct the url".into(),
        (_, Some("AccessDenied")) | (Some(401 | 403), _) => {
            "the key is known, its policy does not let it read: allow s3:GetObject on the bucket's objects".into()
        }
        _ => "it does not serve reads now: see its own log".into(),
    }
}

fn list(listing: &Listing) -> Check {
    match listing {
        Ok(keys) if keys.is_empty() => {
            check("list", Word::Warn, "it lists, but there is no object: put some there, or let --seed-bucket do it")
        }
        Ok(keys) => check("list", Word::Ok, format!("the first page has {} keys", keys.len())),
        Err(no) if matches!(no.status, Some(401 | 403)) => {
            let text = format!("{}: allow s3:ListBucket; without it S3 answers 403 instead of 404 for keys that do not exist", no.text);
            check("list", Word::Warn, text)
        }
        Err(no) => check("list", Word::Warn, format!("{}: listings fail here, and a listing goes on elsewhere", no.text)),
    }
}

/// Its clock against ours, to a second: that is what a header tells.
fn clock(seen: &Seen) -> Check {
    let date =
        seen.headers.get(http::header::DATE).and_then(|date| date.to_str().ok()).and_then(|date| httpdate::parse_http_date(date).ok());
    let Some(date) = date else {
        return check("clock", Word::Warn, "its answers have no Date: its clock is not seen");
    };
    let off = date.duration_since(seen.at).unwrap_or_else(|error| error.duration());
    let text = format!("{} s off ours", off.as_secs());
    match off {
        off if off > REFUSED => {
            check("clock", Word::Fail, format!("{text}: S3 refuses signatures beyond 15 min (RequestTimeTooSkewed); run NTP on both"))
        }
        off if off > DRIFTING => {
            check("clock", Word::Warn, format!("{text}: it drifts, and beyond 15 min every request is refused; run NTP on both"))
        }
        _ => check("clock", Word::Ok, text),
    }
}

/// Whether a body that breaks here can be continued elsewhere.
fn tags(alike: &Alike, region: &Compared) -> Check {
    let named = |what: &str, keys: &[Path]| keys.first().map(|first| format!("{} {what} (like {first})", keys.len()));
    let fail = named("have another size than elsewhere", &region.other_size);
    let warn = [
        named(
            "have another ETag than elsewhere: a body that breaks cannot be continued there; copy objects with the same part sizes, or replicate them",
            &region.other_tag,
        ),
        named("have no strong ETag: a body that breaks cannot be continued", &region.weak),
        named("are missing: replication lags or leaves them out", &region.missing),
        named("could not be read", &region.unread),
    ];
    let warn: Vec<_> = warn.into_iter().flatten().collect();
    let same = format!("{} of {} sampled keys are the same as in most regions", region.same, alike.sampled);
    match fail {
        _ if alike.sampled == 0 => check("etags", Word::Warn, "no key to compare"),
        Some(fail) => {
            let text =
                format!("{same}; {fail}: these are other objects. Overwritten keys belong under reads.home_prefixes; {}", warn.join("; "));
            check("etags", Word::Fail, text.trim_end_matches("; ").to_owned())
        }
        None if warn.is_empty() => check("etags", Word::Ok, format!("{same}: bodies that break here are continued elsewhere")),
        None => check("etags", Word::Warn, format!("{same}; {}", warn.join("; "))),
    }
}

/// Whether a delete leaves a marker.
fn versions(asked: &Asked) -> Option<Check> {
    match asked {
        Asked::Served { versioned: true } => {
            Some(check("versions", Word::Ok, "answers have version ids: a delete leaves a marker, which ends a search"))
        }
        Asked::Served { versioned: false } => Some(check(
            "versions",
            Word::Warn,
            "no version id in its answers: a delete leaves no marker, so a key that was deleted here may be found elsewhere until that is replicated; switch versioning on",
        )),
        Asked::NotFound | Asked::Refused(_) => None,
    }
}

/// Whether it answers for keys that it lacks, which hides what replication has not brought.
fn proxying(region: &Compared, is_minio: bool, listing: &Listing) -> Option<Check> {
    match &region.proxied {
        Some(key) => {
            let text = format!(
                "it serves {key}, which it does not list: MinIO's proxying of reads, which hides lag while other clusters are up; switch it off (mc replicate add --disable-proxy, or [regions.headers] X-Minio-Source-Proxy-Request = \"false\")"
            );
            Some(check("proxying", Word::Warn, text))
        }
        None if !is_minio || listing.is_err() => None,
        None if region.unlisted == 0 => {
            Some(check("proxying", Word::Ok, "not seen; it cannot be told while all regions list the same keys"))
        }
        None => Some(check("proxying", Word::Ok, format!("off: of {} keys that only others list it served none", region.unlisted))),
    }
}
