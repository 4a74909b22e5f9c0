use super::*;
use fhectl_core::error::ErrorCode;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

fn flow(number: u8) -> FlowId {
    FlowId::Peer(IpAddr::from([127, 0, 0, number]))
}

fn compute(threads: usize, max_queue: usize) -> ComputePool {
    let max_backlog = Duration::from_secs(10);
    ComputePool::new(PoolLimits { threads, max_queue, max_backlog, max_time: None }).unwrap()
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_pool_goes_on() {
    let compute = compute(1, 0);
    let permit = compute.admit(flow(1), 0.1, None).unwrap();
    let error = compute.admit(flow(1), 0.1, None).map(drop).unwrap_err();
    assert!(error.code == ErrorCode::Busy && error.retry_after.is_some());
    let error = compute.run_once::<(), _>(&permit, || panic!("on purpose")).await.map(drop).unwrap_err();
    assert_eq!(error.code, ErrorCode::Internal);
    assert_eq!(compute.run_once(&permit, || 7).await.unwrap().value, 7);
    drop(permit);
    compute.admit(flow(1), 0.1, None).unwrap();
}

#[tokio::test]
async fn a_permit_stays_taken_while_an_abandoned_job_runs() {
    let compute = compute(1, 0);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (begun, started) = oneshot::channel();
    let permit = compute.admit(flow(1), 0.1, None).unwrap();
    let job = compute.run_once(&permit, move || {
        begun.send(()).unwrap();
        wait.recv().ok();
    });
    tokio::select! {
        _ = job => unreachable!("it waits"),
        started = started => started.unwrap(),
    }
    drop(permit);
    assert_eq!(compute.admit(flow(1), 0.1, None).map(drop).unwrap_err().code, ErrorCode::Busy);
    go.send(()).unwrap();
    while compute.admit(flow(1), 0.1, None).is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until so many quanta were begun.
async fn begun(quanta: &AtomicUsize, count: usize) {
    while quanta.load(Ordering::SeqCst) < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn work_stops_between_quanta_when_its_caller_goes_away() {
    let compute = compute(1, 4);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let quanta = Arc::new(AtomicUsize::new(0));
    let counted = quanta.clone();
    let permit = compute.admit(flow(1), 0.1, None).unwrap();
    let long = compute.run::<(), _>(&permit, move || {
        counted.fetch_add(1, Ordering::SeqCst);
        wait.recv().ok();
        None
    });
    tokio::select! {
        _ = long => unreachable!("it never ends"),
        () = async { begun(&quanta, 1).await; go.send(()).unwrap(); begun(&quanta, 2).await } => {}
    }
    drop(permit);
    go.send(()).unwrap();
    while compute.load().running + compute.load().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(quanta.load(Ordering::SeqCst), 2);
    assert_eq!(compute.load().backlog, 0.0);
}

#[tokio::test(start_paused = true)]
async fn queued_work_is_removed_with_its_caller_and_at_its_deadline() {
    let compute = compute(1, 4);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let first = compute.admit(flow(1), 0.1, None).unwrap();
    let mut running = Box::pin(compute.run_once(&first, move || wait.recv().ok()));
    // The clock stands still until all that is left to do is to wait.
    let soon = Some(Duration::from_millis(500));
    let second = compute.admit(flow(2), 0.1, None).unwrap();
    let third = compute.admit(flow(3), 0.01, soon).unwrap();
    tokio::select! {
        // In this order into the queue.
        biased;
        _ = &mut running => unreachable!("it waits"),
        _ = compute.run_once(&second, || unreachable!("it was given up")) => unreachable!("it is behind"),
        done = compute.run_once(&third, || ()) => assert_eq!(done.map(drop).unwrap_err().code, ErrorCode::Deadline),
    }
    assert_eq!(compute.load().waiting, 0);
    go.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn quanta_of_two_clients_take_turns() {
    let compute = compute(1, 8);
    let order = Arc::new(Mutex::new(Vec::new()));
    let work = |name: u8, quanta: usize| {
        let (order, mut left) = (order.clone(), quanta);
        move || {
            std::thread::sleep(Duration::from_millis(20));
            order.lock().unwrap().push(name);
            left -= 1;
            (left == 0).then_some(())
        }
    };
    let (long, short) = (compute.admit(flow(1), 1.0, None).unwrap(), compute.admit(flow(2), 0.1, None).unwrap());
    let (a, b) = tokio::join!(compute.run(&long, work(1, 10)), compute.run(&short, work(2, 1)));
    assert!(a.is_ok() && b.is_ok());
    let at = order.lock().unwrap().iter().position(|name| *name == 2).unwrap();
    assert!(at <= 2, "{:?}", order.lock().unwrap());
}
