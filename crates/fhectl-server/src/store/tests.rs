use super::*;
use bytes::Bytes;
use fhectl_core::bundle::ModelId;
use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::random::OsEntropy;
use std::time::Duration;

fn namespace(token: &str) -> KeyNamespace {
    KeyNamespace { model: ModelId([3; 32]), owner: Owner::of_token(token) }
}

fn parts_of(bytes: &[u8]) -> (KeyId, UploadId) {
    let id = KeyId::of(bytes);
    let upload = UploadId::from(&id);
    (id, upload)
}

async fn content(store: &KeyStore, namespace: &KeyNamespace, id: &KeyId, expected: usize) -> Option<Bytes> {
    store.get(namespace, id, expected).await.unwrap().map(|(bytes, _)| bytes)
}

#[tokio::test]
async fn parts_in_any_order_become_a_key_that_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    let store = KeyStore::open(&url).await.unwrap();
    let (mine, (id, upload)) = (namespace("a"), parts_of(b"0123456789"));
    for (index, bytes) in [(2, &b"89"[..]), (0, b"0123"), (1, b"4567"), (0, b"0123")] {
        store.put_part(&mine, &upload, index, Bytes::from_static(bytes), 10).await.unwrap();
    }
    let again = KeyStore::open(folder.path().to_str().unwrap()).await.unwrap();
    let sizes: Vec<u64> = again.parts(&mine, &upload).await.unwrap().iter().map(|part| part.bytes).collect();
    assert_eq!(sizes, [4, 4, 2]);
    let whole = again.assemble(&mine, &upload, 10).await.unwrap();
    assert_eq!(whole, b"0123456789");
    assert!(!again.exists(&mine, &id).await.unwrap());
    again.put(&mine, &id, whole.clone().into()).await.unwrap();
    again.put(&mine, &id, whole.into()).await.unwrap();
    assert_eq!(again.discard(&mine, &upload).await.unwrap(), 3);
    assert_eq!(content(&store, &mine, &id, 10).await.unwrap(), &b"0123456789"[..]);
    assert_eq!(store.get(&mine, &id, 9).await.unwrap_err().code, ErrorCode::KeyDamaged);
    assert_eq!(content(&store, &namespace("b"), &id, 10).await, None);
    assert!(!store.delete(&namespace("b"), &id).await.unwrap());
    assert!(store.delete(&mine, &id).await.unwrap());
    assert!(!store.delete(&mine, &id).await.unwrap());
}

#[tokio::test]
async fn what_a_killed_process_left_half_written_is_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = KeyStore::open(folder.path().to_str().unwrap()).await.unwrap();
    let (mine, (id, upload)) = (namespace("a"), parts_of(b"whole"));
    // Objects are written beside their place, as `<name>#<number>`, and then linked into it.
    for at in [mine.key(&id), mine.part(&upload, 0)] {
        let half = folder.path().join(format!("{at}#1"));
        std::fs::create_dir_all(half.parent().unwrap()).unwrap();
        std::fs::write(half, b"wh").unwrap();
    }
    assert_eq!(content(&store, &mine, &id, 5).await, None);
    assert!(store.parts(&mine, &upload).await.unwrap().is_empty());
    store.put_part(&mine, &upload, 0, Bytes::from_static(b"whole"), 5).await.unwrap();
    assert_eq!(store.assemble(&mine, &upload, 5).await.unwrap(), b"whole");
    store.put(&mine, &id, Bytes::from_static(b"whole")).await.unwrap();
    assert_eq!(content(&store, &mine, &id, 5).await.unwrap(), &b"whole"[..]);
    assert_eq!(store.sweep(Duration::from_secs(60)).await.unwrap(), Swept::default());
    assert_eq!(store.sweep(Duration::ZERO).await.unwrap(), Swept { parts: 1, halves: 2, ..Swept::default() });
    assert!(!folder.path().join("parts").exists(), "an empty folder is left over");
    assert_eq!(content(&store, &mine, &id, 5).await.unwrap(), &b"whole"[..]);
}

