// The built binary as a child process: started on an empty directory, killed without warning,
// started again.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

// A cold start takes well under a second; a machine under load may take many.
const READY_MS = 30_000;

export class Server {
  constructor(settings = {}) {
    this.settings = settings;
    const binary = process.env.GREENROOM_BIN;
    if (!binary) throw new Error('set GREENROOM_BIN to the path of the built binary');
    this.binary = binary;
    this.data = mkdtempSync(join(tmpdir(), 'greenroom-browser-'));
    this.url = null;
    this.stderr = '';
  }

  // Resolves when the node says that it answers. After the first time it takes the same port again.
  async start() {
    const listen = this.url ? new URL(this.url).host : '127.0.0.1:0';
    // The port after it may be taken while the server is down, by any connection of this machine.
    const cluster = ['--cluster-listen', '127.0.0.1:0'];
    const args = ['--data-dir', this.data, 'serve', '--listen', listen, ...cluster];
    // A walk through the pages, each in several sizes, is more than one person does in a minute.
    const env = { RATE_LIMIT_ENABLED: 'false' };
    // The server refuses settings that it does not know, such as the tests' own.
    for (const [name, value] of Object.entries(process.env)) {
      if (!name.startsWith('GREENROOM_')) env[name] ??= value;
    }
    Object.assign(env, this.settings);
    const child = spawn(this.binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    child.stderr.on('data', (chunk) => (this.stderr += chunk));
    this.url = await new Promise((ready, failed) => {
      const late = setTimeout(
        () => failed(new Error(`not ready in time\n${this.stderr}`)),
        READY_MS,
      );
      const over = (why) => {
        clearTimeout(late);
        failed(why);
      };
      child.once('error', over);
      child.once('exit', (code) => over(new Error(`exit code ${code}\n${this.stderr}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const found = /^listening (https?:\/\/\S+)$/.exec(line);
        if (!found) return;
        clearTimeout(late);
        ready(found[1]);
      });
    });
    child.removeAllListeners('exit');
    return this.url;
  }

  // SIGKILL: no farewell, no flush. Resolves when the process is gone.
  async kill() {
    await this.end('SIGKILL');
  }

  // SIGTERM: sockets hear goodbye first. Resolves when the process is gone.
  async stop() {
    await this.end('SIGTERM');
  }

  async end(signal) {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await gone;
  }

  setupLink() {
    const found = /https?:\/\/\S+\/setup#\S+/.exec(this.stderr);
    if (!found) throw new Error(`no setup link in what the server said:\n${this.stderr}`);
    return found[0];
  }

  async remove() {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }
}
