//! Sums of squares.

use super::super::arena::Arena;
use super::super::lin::Lin;
use super::super::simplify::Products;
use fhectl_core::error::Result;

/// The sum of squares, one product each.
pub(super) fn squares(arena: &mut Arena, of: &[Lin]) -> Result<Lin> {
    let squares: Vec<Lin> = of.iter().map(|x| arena.product(x, x, Products::Row)).collect::<Result<_>>()?;
    Ok(Lin::sum(squares.iter().map(|x| (1.0, x))))
}
