use super::*;
use crate::server::compute::PoolLimits;
use crate::store::{Owner, Quota};
use fhectl_core::bundle::folder;
use fhectl_core::error::ErrorCode;
use std::path::Path;

/// A committed model that needs keys.
fn model() -> Arc<HostedModel> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let models = own.ancestors().map(|folder| folder.join("compiled_model")).find(|folder| folder.is_dir());
    let bundle = folder::read_server(&models.expect("the committed models").join("tree-spam")).unwrap();
    crate::server::models::Models::new(&[bundle]).unwrap().named("tree-spam").unwrap().clone()
}

async fn service(policy: KeyPolicy) -> KeyService {
    let limits = PoolLimits { threads: 1, max_queue: 4, max_backlog: Duration::from_secs(10), max_time: None };
    let compute = Arc::new(ComputePool::new(limits).unwrap());
    let store = KeyStore::open("memory:").await.unwrap();
    KeyService::new(store, 64 << 20, policy, compute, Arc::new(ServerMetrics::new()))
}

fn namespace(model: &HostedModel, token: &str) -> KeyNamespace {
    KeyNamespace { model: *model.id(), owner: Owner::of_token(token) }
}

#[tokio::test]
async fn an_upload_is_followed_from_absent_to_refused() {
    let (model, keys) = (model(), service(KeyPolicy::default()).await);
    let (mine, id) = (namespace(&model, "a"), KeyId::of(b"a key"));
    let status = async || keys.status(&mine, &id).await.unwrap();
    assert_eq!((status().await.state, status().await.parts), (UploadState::Absent, vec![]));
    assert_eq!(keys.delete(&mine, &id).await.unwrap_err().code, ErrorCode::KeyUnknown);
    assert_eq!(keys.complete(&model, &mine, &id).await.unwrap_err().code, ErrorCode::KeyIncomplete);

    // The beginning of a key is checked before the rest of it travels.
    let put = async |index, bytes: Vec<u8>| keys.put_part(&model, &mine, &id, index, bytes.into()).await;
    assert_eq!(put(0, vec![7; 4096]).await.unwrap_err().code, ErrorCode::KeyInvalid);
    assert_eq!(put(1, Vec::new()).await.unwrap_err().code, ErrorCode::PartInvalid);
    let part = put(1, vec![7; model.key_len() - 1]).await.unwrap();
    assert_eq!(put(1, vec![7; model.key_len() - 1]).await.unwrap(), part);
    assert_eq!(put(2, vec![7; 2]).await.unwrap_err().code, ErrorCode::KeyTooLarge);
    assert_eq!((status().await.state, status().await.parts), (UploadState::Partial, vec![part]));
    put(0, vec![7]).await.unwrap();
    // All of it is here, and it is not what it was sent as: it is dropped, so that another can begin.
    assert_eq!(keys.complete(&model, &mine, &id).await.unwrap_err().code, ErrorCode::KeyMismatch);
    assert_eq!(status().await.state, UploadState::Absent);
    assert_eq!(keys.cached(), 0);
}

#[tokio::test]
async fn another_owners_upload_is_not_there() {
    let (model, keys) = (model(), service(KeyPolicy::default()).await);
    let (mine, other, id) = (namespace(&model, "a"), namespace(&model, "b"), KeyId::of(b"a key"));
    keys.put_part(&model, &mine, &id, 0, Bytes::from_static(b"F")).await.unwrap();
    assert_eq!(keys.status(&other, &id).await.unwrap().state, UploadState::Absent);
    assert_eq!(keys.delete(&other, &id).await.unwrap_err().code, ErrorCode::KeyUnknown);
    keys.delete(&mine, &id).await.unwrap();
}

#[tokio::test]
async fn an_owner_begins_no_more_uploads_than_its_quota() {
    let quota = Quota { keys: Some(1), bytes: None };
    let (model, keys) = (model(), service(KeyPolicy { quota, ..KeyPolicy::default() }).await);
    let mine = namespace(&model, "a");
    let begin = async |id: &[u8]| {
        let put = keys.put_part(&model, &mine, &KeyId::of(id), 0, Bytes::from_static(b"F")).await;
        put.map(drop).map_err(|error| error.code)
    };
    assert_eq!((begin(b"one").await, begin(b"one").await), (Ok(()), Ok(())));
    assert_eq!(begin(b"two").await, Err(ErrorCode::QuotaExceeded));
}
