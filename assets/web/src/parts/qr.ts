// What a QR code is drawn from: dark modules as one path, a unit each.
import { encode } from 'uqr';

// Light modules around it; with fewer of them scanners may not find it (ISO/IEC 18004).
const QUIET = 4;

export interface Modules {
  size: number;
  path: string;
}

// Null where the text is longer than any QR code; it is then for people to type.
export function modules(text: string): Modules | null {
  try {
    const { data, size } = encode(text, { ecc: 'M', border: QUIET });
    return { size, path: data.map(runs).join('') };
  } catch {
    return null;
  }
}

// Neighbours in a row are one rectangle, so that no hairline shows between them.
function runs(row: readonly boolean[], y: number): string {
  let path = '';
  for (let x = 0; x < row.length; x += 1) {
    if (!row[x]) continue;
    const from = x;
    while (row[x + 1]) x += 1;
    path += `M${from} ${y}h${x + 1 - from}v1h-${x + 1 - from}z`;
  }
  return path;
}
