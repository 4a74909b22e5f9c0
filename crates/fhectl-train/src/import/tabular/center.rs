//! Squares about the middle: where a model is a sum of products of numbers of the row, as naive Bayes and quadratic
//! discriminants are, these are written about a point where all its scores are near their best.
//!
//! Far from zero, a square and a linear term cancel, and little is left of either after rounding. The point is the mean of
//! the scores' own stationary points, which are not shown one by one.

use super::arena::Arena;
use super::atom::{Atom, Op};
use super::lin::{AtomId, Lin};
use fhectl_core::error::Result;
use std::collections::{BTreeMap, BTreeSet};

/// The most numbers for which cross terms are taken into account.
const MAX_SOLVED: usize = 200;

/// A score's products and linear terms.
struct Quadratic {
    products: Vec<(usize, usize, f64)>,
    linear: Vec<f64>,
}

/// The sums with their written out products about the middle.
///
/// # Errors
/// `import_large`.
pub(super) fn centered(arena: &mut Arena, sums: Vec<Lin>) -> Result<Vec<Lin>> {
    let mut places: BTreeMap<AtomId, usize> = BTreeMap::new();
    let mut variables = Vec::new();
    let products: BTreeSet<AtomId> = sums
        .iter()
        .flat_map(|sum| sum.terms())
        .map(|term| term.0)
        .filter(|atom| arena.expanded.contains(atom))
        .collect();
    for atom in &products {
        for factor in factors(arena, *atom) {
            places.entry(factor).or_insert_with(|| {
                variables.push(factor);
                variables.len() - 1
            });
        }
    }
    if variables.is_empty() {
        return Ok(sums);
    }
    let quadratics: Vec<Quadratic> = sums.iter().map(|sum| quadratic(arena, sum, &places)).collect();
    let center = middle(&quadratics, variables.len());
    let mut made = Vec::with_capacity(sums.len());
    for (sum, quadratic) in sums.iter().zip(&quadratics) {
        let kept = sum.terms().iter().filter(|(atom, _)| !products.contains(atom)).copied();
        let mut parts = Lin::of(kept.collect(), sum.bias);
        let mut terms = Vec::new();
        for (i, j, factor) in &quadratic.products {
            let about = |at: usize| Lin::atom(variables[at]).shifted(-center[at]);
            let product = arena.one(Op::Product, vec![about(*i), about(*j)], false)?;
            terms.push((*factor, product));
            // x y = (x - a)(y - b) + b x + a y - a b
            terms.push((factor * center[*j], Lin::atom(variables[*i])));
            terms.push((factor * center[*i], Lin::atom(variables[*j])));
            parts.bias -= factor * center[*i] * center[*j];
        }
        terms.push((1.0, parts));
        made.push(Lin::sum(terms.iter().map(|(factor, part)| (*factor, part))));
    }
    Ok(made)
}

fn factors(arena: &Arena, product: AtomId) -> Vec<AtomId> {
    match arena.atom(product) {
        Atom::Made { op: Op::Product, of } => of.iter().filter_map(Lin::pure).collect(),
        _ => Vec::new(),
    }
}

fn quadratic(arena: &Arena, sum: &Lin, places: &BTreeMap<AtomId, usize>) -> Quadratic {
    let mut made = Quadratic { products: Vec::new(), linear: vec![0.0; places.len()] };
    for (atom, factor) in sum.terms() {
        if arena.expanded.contains(atom) {
            if let [i, j] = factors(arena, *atom)[..] {
                made.products.push((places[&i], places[&j], *factor));
            }
        } else if let Some(place) = places.get(atom) {
            made.linear[*place] += factor;
        }
    }
    made
}

/// The mean of the points where the scores are stationary; 0 where there is none.
fn middle(quadratics: &[Quadratic], width: usize) -> Vec<f64> {
    let points: Vec<Vec<f64>> = quadratics.iter().filter_map(|quadratic| stationary(quadratic, width)).collect();
    let mean = |at: usize| points.iter().map(|point| point[at]).sum::<f64>() / points.len().max(1) as f64;
    (0..width).map(mean).map(rounded).collect()
}