#[tokio::test]
async fn what_cannot_become_a_key_is_refused() {
    let store = KeyStore::open("memory:").await.unwrap();
    let (mine, (_, upload)) = (namespace("a"), parts_of(b"x"));
    let put = async |index, bytes: &'static [u8]| {
        store.put_part(&mine, &upload, index, Bytes::from_static(bytes), 6).await.map_err(|error| error.code)
    };
    put(1, b"abcd").await.unwrap();
    assert_eq!(put(1, b"abce").await, Err(ErrorCode::PartConflict));
    assert_eq!(put(0, b"abc").await, Err(ErrorCode::KeyTooLarge));
    assert_eq!(put(0, b"").await, Err(ErrorCode::PartInvalid));
    assert_eq!(put(MAX_PARTS, b"a").await, Err(ErrorCode::PartInvalid));
    assert_eq!(store.assemble(&mine, &upload, 6).await.unwrap_err().code, ErrorCode::KeyIncomplete);
    put(0, b"ab").await.unwrap();
    assert_eq!(store.assemble(&mine, &upload, 6).await.unwrap(), b"ababcd");
    assert_eq!(store.assemble(&mine, &upload, 5).await.unwrap_err().code, ErrorCode::KeyTooLarge);
}

/// Makes an object of a folder an hour old.
fn age_by_an_hour(folder: &std::path::Path, at: &object_store::path::Path) {
    let file = std::fs::File::options().write(true).open(folder.join(at.as_ref())).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600)).unwrap();
}

#[tokio::test]
async fn uploads_that_were_given_up_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    let store = KeyStore::open(folder.path().to_str().unwrap()).await.unwrap();
    let (mine, (_, upload)) = (namespace("a"), parts_of(b"x"));
    store.put_part(&mine, &upload, 0, Bytes::from_static(b"a"), 6).await.unwrap();
    age_by_an_hour(folder.path(), &mine.part(&upload, 0));
    store.put_part(&mine, &upload, 1, Bytes::from_static(b"b"), 6).await.unwrap();
    // The newest part counts.
    assert_eq!(store.sweep(Duration::from_secs(1800)).await.unwrap(), Swept::default());
    assert_eq!(store.parts(&mine, &upload).await.unwrap().len(), 2);
    let sweeps = [store.sweep(Duration::ZERO), store.sweep(Duration::ZERO)];
    let swept = futures_util::future::join_all(sweeps).await;
    assert!(swept.iter().all(|swept| swept.is_ok()), "two sweepers at once: {swept:?}");
    assert!(store.parts(&mine, &upload).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_whose_time_is_over_is_gone_until_it_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let forever = KeyStore::open(folder.path().to_str().unwrap()).await.unwrap();
    let store = forever.clone().with_key_ttl(Some(Duration::from_secs(1800)));
    let (mine, (id, _)) = (namespace("a"), parts_of(b"key"));
    let key = || Bytes::from_static(b"key");
    store.put(&mine, &id, key()).await.unwrap();
    assert!(store.exists(&mine, &id).await.unwrap());
    age_by_an_hour(folder.path(), &mine.key(&id));
    assert!(!store.exists(&mine, &id).await.unwrap());
    assert_eq!(content(&store, &mine, &id, 3).await, None);
    assert!(forever.exists(&mine, &id).await.unwrap(), "nobody swept it yet");
    // Before it is swept, it is made new; the sweeper then leaves it alone.
    store.put(&mine, &id, key()).await.unwrap();
    assert_eq!(content(&store, &mine, &id, 3).await.unwrap(), key());
    assert_eq!(store.sweep(Duration::from_secs(60)).await.unwrap(), Swept::default());
    age_by_an_hour(folder.path(), &mine.key(&id));
    assert_eq!(store.sweep(Duration::from_secs(60)).await.unwrap(), Swept { keys: 1, ..Swept::default() });
    assert!(!forever.exists(&mine, &id).await.unwrap());
    assert_eq!(forever.inventory().await.unwrap(), []);
}

#[tokio::test]
async fn a_key_in_a_store_without_files_has_its_time_too() {
    let store = KeyStore::open("memory:").await.unwrap();
    let (mine, (id, _)) = (namespace("a"), parts_of(b"key"));
    store.put(&mine, &id, Bytes::from_static(b"key")).await.unwrap();
    let (long, over) = (Duration::from_secs(3600), Duration::ZERO);
    assert!(store.clone().with_key_ttl(Some(long)).exists(&mine, &id).await.unwrap());
    let store = store.with_key_ttl(Some(over));
    assert!(!store.exists(&mine, &id).await.unwrap());
    assert_eq!(store.sweep(long).await.unwrap(), Swept { keys: 1, ..Swept::default() });
}

