//! One client, with keys of its own.

use super::rows::TestRows;
use fhectl::client::{Http, Session};
use fhectl_core::client::{ClientKeys, Detail};
use fhectl_core::error::Result;
use fhectl_core::fhe::random::OsEntropy;
use std::sync::Arc;
use std::time::Instant;

pub struct Client<'a> {
    http: Http,
    rows: &'a TestRows,
    keys: ClientKeys,
}

/// What became of a client's rows.
#[derive(Default)]
pub struct Asked {
    /// Seconds from the first byte sent to the last received, a row each.
    pub roundtrips: Vec<f64>,
    pub agreeing: usize,
    /// Whether all must agree: the model's answers carry no noise.
    pub exact: bool,
    /// Answers that do not decrypt, or come from another key.
    pub untrusted: usize,
    /// What the server refused, by code.
    pub refused: Vec<&'static str>,
}

impl<'a> Client<'a> {
    /// Makes keys and brings them to the server.
    ///
    /// # Errors
    /// What the server says.
    pub fn new(http: Http, rows: &'a TestRows) -> Result<Self> {
        let keys = rows.model.generate_keys(&mut OsEntropy);
        let client = Self { http, rows, keys };
        client.session().bring_key(|_| {})?;
        Ok(client)
    }

    fn session(&self) -> Session<'_> {
        Session::new(&self.http, &self.rows.model, &self.keys, Detail::Prediction, Arc::default())
    }

    /// Sends rows, one after the other, until `end`. `number` says where to begin.
    ///
    /// # Errors
    /// What ended it early. A refusal does not: it is counted.
    pub fn ask(&self, number: usize, end: Instant) -> Result<Asked> {
        let session = self.session();
        let TestRows { model, rows, scores, .. } = self.rows;
        let mut asked = Asked { exact: model.spec().circuit.is_exact(), ..Asked::default() };
        for row in (0..rows.len()).cycle().skip(number * 37 % rows.len()) {
            if Instant::now() >= end {
                break;
            }
            match session.infer(&rows[row..=row]) {
                Ok(exchange) => {
                    asked.roundtrips.push(exchange.roundtrip);
                    match &exchange.predictions[0] {
                        Some(prediction) => {
                            asked.agreeing += usize::from(prediction.agrees_with(model.spec(), &scores[row]));
                        }
                        None => asked.untrusted += 1,
                    }
                }
                Err(error) => asked.refused.push(error.code.as_str()),
            }
        }
        Ok(asked)
    }
}