/// To three digits: nearer is not better, and says more of the model.
fn rounded(x: f64) -> f64 {
    if !x.is_finite() || x == 0.0 {
        return 0.0;
    }
    let digit = libm::pow(10.0, x.abs().log10().floor() - 2.0);
    if digit > 0.0 { (x / digit).round() * digit } else { 0.0 }
}

fn stationary(quadratic: &Quadratic, width: usize) -> Option<Vec<f64>> {
    if quadratic.products.iter().all(|(i, j, _)| i == j) || width > MAX_SOLVED {
        let mut squares = vec![0.0; width];
        quadratic.products.iter().filter(|(i, j, _)| i == j).for_each(|(i, _, factor)| squares[*i] += factor);
        let point = squares.iter().zip(&quadratic.linear).map(|(a, b)| if *a == 0.0 { 0.0 } else { -b / (2.0 * a) });
        return Some(point.collect());
    }
    let mut matrix = vec![vec![0.0; width + 1]; width];
    for (i, j, factor) in &quadratic.products {
        matrix[*i][*j] += factor;
        matrix[*j][*i] += factor;
    }
    matrix.iter_mut().zip(&quadratic.linear).for_each(|(row, b)| row[width] = -b);
    solved(matrix)
}

/// Gauss's elimination with the largest pivots; `None` where the matrix has no inverse.
fn solved(mut matrix: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let width = matrix.len();
    let largest = matrix.iter().flatten().fold(0.0, |most: f64, x| most.max(x.abs()));
    for column in 0..width {
        let pivot = (column..width).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        matrix.swap(column, pivot);
        if matrix[column][column].abs() <= 1e-14 * largest {
            return None;
        }
        let row = matrix[column].clone();
        for other in matrix.iter_mut().skip(column + 1) {
            let factor = other[column] / row[column];
            other.iter_mut().zip(&row).skip(column).for_each(|(x, y)| *x -= factor * y);
        }
    }
    let mut point = vec![0.0; width];
    for at in (0..width).rev() {
        let rest: f64 = (at + 1..width).map(|other| matrix[at][other] * point[other]).sum();
        point[at] = (matrix[at][width] - rest) / matrix[at][at];
    }
    Some(point)
}

#[cfg(test)]
mod tests {
    use super::super::simplify::Products;
    use super::*;

    #[test]
    fn a_sum_of_squares_stays_what_it_is_and_is_about_its_middle() {
        let mut arena = Arena::default();
        let (x, y) = (arena.input(0), arena.input(1));
        let mut score = |a: f64, b: f64| {
            let first = Lin::sum([(1.0, &x), (0.5, &y)]).shifted(-a);
            let second = y.shifted(-b);
            let first = arena.product(&first, &first, Products::Expanded).unwrap();
            let second = arena.product(&second, &second, Products::Expanded).unwrap();
            Lin::sum([(-1.0, &first), (-2.0, &second)])
        };
        let sums = vec![score(100.0, 20.0), score(110.0, 24.0)];
        let made = centered(&mut arena, sums.clone()).unwrap();
        let value = |arena: &Arena, sum: &Lin, x: f64, y: f64| -> f64 {
            let of = |atom: u32| match arena.atom(atom) {
                Atom::Input(0) => x,
                _ => y,
            };
            let atom = |atom: u32| match arena.atom(atom) {
                Atom::Made { of: parts, .. } => parts
                    .iter()
                    .map(|part| part.bias + part.terms().iter().map(|t| t.1 * of(t.0)).sum::<f64>())
                    .product(),
                _ => of(atom),
            };
            sum.bias + sum.terms().iter().map(|term| term.1 * atom(term.0)).sum::<f64>()
        };
        for (x, y) in [(0.0, 0.0), (90.0, 21.0), (105.0, -3.0)] {
            for (old, new) in sums.iter().zip(&made) {
                let (old, new) = (value(&arena, old, x, y), value(&arena, new, x, y));
                assert!((old - new).abs() < 1e-7 * old.abs().max(1.0), "{old} {new}");
            }
        }
        // About the middle, linear terms are small: the two scores' are each other's negative.
        let linear = |sum: &Lin| sum.terms().iter().find(|term| Some(term.0) == x.pure()).map_or(0.0, |term| term.1);
        assert!(linear(&sums[0]).abs() > 150.0 && linear(&made[0]).abs() < 11.0);
    }
}