#[tokio::test]
async fn an_owner_stores_no_more_than_its_quota_over_all_models() {
    let store = KeyStore::open("memory:").await.unwrap();
    let (mine, (id, upload)) = (namespace("a"), parts_of(b"0123456789"));
    let elsewhere = KeyNamespace { model: ModelId([4; 32]), ..mine.clone() };
    let begin = async |keys, bytes, length| {
        let quota = Quota { keys, bytes };
        store.check_begin(&mine.owner, quota, length).await.map_err(|error| error.code)
    };
    let over = Err(ErrorCode::QuotaExceeded);
    assert_eq!(begin(Some(1), Some(10), Some(10)).await, Ok(()));
    assert_eq!(begin(None, Some(10), Some(11)).await, over);
    store.put_part(&elsewhere, &upload, 0, Bytes::from_static(b"01234"), 10).await.unwrap();
    assert_eq!(begin(Some(1), None, Some(1)).await, over, "as many uploads as keys");
    assert_eq!(begin(Some(2), None, Some(1)).await, Ok(()));
    assert_eq!(begin(None, Some(10), Some(6)).await, over, "staged parts count");
    let quota = Quota { keys: Some(1), bytes: Some(10) };
    store.check_complete(&elsewhere, &upload, quota, 10).await.expect("but not those of the key itself");
    store.put(&elsewhere, &id, Bytes::from_static(b"0123456789")).await.unwrap();
    store.discard(&elsewhere, &upload).await.unwrap();
    assert_eq!(begin(Some(1), None, Some(1)).await, over);
    assert_eq!(begin(Some(1), None, None).await, Ok(()), "it may be the one that is here");
    assert_eq!(store.check_complete(&mine, &upload, quota, 1).await.unwrap_err().code, ErrorCode::QuotaExceeded);
    assert_eq!(begin(Some(2), Some(20), Some(10)).await, Ok(()));
    store.check_begin(&Owner::of_token("b"), quota, Some(10)).await.expect("another's quota is its own");
    store.delete(&elsewhere, &id).await.unwrap();
    assert_eq!(begin(Some(1), Some(10), Some(10)).await, Ok(()));
}

#[tokio::test]
async fn a_uid_stands_for_a_key() {
    let store = KeyStore::open("memory:").await.unwrap();
    let (mine, (id, _)) = (namespace("a"), parts_of(b"x"));
    let uid = Uid::fresh(&mut OsEntropy);
    assert_eq!(Uid::parse(uid.as_str()).as_ref(), Some(&uid));
    assert_eq!(store.uid(&mine, &uid).await.unwrap(), None);
    store.put_uid(&mine, &uid, &id).await.unwrap();
    assert_eq!(store.uid(&mine, &uid).await.unwrap(), Some(id));
    assert_eq!(store.uid(&namespace("b"), &uid).await.unwrap(), None);
    let other = KeyId::of(b"y");
    let another = Uid::fresh(&mut OsEntropy);
    store.put_uid(&mine, &another, &other).await.unwrap();
    let (id, _) = parts_of(b"x");
    store.delete(&mine, &id).await.unwrap();
    assert_eq!(store.uid(&mine, &uid).await.unwrap(), None);
    assert_eq!(store.uid(&mine, &another).await.unwrap(), Some(other));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = file.path().join("below").display().to_string();
    let error = KeyStore::open(&url).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::StoreUnwritable);
    assert!(error.message.contains(&url) && error.hint.is_some(), "{error:?}");
}

#[test]
fn names_cannot_climb() {
    for bad in ["..", "../../etc/passwd", "", "A", &"A".repeat(64), &"g".repeat(64), &"0".repeat(63)] {
        assert_eq!(KeyId::parse(bad).unwrap_err().code, ErrorCode::KeyIdInvalid);
        assert_eq!(Uid::parse(bad), None);
    }
}

#[tokio::test]
async fn a_store_that_cannot_create_without_replacing_is_asked_before() {
    let store = KeyStore { creates: false, ..KeyStore::open("memory:").await.unwrap() };
    let (mine, (id, upload)) = (namespace("a"), parts_of(b"0123"));
    for _ in 0..2 {
        store.put_part(&mine, &upload, 0, Bytes::from_static(b"0123"), 4).await.unwrap();
    }
    let other = store.put_part(&mine, &upload, 0, Bytes::from_static(b"4567"), 4).await;
    assert_eq!(other.unwrap_err().code, ErrorCode::PartConflict);
    for _ in 0..2 {
        store.put(&mine, &id, Bytes::from_static(b"0123")).await.unwrap();
    }
    assert_eq!(content(&store, &mine, &id, 4).await.unwrap(), &b"0123"[..]);
}
