//! A check that is made of plain functions.

use super::{Check, Names, Part, Property, Reading, Report};

/// A check that is made of plain functions: each of the [standard](super::standard) checks is one.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    name: &'static str,
    source: &'static str,
    property: Property,
    run: fn(&Reading<'_>, &mut Report<'_>),
    part: fn(&Part<'_>, &Names<'_>, &mut Report<'_>),
}

impl Rule {
    /// A rule of safety that looks at nothing yet.
    pub const fn new(name: &'static str, source: &'static str) -> Self {
        Self { name, source, property: Property::Safety, run: |_, _| {}, part: |_, _, _| {} }
    }

    /// As [`Check::check`], this looks at a run.
    #[must_use]
    pub const fn of_runs(self, run: fn(&Reading<'_>, &mut Report<'_>)) -> Self {
        Self { run, ..self }
    }

    /// As [`Check::check_part`], this looks at a part.
    #[must_use]
    pub const fn of_parts(self, part: fn(&Part<'_>, &Names<'_>, &mut Report<'_>)) -> Self {
        Self { part, ..self }
    }

    /// Makes it a rule of liveness, which has to hold in the end.
    #[must_use]
    pub const fn in_the_end(self) -> Self {
        Self { property: Property::Liveness, ..self }
    }
}

impl Check for Rule {
    fn name(&self) -> &'static str {
        self.name
    }

    fn source(&self) -> &'static str {
        self.source
    }

    fn property(&self) -> Property {
        self.property
    }

    fn check(&self, run: &Reading<'_>, report: &mut Report<'_>) {
        (self.run)(run, report);
    }

    fn check_part(&self, part: &Part<'_>, names: &Names<'_>, report: &mut Report<'_>) {
        (self.part)(part, names, report);
    }
}
