//! Convolutions and pooling over images (two axes) and sequences (one).

use super::window::Window;
use crate::import::network::builder::GraphBuilder;
use crate::import::network::call::{Call, refused};
use crate::import::network::float_graph::Affine;
use crate::import::network::function::Function;
use crate::import::network::tensor::{SymbolicTensor, count};
use crate::import::onnx::invalid;
use fhectl_core::error::Result;
use std::collections::{BTreeMap, BTreeSet};

/// Channels and spatial sizes of an input of one row, `[1, channels, (height,) width]`; a sequence is an image of one line.
struct Image<'a> {
    tensor: &'a SymbolicTensor,
    channels: usize,
    /// One or two.
    sizes: &'a [usize],
}

impl<'a> Image<'a> {
    fn of(tensor: &'a SymbolicTensor) -> Result<Self> {
        match tensor.shape.as_slice() {
            [1, channels, sizes @ ..] if (1..=2).contains(&sizes.len()) => {
                Ok(Self { tensor, channels: *channels, sizes })
            }
            shape => Err(refused(
                format!("an input of shape {shape:?}"),
                "images are [batch, channels, height, width], sequences [batch, channels, length]",
            )),
        }
    }

    /// The element of a channel at a place of both axes, as index.
    fn at(&self, channel: usize, y: usize, x: usize) -> usize {
        let width = self.sizes[self.sizes.len() - 1];
        let height = if self.sizes.len() == 2 { self.sizes[0] } else { 1 };
        (channel * height + y) * width + x
    }
}

/// The two windows of a node, the first over one line where the input is a sequence.
fn windows(call: &Call<'_>, image: &Image<'_>, kernel: &[usize]) -> Result<[Window; 2]> {
    match Window::along(call, image.sizes, kernel)?.as_slice() {
        [rows, columns] => Ok([*rows, *columns]),
        [columns] => Ok([Window::whole(1), *columns]),
        _ => Err(invalid("an image of more than two axes")),
    }
}

fn shape(image: &Image<'_>, channels: usize, windows: &[Window; 2]) -> Result<Vec<usize>> {
    let mut shape = vec![1, channels];
    shape.extend(windows[2 - image.sizes.len()..].iter().map(|window| window.outputs));
    count(&shape)?;
    Ok(shape)
}

/// The indices of a channel's elements in one window; `None` is outside.
fn taps(image: &Image<'_>, channel: usize, [ys, xs]: [&[Option<usize>]; 2]) -> Vec<Option<usize>> {
    ys.iter()
        .flat_map(|y| xs.iter().map(move |x| y.zip(*x)))
        .map(|place| place.map(|(y, x)| image.at(channel, y, x)))
        .collect()
}

pub(in super::super) fn conv(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    let image = Image::of(call.tensor(0)?)?;
    let kernel = call.tensor(1)?;
    let weights = call.constant(1)?;
    let [filters, depth, sizes @ ..] = kernel.shape.as_slice() else {
        return Err(invalid(format!("a kernel of shape {:?}", kernel.shape)));
    };
    let stated: Vec<i64> = sizes.iter().map(|size| *size as i64).collect();
    if !call.node.ints("kernel_shape")?.is_empty() && call.node.ints("kernel_shape")? != stated {
        return Err(invalid(format!("`kernel_shape` is not that of the weights, {sizes:?}")));
    }
    let groups = usize::try_from(call.node.int("group", 1)?).unwrap_or(0);
    let divides = groups > 0 && filters.is_multiple_of(groups) && depth.checked_mul(groups) == Some(image.channels);
    if !divides {
        return Err(invalid(format!(
            "{groups} groups of {depth} channels and {filters} filters in all, for {} channels",
            image.channels
        )));
    }
    let bias = match call.optional(2) {
        Some(_) => call.constant(2)?.to_vec(),
        None => vec![0.0; *filters],
    };
    if bias.len() != *filters {
        return Err(invalid(format!("{} biases for {filters} filters", bias.len())));
    }
    let windows = windows(call, &image, sizes)?;
    let shape = shape(&image, *filters, &windows)?;
    let area: usize = sizes.iter().product();
    builder.spend(count(&shape)?.saturating_mul(area.saturating_mul(*depth)))?;
    let [ys, xs] = windows.map(|window| (0..window.outputs).map(|at| window.taps(at)).collect::<Vec<_>>());
    let inputs: Vec<Affine> = (0..image.tensor.len()).map(|index| image.tensor.row(index)).collect();
    let mut rows = Vec::with_capacity(count(&shape)?);
    for filter in 0..*filters {
        let group = filter / (filters / groups);
        for (y, x) in ys.iter().flat_map(|y| xs.iter().map(move |x| (y, x))) {
            let channels = (0..*depth).flat_map(|c| {
                let own = &weights[(filter * depth + c) * area..][..area];
                let taps = taps(&image, group * depth + c, [y, x]);
                own.iter().zip(taps).filter_map(|(weight, at)| at.map(|at| (*weight, &inputs[at]))).collect::<Vec<_>>()
            });
            rows.push(builder.sum(channels, bias[filter])?);
        }
    }
    Ok(SymbolicTensor::computed(shape, rows))
}

