//! The life of a client's keys.

use super::*;
use fhectl_core::bundle::ServerBundle;
use fhectl_core::error::ErrorCode;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::SystemTime;

fn model() -> ClientModel {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model/tree-spam/server.zip");
    let server = ServerBundle::read(&fs::read(folder).unwrap()).unwrap();
    ClientModel::read(&server.client_zip()).unwrap()
}

fn with(folder: &tempfile::TempDir, passphrase: Option<&str>) -> Keyring {
    let passphrase = passphrase.map(|text| Passphrase::with_work(Zeroizing::new(text.into()), 4).unwrap());
    Keyring::open(Some(folder.path())).unwrap().with_passphrase(passphrase)
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".lock")
        .collect();
    names.sort();
    names
}

fn code<T>(outcome: Result<T>) -> ErrorCode {
    outcome.err().expect("an error").code
}

/// Puts the making of the key that is there so far back.
fn make_older(keyring: &Keyring, model: &ModelId, by: Duration) {
    let path = keyring.secret(model);
    let bytes = fs::read(&path).unwrap();
    let (header, body) = KeyFileHeader::parse(&bytes).unwrap();
    let older = KeyFileHeader { made: header.made - by.as_secs(), ..header }.to_bytes();
    fs::write(&path, [&older[..], body].concat()).unwrap();
}

#[test]
fn keys_are_made_once_and_kept_private() {
    let folder = tempfile::tempdir().unwrap();
    let (keyring, model) = (with(&folder, None), model());
    let first = keyring.keys_for(&model).unwrap();
    let again = keyring.keys_for(&model).unwrap();
    assert!(first.fresh && !again.fresh && first.renewed.is_none() && !first.sealed);
    assert_eq!(first.keys.key_id(), again.keys.key_id());
    assert_eq!(names(&folder).len(), 2);
    for entry in fs::read_dir(folder.path()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_key_that_others_can_reach_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (keyring, model) = (with(&folder, None), model());
    keyring.keys_for(&model).unwrap();
    let secret = keyring.secret(model.id());
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for open in [0o640, 0o604, 0o620] {
        mode(&secret, open);
        assert_eq!(code(keyring.keys_for(&model)), ErrorCode::KeyFilePermissions);
    }
    mode(&secret, 0o600);
    keyring.keys_for(&model).unwrap();

    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&secret, &elsewhere).unwrap();
    symlink(&elsewhere, &secret).unwrap();
    let error = keyring.keys_for(&model).err().unwrap();
    assert!(error.code == ErrorCode::KeyFilePermissions && error.message.contains("symbolic link"), "{error:?}");
    assert_eq!(code(keyring.rotate(&model)), ErrorCode::KeyFilePermissions);

    for open in [0o770, 0o702] {
        mode(folder.path(), open);
        assert_eq!(code(Keyring::open(Some(folder.path()))), ErrorCode::KeyFilePermissions);
    }
    mode(folder.path(), 0o700);
    // The folder may be a link.
    let link = folder.path().join("link");
    symlink(folder.path(), &link).unwrap();
    Keyring::open(Some(&link)).unwrap();
}

#[test]
fn another_users_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (keyring, model) = (with(&folder, None), model());
    keyring.keys_for(&model).unwrap();
    let secret = keyring.secret(model.id());
    // Only root can give files away; others have /usr, which is not theirs.
    if fs::metadata(&secret).unwrap().uid() == 0 {
        std::os::unix::fs::chown(&secret, Some(12345), None).unwrap();
        let error = keyring.keys_for(&model).err().unwrap();
        assert!(error.code == ErrorCode::KeyFilePermissions && error.message.contains("uid 12345"), "{error:?}");
        std::os::unix::fs::chown(folder.path(), Some(12345), None).unwrap();
        assert_eq!(code(Keyring::open(Some(folder.path()))), ErrorCode::KeyFilePermissions);
    } else {
        assert_eq!(code(Keyring::open(Some(Path::new("/usr")))), ErrorCode::KeyFilePermissions);
    }
}

#[test]
fn a_damaged_key_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (keyring, model) = (with(&folder, None), model());
    keyring.keys_for(&model).unwrap();
    for name in names(&folder) {
        let path = folder.path().join(name);
        let bytes = fs::read(&path).unwrap();
        for damage in [bytes[..bytes.len() - 1].to_vec(), [&bytes[..], b"x"].concat(), Vec::new()] {
            fs::write(&path, &damage).unwrap();
            let error = keyring.keys_for(&model).err().unwrap();
            assert_eq!(error.code, ErrorCode::KeyFileInvalid);
            assert!(error.message.contains(path.to_str().unwrap()) && error.hint.is_some());
            assert_eq!(fs::read(&path).unwrap(), damage);
        }
        fs::write(&path, &bytes).unwrap();
    }
    let secret = keyring.secret(model.id());
    let mut older = fs::read(&secret).unwrap();
    older[4] = 1;
    fs::write(&secret, &older).unwrap();
    assert_eq!(code(keyring.keys_for(&model)), ErrorCode::KeyFileVersion);
    assert_eq!(keyring.inventory().unwrap()[0].header.as_ref().unwrap_err().code, ErrorCode::KeyFileVersion);
    keyring.rotate(&model).unwrap();
    keyring.keys_for(&model).unwrap();
}

