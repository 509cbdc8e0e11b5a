//! The keys under which a user agent files what peers name: no two indexes share one, and none has the key of the endpoint's tokens, which peers
//! see the work of.

use super::lone::Lone;
use crate::endpoint::Config;
use crate::keyed_index::KeyedIndex;
use crate::random::{Random, Script, Seed};
use crate::user_agent::{Profile, UserAgent};

#[test]
fn each_index_of_a_whole_agent_has_a_key_of_its_own_that_is_not_the_token_key() {
    for number in 0..20 {
        let seed = Seed::from_u64(number);
        let agent = UserAgent::user_agent(Config::new(seed), Profile::new("<sip:bob@biloxi.com>".parse().unwrap()));
        let core = agent.user();
        let token_key = agent.endpoint().token_key();
        assert_eq!(token_key, Random::new(seed, Script::default()).hash_key(), "the first draw of the seed");
        let mut probes = [
            KeyedIndex::<u32>::new(token_key).key_probe(),
            core.floor.dialogs.key_probe(),
            core.floor.serving.key_probe(),
            core.floor.accounts.key_probe(),
            core.registrations.key_probe(),
            core.subscriptions.key_probe(),
        ];
        probes.sort_unstable();
        assert!(probes.windows(2).all(|pair| pair[0] != pair[1]), "{number}: {probes:x?}");
    }
}

/// The core draws nothing from the endpoint's stream: tokens are those of an endpoint without a core.
#[test]
fn the_core_takes_no_token_from_the_endpoint() {
    let (_, invite) = Lone::with(|config, _| config.script = Script::default()).call();
    let mut random = Random::new(Seed::from_u64(3), Script::default());
    for _ in 0..5 {
        random.hash_key();
    }
    assert_eq!(invite.header("call-id"), random.call_id());
}
