//! stub until the real one is here
use super::exit::Error;
/// stub
#[derive(clap::Args)]
pub struct Args {}
pub(super) async fn run(_args: Args) -> Result<(), Error> { Err(Error::fault("not here yet")) }