/// `AveragePool`.
pub(in super::super) fn average_pool(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    pool(builder, call, Pool::Mean)
}

/// `MaxPool`.
pub(in super::super) fn max_pool(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    pool(builder, call, Pool::Largest)
}

/// `GlobalAveragePool`.
pub(in super::super) fn global_average_pool(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    global_pool(builder, call, Pool::Mean)
}

/// `GlobalMaxPool`.
pub(in super::super) fn global_max_pool(builder: &mut GraphBuilder, call: &Call<'_>) -> Result<SymbolicTensor> {
    global_pool(builder, call, Pool::Largest)
}

/// What pooling makes of a window.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pool {
    Mean,
    Largest,
}

fn pool(builder: &mut GraphBuilder, call: &Call<'_>, kind: Pool) -> Result<SymbolicTensor> {
    let image = Image::of(call.tensor(0)?)?;
    let kernel: Option<Vec<usize>> =
        call.node.ints("kernel_shape")?.iter().map(|size| usize::try_from(*size).ok()).collect();
    let kernel = kernel.ok_or_else(|| invalid("a negative kernel"))?;
    let windows = windows(call, &image, &kernel)?;
    let area = kernel.iter().fold(1usize, |area, size| area.saturating_mul(*size));
    builder.spend(count(&shape(&image, image.channels, &windows)?)?.saturating_mul(area))?;
    if call.node.outputs.get(1).is_some_and(|name| !name.is_empty()) {
        return Err(refused("the places of the largest values", "use the values only"));
    }
    match kind {
        Pool::Mean => {
            let padding_counts = call.node.int("count_include_pad", 0)? != 0;
            match below_activation(builder, &image) {
                Some(below) => {
                    builder.pooled += windows[0].outputs * windows[1].outputs * image.channels;
                    match builder.averages {
                        true => averaged(builder, &image, &windows, below, padding_counts),
                        false => mean(builder, &image, &windows, padding_counts),
                    }
                }
                None => mean(builder, &image, &windows, padding_counts),
            }
        }
        Pool::Largest => largest(builder, &image, &windows),
    }
}

fn global_pool(builder: &mut GraphBuilder, call: &Call<'_>, kind: Pool) -> Result<SymbolicTensor> {
    let image = Image::of(call.tensor(0)?)?;
    let windows = match image.sizes {
        [height, width] => [Window::whole(*height), Window::whole(*width)],
        sizes => [Window::whole(1), Window::whole(sizes[0])],
    };
    match kind {
        Pool::Mean => mean(builder, &image, &windows, false),
        Pool::Largest => largest(builder, &image, &windows),
    }
}

