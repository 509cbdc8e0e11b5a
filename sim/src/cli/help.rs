//! The text that `--help` prints.

pub(super) const COMMANDS: [&str; 6] = ["call", "sweep", "merge", "explore", "planted", "inspect"];

/// The help of a command.
pub(super) fn of(command: &str) -> &'static str {
    match command {
        "sweep" => SWEEP,
        "merge" => MERGE,
        "explore" => EXPLORE,
        "planted" => PLANTED,
        _ => CALL,
    }
}

/// The names of the options that a help lists, without the dashes.
pub(super) fn options(help: &'static str) -> impl Iterator<Item = &'static str> {
    let listed = help.lines().filter_map(|line| line.strip_prefix("  --"));
    listed.filter_map(|line| line.split(' ').next())
}

pub(super) const CALL: &str = "\
sansip-sim: a SIP call on a simulated network, made visible

Usage: sansip-sim [call] [OPTIONS]
       sansip-sim sweep --runs N [OPTIONS]     many calls, each drawn from a seed; see sweep --help
       sansip-sim merge FILE...                puts the results of a sweep's shards together
       sansip-sim explore --faults K           every placement of up to K faults; see explore --help
       sansip-sim planted                      mistakes that the checks must find; see planted --help
       sansip-sim inspect [OPTIONS] FILE...    judges SIP messages; see inspect --help

Alice calls Bob as in RFC 3261 §24.2: F1 to F14, after Bob's registration R1, R2.

Options of call:
  --topology NAME       direct, one-proxy, trapezoid (the default), nat, mixed, redirect, auth, strict, dual, chain:N (N
                        proxies), fork:N (Bob has N phones), farm:N (N servers) or crowd:N (N pairs)
  --record-route        the proxies stay on the path of the call
  --hang-up WHO         alice, bob (the default), nobody, or with times: alice:3s,bob:500ms
  --hold WHO            alice or bob puts the call on hold so long after it is there, for a second: alice:3s,bob:500ms
  --change-reply WHAT   what the other does then: answer:TIME (answer:0ms if not given), reject:TIME or nothing
  --late-offer TIME     Alice makes no offer, and answers Bob's so long after it came
  --reliable            both phones use 100rel, and Bob's rings by a response that waits for its PRACK: 183 if he answers
  --session-expires TIME
                        both phones ask for a session timer of 90s or more, and refresh the session at half of it (RFC 4028)
  --min-se TIME         Bob's phone takes no session timer below that: 422
  --bob-refreshes       Bob refreshes the session; else Alice does
  --refresh-by-invite   the session is refreshed by re-INVITEs; else by UPDATEs
  --transfer TIME       Alice gives the call to Carol so long after it is there: a REFER that Bob follows (RFC 3515)
  --attended            she calls Carol before, and Bob takes her place in that call (RFC 3891)
  --challenge WHO       alice, bob (401), proxy (407: the first one on Alice's way), or several, ask for credentials
  --nonce-age TIME      how long a nonce is good for; 300s if not given
  --cancel-after TIME   Alice cancels, if there is no answer by then
  --ring-after TIME     Bob's phone rings so long after the INVITE came, or `never`; 100ms if not given
  --reply WHAT          what Bob does: answer:TIME (answer:2s if not given), reject:TIME or nothing
  --ring-limit TIME     nothing rings longer; 60s if not given
  --calm-after TIME     so long after Alice called, faults are over and every call is ended; 119s if not given
  --delay TIME          from sending to arriving; 10ms if not given
  --loss P              lose datagrams with probability P, from 0 to 1
  --duplicate P         let datagrams arrive twice
  --reorder P           hold datagrams up, so that others overtake them
  --latest TIME         the most that a duplicate or a held-up datagram is late; 1s if not given
  --jitter TIME         the most that any datagram is late, each by another time; nothing if not given
  --burst B:E:L         losses in a row: how often they begin and end, and how often one is lost; 0.01:0.25:0.8
  --corrupt P           invert bits of datagrams: only the checks of safety hold then
  --split P             let streams arrive in pieces
  --reset P             reset streams
  --weather NAME        sets all of these: calm, wifi, satellite, congested, hostile or flood; hostile has cuts, slow
                        resolvers and drifting clocks besides, flood a stranger who sends a server too much
  --seed N              which of the possible losses, duplicates and delays; 1 if not given
  --plan 'FAULTS'       exact faults: 'atlanta>biloxi#3:drop, bob>biloxi#1:+700ms, alice>atlanta#2:dup(+20ms)';
                        #3 is the third datagram from atlanta to biloxi; docs/simulation.md has all forms
  --format FORMAT       ladder (the default), messages (in full), json (one event a line) or pcap (pcapng, for Wireshark)
  --help                this text

A TIME is written 700ms or 5s. Loss, duplication and reordering begin with the call in second 1, when Bob is registered. A
plan holds for the registration too. The last line of a run with faults repeats it exactly. The same options give the same
bytes on stdout; the time that a run took goes to stderr.

Exit status: 0 if all checks hold, 1 if one of safety is broken, 3 if one of liveness is, 2 for a wrong command line. The
checks are in the library's module `check`.
";

pub(super) const SWEEP: &str = "\
sansip-sim sweep: many calls, each drawn from a seed

Usage: sansip-sim sweep --runs N [OPTIONS]
       sansip-sim sweep --for TIME [OPTIONS]

Options:
  --runs N              so many runs, over all shards
  --for TIME            as many as there is time for: 90s, 10m, 2h
  --topology NAME       direct, one-proxy, trapezoid, nat, mixed, redirect, auth, strict, dual, chain:N, fork:N, farm:N,
                        crowd:N, or all (the default)
  --weather NAME        calm, wifi, satellite, congested, hostile or flood; if not given, every run has one of its own, but
                        no flood
  --calls KIND          plain: INVITE, CANCEL, BYE and REGISTER alone; any (the default): half of the calls have hold, an offer
                        that comes late, or credentials besides, a fifth reliable provisional responses, a tenth a
                        session timer, a tenth a transfer; one in twelve goes to several phones, one in six through
                        one of redirect, auth, strict, dual and farm
  --seed N              the base seed: run i is a function of it and of i; 1 if not given
  --jobs N              threads; as many as there are processors if not given. The results do not depend on it
  --shard I/N           only the I-th of N parts
  --json FILE           write the results to FILE, for merge
  --failures FOLDER     where failures are kept; target/sansip-failures if not given
  --check-determinism   run everything twice and compare
  --help                this text

Results go to stdout: the seed first, the line that repeats the sweep, or its first failure, last. The first run that breaks
a check is cut down to the few faults that matter, drawn and kept. Progress goes to stderr; NO_COLOR is honoured. Ctrl-C
finishes with what there is.

Exit status: 0 if all checks hold, 1 if one of safety is broken, 2 for a wrong command line, 3 if one of liveness is broken,
4 if nothing was run, 5 if a run was not the same the second time.
";

pub(super) const MERGE: &str = "\
sansip-sim merge: the results of a sweep's shards, put together

Usage: sansip-sim merge [OPTIONS] FILE...

The files are what `sansip-sim sweep --shard I/N --json FILE` wrote: every shard once, all of the same sweep, all finished.

Options:
  --json FILE           write the sum to FILE
  --failures FOLDER     where failures are kept; target/sansip-failures if not given
  --help                this text

Output and exit status are those of the whole sweep.
";

pub(super) const PLANTED: &str = "\
sansip-sim planted: real mistakes of SIP stacks, each found by the check that it is for

Usage: sansip-sim planted [OPTIONS] [MISTAKE...]

Each mistake is made at one node, alone, in the runs of the sweep with seed 1 until its check finds it; then that run is cut
down. Mistakes that need a patch of core are left out; tests/planted/run has them all.

Options:
  --runs N              give a mistake up after so many runs; 1000 if not given
  --help                this text

Exit status: 0 if all were found, 1 if not, 2 for a wrong command line.
";

pub(super) const EXPLORE: &str = "\
sansip-sim explore: every placement of a few faults on a call

Usage: sansip-sim explore --faults K [OPTIONS]

Every datagram of the call, retransmissions included, is lost, arrives twice, is late past its sender's next copy, or is late
past 64*T1: every way to do that to up to K of them. With --crash or --restart a node crashes at any moment besides.

Options:
  --faults K            at most so many faults
  --topology NAME       direct, one-proxy, trapezoid (the default), nat, mixed, redirect, auth, strict, dual, chain:N, fork:N,
                        farm:N or crowd:N
  --crash NODES         each of these nodes crashes, as in s1,s2: at every moment after datagrams were sent, as one of the faults
  --restart NODES       each of these nodes crashes and starts anew at once, likewise
  --record-route        the proxies stay on the path of the call
  --cancel              Alice cancels while it rings
  --hang-up WHO         alice, bob (the default) or nobody
  --hold WHO            alice or bob puts the call on hold so long after it is there: alice:1s
  --change-reply WHAT   what the other does then: answer:TIME, reject:TIME or nothing
  --late-offer TIME     Alice makes no offer, and answers Bob's so long after it came
  --reliable            both phones use 100rel, and Bob's rings by a response that waits for its PRACK
  --session-expires TIME
                        both phones ask for a session timer of 90s or more
  --min-se TIME         Bob's phone takes no session timer below that
  --bob-refreshes       Bob refreshes the session; else Alice does
  --refresh-by-invite   the session is refreshed by re-INVITEs; else by UPDATEs
  --transfer TIME       Alice gives the call to Carol so long after it is there
  --attended            she calls Carol before, and Bob takes her place in that call
  --challenge WHO       alice, bob or proxy, or several, ask for credentials
  --for TIME            stop after 90s, 10m, 2h
  --jobs N              threads; as many as there are processors if not given
  --failures FOLDER     where failures are kept; target/sansip-failures if not given
  --help                this text

Exit status: 0 if all checks hold, 1 if one of safety is broken, 2 for a wrong command line, 3 if one of liveness is broken,
4 if nothing was run.
";
