//! The ways to the instances of a user: one user agent may be bound by several flows (RFC 5626 §7).

use core::cmp::Reverse;

use smallvec::SmallVec;

use super::Binding;

/// Orders bindings as they are called: the most preferred first. Bindings of one instance by several flows stand together, the one that
/// was refreshed last at the front, whose preference counts.
pub fn in_order_of_calling<'a>(bindings: impl Iterator<Item = &'a Binding>) -> SmallVec<[&'a Binding; 4]> {
    let all: SmallVec<[&Binding; 4]> = bindings.collect();
    let is_first = |binding: &Binding| {
        let others = all.iter().filter(|other| leads_to_the_same(other, binding));
        others.max_by_key(|other| other.updated_at).is_none_or(|latest| core::ptr::eq(*latest, binding))
    };
    let mut ordered: SmallVec<[&Binding; 4]> = all.iter().copied().filter(|binding| is_first(binding)).collect();
    ordered.sort_by_key(|binding| Reverse(binding.q));
    if ordered.len() == all.len() {
        return ordered;
    }
    let mut with_others = SmallVec::new();
    for first in ordered {
        with_others.push(first);
        let others = all.iter().copied();
        let others = others.filter(|other| leads_to_the_same(other, first) && !core::ptr::eq(*other, first));
        let mut others: SmallVec<[&Binding; 4]> = others.collect();
        others.sort_by_key(|binding| Reverse(binding.updated_at));
        with_others.extend(others);
    }
    with_others
}

/// Whether two bindings are of one instance, each by its own flow (RFC 5626 §6).
pub fn leads_to_the_same(one: &Binding, other: &Binding) -> bool {
    let [one, other] = [one, other].map(|binding| binding.way().and_then(|way| way.outbound.as_ref()));
    one.zip(other).is_some_and(|((one, _), (other, _))| one == other)
}
