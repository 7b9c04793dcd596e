//! The text of a PDF or DOCX file. It is read by a process of its own, this program again, with
//! bounds on its memory, its time and what it may say: such a file is the work of a stranger, and
//! what it can do to a reader (a loop, a bomb, a stack that overflows) ends that process only.
//!
//! **Invariant:** nothing of a file is parsed in the process of the node.

mod docx;
mod pdf;

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};
use crate::store::Fault;

/// A kind of file that needs more than decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Portable Document Format.
    Pdf,
    /// Office Open XML, as word processors write it.
    Docx,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extract {
    /// The text, a line for each line or paragraph.
    pub text: String,
    /// Pages, where the kind has any.
    pub pages: Option<u32>,
}

/// What the child says: what it read, or why it did not, in words for a person.
type Said = Result<Extract, String>;

/// The hidden command that is the child.
pub const COMMAND: &str = "read-document";

/// Children at once: each may take a core and its whole memory.
const CHILDREN_MAX: usize = 2;
static CHILDREN: Semaphore = Semaphore::const_new(CHILDREN_MAX);

/// A child's address space. Good files of the size limit stay below a quarter of it.
const MEMORY_BYTES: u64 = 1 << 30;

/// A child's processor time, and the time until it is killed: a CV takes some ten milliseconds.
const CPU_SECONDS: u64 = 10;
const WALL: Duration = Duration::from_secs(15);

/// What a child may say: the text at its limit, every character escaped.
const SAID_BYTES_MAX: u64 = 6 * limit::CV_BYTES_MAX as u64 + 4_096;

/// Of so many characters a text consists at least; less is a heading over a picture.
const LETTERS_MIN: usize = 20;

const INSTEAD: &str = "paste the text of the CV instead, or save it anew and upload that";

impl Kind {
    /// What a file is by its first bytes, whatever it is called.
    pub fn of(bytes: &[u8]) -> Option<Kind> {
        // Some programs write a line of their own before the mark.
        let head = &bytes[..bytes.len().min(1_024)];
        if head.windows(5).any(|window| window == b"%PDF-") {
            return Some(Kind::Pdf);
        }
        bytes.starts_with(b"PK\x03\x04").then_some(Kind::Docx)
    }

    /// The name as an argument.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Pdf => "pdf",
            Kind::Docx => "docx",
        }
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Kind::Pdf => "application/pdf",
            Kind::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        }
    }
}

/// Reads a file in a child. A refusal says what is wrong with the file.
pub async fn extract(kind: Kind, bytes: &[u8]) -> Result<Result<Extract, Refusal>, Fault> {
    let _place = CHILDREN.acquire().await.map_err(|e| Fault::new("no place for a reader", e))?;
    let said = tokio::time::timeout(WALL, ask(kind, bytes)).await;
    let unreadable = |detail: String| Ok(Err(Refusal::new(Code::InputUnreadable, detail)));
    match said {
        Ok(Ok(Some(Ok(extract)))) => Ok(Ok(extract)),
        Ok(Ok(Some(Err(why)))) => unreadable(why),
        // It was killed, by its bounds or by itself.
        Ok(Ok(None)) | Err(_) => unreadable(format!(
            "reading this file takes more time or memory than a CV can need; {INSTEAD}"
        )),
        Ok(Err(error)) => {
            Err(Fault::new("a file could not be read in a process of its own", error))
        }
    }
}

/// `None`: the child ended without a word.
async fn ask(kind: Kind, bytes: &[u8]) -> std::io::Result<Option<Said>> {
    let mut child = Command::new(program()?)
        .args([COMMAND, kind.as_str()])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (mut stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let send = async {
        if let Some(stdin) = &mut stdin {
            // A child that has seen enough closes its end; what it says counts.
            let _ = stdin.write_all(bytes).await;
            let _ = stdin.shutdown().await;
        }
        drop(stdin.take());
    };
    let hear = async {
        let mut said = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(SAID_BYTES_MAX).read_to_end(&mut said).await?;
        }
        std::io::Result::Ok(said)
    };
    let ((), said) = tokio::join!(send, hear);
    let said = said?;
    let status = child.wait().await?;
    Ok(if status.success() { serde_json::from_slice(&said).ok() } else { None })
}

/// This program, also after its file was replaced by an upgrade.
fn program() -> std::io::Result<std::path::PathBuf> {
    let running = std::path::Path::new("/proc/self/exe");
    if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() }
}

/// The child: reads a file on standard input within bounds and says what it found.
///
/// # Errors
/// If it cannot be bounded: then it reads nothing.
pub fn read(kind: &str) -> std::io::Result<()> {
    for (resource, most) in [
        (Resource::As, MEMORY_BYTES),
        (Resource::Cpu, CPU_SECONDS),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    let mut bytes = Vec::new();
    let most = limit::CV_FILE_BYTES_MAX as u64 + 1;
    std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    let said = match kind {
        "pdf" => text_of(Kind::Pdf, &bytes),
        "docx" => text_of(Kind::Docx, &bytes),
        other => Err(format!("{other} is not a kind of file")),
    };
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &said)?;
    out.flush()
}

/// What the child does once it is bounded. Only it and the fuzzer may ask: nothing here bounds what
/// a file costs.
///
/// # Errors
/// In words for a person, if the file cannot be read.
pub fn text_of(kind: Kind, bytes: &[u8]) -> Result<Extract, String> {
    let read = match kind {
        Kind::Pdf => pdf::read(bytes),
        Kind::Docx => docx::read(bytes),
    };
    read.and_then(fit)
}

/// Tidies a text, and refuses one that is none.
fn fit(extract: Extract) -> Said {
    let mut text = String::with_capacity(extract.text.len());
    let mut blank = 0;
    for line in extract.text.replace("\r\n", "\n").split(['\n', '\r', '\u{c}']) {
        let line = line.chars().fold(String::with_capacity(line.len()), typed);
        let line = line.trim_end();
        blank = if line.trim().is_empty() { blank + 1 } else { 0 };
        // One blank line parts paragraphs; more of them only part pages.
        if blank < 2 {
            text.push_str(line);
            text.push('\n');
        }
    }
    let text = text.trim().to_owned();
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    if letters < LETTERS_MIN {
        return Err(format!("there is no text in this file, only pictures perhaps; {INSTEAD}"));
    }
    let lost = text.chars().filter(|c| *c == '\u{fffd}').count();
    if lost * 10 > letters {
        return Err(format!("the letters of this file cannot be told from its fonts; {INSTEAD}"));
    }
    if text.len() > limit::CV_BYTES_MAX {
        return Err(format!(
            "its text has {} bytes where {} are allowed; shorten it",
            text.len(),
            limit::CV_BYTES_MAX
        ));
    }
    Ok(Extract { text, pages: extract.pages })
}

/// A character as somebody would have typed it: what a printer joins or parts is no other word.
fn typed(mut line: String, c: char) -> String {
    match c {
        '\u{fb00}' => line.push_str("ff"),
        '\u{fb01}' => line.push_str("fi"),
        '\u{fb02}' => line.push_str("fl"),
        '\u{fb03}' => line.push_str("ffi"),
        '\u{fb04}' => line.push_str("ffl"),
        '\u{fb05}' | '\u{fb06}' => line.push_str("st"),
        '\u{a0}' | '\u{202f}' => line.push(' '),
        // A place where a word may be parted, and marks that nobody sees.
        '\u{ad}' | '\u{200b}' | '\u{feff}' => {}
        c if c.is_control() && c != '\t' => {}
        c => line.push(c),
    }
    line
}
