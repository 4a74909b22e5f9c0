//! Encrypting, sending and decrypting as three steps, for programs that do something between them.

use super::held_keys::Held;
use super::{RowRunner, UntrustedAnswers};
use fhectl_core::client::{Pending, Prediction};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::random::OsEntropy;
use std::sync::{Mutex, PoisonError};

/// Encrypted rows, and what is kept until they are answered.
pub struct Encrypted {
    batches: Vec<Batch>,
    rows: usize,
}

struct Batch {
    held: Held,
    request: Vec<u8>,
    /// Taken when the answer is decrypted.
    pending: Mutex<Option<Pending>>,
}

impl Encrypted {
    /// Rows that were encrypted.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The bytes to send, a batch each.
    pub fn batches(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.batches.iter().map(|batch| &batch.request[..])
    }

    /// The ids of the evaluation keys that the batches are under.
    pub fn key_ids(&self) -> impl ExactSizeIterator<Item = String> {
        self.batches.iter().map(|batch| batch.held.keys.keys.key_id())
    }
}

impl RowRunner<'_> {
    /// Encrypts quantized rows. What a network's key may tell is counted here, so that nobody can forget to.
    ///
    /// # Errors
    /// Those of the keyring and of `ClientModel::encrypt`.
    pub fn encrypt(&self, rows: &[Vec<u32>]) -> Result<Encrypted> {
        let (mut done, mut batches) = (0, Vec::new());
        while done < rows.len() {
            let held = self.opened(&mut |_| ())?;
            let taken = self.keyring.take_rows(self.model, &held.keys, rows.len() - done, self.detail)?;
            for chunk in rows[done..done + taken].chunks(self.model.batch_rows()) {
                let tagged = held.tags.lock().unwrap_or_else(PoisonError::into_inner).wants_tag(&mut OsEntropy);
                let request = self.model.encrypt(&held.keys.keys, chunk, tagged, &mut OsEntropy)?;
                let (request, pending) = request.into_parts();
                batches.push(Batch { held: held.clone(), request, pending: Mutex::new(Some(pending)) });
            }
            done += taken;
            if done < rows.len() {
                self.held.forget();
            }
        }
        Ok(Encrypted { batches, rows: rows.len() })
    }

    /// Has the server compute encrypted rows; brings it their keys where it has not got them. An answer a batch.
    ///
    /// # Errors
    /// What the server says, or that it cannot be reached.
    pub fn send(&self, encrypted: &Encrypted) -> Result<Vec<Vec<u8>>> {
        let mut answers = Vec::with_capacity(encrypted.batches.len());
        for batch in &encrypted.batches {
            self.bring(&batch.held, &mut |_| ())?;
            answers.push(self.session(&batch.held).ask(&batch.request)?.0.bytes);
        }
        Ok(answers)
    }

    /// Decrypts the answers to encrypted rows, once: of two answers to one question a server would learn too much. Rows whose
    /// answers cannot be trusted are `None`; such batches count against the keys.
    ///
    /// # Errors
    /// `answers_count` for another number of answers, or where they were decrypted before; those of [`super::Keyring::settle`].
    pub fn decrypt(
        &self,
        encrypted: &Encrypted,
        answers: &[impl AsRef<[u8]>],
    ) -> Result<(Vec<Option<Prediction>>, UntrustedAnswers)> {
        if answers.len() != encrypted.batches.len() {
            let what = format!("{} answers to {} batches", answers.len(), encrypted.batches.len());
            return Err(Error::new(ErrorCode::AnswersCount, what).hint("give the answers that `send` returned"));
        }
        let (mut rows, mut untrusted) = (Vec::with_capacity(encrypted.rows), UntrustedAnswers::default());
        let mut settled = Ok(());
        for (batch, answer) in encrypted.batches.iter().zip(answers) {
            let pending = batch.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
            let pending = pending.ok_or_else(|| {
                Error::new(ErrorCode::AnswersCount, "these rows were answered before")
                    .hint("encrypt them again: of two answers to one question a server would learn too much")
            })?;
            let keys = &batch.held.keys;
            let predictions = self.model.decrypt(&keys.keys, pending, answer.as_ref(), self.detail);
            settled =
                settled.and(self.keyring.settle(self.model.id(), keys, u32::from(predictions.distrust.is_some())));
            if let Some(error) = predictions.distrust {
                untrusted.add(UntrustedAnswers { batches: 1, first: Some(error) });
            }
            rows.extend(predictions.rows);
        }
        settled?;
        Ok((rows, untrusted))
    }
}