fn mean(
    builder: &mut GraphBuilder,
    image: &Image<'_>,
    windows: &[Window; 2],
    padding_counts: bool,
) -> Result<SymbolicTensor> {
    let shape = shape(image, image.channels, windows)?;
    let mut rows = Vec::with_capacity(count(&shape)?);
    let inputs: Vec<Affine> = (0..image.tensor.len()).map(|index| image.tensor.row(index)).collect();
    for channel in 0..image.channels {
        for (y, x) in (0..windows[0].outputs).flat_map(|y| (0..windows[1].outputs).map(move |x| (y, x))) {
            let places: Vec<usize> =
                taps(image, channel, [&windows[0].taps(y), &windows[1].taps(x)]).into_iter().flatten().collect();
            let divisor =
                if padding_counts { windows[0].padded_taps(y) * windows[1].padded_taps(x) } else { places.len() };
            let share = 1.0 / divisor.max(1) as f64;
            rows.push(builder.sum(places.iter().map(|at| (share, &inputs[*at])), 0.0)?);
        }
    }
    Ok(SymbolicTensor::computed(shape, rows))
}

/// The largest value of each window.
fn largest(builder: &mut GraphBuilder, image: &Image<'_>, windows: &[Window; 2]) -> Result<SymbolicTensor> {
    builder.pooled += windows[0].outputs * windows[1].outputs * image.channels;
    match below_activation(builder, image) {
        Some(below) if builder.averages => averaged(builder, image, windows, below, false),
        None if builder.averages => mean(builder, image, windows, false),
        // No activation decreases: that of the largest sum is the largest.
        Some((function, rows)) if is_less_below(&rows, image, windows) => {
            let sums = SymbolicTensor::computed(image.tensor.shape.clone(), rows);
            let largest = largest_by_lines(builder, &Image::of(&sums)?, windows)?;
            builder.activate(function, &largest)
        }
        _ => largest_by_lines(builder, image, windows),
    }
}

/// Whether pooling takes clearly fewer bootstraps below the activation, of whose sums `rows` are. There, what sums are made of
/// is handed on to the comparisons; above it, all values are bootstrapped first, and one of each pair is handed on.
fn is_less_below(rows: &[Affine], image: &Image<'_>, windows: &[Window; 2]) -> bool {
    let taps = |window: &Window| {
        let counts = (0..window.outputs).map(|output| window.taps(output).into_iter().flatten().count());
        counts.fold((0, 0), |(pairs, most), count| (pairs + count.saturating_sub(1), most.max(count)))
    };
    let [(pairs_down, most_down), (pairs_across, most_across)] = windows.each_ref().map(taps);
    let lines = rows.len() / image.sizes[image.sizes.len() - 1];
    let pairs = lines * pairs_across + image.channels * windows[1].outputs * pairs_down;
    let halvings = |count: usize| count.max(1).next_power_of_two().ilog2() as usize;
    let atoms: BTreeSet<u32> = rows.iter().flat_map(|row| &row.terms).map(|(atom, _)| *atom).collect();
    let handed_on = atoms.len() * (halvings(most_down) + halvings(most_across));
    let below = image.channels * windows[0].outputs * windows[1].outputs + pairs + pairs / 2 + handed_on;
    10 * below < 9 * (rows.len() + 2 * pairs)
}

/// The largest value of each window: along lines first, then across them, so that windows share what overlaps.
fn largest_by_lines(builder: &mut GraphBuilder, image: &Image<'_>, windows: &[Window; 2]) -> Result<SymbolicTensor> {
    let width = image.sizes[image.sizes.len() - 1];
    let lines = image.tensor.len() / width;
    let mut store: Vec<Affine> = (0..image.tensor.len()).map(|index| image.tensor.row(index)).collect();
    let along = |first: usize, step: usize, window: &Window, output: usize| -> Vec<usize> {
        window.taps(output).into_iter().flatten().map(|place| first + place * step).collect()
    };
    let [down, across] = windows;
    let lists = (0..lines).flat_map(|line| (0..across.outputs).map(move |output| (line, output)));
    let lists = lists.map(|(line, output)| along(line * width, 1, across, output)).collect();
    let shortened = maxima(builder, &mut store, lists, image.channels)?;

    let height = lines / image.channels;
    let mut store: Vec<Affine> = shortened.into_iter().map(|at| store[at].clone()).collect();
    let places = (0..image.channels).flat_map(|channel| (0..down.outputs).map(move |output| (channel, output)));
    let lists = places.flat_map(|(channel, output)| {
        let columns = 0..across.outputs;
        columns.map(move |x| along(channel * height * across.outputs + x, across.outputs, down, output))
    });
    let chosen = maxima(builder, &mut store, lists.collect(), image.channels)?;
    let rows = chosen.into_iter().map(|at| store[at].clone()).collect();
    Ok(SymbolicTensor::computed(shape(image, image.channels, windows)?, rows))
}