#[test]
fn a_new_secret_never_meets_the_evaluation_key_of_an_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let (keyring, model) = (with(&folder, None), model());
    let old = keyring.keys_for(&model).unwrap();
    fs::remove_file(keyring.secret(model.id())).unwrap();
    let new = keyring.keys_for(&model).unwrap();
    assert!(new.fresh && new.keys.key_id() != old.keys.key_id());
}

#[test]
fn a_key_beyond_its_age_is_replaced_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let model = model();
    let day = Duration::from_secs(86_400);
    let keyring = || with(&folder, None).with_max_age(Some(90 * day));
    let first = keyring().keys_for(&model).unwrap();
    make_older(&keyring(), model.id(), 89 * day);
    assert_eq!(keyring().keys_for(&model).unwrap().keys.key_id(), first.keys.key_id());
    make_older(&keyring(), model.id(), 2 * day);
    assert_eq!(
        with(&folder, None).keys_for(&model).unwrap().keys.key_id(),
        first.keys.key_id(),
        "without a limit it stays"
    );
    let second = keyring().keys_for(&model).unwrap();
    assert!(second.fresh && second.keys.key_id() != first.keys.key_id());
    assert!(matches!(second.renewed, Some(Renewal::Age(age)) if age > 90 * day && age < 92 * day));
    assert_eq!(names(&folder).len(), 2, "nothing of the old key is left");
    assert!(!keyring().keys_for(&model).unwrap().fresh);
}

