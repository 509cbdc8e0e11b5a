use super::*;
use alloc::vec;

fn drain(queue: &mut TimerQueue<u32>) -> Vec<(u64, u32)> {
    core::iter::from_fn(|| queue.pop_due(Instant::from_nanos(u64::MAX)))
        .map(|(deadline, key)| (deadline.as_nanos(), key))
        .collect()
}

#[test]
fn equal_deadlines_fire_in_the_order_of_setting() {
    let mut queue = TimerQueue::new();
    let moved = queue.set(Instant::from_nanos(5), 1);
    queue.set(Instant::from_nanos(5), 2);
    queue.set(Instant::from_nanos(3), 3);
    assert!(queue.reset(moved, Instant::from_nanos(5)));
    assert_eq!(drain(&mut queue), vec![(3, 3), (5, 2), (5, 1)]);
    assert!(!queue.reset(moved, Instant::ZERO));
}

#[test]
fn nothing_fires_before_its_time() {
    let mut queue = TimerQueue::new();
    queue.set(Instant::from_nanos(5), 1);
    assert_eq!(queue.pop_due(Instant::from_nanos(4)), None);
    assert_eq!(queue.next(), Some(Instant::from_nanos(5)));
    assert_eq!(queue.pop_due(Instant::from_nanos(5)), Some((Instant::from_nanos(5), 1)));
    assert_eq!(queue.next(), None);
}

/// Against the obvious model, a list sorted by (deadline, order of setting): with intervals that are always the same, with any
/// deadline, and with both, while the clock goes on and timers fire.
#[test]
fn agrees_with_a_sorted_list_under_random_use() {
    /// The intervals of RFC 3261 §17, table 4, in milliseconds.
    const INTERVALS: [u64; 8] = [500, 1_000, 2_000, 4_000, 5_000, 32_000, 180_000, 0];
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
    let mut roll = |n: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % n
    };
    for percent_constant in [100, 0, 90] {
        let mut queue = TimerQueue::new();
        let mut model: Vec<(u64, u64, u32, TimerId)> = Vec::new();
        let (mut now, mut most_in_heap) = (0, 0);
        for step in 0..20_000_u64 {
            let mut deadline = || match roll(100) < percent_constant {
                true => now + INTERVALS[roll(8) as usize],
                false => roll(now + 200_000),
            };
            let any = deadline();
            match roll(5) {
                0..=2 => {
                    let id = queue.set(Instant::from_millis(any), step as u32);
                    model.push((any, step, step as u32, id));
                }
                3 if !model.is_empty() => {
                    let (_, _, key, id) = model.remove(roll(model.len() as u64) as usize);
                    assert_eq!(queue.cancel(id), Some(key));
                    assert_eq!(queue.cancel(id), None);
                }
                _ if !model.is_empty() => {
                    let index = roll(model.len() as u64) as usize;
                    (model[index].0, model[index].1) = (any, step);
                    assert!(queue.reset(model[index].3, Instant::from_millis(any)));
                }
                _ => {}
            }
            now += roll(40);
            while let Some((deadline, key)) = queue.pop_due(Instant::from_millis(now)) {
                let first = (0..model.len()).min_by_key(|index| (model[*index].0, model[*index].1)).unwrap();
                let (expected, _, expected_key, _) = model.remove(first);
                assert_eq!((deadline.as_millis(), key), (expected, expected_key));
            }
            assert_eq!(queue.next().map(Instant::as_millis), model.iter().map(|entry| entry.0).min());
            assert_eq!(queue.len(), model.len());
            most_in_heap = most_in_heap.max(queue.heap.capacity());
            if step % 1_000 == 0 {
                queue = queue.clone();
            }
        }
        assert_eq!(most_in_heap > 0, percent_constant < 100, "a lane for each constant interval");
        model.sort_unstable();
        let drained: Vec<_> = drain(&mut queue).into_iter().map(|(nanos, key)| (nanos / 1_000_000, key)).collect();
        assert_eq!(drained, model.iter().map(|entry| (entry.0, entry.2)).collect::<Vec<_>>());
        assert!(queue.is_empty() && queue.first().is_none());
    }
}
