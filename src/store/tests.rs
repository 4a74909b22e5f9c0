use super::*;
use crate::bundle::ModelId;
use crate::fhe::random::OsEntropy;
use bytes::Bytes;
use std::time::Duration;

fn shelf(token: &str) -> Shelf {
    Shelf { model: ModelId([3; 32]), owner: Owner::of_token(token) }
}

fn parts_of(bytes: &[u8]) -> (KeyId, Upload) {
    let id = KeyId::of(bytes);
    let upload = Upload::from(&id);
    (id, upload)
}

#[tokio::test]
async fn parts_in_any_order_become_a_key_that_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", folder.path().display());
    let store = KeyStore::open(&url).await.unwrap();
    let (mine, (id, upload)) = (shelf("a"), parts_of(b"0123456789"));
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
    assert_eq!(store.get(&mine, &id).await.unwrap().unwrap(), &b"0123456789"[..]);
    assert_eq!(store.get(&shelf("b"), &id).await.unwrap(), None);
    assert!(!store.delete(&shelf("b"), &id).await.unwrap());
    assert!(store.delete(&mine, &id).await.unwrap());
    assert!(!store.delete(&mine, &id).await.unwrap());
}

#[tokio::test]
async fn what_a_killed_process_left_half_written_is_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = KeyStore::open(folder.path().to_str().unwrap()).await.unwrap();
    let (mine, (id, upload)) = (shelf("a"), parts_of(b"whole"));
    // Objects are written beside their place, as `<name>#<number>`, and then linked into it.
    for at in [mine.key(&id), mine.part(&upload, 0)] {
        let half = folder.path().join(format!("{at}#1"));
        std::fs::create_dir_all(half.parent().unwrap()).unwrap();
        std::fs::write(half, b"wh").unwrap();
    }
    assert_eq!(store.get(&mine, &id).await.unwrap(), None);
    assert!(store.parts(&mine, &upload).await.unwrap().is_empty());
    store.put_part(&mine, &upload, 0, Bytes::from_static(b"whole"), 5).await.unwrap();
    assert_eq!(store.assemble(&mine, &upload, 5).await.unwrap(), b"whole");
    store.put(&mine, &id, Bytes::from_static(b"whole")).await.unwrap();
    assert_eq!(store.get(&mine, &id).await.unwrap().unwrap(), &b"whole"[..]);
}

#[tokio::test]
async fn what_cannot_become_a_key_is_refused() {
    let store = KeyStore::open("memory:").await.unwrap();
    let (mine, (_, upload)) = (shelf("a"), parts_of(b"x"));
    let put = async |index, bytes: &'static [u8]| {
        store.put_part(&mine, &upload, index, Bytes::from_static(bytes), 6).await.map_err(|error| error.code)
    };
    put(1, b"abcd").await.unwrap();
    assert_eq!(put(1, b"abce").await, Err("part_conflict"));
    assert_eq!(put(0, b"abc").await, Err("key_too_large"));
    assert_eq!(put(0, b"").await, Err("part_invalid"));
    assert_eq!(put(MAX_PARTS, b"a").await, Err("part_invalid"));
    assert_eq!(store.assemble(&mine, &upload, 6).await.unwrap_err().code, "key_incomplete");
    put(0, b"ab").await.unwrap();
    assert_eq!(store.assemble(&mine, &upload, 6).await.unwrap(), b"ababcd");
    assert_eq!(store.assemble(&mine, &upload, 5).await.unwrap_err().code, "key_too_large");
}

#[tokio::test]
async fn uploads_that_were_given_up_are_swept() {
    let store = KeyStore::open("memory:").await.unwrap();
    let (mine, (_, upload)) = (shelf("a"), parts_of(b"x"));
    store.put_part(&mine, &upload, 0, Bytes::from_static(b"a"), 6).await.unwrap();
    assert_eq!(store.sweep(Duration::from_secs(60)).await.unwrap(), 0);
    assert_eq!(store.sweep(Duration::ZERO).await.unwrap(), 1);
    assert!(store.parts(&mine, &upload).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_uid_stands_for_a_key() {
    let store = KeyStore::open("memory:").await.unwrap();
    let (mine, (id, _)) = (shelf("a"), parts_of(b"x"));
    let uid = Uid::fresh(&mut OsEntropy);
    assert_eq!(Uid::parse(uid.as_str()).as_ref(), Some(&uid));
    assert_eq!(store.uid(&mine, &uid).await.unwrap(), None);
    store.put_uid(&mine, &uid, &id).await.unwrap();
    assert_eq!(store.uid(&mine, &uid).await.unwrap(), Some(id));
    assert_eq!(store.uid(&shelf("b"), &uid).await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = file.path().join("below").display().to_string();
    let error = KeyStore::open(&url).await.unwrap_err();
    assert_eq!(error.code, "store_unwritable");
    assert!(error.message.contains(&url) && error.hint.is_some(), "{error:?}");
}

#[test]
fn names_cannot_climb() {
    for bad in ["..", "../../etc/passwd", "", "A", &"A".repeat(64), &"g".repeat(64), &"0".repeat(63)] {
        assert_eq!(KeyId::parse(bad).unwrap_err().code, "key_id_invalid");
        assert_eq!(Uid::parse(bad), None);
    }
}
