//! A batch of encrypted inputs on its way to answers.

use super::answered::Answered;
use super::body::ReceivedBody;
use super::fair_queue::QUANTUM;
use super::models::HostedModel;
use crate::store::{HeldKey, Reservation};
use fhectl_core::bundle::ModelId;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::frame::{AnswersWriter, INPUTS_HEADER, Lengths, answers_len, most_items, read_inputs};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// A checked batch of encrypted inputs and what is needed to answer it.
pub(super) struct EncryptedBatch {
    model: Arc<HostedModel>,
    key: Arc<HeldKey>,
    /// With its memory: both stay as long as a thread reads them, whatever becomes of the client.
    inputs: ReceivedBody,
    /// Its length, 0 where there is none.
    tag: usize,
    pub rows: usize,
}

impl EncryptedBatch {
    /// # Errors
    /// What is wrong with the inputs.
    pub fn new(model: Arc<HostedModel>, key: Arc<HeldKey>, inputs: ReceivedBody) -> Result<Self> {
        let batch = read_inputs(model.id(), Lengths::of_inputs(model.circuit()), &inputs.bytes)?;
        let (tag, rows) = (batch.tag.map_or(0, <[u8]>::len), batch.items.len());
        let most = most_items(model.circuit());
        if rows > most {
            return Err(Error::new(
                ErrorCode::BatchTooLarge,
                format!("{rows} inputs in a batch, this model takes {most}"),
            )
            .hint("send several smaller batches"));
        }
        Ok(Self { model, key, inputs, tag, rows })
    }

    pub fn model_id(&self) -> &ModelId {
        self.model.id()
    }

    pub fn key(&self) -> &Arc<HeldKey> {
        &self.key
    }

    /// Some of the encrypted rows.
    pub fn requests(&self, rows: Range<usize>) -> impl Iterator<Item = &[u8]> {
        let each = self.model.circuit().request_bytes();
        let items = INPUTS_HEADER + self.tag;
        self.inputs.bytes[items + rows.start * each..items + rows.end * each].chunks(each)
    }

    /// Bytes of its framed answers.
    pub fn answer_bytes(&self) -> usize {
        let circuit = self.model.circuit();
        answers_len(circuit, self.rows) + if self.tag > 0 { circuit.tag_response_bytes() } else { 0 }
    }

    /// The computing itself, on the pool: the tag, and some of the rows that are not answered a call, so that a long batch
    /// can be left when others are waiting or its client has gone. Once the first row is computed, the batch is charged for
    /// good.
    pub fn quanta(
        self: Arc<Self>,
        memory: Reservation,
        mut answered: Answered,
    ) -> impl FnMut() -> Option<Result<(Vec<u8>, Reservation)>> + Send + 'static {
        let mut random = Random::fresh(&mut OsEntropy);
        let (mut next, mut out, mut memory) = (0, None, memory);
        move || {
            answered.keep_charge();
            let outcome = self.next_quantum(&mut next, &mut answered.answers, &mut out, &mut random);
            match outcome {
                Ok(()) if next < self.rows => None,
                Ok(()) => {
                    Some(Ok((out.take().map(AnswersWriter::finish).unwrap_or_default(), std::mem::take(&mut memory))))
                }
                Err(error) => Some(Err(error)),
            }
        }
    }

    /// The next rows from `next` on; before the first ones the tag. `given` has answers that are there, by row.
    fn next_quantum(
        &self,
        next: &mut usize,
        given: &mut [Option<Vec<u8>>],
        out: &mut Option<AnswersWriter>,
        random: &mut Random,
    ) -> Result<()> {
        let out = match out {
            Some(out) => out,
            None => out.insert(self.begin(random)?),
        };
        while let Some(answer) = given.get_mut(*next).and_then(Option::take) {
            out.push(&answer);
            *next += 1;
        }
        if *next == self.rows {
            return Ok(());
        }
        let row_cost = &self.model.costs.row;
        let at_once = (QUANTUM / row_cost.seconds()).ceil() as usize;
        let open = given.iter().skip(*next).position(Option::is_some).unwrap_or(self.rows - *next);
        let end = next.saturating_add(at_once.min(open)).min(self.rows);
        let rows: Vec<&[u8]> = self.requests(*next..end).collect();
        let begun = Instant::now();
        let answers = self.model.evaluator.evaluate(&self.key, &rows, random)?;
        row_cost.learn(begun.elapsed().as_secs_f64() / rows.len() as f64);
        answers.iter().for_each(|answer| out.push(answer));
        *next = end;
        Ok(())
    }

    /// The answers' header and the tag's answer.
    fn begin(&self, random: &mut Random) -> Result<AnswersWriter> {
        let mut tag = Vec::new();
        if self.tag > 0 {
            let begun = Instant::now();
            let request = &self.inputs.bytes[INPUTS_HEADER..INPUTS_HEADER + self.tag];
            tag = self.model.evaluator.answer_tag(&self.key, request, random)?;
            self.model.costs.tag.learn(begun.elapsed().as_secs_f64());
        }
        let items = (self.rows, self.model.circuit().response_bytes());
        Ok(AnswersWriter::begin(self.model.id(), self.key.name(), items, &tag))
    }
}
