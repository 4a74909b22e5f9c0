//! The report of `play --report`: one HTML page with charts.

use super::figures::{Figures, NOT_REPORTED, Outcome};
use crate::report::{facts::facts, seconds};
use fhectl_core::bundle::ClientSpec;
use std::fmt::Write;

/// The page. Style and charts are inline, so it needs no other file.
pub fn page(figures: &Figures, spec: &ClientSpec, outcomes: &[Outcome]) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>fhectl play {name}</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}}\
         table{{border-collapse:collapse}}td,th{{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #ccc}}\
         rect{{fill:#2a6f97}}</style><h1>{name}</h1>\
         <p>{} encrypted inferences, {}, agreement with the clear model {}.</p>",
        figures.samples,
        figures.quality.shown(),
        figures.agreement.map_or("not measured".into(), |agreement| format!("{:.2} %", agreement * 100.0)),
        name = escape(&figures.model)
    );
    page.push_str("<h2>Time</h2><table><tr><th>stage<th>median<th>95th percentile");
    for (stage, summary) in figures.stages() {
        let _ = match summary {
            Some(summary) => {
                write!(page, "<tr><td>{stage}<td>{}<td>{}", seconds(summary.median), seconds(summary.p95))
            }
            None => write!(page, "<tr><td>{stage}<td colspan=\"2\">{NOT_REPORTED}"),
        };
    }
    page.push_str("</table>");
    if let Some(compute) = outcomes.iter().map(|outcome| outcome.exchange.compute).collect::<Option<Vec<_>>>() {
        page.push_str("<h2>Compute, by inference</h2>");
        page.push_str(&histogram(&compute));
    }
    page.push_str("<h2>Round trip, by inference</h2>");
    page.push_str(&histogram(&outcomes.iter().map(|outcome| outcome.exchange.roundtrip).collect::<Vec<_>>()));
    page.push_str("<h2>Model</h2><table>");
    for (label, value) in facts(spec) {
        let _ = write!(page, "<tr><td>{label}<td>{}", escape(&value));
    }
    page.push_str("</table></html>\n");
    page
}

/// A histogram of 40 bars up to the 99th percentile (the rest in the last bar), as SVG.
fn histogram(values: &[f64]) -> String {
    const BARS: usize = 40;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(top) = sorted.get((sorted.len() * 99 / 100).min(sorted.len().saturating_sub(1))).copied() else {
        return String::new();
    };
    let mut counts = [0usize; BARS];
    for value in values {
        counts[((value / top.max(1e-9) * BARS as f64) as usize).min(BARS - 1)] += 1;
    }
    let most = counts.iter().max().copied().unwrap_or(1).max(1);
    let mut svg = String::from("<svg viewBox=\"0 0 800 180\" width=\"800\" role=\"img\">");
    for (index, count) in counts.iter().enumerate() {
        let height = 150 * count / most;
        let _ = write!(svg, "<rect x=\"{}\" y=\"{}\" width=\"18\" height=\"{height}\"/>", index * 20, 150 - height);
    }
    let _ = write!(
        svg,
        "<text x=\"0\" y=\"172\">0</text><text x=\"800\" y=\"172\" text-anchor=\"end\">{}</text></svg>",
        seconds(top)
    );
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
