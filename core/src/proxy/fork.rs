//! Forking (RFC 3261 §16.6; RFC 3841 §9.1; RFC 5393 §5.3.3): which targets of a request are tried, and when.

use alloc::vec::Vec;

use super::disposition::Disposition;
use super::{Forking, Settings, breadth};
use crate::targets::{Target, TargetSet};

/// The targets of one request, and in which order they are tried.
#[derive(Clone, Debug)]
pub(super) struct Fork {
    pub(super) targets: TargetSet,
    order: Forking,
    /// Whether more than one target is tried.
    forks: bool,
    /// Whether the other branches are cancelled after a 2xx.
    pub(super) cancels: bool,
    /// Whether the contacts of a 3xx are tried.
    pub(super) recurses: bool,
    /// Whether the contacts of a 3xx were. A way may be that of another user then.
    pub(super) has_recursed: bool,
    /// How much the targets of the present group are preferred.
    group: u16,
    /// The Incoming Max-Breadth.
    breadth: u32,
    /// Whether the request has come through here before. Then no breadth is used twice: users whose contacts lead to one another could keep us
    /// busy for ever with one request (RFC 5393 §3), as a factorial of their number of branches would follow one another.
    is_spiral: bool,
    /// The breadth that a spiral has used.
    used: u32,
    /// Whether a branch was counted among those of the request, wherever that came by.
    pub(super) is_counted: bool,
    /// The part of the breadth that is kept for targets added later.
    spare: u32,
    /// Whether no target is tried any more: a 6xx came, or the request is cancelled.
    is_over: bool,
}

impl Fork {
    /// The fork of a request with this Incoming Max-Breadth, which may be a spiral, as the owner and, if the owner leaves it to the caller, `asked` have it.
    pub(super) fn new(settings: &Settings, asked: Disposition, (breadth, is_spiral): (u32, bool)) -> Self {
        let asked = if settings.caller_decides { asked } else { Disposition::default() };
        let order = match (asked.parallel, settings.forking) {
            (Some(true), _) => Forking::Parallel,
            (Some(false), _) => Forking::Sequential,
            (None, order) => order,
        };
        Self {
            targets: TargetSet::of_limit(settings.limits.targets),
            order,
            forks: asked.fork.unwrap_or(true),
            cancels: asked.cancel.unwrap_or(true),
            recurses: settings.recursion && asked.recurse.unwrap_or(true),
            has_recursed: false,
            group: 0,
            breadth,
            is_spiral,
            used: 0,
            is_counted: false,
            spare: settings.spare_breadth.min(breadth.saturating_sub(1)),
            is_over: false,
        }
    }

    /// Lets the branches use no more of the breadth than that.
    pub(super) fn limit_breadth(&mut self, most: u32) {
        self.breadth = self.breadth.min(most);
        self.spare = self.spare.min(self.breadth.saturating_sub(1));
    }

    /// Whether the request has come through here before.
    pub(super) const fn is_spiral(&self) -> bool {
        self.is_spiral
    }

    /// Whether the breadth is too little (RFC 5393 §5.3.3): for any branch at all, or for all targets of a spiral.
    pub(super) fn is_too_wide(&self) -> bool {
        let waiting = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        self.breadth == 0 || self.is_spiral && waiting > self.breadth
    }

    /// Adds a target. Whether it will be tried.
    pub(super) fn add(&mut self, target: Target) -> bool {
        !self.is_over && self.targets.add(target)
    }

    /// Adds a target in the place of one that was preferred so much, had this share of the breadth, and has failed. Whether it will be tried.
    pub(super) fn add_instead(&mut self, before: u16, share: u32, target: Target) -> bool {
        let is_added = !self.is_over && self.targets.add_instead(before, target);
        if is_added {
            self.used = self.used.saturating_sub(share);
        }
        is_added
    }

    /// Whether a target is left out for want of room alone.
    pub(super) fn has_no_room_for(&self, target: &Target) -> bool {
        !self.is_over && self.targets.is_full() && !self.targets.has(target)
    }

    /// From now on all of the breadth can be used: targets are added.
    pub(super) const fn use_spare_breadth(&mut self) {
        self.spare = 0;
    }

    /// Leaves but the best target, if the caller wants no fork.
    pub(super) fn narrow(&mut self) {
        if !self.forks
            && let Some(best) = self.targets.take()
        {
            self.targets = TargetSet::of_limit(1);
            self.targets.add(best);
        }
    }

