/** The far end of a socket, played by the test; the real one is tried in the browser. */
export class Far {
  /** @type {any[]} */
  received = [];
  bufferedAmount = 0;
  closed = false;
  onopen = () => {};
  onclose = () => {};
  onmessage = (/** @type {{data: string}} */ _) => {};
  /** @param {string | ArrayBuffer} data */
  send(data) {
    this.received.push(typeof data === "string" ? JSON.parse(data) : readFrame(data));
  }
  close() {
    this.closed = true;
  }
  /** @param {object} message */
  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  accept() {
    this.onopen();
    this.say({ type: "ready", next_sample: 0 });
  }
}

/** @param {ArrayBuffer} data */
function readFrame(data) {
  const first = Number(new DataView(data).getBigUint64(0, true));
  return { first, pcm: [...new Int16Array(data.slice(8))] };
}

/** Waits until everything that waits for settled promises alone has run. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