/// The activation that all values of an image come from, and the sums below it.
fn below_activation(builder: &GraphBuilder, image: &Image<'_>) -> Option<(Function, Vec<Affine>)> {
    let below = |index: usize| {
        let row = image.tensor.row(index);
        let (atom, _) = row.single().filter(|(_, factor)| *factor == 1.0 && row.bias == 0.0)?;
        builder.source(atom).map(|(block, below)| (block.function, below.clone()))
    };
    let (function, _) = below(0)?;
    let rows =
        (0..image.tensor.len()).map(|index| below(index).filter(|(own, _)| *own == function).map(|(_, row)| row));
    Some((function, rows.collect::<Option<_>>()?))
}

/// The activation of the mean of each window of sums: one activation a window instead of one a value. For what pools after
/// the activation this is another network, which can be taught to answer alike.
fn averaged(
    builder: &mut GraphBuilder,
    image: &Image<'_>,
    windows: &[Window; 2],
    (function, rows): (Function, Vec<Affine>),
    padding_counts: bool,
) -> Result<SymbolicTensor> {
    let sums = SymbolicTensor::computed(image.tensor.shape.clone(), rows);
    let means = mean(builder, &Image::of(&sums)?, windows, padding_counts)?;
    builder.activate(function, &means)
}

/// The largest of each list of indices into `store`, which grows: `max(a, b) = a + relu(b - a)` in a tree.
fn maxima(
    builder: &mut GraphBuilder,
    store: &mut Vec<Affine>,
    mut lists: Vec<Vec<usize>>,
    channels: usize,
) -> Result<Vec<usize>> {
    if lists.iter().any(Vec::is_empty) {
        return Err(invalid("a window without a value"));
    }
    while lists.iter().any(|list| list.len() > 1) {
        let mut pairs: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        let mut open = Vec::new();
        let mut differences = Vec::new();
        for list in &mut lists {
            let mut next = Vec::with_capacity(list.len().div_ceil(2));
            for pair in list.chunks(2) {
                let [a, b] = *pair else {
                    next.push(pair[0]);
                    continue;
                };
                let new = store.len() + pairs.len();
                let at = *pairs.entry((a, b)).or_insert(new);
                if at == new {
                    differences.push(builder.sum([(1.0, &store[b]), (-1.0, &store[a])], 0.0)?);
                    open.push(a);
                }
                next.push(at);
            }
            *list = next;
        }
        let positions = if differences.len().is_multiple_of(channels) { differences.len() / channels } else { 1 };
        let excess = builder.block(Function::RELU, differences, positions)?;
        for (a, excess) in open.into_iter().zip(excess) {
            let sum = builder.sum([(1.0, &store[a]), (1.0, &excess)], 0.0)?;
            store.push(sum);
        }
    }
    Ok(lists.into_iter().map(|list| list[0]).collect())
}

/// The larger of two tensors of one shape, element by element.
pub(in super::super) fn maximum(
    builder: &mut GraphBuilder,
    a: &SymbolicTensor,
    b: &SymbolicTensor,
) -> Result<SymbolicTensor> {
    if a.shape != b.shape {
        return Err(refused(format!("the larger of {:?} and {:?}", a.shape, b.shape), "use tensors of one shape"));
    }
    let mut store: Vec<Affine> = (0..a.len()).map(|i| a.row(i)).chain((0..b.len()).map(|i| b.row(i))).collect();
    let lists = (0..a.len()).map(|i| vec![i, a.len() + i]).collect();
    let channels = if a.shape.len() > 2 { a.shape[1] } else { a.len() };
    let chosen = maxima(builder, &mut store, lists, channels)?;
    Ok(SymbolicTensor::computed(a.shape.clone(), chosen.into_iter().map(|at| store[at].clone()).collect()))
}
