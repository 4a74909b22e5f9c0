//! Where output for people goes: to the terminal, or to a program that this crate is a part of.

use std::cell::RefCell;

/// What a command tells while it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A line of what it has to say.
    Line(String),
    /// Something that is no error but that a person should know.
    Note(String),
    /// What it does now.
    Doing(String),
}

/// Takes what is told. One that unwinds ends the work.
pub type Listener = Box<dyn FnMut(Told)>;

thread_local! {
    static LISTENER: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

/// Runs `work`, and has all that it tells on this thread go to `listener` and nothing to the terminal.
pub fn listening<T>(listener: Listener, work: impl FnOnce() -> T) -> T {
    /// Puts the one before back, also where the work panics.
    struct Before(Option<Listener>);
    impl Drop for Before {
        fn drop(&mut self) {
            let before = self.0.take();
            LISTENER.with(|own| *own.borrow_mut() = before);
        }
    }
    let _before = Before(LISTENER.with(|own| own.borrow_mut().replace(listener)));
    work()
}

/// Whether a program listens on this thread.
pub fn is_heard() -> bool {
    LISTENER.with(|own| own.borrow().is_some())
}

/// Gives this to the listener, and says whether there is one.
pub fn tell(told: Told) -> bool {
    LISTENER.with(|own| own.borrow_mut().as_mut().map(|listener| listener(told)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn what_is_told_goes_to_the_innermost_listener_and_to_none_after_it() {
        let heard: Rc<RefCell<Vec<(u8, Told)>>> = Rc::default();
        let to = |who: u8| -> Listener {
            let heard = Rc::clone(&heard);
            Box::new(move |told| {
                heard.borrow_mut().push((who, told));
            })
        };
        let line = |text: &str| Told::Line(text.into());
        assert!(!tell(line("nobody")));
        listening(to(1), || {
            listening(to(2), || assert!(tell(line("a"))));
            tell(line("b"));
            assert!(is_heard());
        });
        let panicked = std::panic::catch_unwind(|| listening(Box::new(|_| panic!("enough")), || tell(line("c"))));
        assert!(panicked.is_err() && !is_heard());
        assert_eq!(*heard.borrow(), [(2, line("a")), (1, line("b"))]);
    }
}
