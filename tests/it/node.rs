//! The real binary on a directory of its own, on a port that the system chose.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tempfile::TempDir;

use crate::api::Api;
use crate::deadline::PATIENCE;

/// A node that runs, or could.
pub(crate) struct Node {
    dir: TempDir,
    /// What the binary is started by, if not directly.
    within: Vec<String>,
    args: Vec<String>,
    address: SocketAddr,
    running: Option<Running>,
}

struct Running {
    child: Child,
    /// Behind a lock only so that the node can be shared between tests.
    stdout: Mutex<Receiver<String>>,
    stderr: Arc<Mutex<String>>,
    stderr_ends: Option<JoinHandle<()>>,
    guard: Guard,
}

/// A shell that kills the node if this test process ends without saying so.
struct Guard {
    child: Child,
    line: Option<ChildStdin>,
}

/// The binary, with no setting of this shell in its way.
pub(crate) fn greenroom() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| name.starts_with("GREENROOM_"));
        if ours {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end with this on its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // In a thread, because a program that answers while it reads would otherwise fill its pipe.
    let writing = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    output
}

/// The address in the line with which a node says that it is ready.
fn address_in(line: &str) -> Option<SocketAddr> {
    let url = line.strip_prefix("listening ")?;
    url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?.parse().ok()
}

impl Node {
    /// A node on an empty directory.
    pub(crate) fn start() -> Node {
        Node::start_with(&["--listen", "127.0.0.1:0"])
    }

    /// The same with this after `serve`.
    pub(crate) fn start_with(args: &[&str]) -> Node {
        let mut node = Node::new(args);
        node.restart();
        node
    }

    fn new(args: &[&str]) -> Node {
        let dir = TempDir::with_prefix("greenroom-it-").unwrap();
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Node { dir, within: Vec::new(), args, address, running: None }
    }

    /// The same, started by another program and listening elsewhere.
    pub(crate) fn start_in(within: &[String], listen: &str) -> Node {
        let mut node = Node::new(&["--listen", listen]);
        node.within = within.to_vec();
        node.restart();
        node
    }

    /// A new node of the cluster that this node is in.
    pub(crate) fn join(member: &Node) -> Node {
        Node::join_in(member, &[], "127.0.0.1:0")
    }

    /// The same, started by another program and listening elsewhere.
    pub(crate) fn join_in(member: &Node, within: &[String], listen: &str) -> Node {
        let token = run(member.command().args(["cluster", "token"]), b"");
        assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
        let token = String::from_utf8(token.stdout).unwrap();
        let mut node = Node::new(&["--listen", listen]);
        node.within = within.to_vec();
        let url = format!("http://{}", member.address);
        let join = ["cluster", "join", &url, "--token", token.trim()];
        let joined = run(node.command().args(join), b"");
        assert!(joined.status.success(), "{}", String::from_utf8_lossy(&joined.stderr));
        node.restart();
        node
    }

    /// A node on a data directory that was filled before; it is not started.
    pub(crate) fn on(fill: impl FnOnce(&Path)) -> Node {
        let dir = TempDir::with_prefix("greenroom-it-").unwrap();
        let args = ["--listen", "127.0.0.1:0"].map(str::to_owned).to_vec();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let node = Node { dir, within: Vec::new(), args, address, running: None };
        std::fs::create_dir(node.data_dir()).unwrap();
        fill(&node.data_dir());
        node
    }

    /// A node on an empty directory, started by another program, which is told the directory.
    pub(crate) fn start_within(within: impl FnOnce(&Path) -> Vec<String>) -> Node {
        let mut node = Node::on(|_| {});
        node.within = within(&node.data_dir());
        node.restart();
        node
    }

