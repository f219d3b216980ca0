//! Makes text that somebody else wrote harmless on a terminal.
//!
//! A terminal obeys what it is told to show: text can move the cursor and write over what stands there, hide what
//! follows, set the title, fill the clipboard, or make the terminal write to the program's input. None of that needs
//! parsing to be stopped: what begins it is replaced by something that can be seen, and the rest is text like any other.
//! Nothing is hidden, and nothing is held back for longer than a colour may be long.

use std::borrow::Cow;

/// The longest sequence that is taken for a colour, in bytes.
const LONGEST: usize = 64;

/// Takes what a terminal would obey out of a text, piece by piece.
///
/// | in the text | becomes |
/// |---|---|
/// | a line break, a tabulator | itself; `\r\n` is a line break |
/// | another control character, such as `ESC`, `BEL`, a backspace, a carriage return alone | its picture: `␛`, `␇`, `␈`, `␍` |
/// | a control character beyond ASCII (U+0080 to U+009F) | U+FFFD |
/// | what turns the direction of text around, and separators of lines beyond ASCII | U+FFFD |
/// | a colour (`ESC [ … m`) | nothing, or [itself](Sanitizer::keep_colours) |
///
/// Letters of every script stay, and so do the marks that right-to-left text needs.
///
/// ```
/// use longshore_wire::sanitize::Sanitizer;
///
/// let mut sanitizer = Sanitizer::new();
/// assert_eq!(sanitizer.push("50 %\r\x1b[1;32mdone\x1b[0m\x1b"), "50 %␍done");
/// assert_eq!(sanitizer.push("]0;title\x07\r\n"), "␛]0;title␇\n");
/// assert_eq!(sanitizer.finish(), "");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sanitizer {
    colours: bool,
    /// The beginning of what may be a colour or a line break.
    begun: String,
    /// Whether what comes next would be coloured.
    coloured: bool,
}

impl Sanitizer {
    /// Begins; colours are taken out.
    pub fn new() -> Sanitizer {
        Sanitizer::default()
    }

    /// Leaves colours and the like in, each to the end of its line at most. What would make text invisible is taken out
    /// all the same; that a text has the colour of its background can't be told.
    #[must_use]
    pub fn keep_colours(mut self) -> Sanitizer {
        self.colours = true;
        self
    }

    /// Gives the next piece of the text, without what may be the beginning of something.
    pub fn push(&mut self, text: &str) -> String {
        if self.begun.is_empty() && !self.coloured && text.chars().all(is_harmless) {
            return text.to_owned();
        }
        let mut output = String::with_capacity(text.len());
        for character in text.chars() {
            if !self.goes_on(character, &mut output) {
                self.begin(character, &mut output);
            }
        }
        output
    }

    /// Gives what was held back, and ends the last colour. Afterwards another text may begin.
    pub fn finish(&mut self) -> String {
        let mut output = String::new();
        self.show_begun(&mut output);
        self.end_colour(&mut output);
        output
    }

    /// Takes a character that nothing has to do with what came before.
    fn begin(&mut self, character: char, output: &mut String) {
        match character {
            '\x1b' | '\r' => self.begun.push(character),
            '\n' => {
                self.end_colour(output);
                output.push('\n');
            }
            _ => output.push(visible(character)),
        }
    }

    /// Takes a character that goes on with what has begun; if it does not, what has begun was nothing.
    fn goes_on(&mut self, character: char, output: &mut String) -> bool {
        match (self.begun.as_str(), character) {
            ("", _) => return false,
            ("\r", '\n') => {
                self.begun.clear();
                self.begin('\n', output);
            }
            ("\x1b", '[') => self.begun.push('['),
            (begun, '0'..='9' | ';' | ':') if begun.starts_with("\x1b[") && begun.len() < LONGEST => {
                self.begun.push(character);
            }
            (begun, 'm') if begun.starts_with("\x1b[") => self.colour(output),
            _ => {
                self.show_begun(output);
                return false;
            }
        }
        true
    }

    /// Takes a colour that is complete.
    fn colour(&mut self, output: &mut String) {
        let begun = std::mem::take(&mut self.begun);
        let parameters = begun.strip_prefix("\x1b[").unwrap_or_default();
        if self.colours && !hides(parameters) {
            output.push_str(&begun);
            output.push('m');
            self.coloured = !matches!(parameters, "" | "0");
        }
    }

    fn end_colour(&mut self, output: &mut String) {
        if std::mem::take(&mut self.coloured) {
            output.push_str("\x1b[0m");
        }
    }

    fn show_begun(&mut self, output: &mut String) {
        output.extend(self.begun.drain(..).map(visible));
    }
}

/// Takes what a terminal would obey out of a whole text, colours included, as a [`Sanitizer`] does.
///
/// ```
/// use longshore_wire::sanitize::sanitize;
///
/// assert_eq!(sanitize("no such image: \x1b[2Jx\u{202e}gpj"), "no such image: ␛[2Jx\u{fffd}gpj");
/// ```
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut sanitizer = Sanitizer::new();
    let mut output = sanitizer.push(text);
    output.push_str(&sanitizer.finish());
    Cow::Owned(output)
}

