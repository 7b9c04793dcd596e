// Writes a .br and a .gz beside every text file of dist, so that the server compresses nothing at
// run time.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const DIST = new URL('../dist/', import.meta.url).pathname;
const TEXT = /\.(html|js|css|svg|webmanifest|json|txt)$/;
// Smaller files do not fit into fewer network packets, compressed or not.
const WORTHWHILE_BYTES = 512;

let plain = 0;
let gzip = 0;
let brotli = 0;
for (const file of files(DIST)) {
  if (!TEXT.test(file) || statSync(file).size < WORTHWHILE_BYTES) continue;
  const body = readFileSync(file);
  const gz = gzipSync(body, { level: 9 });
  const br = brotliCompressSync(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  });
  writeFileSync(`${file}.gz`, gz);
  writeFileSync(`${file}.br`, br);
  plain += body.length;
  gzip += gz.length;
  brotli += br.length;
}
console.log(`compressed: ${plain} bytes plain, ${gzip} gzip, ${brotli} brotli`);

function files(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(directory, entry.name)) : [join(directory, entry.name)],
  );
}
