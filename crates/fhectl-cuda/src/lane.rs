//! What one evaluation has of the device: a stream and memory to work in. Calls that end leave theirs to the next.

use crate::driver::{Context, Download, Growable, Stream, Upload};
use fhectl_core::error::Result;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A stream and the memory of one evaluation.
pub(crate) struct Lane {
    pub stream: Stream,
    /// Inputs as they came.
    pub masks: Upload<u64>,
    pub bodies: Upload<u64>,
    /// Keys, tables and slots of ciphertexts.
    pub numbers: Upload<u32>,
    /// Where keys are.
    pub pointers: Upload<u64>,
    /// Seeds of encryptions of zero.
    pub seeds: Upload<u8>,
    /// The encryptions of the layer that the device works on.
    pub zeros: Growable<u32>,
    /// Rows of a layer's inputs and of its sums.
    pub values: Growable<u32>,
    pub sums: Growable<u32>,
    pub digits: Growable<i8>,
    /// Rows under the small key.
    pub small: Growable<u32>,
    pub switched: Growable<u16>,
    pub answers: Download<u32>,
}

impl Lane {
    fn new(context: &Arc<Context>) -> Result<Self> {
        Ok(Self {
            stream: Stream::new(context)?,
            masks: Upload::new(context)?,
            bodies: Upload::new(context)?,
            numbers: Upload::new(context)?,
            pointers: Upload::new(context)?,
            seeds: Upload::new(context)?,
            zeros: Growable::default(),
            values: Growable::default(),
            sums: Growable::default(),
            digits: Growable::default(),
            small: Growable::default(),
            switched: Growable::default(),
            answers: Download::new(context)?,
        })
    }

    /// Waits, and overwrites what was used with zeros.
    fn wipe(&mut self) -> Result<()> {
        let stream = &self.stream;
        stream.synchronize()?;
        self.masks.wipe(stream)?;
        self.bodies.wipe(stream)?;
        self.numbers.wipe(stream)?;
        self.pointers.wipe(stream)?;
        self.seeds.wipe(stream)?;
        self.zeros.wipe(stream)?;
        self.values.wipe(stream)?;
        self.sums.wipe(stream)?;
        self.digits.wipe(stream)?;
        self.small.wipe(stream)?;
        self.switched.wipe(stream)?;
        self.answers.wipe()
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // Memory is freed after this: nothing may be using it.
        let _ = self.stream.synchronize();
    }
}

/// Lanes that nobody uses.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<Vec<Lane>>);

impl Lanes {
    /// A lane for one call.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn take(&self, context: &Arc<Context>) -> Result<Taken<'_>> {
        context.bind()?;
        let idle = self.idle().pop();
        let lane = match idle {
            Some(lane) => lane,
            None => Lane::new(context)?,
        };
        Ok(Taken { lanes: self, lane: Some(lane) })
    }

    /// Frees the memory of lanes that nobody uses.
    pub fn release(&self) {
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lane in use. It is wiped and handed back when this is dropped.
pub(crate) struct Taken<'a> {
    lanes: &'a Lanes,
    lane: Option<Lane>,
}

impl Deref for Taken<'_> {
    type Target = Lane;

    fn deref(&self) -> &Lane {
        self.lane.as_ref().expect("taken until dropped")
    }
}

impl DerefMut for Taken<'_> {
    fn deref_mut(&mut self) -> &mut Lane {
        self.lane.as_mut().expect("taken until dropped")
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // One that cannot be wiped is freed instead.
        if let Some(mut lane) = self.lane.take()
            && lane.wipe().is_ok()
        {
            self.lanes.idle().push(lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Device;

    #[test]
    fn nothing_of_a_call_is_left_to_the_next() {
        let Ok(device) = Device::open(0) else { return };
        let secret = vec![0xdead_beef_u32; 5000];
        {
            let mut lane = device.lane().unwrap();
            let lane = &mut *lane;
            lane.numbers.copy(&secret, &lane.stream).unwrap();
            let buffer = lane.numbers.device().unwrap();
            lane.answers.receive(buffer, secret.len(), &lane.stream).unwrap();
            assert_eq!(lane.answers.wait(secret.len()).unwrap(), secret);
        }
        let mut lane = device.lane().unwrap();
        let lane = &mut *lane;
        assert!(lane.answers.wait(secret.len()).unwrap().iter().all(|word| *word == 0));
        let buffer = lane.numbers.device().unwrap();
        lane.answers.receive(buffer, secret.len(), &lane.stream).unwrap();
        assert!(lane.answers.wait(secret.len()).unwrap().iter().all(|word| *word == 0));
        lane.numbers.write(secret.len(), |words| assert!(words.iter().all(|word| *word == 0))).unwrap();
    }
}
