//! Date (RFC 3261 §20.17).

use super::{Header, write_text};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::text::{self, Cursor};
use alloc::vec::Vec;

/// A moment to the second, in GMT: the only zone that SIP has. Years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Seconds since 1970-01-01 00:00:00 GMT, without leap seconds.
    seconds: i64,
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;
/// 0001-01-01 and the last second of 9999-12-31.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

impl Date {
    /// The moment so many seconds after 1970-01-01 00:00:00 GMT, leap seconds not counted. `None` outside of the years 1 to
    /// 9999.
    pub const fn from_unix(seconds: i64) -> Option<Self> {
        if seconds < FIRST || seconds > LAST { None } else { Some(Self { seconds }) }
    }

    /// Seconds since 1970-01-01 00:00:00 GMT, leap seconds not counted.
    pub const fn unix(self) -> i64 {
        self.seconds
    }
}

impl<'a> Header<'a> for Date {
    const ID: HeaderId = HeaderId::Date;
    const LIST: bool = false;

    /// The words are read with regard to case (RFC 3261 §20.17). The weekday must be one, but is not compared with the date:
    /// the date is what counts. A leap second is the second after it.
    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text::trim(value));
        one_of(&mut cursor, &WEEKDAYS)?;
        if !cursor.eat(b',') {
            return Err(cursor.error(ParseErrorKind::Date));
        }
        space(&mut cursor)?;
        let day = digits::<2>(&mut cursor)?;
        space(&mut cursor)?;
        let month = one_of(&mut cursor, &MONTHS)? + 1;
        space(&mut cursor)?;
        let year = digits::<4>(&mut cursor)?;
        let day_error = cursor.error(ParseErrorKind::Date);
        space(&mut cursor)?;
        let hour = digits::<2>(&mut cursor)?;
        let minute = colon(&mut cursor)?;
        let second = colon(&mut cursor)?;
        if year == 0 || day == 0 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 60 {
            return Err(day_error);
        }
        space(&mut cursor)?;
        if cursor.rest() != b"GMT" {
            return Err(cursor.error(ParseErrorKind::Date));
        }
        let seconds = days(year, month, day) * DAY + hour * 3_600 + minute * 60 + second;
        Self::from_unix(seconds).ok_or(day_error)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (days, second) = (self.seconds.div_euclid(DAY), self.seconds.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        // 1970-01-01 was a Thursday.
        let name = |names: &[&'static str], at: i64| {
            usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
        };
        let (weekday, month) = (name(&WEEKDAYS, (days + 3).rem_euclid(7)), name(&MONTHS, month - 1));
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write_text(out, format_args!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT"));
    }
}

/// Takes one of these words of three letters.
fn one_of(cursor: &mut Cursor<'_>, words: &[&str]) -> Result<i64, ParseError> {
    let error = cursor.error(ParseErrorKind::Date);
    let word = cursor.take(3);
    let at = words.iter().position(|known| known.as_bytes() == word).ok_or(error)?;
    i64::try_from(at).map_err(|_| error)
}

fn digits<const COUNT: usize>(cursor: &mut Cursor<'_>) -> Result<i64, ParseError> {
    let error = cursor.error(ParseErrorKind::Date);
    let text = cursor.take(COUNT);
    if text.len() == COUNT { text::number(text).map(i64::from).ok_or(error) } else { Err(error) }
}

fn colon(cursor: &mut Cursor<'_>) -> Result<i64, ParseError> {
    if !cursor.eat(b':') {
        return Err(cursor.error(ParseErrorKind::Date));
    }
    digits::<2>(cursor)
}

/// One space by the grammar; more, and folds, do no harm.
fn space(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    if !cursor.peek().is_some_and(text::is_lws) {
        return Err(cursor.error(ParseErrorKind::Date));
    }
    cursor.lws();
    Ok(())
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years are counted from March: the leap day is the last of its year.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01: the inverse of [`days`].
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Date, Header, civil, days};
    use alloc::string::ToString;

    #[test]
    fn the_dates_of_the_rfc() {
        // RFC 3261 §20.17 and §23.4.3.
        for text in ["Sat, 13 Nov 2010 23:29:00 GMT", "Thu, 21 Feb 2002 13:02:03 GMT"] {
            assert_eq!(round_trip::<Date>(text), text);
        }
        assert_eq!(Date::parse(b"Sat, 13 Nov 2010 23:29:00 GMT").unwrap().unix(), 1_289_690_940);
        assert_eq!(Date::from_unix(0).unwrap().to_string(), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn folds_stand_for_a_space_and_a_leap_second_is_the_next() {
        assert_eq!(round_trip::<Date>("Sat,\r\n 13 Nov 2010  23:29:00 GMT"), "Sat, 13 Nov 2010 23:29:00 GMT");
        assert_eq!(round_trip::<Date>("Sat, 31 Dec 2016 23:59:60 GMT"), "Sun, 01 Jan 2017 00:00:00 GMT");
    }

    #[test]
    fn other_zones_and_forms_are_refused() {
        refused::<Date>(&[
            "",
            "Fri, 01 Jan 2010 16:00:00 EST",
            "Fri, 01 Jan 2010 16:00:00",
            "Fri, 01 Jan 2010 16:00:00 gmt",
            "Fri, 01 Jan 2010 16:00:00 GMT+1",
            "fri, 01 Jan 2010 16:00:00 GMT",
            "Day, 01 Jan 2010 16:00:00 GMT",
            "Fri 01 Jan 2010 16:00:00 GMT",
            "Fri, 1 Jan 2010 16:00:00 GMT",
            "Fri, 01 jan 2010 16:00:00 GMT",
            "Fri, 01 Jan 10 16:00:00 GMT",
            "Fri, 01 Jan 2010 24:00:00 GMT",
            "Fri, 01 Jan 2010 16:60:00 GMT",
            "Fri, 01 Jan 2010 16:00:61 GMT",
            "Fri, 01 Jan 2010 16:00 GMT",
            "Fri, 00 Jan 2010 16:00:00 GMT",
            "Fri, 29 Feb 2010 16:00:00 GMT",
            "Fri, 31 Apr 2010 16:00:00 GMT",
            "Fri, 01 Jan 0000 16:00:00 GMT",
            "Fri, 31 Dec 9999 23:59:60 GMT",
            "Friday, 01-Jan-10 16:00:00 GMT",
        ]);
    }

    #[test]
    fn every_day_of_eight_centuries_comes_back() {
        let mut expected = (1600, 1, 1);
        for day in days(1600, 1, 1)..days(2400, 1, 1) {
            let (year, month, of_month) = civil(day);
            assert_eq!((year, month, of_month), expected);
            assert_eq!(days(year, month, of_month), day);
            expected = match expected {
                (year, 12, 31) => (year + 1, 1, 1),
                (year, month, last) if last == super::days_in(year, month) => (year, month + 1, 1),
                (year, month, day) => (year, month, day + 1),
            };
        }
    }

    #[test]
    fn only_years_of_four_digits_exist() {
        assert_eq!(Date::from_unix(super::LAST).unwrap().to_string(), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(Date::from_unix(super::FIRST).unwrap().to_string(), "Mon, 01 Jan 0001 00:00:00 GMT");
        assert_eq!(Date::from_unix(super::LAST + 1), None);
        assert_eq!(Date::from_unix(super::FIRST - 1), None);
    }
}
