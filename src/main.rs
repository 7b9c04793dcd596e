//! The program: reads the command line, runs the command, ends with its exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    greenroom::telemetry::crash_on_panic();
    let cli = greenroom::cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("greenroom: the operating system gives no threads: {error}");
            return ExitCode::from(4);
        }
    };
    let exit = runtime.block_on(greenroom::cli::run(cli));
    // What still waits for a disk or a name must not keep the process.
    runtime.shutdown_background();
    exit.into()
}
