//! Which of several workers or servers a message belongs to. The hashes never change: what one version has placed another one finds.
//!
//! [`shard`] places a key among workers that are always there, [`rendezvous`] among servers that may be down.

use core::hash::Hasher;

use siphasher::sip::SipHasher24;

/// The shard of `n` that `key` belongs to, from 0 on: for a Call-ID, that of its dialog. 0 if there is none or one.
///
/// The hash is SipHash-2-4 of the bytes with a key of zeros; of its 64 bits the jump consistent hash of Lamping and Veach makes the
/// shard. When `n` grows by one, only as many keys move as the new shard takes. A sender may choose a key with its shard in
/// mind: each shard must be able to refuse.
///
/// ```
/// use sansip::shard::shard;
/// assert_eq!(shard(b"a84b4c76e66710@pc33.atlanta.com", 4), 3);
/// ```
pub fn shard(key: &[u8], n: usize) -> usize {
    jump(hash(key), n)
}

/// The place of the member of `names` that `key` belongs to by rendezvous hashing, among those that `may` take it: the one with the
/// greatest hash of its name and the key. When a member is gone only its own keys move. `None` if none may.
///
/// ```
/// use sansip::shard::rendezvous;
/// let farm = [b"s1".as_slice(), b"s2", b"s3"];
/// let call_id = b"a84b4c76e66710@pc33.atlanta.com";
/// let chosen = rendezvous(call_id, farm, |_| true).unwrap();
/// // The server dies: another one takes the call, and calls of the others stay where they are.
/// let next = rendezvous(call_id, farm, |place| place != chosen).unwrap();
/// assert_ne!(chosen, next);
/// ```
pub fn rendezvous<'a>(
    key: &[u8],
    names: impl IntoIterator<Item = &'a [u8]>,
    may: impl Fn(usize) -> bool,
) -> Option<usize> {
    let weights = names.into_iter().enumerate().filter(|(place, _)| may(*place)).map(|(place, name)| {
        let mut hasher = SipHasher24::new();
        hasher.write(name);
        // Ends the name: none has this byte.
        hasher.write_u8(0);
        hasher.write(key);
        (hasher.finish(), place)
    });
    // Of two equal weights, as two members of one name have, the first member's counts.
    weights.max_by_key(|(weight, place)| (*weight, core::cmp::Reverse(*place))).map(|(_, place)| place)
}

fn hash(key: &[u8]) -> u64 {
    let mut hasher = SipHasher24::new();
    hasher.write(key);
    hasher.finish()
}

/// The jump consistent hash: about ln(n) turns.
fn jump(mut key: u64, n: usize) -> usize {
    let buckets = u64::try_from(n).unwrap_or(u64::MAX).min(u64::from(u32::MAX));
    let (mut bucket, mut next) = (0_u64, 0_u64);
    while next < buckets {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        // The published form multiplies by 2^31 / (high bits + 1) in floating point; the exact quotient is the same everywhere.
        next = (u128::from(bucket + 1) << 31).checked_div(u128::from((key >> 33) + 1)).unwrap_or(0) as u64;
    }
    usize::try_from(bucket).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;

    /// The vectors are computed by another program. They must never change.
    #[test]
    fn golden_vectors() {
        for (key, shards) in GOLDEN {
            let computed = [1, 2, 3, 4, 8, 16, 100, 1_000].map(|n| shard(key.as_bytes(), n));
            assert_eq!(computed, shards, "{key}");
        }
        assert_eq!(hash(b""), 0x1e92_4b9d_7377_00d7);
        assert_eq!((shard(b"x", 0), shard(b"x", 1)), (0, 0));
    }

    /// The orders are computed by another program. They must never change: a front and its servers may be of two versions.
    #[test]
    fn golden_vectors_of_rendezvous() {
        let names = ["s1", "s2", "s3", "s4"].map(str::as_bytes);
        for ((key, _), order) in GOLDEN.into_iter().zip(ORDERS) {
            for (gone, chosen) in order.iter().enumerate() {
                let may = |place| !order[..gone].contains(&place);
                assert_eq!(rendezvous(key.as_bytes(), names, may), Some(*chosen), "{key} without {:?}", &order[..gone]);
            }
        }
        assert_eq!(rendezvous(b"x", ["s1", "s1"].map(str::as_bytes), |_| true), Some(0), "two of one name");
    }

    #[test]
    fn each_shard_gets_its_part_and_few_keys_move_when_one_is_added() {
        let keys: Vec<_> = (0..10_000).map(|number| format!("{number}@example.com")).collect();
        let mut counts = [0; 5];
        let mut moved = 0;
        for key in &keys {
            let (before, after) = (shard(key.as_bytes(), 4), shard(key.as_bytes(), 5));
            counts[after] += 1;
            moved += usize::from(before != after);
            assert!(before == after || after == 4);
        }
        assert!(counts.iter().all(|count| (1_800..2_200).contains(count)), "{counts:?}");
        assert_eq!(moved, counts[4]);
    }

    #[test]
    fn only_the_keys_of_a_member_that_is_gone_move() {
        let names = ["s1", "s2", "s3"].map(str::as_bytes);
        let mut counts = [0; 3];
        for number in 0..3_000 {
            let key = format!("{number}@example.com");
            let chosen = rendezvous(key.as_bytes(), names, |_| true).unwrap();
            counts[chosen] += 1;
            let without = rendezvous(key.as_bytes(), names, |place| place != 1).unwrap();
            assert!(without != 1 && (without == chosen || chosen == 1));
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
        assert_eq!(rendezvous(b"x", names, |_| false), None);
        assert_eq!(rendezvous(b"x", [], |_| true), None);
    }

    /// The places of the members in the order in which they take each key of `GOLDEN`, as one after the other goes down.
    const ORDERS: [[usize; 4]; 7] =
        [[3, 0, 2, 1], [0, 3, 2, 1], [0, 1, 2, 3], [2, 3, 1, 0], [0, 1, 3, 2], [1, 0, 3, 2], [2, 1, 3, 0]];

    const GOLDEN: [(&str, [usize; 8]); 7] = [
        ("", [0, 0, 0, 3, 3, 14, 68, 68]),
        ("a84b4c76e66710@pc33.atlanta.com", [0, 1, 1, 3, 7, 7, 82, 629]),
        ("1", [0, 1, 1, 1, 4, 14, 97, 945]),
        ("2xTb9vxSit55XU7p8@atlanta.example.com", [0, 1, 1, 1, 6, 10, 29, 278]),
        ("s1.0hq4c3o2m5", [0, 1, 1, 1, 6, 11, 11, 438]),
        ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6@foo.bar.com", [0, 0, 2, 2, 2, 10, 10, 967]),
        ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", [0, 1, 2, 2, 2, 2, 86, 445]),
    ];
}
