//! The laws of the poll API over whole nodes with datagrams, streams, connections, names and commands in any order: the fuzz
//! target `endpoint` (docs/fuzzing.md), here with scripts that are drawn.

use proptest::prelude::*;

use crate::endpoint::endpoint;

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_script_obeys_the_laws_and_ends(script in prop::collection::vec(any::<u8>(), 3..600)) {
        endpoint(&script);
    }
}
