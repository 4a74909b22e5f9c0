use super::*;
use fhectl_core::error::ErrorCode;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A request of so many rows.
struct Request {
    name: u32,
    model: usize,
    rows: usize,
    next: AtomicUsize,
    over: AtomicBool,
}

impl Job for Arc<Request> {
    fn model(&self) -> usize {
        self.model
    }

    fn left(&self) -> usize {
        self.rows - self.next.load(Ordering::SeqCst)
    }

    fn take(&self, most: usize) -> Option<Range<usize>> {
        if self.over.load(Ordering::SeqCst) {
            return None;
        }
        let begin = self.next.load(Ordering::SeqCst);
        let end = self.rows.min(begin + most);
        self.next.store(end, Ordering::SeqCst);
        Some(begin..end)
    }
}

fn flow(client: u32) -> FlowId {
    FlowId::Peer(IpAddr::from(client.to_be_bytes()))
}

struct Fixture {
    queue: Arc<LaunchQueue<Arc<Request>>>,
    /// Rows a launch.
    rows: usize,
    permits: Vec<LaunchPermit<Arc<Request>>>,
    queued: Vec<Queued<Arc<Request>>>,
}

impl Fixture {
    fn new(rows: usize, gather: Duration) -> Self {
        let limits = Limits { threads: 1, permits: 10_000, max_wait: 1e9 };
        let queue = Arc::new(LaunchQueue::new(limits, gather));
        Self { queue, rows, permits: Vec::new(), queued: Vec::new() }
    }

    fn ask(&mut self, client: u32, model: usize, rows: usize) -> Arc<Request> {
        let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let request = Arc::new(Request { name: client, model, rows, next, over });
        self.permits.push(self.queue.admit(flow(client), rows as f64, None).unwrap());
        self.queued.push(self.queue.enqueue(&flow(client), request.clone()));
        request
    }

    /// The clients of the next launch, with their rows.
    fn launch(&self) -> Vec<(u32, Range<usize>)> {
        let terms = |_| Terms { rows: self.rows, row_seconds: 0.01 };
        let pieces = self.queue.take(&terms).unwrap();
        pieces.into_iter().map(|(request, range)| (request.name, range)).collect()
    }
}

#[test]
fn rows_of_sixteen_clients_go_together() {
    let mut fixture = Fixture::new(64, Duration::ZERO);
    for client in 0..16 {
        fixture.ask(client, 0, 1);
    }
    let mut launch = fixture.launch();
    launch.sort_by_key(|(client, _)| *client);
    assert_eq!(launch, (0..16).map(|client| (client, 0..1)).collect::<Vec<_>>());
    assert_eq!(fixture.queue.waiting(), 0);
}

#[test]
fn a_thousand_rows_of_one_client_delay_anothers_row_by_one_launch() {
    let mut fixture = Fixture::new(32, Duration::ZERO);
    fixture.ask(1, 0, 1000);
    assert_eq!(fixture.launch(), [(1, 0..32)]);
    let mut done = 32;
    for _ in 0..20 {
        fixture.ask(2, 0, 1);
        let launch = fixture.launch();
        let of = |name| -> usize { launch.iter().filter(|(own, _)| *own == name).map(|(_, range)| range.len()).sum() };
        assert_eq!((of(1), of(2)), (31, 1), "the next launch has the row, and is full");
        assert_eq!(launch.iter().find(|(own, _)| *own == 1).unwrap().1, done..done + 31);
        done += 31;
    }
}

#[test]
fn long_batches_share_launches_by_rows() {
    let mut fixture = Fixture::new(32, Duration::ZERO);
    for client in 1..=4 {
        fixture.ask(client, 0, 1000);
    }
    let mut rows = [0; 5];
    for _ in 0..10 {
        for (client, range) in fixture.launch() {
            rows[client as usize] += range.len();
        }
    }
    assert_eq!(rows, [0, 80, 80, 80, 80]);
}

#[test]
fn a_launch_is_of_one_model_and_none_is_forgotten() {
    let mut fixture = Fixture::new(8, Duration::ZERO);
    for client in 1..=3 {
        fixture.ask(client, 0, 4);
        fixture.ask(10 + client, 1, 1);
    }
    let launches: Vec<_> = (0..3).map(|_| fixture.launch()).collect();
    let rows = |launch: &[(u32, Range<usize>)]| -> usize { launch.iter().map(|(_, range)| range.len()).sum() };
    let own = |launch: &[(u32, Range<usize>)]| launch.iter().all(|(client, _)| *client < 10);
    let counts: Vec<_> = launches.iter().map(|launch| (own(launch), rows(launch))).collect();
    assert_eq!(counts, [(true, 8), (false, 3), (true, 4)]);
}

#[test]
fn what_nobody_waits_for_is_not_launched() {
    let mut fixture = Fixture::new(8, Duration::ZERO);
    let gone = fixture.ask(1, 0, 3);
    fixture.ask(2, 0, 5);
    fixture.ask(3, 0, 1);
    gone.over.store(true, Ordering::SeqCst);
    fixture.queued.remove(1);
    assert_eq!(fixture.launch(), [(3, 0..1)]);
    assert_eq!((fixture.queue.waiting(), fixture.queue.lock().rows), (0, 0));
    fixture.permits.clear();
    assert_eq!(fixture.queue.backlog(), 0.0);
}

#[test]
fn the_first_row_waits_for_others_so_long_and_no_longer() {
    let mut fixture = Fixture::new(3, Duration::from_secs(3600));
    fixture.ask(1, 0, 1);
    let (queue, rows) = (fixture.queue.clone(), fixture.rows);
    let launched = std::thread::spawn(move || queue.take(&|_| Terms { rows, row_seconds: 0.01 }).unwrap().len());
    fixture.ask(2, 0, 1);
    std::thread::sleep(Duration::from_millis(50));
    assert!(!launched.is_finished(), "there is room for one more");
    fixture.ask(3, 0, 1);
    assert_eq!(launched.join().unwrap(), 3);

    let mut fixture = Fixture::new(3, Duration::from_millis(50));
    let begun = Instant::now();
    fixture.ask(1, 0, 1);
    assert_eq!(fixture.launch().len(), 1);
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[test]
fn a_queue_takes_no_more_than_its_limits() {
    let limits = Limits { threads: 1, permits: 8, max_wait: 1.0 };
    let queue: Arc<LaunchQueue<Arc<Request>>> = Arc::new(LaunchQueue::new(limits, Duration::ZERO));
    let first = queue.admit(flow(1), 2.0, None).unwrap();
    assert_eq!(queue.admit(flow(1), 0.1, None).map(drop).unwrap_err().code, ErrorCode::Busy);
    let soon = Some(Duration::from_millis(10));
    assert_eq!(queue.admit(flow(2), 0.1, soon).map(drop).unwrap_err().code, ErrorCode::Deadline);
    drop(first);
    queue.admit(flow(1), 0.1, None).map(drop).unwrap();
}

#[test]
fn launchers_go_when_the_queue_is_closed() {
    let fixture = Fixture::new(1, Duration::ZERO);
    let queue = fixture.queue.clone();
    let launcher = std::thread::spawn(move || queue.take(&|_| Terms { rows: 1, row_seconds: 0.01 }).is_none());
    fixture.queue.close();
    assert!(launcher.join().unwrap());
}
