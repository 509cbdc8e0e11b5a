//! A failure as it is shown and kept.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::shrink_run_among;
use crate::render::picture::Picture;
use crate::render::{Figures, Page, ladder, mermaid, svg};
use crate::run::{Case, Run, Verdict, run};
use crate::stage::Stage;
use crate::trace::Trace;

/// A run that broke a check, cut down.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The run as it was found.
    pub found: Case,
    /// The rest of it.
    pub shrunk: Case,
    /// The breaches of that rest.
    pub verdict: Verdict,
    /// The ladder of what is left, with its figures.
    pub ladder: String,
    /// Says what happened in it.
    pub trace: Trace,
    /// How much of it there was.
    pub figures: Figures,
    /// Whether another program than `sansip-sim` ran it.
    pub is_of_other: bool,
    /// The lines of the case as it was found and of what is left, where a [`Stage`] ran it: options, and a call of the function that replays them.
    of_stage: Option<(String, String)>,
}

impl Failure {
    /// Runs a case and cuts it down; `None` if all checks hold.
    pub fn of(found: &Case) -> Option<Self> {
        Self::run_by(found, &run)
    }

    /// As above, with another way to run a case, which no command of `sansip-sim` has.
    pub fn of_by(found: &Case, run: &dyn Fn(&Case) -> Run) -> Option<Self> {
        Self::run_by(found, run).map(|failure| Self { is_of_other: true, ..failure })
    }

    /// As above, of a network of somebody's own.
    pub(crate) fn of_stage(found: &Case, stage: &Stage, run: &dyn Fn(&Case) -> Run) -> Option<Self> {
        let failure = Self::cut_down(found, Some(stage.nodes()), run)?;
        let of_stage = Some((stage.line(&failure.found), stage.replay(&failure.shrunk)));
        Some(Self { is_of_other: true, of_stage, ..failure })
    }

    pub(crate) fn run_by(found: &Case, run: &dyn Fn(&Case) -> Run) -> Option<Self> {
        Self::cut_down(found, None, run)
    }

    fn cut_down(found: &Case, nodes: Option<&[String]>, run: &dyn Fn(&Case) -> Run) -> Option<Self> {
        let (shrunk, run) = shrink_run_among(found, nodes, run)?;
        let trace = run.world.trace().clone();
        let figures = Figures::of(&trace, run.world.now());
        let ladder = format!("{}\n{figures}\n", ladder(&trace));
        let (found, verdict) = (found.clone(), run.verdict);
        Some(Self { found, shrunk, verdict, ladder, trace, figures, is_of_other: false, of_stage: None })
    }

    /// Keeps it in a file of `folder`, which is made if it is not there, and returns the file's path. The name says the check, and
    /// the same failure has the same name. Files of the same name beside it draw it: `.html` explains it, `.svg` is a picture, `.mmd` a diagram of Mermaid.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save(&self, folder: &Path) -> io::Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let line = self.shrunk.to_string();
        let hash = line
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
        let check = self.verdict.check().unwrap_or("none");
        let path = folder.join(format!("{check}-{hash:016x}.txt"));
        let text = format!(
            "version: {}\nseed: {}\nscenario: {}\nplan: {}\n\n{self}\n{}",
            env!("CARGO_PKG_VERSION"),
            self.found.seed,
            self.found,
            self.shrunk.plan,
            self.ladder,
        );
        let picture = Picture::of(&self.trace, self.verdict.breaches());
        write_whole(&path.with_extension("html"), self.page().to_string())?;
        write_whole(&path.with_extension("svg"), svg(&picture, &line))?;
        write_whole(&path.with_extension("mmd"), mermaid(&picture))?;
        write_whole(&path, &text)?;
        Ok(path)
    }
}

impl Failure {
    /// Says what repeats what is left: a command, or a line of the program that ran it.
    fn replay(&self) -> String {
        if let Some((_, replay)) = &self.of_stage {
            replay.clone()
        } else if self.is_of_other {
            format!("expect_holds_by(&Case::read(\"{}\")?, …)", self.shrunk)
        } else {
            self.shrunk.to_string()
        }
    }

