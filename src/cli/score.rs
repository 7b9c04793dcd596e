//! `greenroom score`: answers on stdin, one JSON object a line; a result for each on stdout.
//!
//! **Invariant:** each line that comes in, an empty one too, has one line that goes out, so that a
//! program may count on it; and nothing that was scored waits while the next line is waited for.

use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::PathBuf;

use serde_json::json;

use crate::insight::{Engine, LINE_BYTES_MAX, score_line};

use super::calibration;
use super::exit::Error;
use super::output::note;

/// How answers are scored.
#[derive(clap::Args)]
pub struct Args {
    /// Uses the weights in this file instead of those in the binary
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
}

/// What came in.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    lines: u64,
    bad: u64,
}

/// Why a stream ended early.
#[derive(Debug)]
enum Broken {
    Input(io::Error),
    Output(io::Error),
}

/// A line as it came in.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// Its bytes without the end of line.
    Whole(Vec<u8>),
    /// So many bytes, which were thrown away.
    TooLong(usize),
}

/// Some dozens of answers at once; a reader that waits for one does not wait for more.
const BUFFER_BYTES: usize = 1 << 16;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

pub(super) fn run(args: &Args) -> Result<(), Error> {
    let engine = match &args.calibration {
        None => Engine::built_in(),
        Some(path) => Engine::new(calibration::read(path)?.0),
    };
    let stdin = io::stdin().lock();
    if stdin.is_terminal() {
        note("reading answers from the keyboard: one JSON object a line, Ctrl-D at the end");
    }
    match stream(&engine, stdin, io::stdout().lock()) {
        Ok(Count { bad: 0, .. }) => Ok(()),
        Ok(Count { lines, bad }) => {
            let what = format!("{bad} of {lines} lines could not be scored");
            Err(Error::refused(what).why("the result of each says what is wrong with it"))
        }
        Err(Broken::Output(error)) => Err(Error::output(&error)),
        Err(Broken::Input(error)) => {
            Err(Error::refused("standard input cannot be read").why(error.to_string()))
        }
    }
}

fn stream(engine: &Engine, input: impl Read, output: impl Write) -> Result<Count, Broken> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, output);
    let mut count = Count::default();
    while let Some(line) = next_line(&mut input, &mut output)? {
        let (result, good) = match line {
            Line::Whole(mut bytes) => {
                if count.lines == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
                    bytes.drain(..BYTE_ORDER_MARK.len());
                }
                match std::str::from_utf8(&bytes) {
                    Ok(line) if line.trim().is_empty() => {
                        (refused("the line is empty; a line holds one JSON object"), false)
                    }
                    Ok(line) => score_line(engine, line),
                    Err(error) => {
                        let at = error.valid_up_to() + 1;
                        (refused(&format!("the line is not UTF-8 text: see byte {at}")), false)
                    }
                }
            }
            Line::TooLong(bytes) => {
                let detail = format!(
                    "the line has {bytes} bytes, the limit is {LINE_BYTES_MAX}; send the answers \
                     one by one"
                );
                (refused(&detail), false)
            }
        };
        count.lines += 1;
        count.bad += u64::from(!good);
        output.write_all(result.as_bytes()).map_err(Broken::Output)?;
        output.write_all(b"\n").map_err(Broken::Output)?;
    }
    output.flush().map_err(Broken::Output)?;
    Ok(count)
}

/// A result for a line that has no id to be read.
fn refused(detail: &str) -> String {
    json!({"id": null, "error": {"code": "input.invalid", "detail": detail}}).to_string()
}

