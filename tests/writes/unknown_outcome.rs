//! Writes that may have taken effect: reported as such, and never repeated.

use failover_testkit::{Fault, Mode, calls, key, put, replicas, secs};
use object_store::path::Path;
use object_store::{CopyMode, CopyOptions, ObjectStore, ObjectStoreExt};
use object_store::{RenameOptions, RenameTargetMode};

use crate::{any_store, any_store_with_home, create, indeterminate_region};

#[tokio::test(start_paused = true)]
async fn lost_response_makes_conditional_write_indeterminate() {
    let modes = [
        Mode::ApplyThenFail(Fault::Status(500, "InternalError")),
        Mode::ApplyThenFail(Fault::Reset),
        Mode::Fail(Fault::Unclassified),
        Mode::Hang,
        Mode::Slow(secs(40)),
    ];
    let (from, to): (Path, Path) = ("source".into(), "target".into());
    let copy = || CopyOptions {
        mode: CopyMode::Create,
        ..Default::default()
    };
    let rename = || RenameOptions {
        target_mode: RenameTargetMode::Create,
        ..Default::default()
    };
    for mode in modes {
        let (regions, builder) = replicas(3);
        let store = any_store_with_home(builder);
        regions[1].bucket().put(&from, "v".into()).await.unwrap();
        regions[1].set(mode);
        let put = store.put_opts(&"lock".into(), "me".into(), create()).await;
        let mut errors = vec![put.unwrap_err()];
        if mode != Mode::Slow(secs(40)) {
            errors.push(store.copy_opts(&from, &to, copy()).await.unwrap_err());
            let _ = regions[1].bucket().delete(&to).await;
            errors.push(store.rename_opts(&from, &to, rename()).await.unwrap_err());
        }
        for error in &errors {
            assert_eq!(
                indeterminate_region(error),
                Some("eu-west-1"),
                "{mode:?}: {error}"
            );
        }
        assert_eq!(calls(&regions), [0, errors.len() as u64, 0], "{mode:?}");
    }
}

/// A region may implement rename as copy and delete: the error of the second does not show whether
/// the first took effect.
#[tokio::test(start_paused = true)]
async fn rejected_rename_is_indeterminate() {
    for fault in [
        Fault::Status(503, "SlowDown"),
        Fault::Status(403, "AccessDenied"),
    ] {
        let (regions, builder) = replicas(2);
        put(&regions[0], "v").await;
        let store = any_store(builder);
        regions
            .iter()
            .for_each(|region| region.set(Mode::Fail(fault)));
        let error = store.rename(&key(), &"b".into()).await.unwrap_err();
        assert!(indeterminate_region(&error).is_some(), "{error}");
        assert_eq!(calls(&regions).iter().sum::<u64>(), 1);
    }
}
