use super::*;

fn flow(number: u8) -> FlowId {
    FlowId::Peer(IpAddr::from([127, 0, 0, number]))
}

fn queue(threads: usize, permits: usize, max_wait: f64) -> FairQueue<u32> {
    FairQueue::new(Limits { threads, permits, max_wait })
}

#[test]
fn a_busy_client_does_not_starve_another() {
    let mut queue = queue(1, 1000, 1e9);
    for job in 0..100 {
        queue.admit(&flow(1), 1.0, None).unwrap();
        queue.enqueue(&flow(1), job);
    }
    let (busy, ..) = queue.dequeue().unwrap();
    queue.charge(&busy, 1.0);
    queue.admit(&flow(2), 1.0, None).unwrap();
    queue.enqueue(&flow(2), 100);
    let order: Vec<u32> = (0..3)
        .map(|_| {
            let (id, _, job) = queue.dequeue().unwrap();
            queue.charge(&id, 1.0);
            job
        })
        .collect();
    assert_eq!(order, [100, 1, 2]);
}

#[test]
fn service_is_shared_by_seconds_not_by_requests() {
    let mut queue = queue(1, 1000, 1e9);
    for job in 0..60 {
        for client in [1, 2] {
            queue.admit(&flow(client), 1.0, None).unwrap();
            queue.enqueue(&flow(client), job);
        }
    }
    let mut served = [0.0; 3];
    for _ in 0..44 {
        let (own, ..) = queue.dequeue().unwrap();
        let (client, seconds) = if own == flow(1) { (1, 0.1) } else { (2, 1.0) };
        queue.charge(&own, seconds);
        served[client] += seconds;
    }
    assert!((served[1] - served[2]).abs() <= 1.01, "{served:?}");
}

#[test]
fn permits_and_seconds_are_bounded_and_a_newcomer_finds_room() {
    let mut by_count = queue(1, 21, 1e9);
    let mut accepted = 0;
    while by_count.admit(&flow(1), 1e-6, None).is_ok() {
        accepted += 1;
    }
    assert_eq!(accepted, 11);
    by_count.admit(&flow(2), 1e-6, None).unwrap();
    let mut by_time = queue(2, 1000, 10.0);
    let mut accepted = 0;
    while by_time.admit(&flow(1), 1.0, None).is_ok() {
        accepted += 1;
    }
    assert_eq!(accepted, 21);
    assert!(matches!(by_time.admit(&flow(1), 1.0, None), Err(Refused::Full(wait)) if wait > 10.0));
    by_time.admit(&flow(2), 1.0, None).unwrap();
    assert!(matches!(by_time.admit(&flow(1), 1.0, None), Err(Refused::Full(_))));
    for _ in 0..accepted {
        by_time.release(&flow(1), 1.0);
    }
    by_time.release(&flow(2), 1.0);
    assert_eq!(by_time.backlog(), 0.0);
    by_time.admit(&flow(3), 1.0, None).unwrap();
    assert_eq!(by_time.flows.len(), 1);
}

#[test]
fn what_cannot_be_done_in_time_is_not_begun() {
    let mut queue = queue(1, 1000, 1e9);
    assert_eq!(queue.admit(&flow(1), 3.0, Some(2.0)), Err(Refused::Late(0.0)));
    queue.admit(&flow(1), 3.0, Some(4.0)).unwrap();
    assert_eq!(queue.admit(&flow(1), 1.0, Some(3.5)), Err(Refused::Late(3.0)));
    queue.admit(&flow(2), 1.0, Some(3.5)).unwrap();
}

#[test]
fn what_is_taken_out_does_not_run() {
    let mut queue = queue(1, 10, 1.0);
    queue.admit(&flow(1), 0.1, None).unwrap();
    let first = queue.enqueue(&flow(1), 1);
    queue.enqueue(&flow(1), 2);
    assert_eq!(queue.remove(&flow(1), first), Some(1));
    assert_eq!(queue.remove(&flow(1), first), None);
    assert_eq!(queue.waiting(), 1);
    assert_eq!(queue.dequeue().map(|(_, _, job)| job), Some(2));
    assert!(queue.dequeue().is_none());
}

#[test]
fn a_job_that_is_requeued_stays_ahead_of_its_own_flow_only() {
    let mut queue = queue(1, 10, 1e9);
    for client in [1, 1, 2] {
        queue.admit(&flow(client), 1.0, None).unwrap();
    }
    queue.enqueue(&flow(1), 10);
    queue.enqueue(&flow(1), 11);
    let (id, number, job) = queue.dequeue().unwrap();
    queue.charge(&id, QUANTUM);
    queue.requeue_front(&id, number, job);
    queue.enqueue(&flow(2), 20);
    let order: Vec<u32> = std::iter::from_fn(|| queue.dequeue()).map(|(_, _, job)| job).collect();
    assert_eq!(order, [20, 10, 11]);
}
