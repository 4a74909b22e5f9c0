//! What an evaluation will do: the layers with their dimensions, and rows in pieces.

use crate::key::Key;
use crate::limits::Limits;
use crate::program::{LoadedLayer, LoadedLookUp, Program};
use crate::support::{POLYNOMIAL_SIZE, supports_part};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::GlweShape;
use fhectl_core::fhe::backend::Group;
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::part::PartParams;
use fhectl_core::fhe::stride::stride;

/// The most rows of a piece: grids have no more blocks that way.
const MOST_ROWS: usize = 65_535;

/// An evaluation's layers and sizes.
pub(crate) struct Plan<'a> {
    pub shape: GlweShape,
    pub stages: Vec<Stage<'a>>,
    pub row: RowSizes,
    /// The dimension of the answers.
    pub dimension: usize,
}

/// A layer with the dimension of its sums.
pub(crate) struct Stage<'a> {
    pub layer: &'a LoadedLayer,
    pub dimension: usize,
    pub look_up: Option<StageLookUp<'a>>,
}

/// A layer's look-ups with the parameters that all keys have for them.
pub(crate) struct StageLookUp<'a> {
    pub loaded: &'a LoadedLookUp,
    pub bootstrap: BootstrapParams,
    pub keyswitch: Option<KeyswitchParams>,
}

/// What one row takes of each buffer, in its values.
#[derive(Default)]
pub(crate) struct RowSizes {
    pub masks: usize,
    pub bodies: usize,
    pub rows: usize,
    pub digits: usize,
    pub small: usize,
    pub switched: usize,
    pub zeros: usize,
    pub numbers: usize,
}

impl RowSizes {
    fn bytes(&self) -> usize {
        // Rows are there twice.
        8 * (self.masks + self.bodies)
            + 4 * (2 * self.rows + self.small + self.zeros + self.numbers)
            + self.digits
            + 2 * self.switched
    }
}

impl<'a> Plan<'a> {
    /// Checks that inputs, layers and keys fit each other: kernels check nothing. Nothing where there are no rows.
    ///
    /// # Errors
    /// `key_missing` where a key lacks a part, or the public key that its zeros want, or has another's parameters;
    /// `ciphertext_invalid` where rows are not those of the layers.
    pub fn new(limits: &Limits, program: &'a Program, groups: &[Group<'_, Key>]) -> Result<Option<Self>> {
        let mut rows = groups.iter().flat_map(|group| &group.rows);
        let Some(first) = rows.next() else { return Ok(None) };
        let (shape, coefficients) = (first.shape(), first.bodies().len());
        let inputs = program.layers.first().map_or(0, |layer| layer.inputs);
        let same = |row: &fhectl_core::fhe::GlweList| row.shape() == shape && row.bodies().len() == coefficients;
        if coefficients < inputs || !rows.all(same) {
            return Err(Error::new(
                ErrorCode::CiphertextInvalid,
                format!("a row of {coefficients} encrypted inputs for a model of {inputs}, or rows that differ"),
            )
            .hint("it belongs to another model"));
        }

        let mut dimension = shape.lwe_dimension();
        let mut stages = Vec::with_capacity(program.layers.len());
        for (index, layer) in program.layers.iter().enumerate() {
            let look_up =
                layer.look_up.as_ref().map(|look_up| StageLookUp::new(limits, look_up, groups)).transpose()?;
            if let Some(look_up) = &look_up {
                for group in groups.iter().filter(|group| group.zeros.len() > index) {
                    group.key.public(look_up.bootstrap.output)?;
                }
            }
            let stage = Stage { layer, dimension, look_up };
            dimension = stage.dimension_after()?;
            stages.push(stage);
        }
        let mut row = RowSizes {
            masks: inputs.div_ceil(shape.size) * shape.lwe_dimension(),
            bodies: inputs,
            rows: inputs * stride(shape.lwe_dimension()),
            ..RowSizes::default()
        };
        stages.iter().for_each(|stage| stage.add_to(&mut row));
        Ok(Some(Self { shape, stages, row, dimension }))
    }

    /// The rows of all groups in pieces that the scratch memory has room for, of nearly one size.
    pub fn pieces(&self, scratch: usize, groups: &[Group<'_, Key>]) -> Vec<Piece> {
        let rows: Vec<RowOf> = (0..groups.len())
            .flat_map(|group| (0..groups[group].rows.len()).map(move |row| RowOf { group, row }))
            .collect();
        let most = (scratch / self.row.bytes().max(1)).clamp(1, MOST_ROWS);
        let each = rows.len().div_ceil(rows.len().div_ceil(most).max(1)).max(1);
        rows.chunks(each).map(|rows| Piece { rows: rows.to_vec() }).collect()
    }
}