/// Whether a sequence of parameters conceals what follows. That of a colour may be the number that does so elsewhere.
fn hides(parameters: &str) -> bool {
    let mut numbers = parameters.split(';');
    while let Some(part) = numbers.next() {
        match part.split(':').next().unwrap_or_default().trim_start_matches('0') {
            "8" => return true,
            "38" | "48" | "58" if !part.contains(':') => match numbers.next() {
                Some("5") => _ = numbers.next(),
                Some("2") => _ = numbers.nth(2),
                _ => return true,
            },
            _ => {}
        }
    }
    false
}

/// What stands for a character that is alone.
fn visible(character: char) -> char {
    const PICTURES: u32 = 0x2400;
    match character {
        character if is_harmless(character) => character,
        '\x7f' => '\u{2421}',
        '\0'..='\x1f' => char::from_u32(PICTURES + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::REPLACEMENT_CHARACTER,
    }
}

fn is_harmless(character: char) -> bool {
    match character {
        '\n' | '\t' => true,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => false,
        // Separators of lines and paragraphs; embeddings, overrides and isolates of direction; annotations.
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colourful(text: &str) -> String {
        let mut sanitizer = Sanitizer::new().keep_colours();
        let output = sanitizer.push(text);
        output + &sanitizer.finish()
    }

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        let cases = [
            ("plain é🐳\tx\n", "plain é🐳\tx\n"),
            ("a\r\nb\n\r", "a\nb\n␍"),
            ("good\rbad", "good␍bad"),
            ("abc\x08\x08\x08xyz", "abc␈␈␈xyz"),
            ("\x1b[2J\x1b[H", "␛[2J␛[H"),
            ("\x1b]0;title\x07", "␛]0;title␇"),
            ("\x1b]52;c;cm0gLXJm\x1b\\", "␛]52;c;cm0gLXJm␛\\"),
            ("\x1bP+q544e\x1b\\\x1bc", "␛P+q544e␛\\␛c"),
            ("\u{9b}2J\u{90}x\u{9c}\u{85}", "\u{fffd}2J\u{fffd}x\u{fffd}\u{fffd}"),
            ("user\u{202e}nimda\u{202c} \u{2066}x\u{2069}", "user\u{fffd}nimda\u{fffd} \u{fffd}x\u{fffd}"),
            ("a\u{2028}b\u{2029}c", "a\u{fffd}b\u{fffd}c"),
            ("\0\x0b\x0c\x7f\x1f", "␀␋␌␡␟"),
            ("\u{200f}שלום\u{200e} 👩\u{200d}💻", "\u{200f}שלום\u{200e} 👩\u{200d}💻"),
            ("\x1b[31mred\x1b[0m\x1b[m", "red"),
            ("\x1b[31", "␛[31"),
            ("\x1b\x1b[1m[2J", "␛[2J"),
            ("\x1b[?25l\x1b[31;1H\x1b[>4m", "␛[?25l␛[31;1H␛[>4m"),
        ];
        for (text, expected) in cases {
            assert_eq!(sanitize(text), expected, "{text:?}");
        }
        assert!(matches!(sanitize("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn what_is_taken_out_puts_nothing_together() {
        assert_eq!(sanitize("\x1b\x1b[0m[2J"), "␛[2J");
        assert_eq!(colourful("\x1b\x1b[8m[2J"), "␛[2J");
        assert_eq!(colourful("\x1b[3\x1b[8m1m"), "␛[31m");
    }

    #[test]
    fn colours_may_stay_until_the_end_of_their_line() {
        let cases = [
            ("\x1b[31mred\x1b[0m.", "\x1b[31mred\x1b[0m."),
            ("\x1b[1;38;5;8mred\nnext", "\x1b[1;38;5;8mred\x1b[0m\nnext"),
            ("\x1b[4:3mwavy\r\n", "\x1b[4:3mwavy\x1b[0m\n"),
            ("\x1b[38;2;1;8;8mx", "\x1b[38;2;1;8;8mx\x1b[0m"),
            ("\x1b[8mhidden", "hidden"),
            ("\x1b[1;08mhidden", "hidden"),
            ("\x1b[38;5;1;8mhidden", "hidden"),
            ("\x1b[38;8mhidden", "hidden"),
            ("\x1b[2Jx", "␛[2Jx"),
        ];
        for (text, expected) in cases {
            assert_eq!(colourful(text), expected, "{text:?}");
        }
        let long = format!("\x1b[{}m", "1;".repeat(LONGEST));
        assert!(colourful(&long).starts_with("␛[1;1;"));
    }

    #[test]
    fn a_text_is_the_same_in_whatever_pieces_it_comes() {
        let text = "a\r\n\x1b[1;31mb\x1b]0;é\x07\rc\r\r\n\x1b[\x1b\x1b[32m\u{202e}d";
        for keep in [false, true] {
            let new = || if keep { Sanitizer::new().keep_colours() } else { Sanitizer::new() };
            let mut sanitizer = new();
            let whole = sanitizer.push(text) + &sanitizer.finish();
            let characters: Vec<String> = text.chars().map(String::from).collect();
            for first in 0..=characters.len() {
                for second in first..=characters.len() {
                    let mut sanitizer = new();
                    let parts = [&characters[..first], &characters[first..second], &characters[second..]];
                    let output = parts.map(|part| sanitizer.push(&part.concat())).concat();
                    assert_eq!(output + &sanitizer.finish(), whole, "split at {first} and {second}");
                }
            }
        }
    }
}
