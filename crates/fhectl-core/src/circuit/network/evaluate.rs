//! The server's side of `Network`.

use super::NetworkParams;
use super::program::{Program, Stage};
use crate::error::Result;
use crate::fhe::Random;
use crate::fhe::list::{LweList, narrow};
use crate::fhe::pbs::BootstrapKey;
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::switch::KeyswitchKey;
use crate::fhe::zeros::Zeros;
use crate::model::{IntegerNetwork, invalid};
use rayon::prelude::*;

/// Bootstraps that are worth doing at once: more only take memory.
const BOOTSTRAPS_AT_ONCE: usize = 512;
/// And bytes of expanded inputs.
const INPUT_BYTES_AT_ONCE: usize = 64 << 20;
/// The most words of look-up tables that a network may have: 1 GiB.
const MAX_TABLE_WORDS: usize = 1 << 27;

/// A client's keys for one network.
pub struct NetworkKey {
    first: BootstrapKey,
    inner: Option<(KeyswitchKey, BootstrapKey)>,
}

impl NetworkKey {
    /// Reads the keys in the order in which the client wrote them. Both bootstrap keys are taken in a secret order
    /// with `shuffle`.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the keys' layouts.
    pub fn unpack(params: &NetworkParams, bytes: &[u8], mut shuffle: Option<&mut Random>) -> Result<Self> {
        let mut rest = bytes;
        let mut next = |len: usize| {
            let (own, after) = rest.split_at(len.min(rest.len()));
            rest = after;
            own
        };
        let bootstrap = params.first.bootstrap;
        let first = BootstrapKey::unpack(&bootstrap, next(bootstrap.layout().wire_len()), shuffle.as_deref_mut())?;
        let inner = match &params.inner {
            None => None,
            Some(inner) => {
                let keyswitch = KeyswitchKey::unpack(&inner.keyswitch, next(inner.keyswitch.layout().wire_len()))?;
                let bootstrap = inner.stage.bootstrap;
                Some((keyswitch, BootstrapKey::unpack(&bootstrap, next(bootstrap.layout().wire_len()), shuffle)?))
            }
        };
        Ok(Self { first, inner })
    }

    /// The sums of a later layer, switched to the key that its bootstraps take; `None` in a network of one activation
    /// layer.
    pub fn keyswitch(&self, sums: &LweList) -> Option<LweList> {
        self.inner.as_ref().map(|(keyswitch, _)| keyswitch.switch(sums))
    }

    /// Fresh inputs through every key there is, each bootstrap with the same table; `zeros` are of the first bootstraps
    /// and of the second.
    pub fn look_up_through_all(&self, inputs: &LweList, table: &[u64], zeros: [Option<&Zeros<'_>>; 2]) -> LweList {
        let values = self.first.look_up(inputs, |_| table, zeros[0]);
        match &self.inner {
            Some((keyswitch, bootstrap)) => bootstrap.look_up(&keyswitch.switch(&values), |_| table, zeros[1]),
            None => values,
        }
    }
}

/// Answers encrypted rows with their scores, each re-randomised and cut. Rows of one call share every pass over the
/// keys.
///
/// # Errors
/// `ciphertext_invalid` where a request does not have the circuit's layout.
pub fn evaluate(
    params: &NetworkParams,
    program: &Program,
    key: &NetworkKey,
    rerandomizer: Option<&Rerandomizer>,
    requests: &[&[u8]],
    random: &mut Random,
) -> Result<Vec<Vec<u8>>> {
    let row_bytes = LweList::bytes(params.input.bodies, params.input.shape.lwe_dimension());
    let rows_at_once = (BOOTSTRAPS_AT_ONCE / params.bootstraps().max(1)).min(INPUT_BYTES_AT_ONCE / row_bytes).max(1);
    let mut answers = Vec::with_capacity(requests.len());
    for (group, requests) in requests.chunks(rows_at_once).enumerate() {
        let inputs = requests.iter().enumerate().map(|(index, request)| {
            let input = params.input.expand(request);
            let input = input.map_err(|error| error.context(format!("input {}", group * rows_at_once + index)));
            Ok(input?.to_list())
        });
        let mut values = LweList::concat(inputs.collect::<Result<Vec<_>>>()?);
        for (index, stage) in program.stages.iter().enumerate() {
            let sums = sums(stage, &values, requests.len());
            let zeros = rerandomizer.map(|key| Zeros::new(key, random));
            let activated = || activate(key, index, stage, &sums, zeros.as_ref());
            values = if stage.tables.is_empty() { sums } else { activated() };
        }
        let streams: Vec<Random> = requests.iter().map(|_| random.fork()).collect();
        let packed = streams.into_par_iter().enumerate();
        answers.par_extend(packed.map(|(row, mut random)| answer(params, rerandomizer, &values, row, &mut random)));
    }
    Ok(answers)
}

/// The sums of a layer, for `rows` rows whose values follow one another.
pub fn sums(stage: &Stage, values: &LweList, rows: usize) -> LweList {
    let each = values.len() / rows.max(1);
    let firsts: Vec<usize> = (0..rows).map(|row| row * each).collect();
    let constants: Vec<u32> = stage.constants.iter().map(|constant| narrow(*constant)).collect();
    values.combine(&firsts, &stage.sums, &constants)
}

/// The activations of a layer's sums: a keyswitch but in the first, and a bootstrap, whose noise is new each time with
/// `zeros`.
pub fn activate(key: &NetworkKey, layer: usize, stage: &Stage, sums: &LweList, zeros: Option<&Zeros<'_>>) -> LweList {
    let table = |index: usize| stage.table(index % stage.sums.len());
    match &key.inner {
        Some((keyswitch, bootstrap)) if layer > 0 => bootstrap.look_up(&keyswitch.switch(sums), table, zeros),
        _ => key.first.look_up(sums, table, zeros),
    }
}

/// Checks that a network is one that the parameters were made for.
///
/// # Errors
/// `model_invalid`.
pub fn check_fit(params: &NetworkParams, network: &IntegerNetwork) -> Result<()> {
    let widths: Vec<usize> = network.layers.iter().map(|layer| layer.map.shape.outputs()).collect();
    let ends = network.layers.first().zip(network.layers.last());
    let fits = ends.is_some_and(|(first, last)| {
        widths.len() >= 2
            && first.map.shape.inputs() == params.input.bodies
            && first.circle == params.circle
            && last.circle == params.score_circle
            && widths[0] == params.first.activations
            && widths[widths.len() - 1] == params.scores
            && widths[1..widths.len() - 1].iter().sum::<usize>() == params.inner.map_or(0, |i| i.stage.activations)
    });
    if !fits {
        return Err(invalid("the network does not fit the circuit's parameters"));
    }
    let activations = network.layers.iter().filter_map(|layer| layer.activation.as_ref());
    let tables: usize = activations.map(|activation| activation.thresholds.len()).sum();
    if tables.saturating_mul(params.output().size) > MAX_TABLE_WORDS {
        return Err(invalid(format!("{tables} look-up tables of {} words", params.output().size)));
    }
    Ok(())
}

/// One row's scores in their wire form.
fn answer(
    params: &NetworkParams,
    rerandomizer: Option<&Rerandomizer>,
    scores: &LweList,
    row: usize,
    random: &mut Random,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(params.response_bytes());
    for index in row * params.scores..(row + 1) * params.scores {
        let mut score = scores.lwe(index);
        if let (Some(key), Some(noise_flooding)) = (rerandomizer, params.noise_flooding) {
            key.apply(&mut score, noise_flooding, random);
        }
        score.write(params.response_bits, &mut bytes);
    }
    bytes
}
