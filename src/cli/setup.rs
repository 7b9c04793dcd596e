//! `greenroom setup`: organisation and admin without a browser.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Context;
use super::exit::Error;
use super::output;

/// Who the first admin is.
#[derive(clap::Args)]
pub struct Args {
    /// E-mail address, with which the admin signs in
    #[arg(long)]
    email: String,
    /// Name that others see
    #[arg(long)]
    name: String,
    /// File whose first line is the password; `-` reads it from standard input
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// Name of the organisation [default: what stands after the @ in the e-mail address]
    #[arg(long)]
    organisation: Option<String>,
    /// The one-time token, if the data directory is not on this machine
    #[arg(long, value_name = "TOKEN")]
    setup_token: Option<String>,
    /// Prints the person as JSON
    #[arg(long)]
    json: bool,
}

/// Far above any token or password.
const SECRET_BYTES_MAX: u64 = 4_096;

pub(super) async fn run(context: &Context, args: Args) -> Result<(), Error> {
    let settings = context.settings()?;
    let client = context.client(&settings)?;
    let password = password(&args.password_file)?;
    // Without an @ the node refuses the address, and should not complain about two fields then.
    let domain = args.email.rsplit('@').next().unwrap_or(&args.email).to_owned();
    let token = match args.setup_token {
        Some(token) => token,
        None => match read_first_line(&settings.data_dir.join("setup-token")) {
            Ok(token) => token,
            Err(error) => return Err(no_token(&client, &settings.data_dir, &error).await),
        },
    };
    let body = json!({
        "token": token,
        "organisation": args.organisation.unwrap_or(domain),
        "email": args.email,
        "display_name": args.name,
        "password": password,
    });
    let reply = client.post("/api/v1/setup", &body).await?;
    let person = &reply["person"];
    if args.json {
        return output::json(person);
    }
    let of = |field: &str| person[field].as_str().unwrap_or_default().to_owned();
    let facts = ["id", "email", "display_name", "role"].map(|field| (field, of(field)));
    output::text(&output::facts(&facts))?;
    output::note("Setup is done. Sign in with this e-mail address and the password.");
    Ok(())
}

/// Why there is no token: most often because it was used.
async fn no_token(client: &super::client::Client, data_dir: &Path, error: &io::Error) -> Error {
    match client.get("/api/v1/setup").await {
        Err(error) => error,
        Ok(reply) if reply["needed"] == false => {
            Error::refused("setup was done before; sign in instead (setup.done)")
        }
        Ok(_) => Error::refused(format!("there is no setup token in {}", data_dir.display()))
            .why(error.to_string())
            .next(
                "name the node's own data directory with --data-dir, or give the token that the \
                 node printed with --setup-token",
            ),
    }
}

fn password(path: &Path) -> Result<String, Error> {
    let read = match path.to_str() {
        Some("-") => first_line(io::stdin().lock()),
        _ => read_first_line(path),
    };
    let place = path.display();
    let next = "put the password into the file's first line";
    match read {
        Ok(line) if line.is_empty() => {
            Err(Error::refused(format!("the first line of {place} is empty")).next(next))
        }
        Ok(line) => Ok(line),
        Err(error) => {
            let what = format!("the password cannot be read from {place}");
            Err(Error::refused(what).why(error.to_string()).next(next))
        }
    }
}

fn read_first_line(path: &Path) -> io::Result<String> {
    first_line(File::open(path)?)
}

/// The first line without its end; blanks in it may belong to a password.
fn first_line(input: impl Read) -> io::Result<String> {
    let mut text = Vec::new();
    let length = input.take(SECRET_BYTES_MAX + 1).read_to_end(&mut text)?;
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.len() == length && length as u64 > SECRET_BYTES_MAX {
        return Err(io::Error::other(format!("it is longer than {SECRET_BYTES_MAX} bytes")));
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = std::str::from_utf8(line).map_err(|_| io::Error::other("it is not UTF-8 text"))?;
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_first_line_without_its_end() {
        for (given, wanted) in [
            ("secret", "secret"),
            ("secret\n", "secret"),
            ("secret\r\n", "secret"),
            (" two words \nnot this\n", " two words "),
            ("", ""),
            ("\nsecond", ""),
        ] {
            assert_eq!(first_line(given.as_bytes()).unwrap(), wanted, "{given:?}");
        }
        assert!(first_line(&b"\xff\n"[..]).is_err());
        let long = "x".repeat(SECRET_BYTES_MAX as usize);
        assert_eq!(first_line(long.as_bytes()).unwrap(), long);
        assert_eq!(first_line(format!("{long}\n").as_bytes()).unwrap(), long);
        assert!(first_line(format!("{long}x").as_bytes()).is_err());
        assert_eq!(first_line(format!("a\n{long}x").as_bytes()).unwrap(), "a");
    }
}
