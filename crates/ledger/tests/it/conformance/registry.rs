//! Applications and keys.

use std::num::NonZeroU32;

use greenwave_core::{ApplicationId, Clock};
use greenwave_ledger::{Application, NewKey, RateLimit, RegistryError};

use super::Fixture;
use crate::fixture::at;

pub(super) async fn what_is_set_is_kept(f: &Fixture) {
    let application = f.ledger.application("shop".to_owned()).await.unwrap();
    let other = f.ledger.application("game".to_owned()).await.unwrap();
    assert_eq!((&application.jwks, application.rate_limit), (&None, None));
    let keys = Some(r#"{"keys":[]}"#.to_owned());
    let with_keys = f.ledger.set_jwks(application.id, keys.clone()).await.unwrap();
    assert_eq!(with_keys, Application { jwks: keys, ..application.clone() });
    let (requests, per_s) = (NonZeroU32::new(100).unwrap(), NonZeroU32::new(60).unwrap());
    let limit = Some(RateLimit { requests, per_s });
    let limited = f.ledger.set_rate_limit(application.id, limit).await.unwrap();
    assert_eq!(limited, Application { rate_limit: limit, ..with_keys });
    assert_eq!(f.ledger.application("shop".to_owned()).await.unwrap(), limited);
    assert_eq!(f.ledger.applications().await.unwrap(), [limited, other]);

    f.ledger.set_jwks(application.id, None).await.unwrap();
    let free = f.ledger.set_rate_limit(application.id, None).await.unwrap();
    assert_eq!(free, application);
    let nobody = ApplicationId(99);
    let unknown = f.ledger.set_jwks(nobody, None).await;
    assert!(matches!(unknown, Err(RegistryError::UnknownApplication)));
    let unknown = f.ledger.set_rate_limit(nobody, limit).await;
    assert!(matches!(unknown, Err(RegistryError::UnknownApplication)));
}

pub(super) async fn keys_are_kept_and_revoked(f: &Fixture) {
    f.clock.set(5);
    let application = f.ledger.application("shop".to_owned()).await.unwrap();
    assert_eq!(f.ledger.application("shop".to_owned()).await.unwrap(), application);
    let other = f.ledger.application("game".to_owned()).await.unwrap();
    assert_ne!(other.id, application.id);
    assert_eq!(f.ledger.applications().await.unwrap(), [application.clone(), other]);

    let new = |hash| NewKey {
        application: application.id,
        hash: [hash; 32],
        ending: "wxyz".to_owned(),
        label: "a label".to_owned(),
    };
    let first = f.ledger.add_key(new(1), 2).await.unwrap();
    assert_eq!((first.created_at, first.revoked_at), (at(5), None));
    f.ledger.add_key(new(2), 2).await.unwrap();
    assert!(matches!(f.ledger.add_key(new(3), 2).await, Err(RegistryError::TooManyKeys)));
    f.clock.set(6);
    let revoked = f.ledger.revoke_key(first.id).await.unwrap();
    assert_eq!(revoked.revoked_at, Some(f.clock.now()));
    assert!(matches!(f.ledger.revoke_key(first.id).await, Err(RegistryError::UnknownKey)));
    let third = f.ledger.add_key(new(3), 2).await.unwrap();
    let keys = f.ledger.keys().await.unwrap();
    assert_eq!(keys.len(), 3);
    assert_eq!((&keys[0], &keys[2]), (&revoked, &third));
}