/// The next line; `None` at the end. A last line without an end of line is one all the same.
fn next_line<R: Read, W: Write>(
    input: &mut BufReader<R>,
    output: &mut W,
) -> Result<Option<Line>, Broken> {
    let (mut line, mut length) = (Vec::new(), 0);
    loop {
        if input.buffer().is_empty() {
            // From here we may wait, and whoever we wait for may be waiting for these results.
            output.flush().map_err(Broken::Output)?;
        }
        let bytes = match input.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Input(error)),
        };
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(bytes.len());
        length += taken;
        let room = (LINE_BYTES_MAX + 1).saturating_sub(line.len());
        line.extend_from_slice(&bytes[..taken.min(room)]);
        let at_end = bytes.is_empty();
        input.consume(taken + usize::from(end.is_some()));
        if at_end && length == 0 {
            return Ok(None);
        }
        if at_end || end.is_some() {
            let too_long = length > LINE_BYTES_MAX;
            return Ok(Some(if too_long { Line::TooLong(length) } else { Line::Whole(line) }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    const GOOD: &str = r#"{"id":"ID","answer":"I measured it and then I chose the index."}"#;

    fn good(id: &str) -> String {
        GOOD.replace("ID", id)
    }

    fn scored(input: &[u8]) -> (Vec<serde_json::Value>, Count) {
        let mut output = Vec::new();
        let count = stream(&Engine::built_in(), input, &mut output).expect("memory");
        let text = String::from_utf8(output).expect("UTF-8");
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        (lines.collect(), count)
    }

    #[test]
    fn every_line_has_its_result_in_order_and_bad_ones_stop_nothing() {
        let long = format!(r#"{{"id":"long","answer":"{}"}}"#, "x".repeat(LINE_BYTES_MAX));
        let mut input = Vec::new();
        for line in ["\u{feff}".to_owned() + &good("a"), "no".into(), long, String::new()] {
            input.extend_from_slice(line.as_bytes());
            input.push(b'\n');
        }
        input.extend_from_slice(b"{\"id\":\"\xff\"}\r\n");
        input.extend_from_slice((good("b") + "\r\n" + &good("c")).as_bytes());
        let (lines, count) = scored(&input);
        assert_eq!(count, Count { lines: 7, bad: 4 });
        let ids: Vec<_> = lines.iter().map(|line| line["id"].as_str()).collect();
        let none = None;
        assert_eq!(ids, [Some("a"), none, none, none, none, Some("b"), Some("c")]);
        for (n, line) in lines.iter().enumerate() {
            let is_bad = (1..=4).contains(&n);
            assert_eq!(line["error"]["code"] == "input.invalid", is_bad, "{line}");
            assert_eq!(line["status"].is_string(), !is_bad, "{line}");
        }
        let detail = |n: usize| lines[n]["error"]["detail"].as_str().expect("a detail");
        assert!(detail(2).contains("1048601 bytes"), "{}", detail(2));
        assert!(detail(3).contains("empty"), "{}", detail(3));
        assert!(detail(4).contains("byte 8"), "{}", detail(4));
    }

    #[test]
    fn nothing_in_gives_nothing_out() {
        assert_eq!(scored(b""), (Vec::new(), Count::default()));
    }

    #[test]
    fn the_longest_line_is_taken_and_one_byte_more_is_not() {
        let line = |bytes: usize| {
            let frame = r#"{"id":"a","answer":""}"#.len();
            format!("{{\"id\":\"a\",\"answer\":\"{}\"}}\n", "x".repeat(bytes - frame))
        };
        let (lines, count) = scored((line(LINE_BYTES_MAX) + &line(LINE_BYTES_MAX + 1)).as_bytes());
        assert_eq!(count, Count { lines: 2, bad: 1 });
        assert_eq!(lines[0]["status"], "insufficient");
    }

    /// Gives out one piece at a time, and notes how much had been written before each.
    struct Waiting {
        pieces: Vec<Vec<u8>>,
        written: Rc<RefCell<Vec<u8>>>,
        lines_before: Rc<RefCell<Vec<usize>>>,
    }

    impl Read for Waiting {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let lines = self.written.borrow().iter().filter(|byte| **byte == b'\n').count();
            self.lines_before.borrow_mut().push(lines);
            if self.pieces.is_empty() {
                return Ok(0);
            }
            let piece = self.pieces.remove(0);
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_waits_for_a_result_gets_it_before_the_next_line() {
        let (written, lines_before) = (Rc::default(), Rc::default());
        let (one, two) = (good("a") + "\n", good("b") + "\n" + &good("c") + "\n{\"id\":");
        let pieces = [one, two, "\"d\"}\n".into()].map(String::into_bytes).to_vec();
        let input = Waiting { pieces, written: Rc::clone(&written), lines_before };
        let lines_before = Rc::clone(&input.lines_before);
        stream(&Engine::built_in(), input, Shared(written)).expect("memory");
        assert_eq!(*lines_before.borrow(), [0, 1, 3, 4]);
    }

    #[test]
    fn a_reader_that_went_away_ends_the_stream() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let broken = stream(&Engine::built_in(), good("a").as_bytes(), Gone);
        assert!(matches!(broken, Err(Broken::Output(_))), "{broken:?}");
    }

    #[test]
    fn a_calibration_that_is_none_is_refused_with_its_name() {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        for path in [here.join("Cargo.toml"), here.join("missing.toml"), here.clone()] {
            let error = calibration::read(&path).expect_err("not a calibration");
            assert_eq!(error.exit(), crate::cli::exit::Exit::Refused);
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        }
    }
}