    /// Tries no target any more.
    pub(super) fn end(&mut self) {
        self.is_over = true;
        self.targets.clear();
    }

    /// Whether no target waits.
    pub(super) fn is_spent(&self) -> bool {
        self.targets.is_empty()
    }

    /// The targets that are to be tried now, each with its share of the breadth, while `open` branches hold so much of it
    /// (RFC 5393 §5.3.3.1: what has its final response holds nothing).
    pub(super) fn due(&mut self, open: usize, held: u32) -> Vec<(Target, u32)> {
        let held = if self.is_spiral { self.used } else { held };
        let available = self.breadth.saturating_sub(self.spare).saturating_sub(held);
        let Some(best) = self.targets.best() else { return Vec::new() };
        if self.is_spiral && available == 0 {
            self.targets.clear();
        }
        if open == 0 {
            self.group = best;
        }
        let room = match self.order {
            Forking::Sequential => usize::from(open == 0),
            Forking::Parallel | Forking::Groups => usize::MAX,
        };
        let room = room.min(usize::try_from(available).unwrap_or(usize::MAX));
        let mut targets = Vec::new();
        while targets.len() < room
            && let Some(best) = self.targets.best()
            && (self.order != Forking::Groups || best >= self.group)
            && let Some(target) = self.targets.take()
        {
            targets.push(target);
        }
        // The targets that follow those of a spiral need their share, too.
        let later = if self.is_spiral { self.targets.len() } else { 0 };
        let all = (targets.len() + later).min(usize::try_from(available).unwrap_or(usize::MAX));
        let shared: Vec<_> = match breadth::shares(available, all) {
            Some(shares) => targets.into_iter().zip(shares).collect(),
            None => Vec::new(),
        };
        self.used += shared.iter().map(|(_, share)| share).sum::<u32>();
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    fn fork(order: Forking, asked: Disposition, breadth: u32) -> Fork {
        let settings = Settings { forking: order, ..Settings::default() };
        let mut fork = Fork::new(&settings, asked, (breadth, false));
        for (user, q) in [("a", 500), ("b", 1_000), ("c", 500), ("d", 100)] {
            assert!(fork.add(target(user).with_q(q)));
        }
        fork
    }

    fn target(user: &str) -> Target {
        Target::new(alloc::format!("sip:{user}@biloxi.com").parse().unwrap())
    }

    /// Users and shares.
    fn due(fork: &mut Fork, open: usize, held: u32) -> Vec<(String, u32)> {
        let due = fork.due(open, held).into_iter();
        due.map(|(target, share)| (target.uri.as_uri().user().unwrap().to_string(), share)).collect()
    }

    fn named(expected: &[(&str, u32)]) -> Vec<(String, u32)> {
        expected.iter().map(|(user, share)| (user.to_string(), *share)).collect()
    }

    #[test]
    fn all_at_once_one_after_the_other_or_group_by_group() {
        let none = Disposition::default();
        let mut parallel = fork(Forking::Parallel, none, 8);
        assert_eq!(due(&mut parallel, 0, 0), named(&[("b", 2), ("a", 2), ("c", 2), ("d", 2)]));
        let mut sequential = fork(Forking::Sequential, none, 8);
        assert_eq!(due(&mut sequential, 0, 0), named(&[("b", 8)]));
        assert_eq!(due(&mut sequential, 1, 8), []);
        assert_eq!(due(&mut sequential, 0, 0), named(&[("a", 8)]));
        let mut groups = fork(Forking::Groups, none, 8);
        assert_eq!(due(&mut groups, 0, 0), named(&[("b", 8)]));
        assert_eq!(due(&mut groups, 1, 8), []);
        assert_eq!(due(&mut groups, 0, 0), named(&[("a", 4), ("c", 4)]));
        assert_eq!(due(&mut groups, 0, 0), named(&[("d", 8)]));
        assert!(groups.is_spent() && due(&mut groups, 0, 0).is_empty());
    }

    /// RFC 5393 §5.3.3 and §5.3.3.1.
    #[test]
    fn what_does_not_fit_the_breadth_at_once_goes_when_a_branch_is_over() {
        let mut fork = fork(Forking::Parallel, Disposition::default(), 3);
        assert_eq!(due(&mut fork, 0, 0), named(&[("b", 1), ("a", 1), ("c", 1)]));
        assert_eq!(due(&mut fork, 3, 3), []);
        assert_eq!(due(&mut fork, 2, 2), named(&[("d", 1)]));
        assert!(!fork.is_too_wide());
    }

    /// RFC 3841 §9.1.
    #[test]
    fn the_caller_chooses_the_order_and_whether_there_is_a_fork() {
        let asked = Disposition { parallel: Some(true), ..Disposition::default() };
        assert_eq!(due(&mut fork(Forking::Sequential, asked, 60), 0, 0).len(), 4);
        let asked = Disposition { parallel: Some(false), ..Disposition::default() };
        assert_eq!(due(&mut fork(Forking::Parallel, asked, 60), 0, 0).len(), 1);
        let asked = Disposition { fork: Some(false), ..Disposition::default() };
        let mut one = fork(Forking::Parallel, asked, 60);
        one.narrow();
        assert_eq!(due(&mut one, 0, 0), named(&[("b", 60)]));
        assert!(one.is_spent());
        let deaf = Settings { caller_decides: false, ..Settings::default() };
        assert!(Fork::new(&deaf, Disposition { cancel: Some(false), ..asked }, (60, false)).cancels);
    }

    #[test]
    fn spare_breadth_is_for_targets_that_are_added() {
        let settings = Settings { spare_breadth: 3, ..Settings::default() };
        assert_eq!(Settings::default().spare_breadth, 0);
        let mut fork = Fork::new(&settings, Disposition::default(), (8, false));
        fork.add(target("a"));
        assert_eq!(due(&mut fork, 0, 0), named(&[("a", 5)]));
        fork.use_spare_breadth();
        fork.add(target("b"));
        assert_eq!(due(&mut fork, 1, 5), named(&[("b", 3)]));
        // The first branch is never without any.
        let mut narrow = Fork::new(&settings, Disposition::default(), (2, false));
        narrow.add(target("a"));
        assert_eq!(due(&mut narrow, 0, 0), named(&[("a", 1)]));
    }

    #[test]
    fn targets_are_bounded_each_is_tried_once_and_none_after_the_end() {
        let mut settings = Settings::default();
        assert_eq!(settings.limits.targets, 60);
        settings.limits.targets = 2;
        let mut fork = Fork::new(&settings, Disposition::default(), (60, false));
        assert!(fork.add(target("a")) && !fork.add(target("a")));
        assert_eq!(due(&mut fork, 0, 0).len(), 1);
        assert!(!fork.add(target("a")), "was tried");
        assert!(fork.add(target("b")) && !fork.add(target("c")), "no room");
        fork.end();
        assert!(fork.is_spent() && !fork.add(target("d")));
    }

    /// RFC 5393 §3: what comes back by contacts that lead to one another must end.
    #[test]
    fn a_spiral_uses_no_breadth_twice_and_is_too_wide_for_more_targets_than_that() {
        let none = Disposition::default();
        let spiral = |forking, breadth| {
            let settings = Settings { forking, ..Settings::default() };
            let mut fork = Fork::new(&settings, none, (breadth, true));
            ["a", "b", "c"].into_iter().for_each(|user| assert!(fork.add(target(user))));
            fork
        };
        assert!(spiral(Forking::Sequential, 2).is_too_wide() && !spiral(Forking::Sequential, 3).is_too_wide());
        assert!(!fork(Forking::Sequential, none, 2).is_too_wide(), "it is no spiral");
        let mut sequential = spiral(Forking::Sequential, 8);
        for (user, share) in [("a", 3), ("b", 3), ("c", 2)] {
            assert_eq!(due(&mut sequential, 0, 0), named(&[(user, share)]));
        }
        // Another way to the same phone takes the share of the first; any other target is one too many.
        assert!(sequential.add_instead(1_000, 2, target("c2")) && sequential.add(target("d")));
        assert_eq!(due(&mut sequential, 0, 0), named(&[("c2", 1)]));
        assert_eq!(due(&mut sequential, 0, 0), named(&[("d", 1)]));
        assert!(sequential.add(target("e")));
        assert_eq!(due(&mut sequential, 0, 0), []);
        assert!(sequential.is_spent());
        assert_eq!(due(&mut spiral(Forking::Parallel, 8), 0, 0), named(&[("a", 3), ("b", 3), ("c", 2)]));
    }
}