impl<'a> StageLookUp<'a> {
    fn new(limits: &Limits, loaded: &'a LoadedLookUp, groups: &[Group<'_, Key>]) -> Result<Self> {
        let of = |group: &Group<'_, Key>| {
            let keyswitch = loaded.keyswitch.map(|part| group.key.keyswitch(part)).transpose()?;
            Ok((group.key.bootstrap(loaded.bootstrap)?.params, keyswitch.map(|key| key.params)))
        };
        let mut all = groups.iter().map(of);
        let (bootstrap, keyswitch) = all.next().expect("a group with rows")?;
        for other in all {
            if other? != (bootstrap, keyswitch) {
                return Err(Error::new(ErrorCode::KeyMissing, "the keys of two groups have other parameters"));
            }
        }
        let tables_fit = loaded.tables.len() == loaded.count * POLYNOMIAL_SIZE && loaded.count > 0;
        if !tables_fit || !supports_part(limits, &PartParams::Bootstrap(bootstrap)) {
            return Err(Error::new(ErrorCode::KeyMissing, "tables of a model that the kernels have no code for"));
        }
        Ok(Self { loaded, bootstrap, keyswitch })
    }
}

impl Stage<'_> {
    /// The dimension of what comes out.
    fn dimension_after(&self) -> Result<usize> {
        let Some(look_up) = &self.look_up else { return Ok(self.dimension) };
        let (from, small) = match &look_up.keyswitch {
            Some(keyswitch) => (keyswitch.from, keyswitch.to.lwe_dimension()),
            None => (self.dimension, self.dimension),
        };
        if from != self.dimension || small != look_up.bootstrap.lwe_dimension {
            let message = format!("ciphertexts of dimension {} before {:?}", self.dimension, look_up.bootstrap);
            return Err(Error::new(ErrorCode::KeyMissing, message).hint("the key is another circuit's"));
        }
        Ok(look_up.bootstrap.output.lwe_dimension())
    }

    fn add_to(&self, row: &mut RowSizes) {
        let each = self.layer.outputs;
        row.rows = row.rows.max(each * stride(self.dimension));
        let Some(look_up) = &self.look_up else { return };
        let output = look_up.bootstrap.output;
        row.rows = row.rows.max(each * stride(output.lwe_dimension()));
        row.switched = row.switched.max(each * (look_up.bootstrap.lwe_dimension + 1));
        row.zeros = row.zeros.max(each * (output.lwe_dimension() + output.size));
        // A key, a table, slots, and two of an encryption of zero.
        row.numbers += 6 * each;
        if let Some(keyswitch) = &look_up.keyswitch {
            row.digits = row.digits.max(each * keyswitch.from * keyswitch.levels as usize);
            row.small = row.small.max(each * stride(keyswitch.to.lwe_dimension()));
        }
    }
}

/// Rows that are computed together, those of a group one after the other.
pub(crate) struct Piece {
    pub rows: Vec<RowOf>,
}

/// A row: its group, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowOf {
    pub group: usize,
    pub row: usize,
}

impl Piece {
    /// The groups that have rows in the piece, each with the number of its rows.
    pub fn groups(&self) -> Vec<(usize, usize)> {
        self.rows.chunk_by(|a, b| a.group == b.group).map(|rows| (rows[0].group, rows.len())).collect()
    }
}
