// The browser's WebSocket in the shape that the connection wants.
import type { Socket } from './connection.ts';

const PROTOCOL = 'greenroom.v1';

export function browserSocket(path: string): Socket {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const raw = new WebSocket(url, [PROTOCOL]);
  const socket: Socket = {
    send: (text) => {
      if (raw.readyState === WebSocket.OPEN) raw.send(text);
    },
    close: () => raw.close(),
    onopen: null,
    onmessage: null,
    onclose: null,
  };
  raw.onopen = () => socket.onopen?.();
  raw.onmessage = (event) => socket.onmessage?.(String(event.data));
  raw.onclose = (event) => socket.onclose?.(event.code, event.reason);
  return socket;
}