    /// Starts it from now on by another program, or directly.
    pub(crate) fn set_within(&mut self, within: &[&str]) {
        self.within = within.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Starts it again; gives the exit code and the words with which it refused.
    pub(crate) fn try_restart(&mut self) -> Result<(), (i32, String)> {
        assert!(self.running.is_none(), "stop it before it is started again");
        let mut running =
            Running::start(self.data_dir(), self.dir.path(), &self.within, &self.args);
        match running.next_line() {
            Ok(line) => {
                self.address = address_in(&line).unwrap();
                self.running = Some(running);
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => panic!("neither up nor down:\n{}", running.stderr()),
            Err(RecvTimeoutError::Disconnected) => {
                let code = running.child.wait().unwrap().code().expect("it was not killed");
                running.stderr_ends.take().unwrap().join().unwrap();
                Err((code, running.stderr()))
            }
        }
    }

    /// Starts it again on the same directory, after it was stopped or killed.
    pub(crate) fn restart(&mut self) {
        self.restart_without_waiting();
        self.wait_until_up();
    }

    /// The same, for nodes that need each other to come up.
    pub(crate) fn restart_without_waiting(&mut self) {
        assert!(self.running.is_none(), "stop it before it is started again");
        self.running =
            Some(Running::start(self.data_dir(), self.dir.path(), &self.within, &self.args));
    }

    /// Waits for its `listening` line.
    pub(crate) fn wait_until_up(&mut self) {
        let running = self.running.as_ref().expect("it was started");
        let line = match running.next_line() {
            Ok(line) => line,
            Err(why) => panic!("no `listening` line ({why}); stderr:\n{}", running.stderr()),
        };
        let wrong = || panic!("not the line that was promised: {line:?}");
        self.address = address_in(&line).unwrap_or_else(wrong);
    }

    /// Stops it in its tracks, as a host that is short of everything does.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let running = self.running.as_ref().expect("it runs");
        let kill = format!("kill -{name} {}", running.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Where everything durable lies.
    pub(crate) fn data_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    /// Where it listens now.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How much memory it holds, in KiB.
    #[allow(dead_code, reason = "the bench beside these tests reads it")]
    pub(crate) fn resident_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    /// How much memory it has held at most, in KiB.
    #[allow(dead_code, reason = "only the tests read it")]
    pub(crate) fn peak_kib(&self) -> u64 {
        self.status_kib("VmHWM:")
    }

    fn status_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// A client that nobody knows.
    pub(crate) fn api(&self) -> Api {
        Api::new(self.address)
    }

    /// The one-time token, from where an operator would read it.
    pub(crate) fn setup_token(&self) -> String {
        let token = std::fs::read_to_string(self.data_dir().join("setup-token")).unwrap();
        token.trim().to_owned()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.running.as_ref().expect("it runs").child.id()
    }

    /// Whether it runs.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// What it has said on stderr.
    pub(crate) fn stderr(&self) -> String {
        self.running.as_ref().map(Running::stderr).unwrap_or_default()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.child.kill().unwrap();
            running.child.wait().unwrap();
        }
    }

    /// Asks it to stop, without waiting.
    pub(crate) fn ask_to_stop(&self) {
        self.signal("TERM");
    }

    /// Waits until it has ended and gives its exit code.
    pub(crate) fn wait(&mut self) -> i32 {
        let mut running = self.running.take().expect("it runs");
        // Its end closes its stdout.
        match running.next_line() {
            Err(RecvTimeoutError::Disconnected) => {}
            other => panic!("it goes on instead of ending: {other:?}\n{}", running.stderr()),
        }
        running.child.wait().unwrap().code().expect("it was not killed")
    }

    /// Asks it to stop and waits for its exit code.
    pub(crate) fn terminate(&mut self) -> i32 {
        self.ask_to_stop();
        self.wait()
    }

    /// A command for this node's directory.
    pub(crate) fn command(&self) -> Command {
        let mut command = greenroom();
        command.current_dir(self.dir.path()).arg("--data-dir").arg(self.data_dir());
        command
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(running) = &self.running
        {
            eprintln!("the node's stderr:\n{}", running.stderr());
        }
        self.kill();
    }
}

impl Running {
    fn start(
        data_dir: std::path::PathBuf,
        dir: &Path,
        within: &[String],
        args: &[String],
    ) -> Running {
        let mut command = greenroom();
        if let [program, words @ ..] = within {
            let binary = command.get_program().to_owned();
            command = Command::new(program);
            command.args(words).arg(binary);
        }
        let mut child = command
            .current_dir(dir)
            .arg("--data-dir")
            .arg(data_dir)
            .arg("serve")
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let guard = Guard::over(child.id(), dir);
        let (tell, stdout) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Nobody listens any more once the node is dropped.
                let _ = tell.send(line);
            }
        });
        let stderr = Arc::new(Mutex::new(String::new()));
        let kept = stderr.clone();
        let mut pipe = child.stderr.take().unwrap();
        let stderr_ends = Some(std::thread::spawn(move || {
            let mut chunk = [0; 4_096];
            while let Ok(n @ 1..) = pipe.read(&mut chunk) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..n]));
            }
        }));
        Running { child, stdout: Mutex::new(stdout), stderr, stderr_ends, guard }
    }

    fn next_line(&self) -> Result<String, RecvTimeoutError> {
        self.stdout.lock().unwrap().recv_timeout(PATIENCE)
    }

    fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whatever still runs here was neither waited for nor killed: a test has failed.
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.guard.dismiss();
    }
}

impl Guard {
    fn over(id: u32, dir: &Path) -> Guard {
        let script = r#"read -r _ || { kill -9 "$0"; rm -rf "$1"; }"#;
        let mut child = Command::new("sh")
            .args(["-c", script, &id.to_string()])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Guard { line: child.stdin.take(), child }
    }

    fn dismiss(&mut self) {
        if let Some(mut line) = self.line.take() {
            let _ = line.write_all(b"done\n");
        }
        let _ = self.child.wait();
    }
}