    /// Keeps it in `folder`, and panics with what is left, as a test fails.
    pub(crate) fn fail(&self, folder: &Path) -> ! {
        let kept = match self.save(folder) {
            Ok(path) => format!("kept in {}", path.display()),
            Err(error) => format!("not kept in {}: {error}", folder.display()),
        };
        panic!("\n{}\n{kept}\n{self}", self.ladder);
    }

    fn page(&self) -> Page<'_> {
        let replay = Some(self.replay());
        Page { trace: &self.trace, figures: self.figures, verdict: Some(&self.verdict), replay }
    }
}

impl fmt::Display for Failure {
    /// The broken rules, the run as it was found, and the line that replays what is left.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for breach in self.verdict.breaches() {
            writeln!(f, "rule broken: {breach}")?;
        }
        match &self.of_stage {
            Some((found, _)) => writeln!(f, "found: {found}")?,
            None => writeln!(f, "found: {}", self.found)?,
        }
        let place = if self.is_of_other { ", in this program" } else { "" };
        writeln!(f, "replay{place}: {}", self.replay())
    }
}

/// For tests: runs a case to its end. All checks hold, or it is cut down, kept in [`folder`], and the test fails with the
/// broken rules, the ladder and the line that replays it.
///
/// # Panics
/// If a check is broken.
pub fn expect_holds(case: &Case) {
    expect_holds_by(case, &folder(), &run);
}

/// As above, with another way to run a case, such as [`run_with`](crate::run::run_with) with checks of your own, and with another
/// folder.
///
/// # Panics
/// If a check is broken.
pub fn expect_holds_by(case: &Case, folder: &Path, run: &dyn Fn(&Case) -> Run) {
    if let Some(failure) = Failure::of_by(case, run) {
        failure.fail(folder);
    }
}

/// Where failures are kept if nothing else is said: `sansip-failures` in the `target` folder of the workspace around the
/// present folder, else `target/sansip-failures` in the present folder.
pub fn folder() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let workspace = here.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).unwrap_or(&here);
    workspace.join("target").join("sansip-failures")
}

/// Writes a file beside its place and then moves it there, so that nobody ever sees half of it.
pub(crate) fn write_whole(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    if !is_replaced(path) {
        return std::fs::write(path, content);
    }
    let beside = beside(path);
    let written = std::fs::write(&beside, content).and_then(|()| std::fs::rename(&beside, path));
    written.inspect_err(|_| drop(std::fs::remove_file(&beside)))
}

/// A file that is written beside its place, and moved there when it is whole.
pub(crate) struct WholeFile {
    file: std::fs::File,
    path: PathBuf,
    /// Where it is until then; `None` if it is written in its place.
    beside: Option<PathBuf>,
}

impl WholeFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let beside = is_replaced(path).then(|| beside(path));
        let file = std::fs::File::create(beside.as_deref().unwrap_or(path))?;
        Ok(Self { file, path: path.to_owned(), beside })
    }

    /// It is whole.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.beside.take().map_or(Ok(()), |beside| std::fs::rename(beside, &self.path))
    }
}

impl Write for WholeFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.file.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = std::fs::remove_file(beside);
        }
    }
}

/// Whether [`write_whole`] can do its work there: somebody who waits for results is to know before.
pub(crate) fn can_be_written(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if path.file_name().is_none() {
        return Err(io::ErrorKind::NotFound.into());
    }
    if !is_replaced(path) {
        return Ok(());
    }
    let beside = beside(path);
    std::fs::write(&beside, "")?;
    std::fs::remove_file(&beside)
}

/// Whether another file may take its place: a pipe or a device is written to.
fn is_replaced(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|known| known.is_file()) || !path.exists()
}

/// Where a file is until it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    beside.into()
}
