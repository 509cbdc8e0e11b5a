//! Places for things that are borrowed as long as the shelf is there.

use std::cell::OnceCell;

/// Things that are put here one by one and stay: each is borrowed for as long as the shelf is.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    places: Box<[OnceCell<T>]>,
    next: OnceCell<Box<Self>>,
}

impl<T> Shelf<T> {
    /// The first so many need no further allocation; after those there is room for twice as many, and so on.
    pub(crate) fn new(room: usize) -> Self {
        Self { places: (0..room.max(1)).map(|_| OnceCell::new()).collect(), next: OnceCell::new() }
    }
}

/// Puts things on a shelf.
#[derive(Debug)]
pub(super) struct Filler<'a, T> {
    shelf: &'a Shelf<T>,
    used: usize,
}

impl<'a, T> Filler<'a, T> {
    /// Fills a shelf that is empty.
    pub(super) const fn new(shelf: &'a Shelf<T>) -> Self {
        Self { shelf, used: 0 }
    }

    /// Puts one thing there.
    pub(super) fn put(&mut self, thing: T) -> &'a T {
        if self.used == self.shelf.places.len() {
            let room = self.used * 2;
            (self.shelf, self.used) = (self.shelf.next.get_or_init(|| Box::new(Shelf::new(room))), 0);
        }
        self.used += 1;
        self.shelf.places[self.used - 1].get_or_init(|| thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_stay_where_they_were_put() {
        let shelf = Shelf::new(2);
        let mut filler = Filler::new(&shelf);
        let put: Vec<&String> = (0..100).map(|number| filler.put(number.to_string())).collect();
        assert!(put.iter().enumerate().all(|(number, text)| **text == number.to_string()));
    }
}