#[test]
fn three_failures_retire_a_key_and_the_next_begins_at_nought() {
    let folder = tempfile::tempdir().unwrap();
    let (keyring, model) = (with(&folder, None), model());
    let first = keyring.keys_for(&model).unwrap();
    assert_eq!(keyring.report_failures(model.id(), &first, 0).unwrap(), 0);
    assert_eq!(keyring.report_failures(model.id(), &first, 1).unwrap(), 1);
    assert_eq!(keyring.report_failures(model.id(), &first, 1).unwrap(), RETIRE_AFTER - 1);
    assert!(!keyring.are_retired(model.id(), &first).unwrap());
    assert_eq!(keyring.keys_for(&model).unwrap().keys.key_id(), first.keys.key_id(), "two do not retire it");
    assert_eq!(keyring.report_failures(model.id(), &first, 1).unwrap(), RETIRE_AFTER);
    assert!(keyring.are_retired(model.id(), &first).unwrap());
    assert_eq!(keyring.inventory().unwrap()[0].failures, RETIRE_AFTER);
    let second = keyring.keys_for(&model).unwrap();
    assert_eq!(second.renewed, Some(Renewal::Failures(RETIRE_AFTER)));
    assert_ne!(second.keys.key_id(), first.keys.key_id());
    assert_eq!(keyring.failures(model.id()).unwrap(), 0);
    assert_eq!(names(&folder).len(), 2, "the counter went with its key");

    assert!(keyring.are_retired(model.id(), &first).unwrap() && !keyring.are_retired(model.id(), &second).unwrap());
    assert_eq!(keyring.report_failures(model.id(), &first, 1).unwrap(), 0, "they count against their own key alone");
    keyring.report_failures(model.id(), &second, u32::MAX).unwrap();
    assert_eq!(keyring.report_failures(model.id(), &second, 1).unwrap(), u32::MAX);
    let third = keyring.keys_for(&model).unwrap();
    keyring.report_failures(model.id(), &third, 1).unwrap();
    let counter = names(&folder).into_iter().find(|name| name.ends_with(".failures")).unwrap();
    assert_eq!(fs::metadata(folder.path().join(&counter)).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(folder.path().join(counter), "what").unwrap();
    assert_ne!(
        keyring.keys_for(&model).unwrap().keys.key_id(),
        third.keys.key_id(),
        "a counter that cannot be read retires"
    );
}

#[test]
fn a_sealed_key_wants_its_passphrase_and_never_becomes_an_open_one() {
    let folder = tempfile::tempdir().unwrap();
    let model = model();
    let first = with(&folder, Some("right")).keys_for(&model).unwrap();
    assert!(first.sealed);
    let path = with(&folder, None).secret(model.id());
    let file = fs::read(&path).unwrap();
    let mut bits = Vec::new();
    first.keys.secret().write(&mut bits);
    assert!(!file.windows(32).any(|window| bits[..32] == *window), "the key's bits stand in its file");

    assert_eq!(code(with(&folder, None).keys_for(&model)), ErrorCode::KeyPassphraseMissing);
    assert_eq!(code(with(&folder, None).rotate(&model)), ErrorCode::KeyPassphraseMissing);
    assert_eq!(code(with(&folder, Some("wrong")).keys_for(&model)), ErrorCode::KeyPassphraseWrong);
    // Also where it is due: a mistyped passphrase must not seal the next one.
    with(&folder, None).report_failures(model.id(), &first, RETIRE_AFTER).unwrap();
    assert_eq!(code(with(&folder, None).keys_for(&model)), ErrorCode::KeyPassphraseMissing);
    assert_eq!(code(with(&folder, Some("wrong")).keys_for(&model)), ErrorCode::KeyPassphraseWrong);
    assert_eq!(fs::read(&path).unwrap(), file);
    let second = with(&folder, Some("right")).keys_for(&model).unwrap();
    assert!(second.sealed && second.renewed.is_some() && second.keys.key_id() != first.keys.key_id());

    let rotated = with(&folder, Some("another")).rotate(&model).unwrap();
    assert!(rotated.sealed);
    assert_eq!(code(with(&folder, Some("right")).keys_for(&model)), ErrorCode::KeyPassphraseWrong);
    assert_ne!(with(&folder, Some("another")).keys_for(&model).unwrap().keys.key_id(), second.keys.key_id());
    // What the header says is under the seal.
    make_older(&with(&folder, None), model.id(), Duration::from_secs(9));
    assert_eq!(code(with(&folder, Some("another")).keys_for(&model)), ErrorCode::KeyPassphraseWrong);
}

#[test]
fn an_open_key_stays_readable_with_a_passphrase_at_hand_and_rotating_seals_it() {
    let folder = tempfile::tempdir().unwrap();
    let model = model();
    let first = with(&folder, None).keys_for(&model).unwrap();
    let same = with(&folder, Some("new")).keys_for(&model).unwrap();
    assert!(!same.sealed && same.keys.key_id() == first.keys.key_id());
    assert!(with(&folder, Some("new")).rotate(&model).unwrap().sealed);
}

#[test]
fn keys_are_listed_rotated_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (keyring, model) = (with(&folder, None), model());
    assert_eq!(code(keyring.rotate(&model)), ErrorCode::KeyUnknown);
    assert!(keyring.inventory().unwrap().is_empty());
    let before = SystemTime::now() - Duration::from_secs(1);
    let first = keyring.keys_for(&model).unwrap();
    fs::write(folder.path().join("notes.txt"), "another file").unwrap();
    let listed = keyring.inventory().unwrap();
    let header = listed[0].header.as_ref().unwrap();
    assert_eq!((listed.len(), header.name.as_str(), header.circuit.as_str()), (1, "tree-spam", "path-cost"));
    assert!(made(header) >= before && made(header) <= SystemTime::now());

    keyring.rotate(&model).unwrap();
    assert_eq!(names(&folder).len(), 2, "the secret and the other file");
    assert_ne!(keyring.keys_for(&model).unwrap().keys.key_id(), first.keys.key_id());
    assert!(keyring.delete(model.id()).unwrap());
    assert!(!keyring.delete(model.id()).unwrap());
    assert_eq!(names(&folder), ["notes.txt"]);
}

#[test]
fn many_at_once_share_one_key_and_lose_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let model = model();
    let ids: Vec<String> = std::thread::scope(|scope| {
        let one = || with(&folder, None).keys_for(&model).unwrap().keys.key_id();
        let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
    let keys = with(&folder, None).keys_for(&model).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| with(&folder, None).report_failures(model.id(), &keys, 5).unwrap());
        }
    });
    assert_eq!(with(&folder, None).failures(model.id()).unwrap(), 40);
    // Renewed by one of them only: the others find the new one.
    let ids: Vec<String> = std::thread::scope(|scope| {
        let one = || with(&folder, None).keys_for(&model).unwrap().keys.key_id();
        let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[test]
fn runs_that_end_after_a_key_retired_fail_alike() {
    let folder = tempfile::tempdir().unwrap();
    let (keyring, model) = (with(&folder, None), model());
    let keys = keyring.keys_for(&model).unwrap();
    let settle = |failures| keyring.settle(model.id(), &keys, failures).map_err(|error| error.code);
    // Runs at one time: every second one is answered wrong, at the will of the server.
    assert_eq!([1, 0, 1, 0, 1].map(settle), [Ok(()); 5]);
    assert_eq!(
        [0, 1, 0, 0].map(settle)[..3],
        [Err(ErrorCode::AnswersUntrusted), Ok(()), Err(ErrorCode::AnswersUntrusted)]
    );
    // Another has new keys; of the old ones it is still known.
    let second = keyring.keys_for(&model).unwrap();
    assert_eq!(settle(0), Err(ErrorCode::AnswersUntrusted));
    keyring.settle(model.id(), &second, 0).unwrap();
}
