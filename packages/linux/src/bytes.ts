/**
 * A name, path, link target or attribute name as the kernel takes it. A string stands for its UTF-8 bytes; names
 * that are not UTF-8 need a Buffer.
 */
export type Bytes = Buffer | string;

// Linux's PATH_MAX, which counts the NUL. A longer path is for the kernel to refuse, so it must still get there.
const pathMax = 4096;

// Every call here is synchronous and each thread has its own copy of this module, so two scratch buffers (for the
// calls that take two paths) serve all calls without an allocation each.
const firstScratch = Buffer.allocUnsafeSlow(pathMax);
const secondScratch = Buffer.allocUnsafeSlow(pathMax);

/**
 * `value` with a NUL behind it, in a buffer that is valid until the next call.
 * @throws TypeError if `value` holds a NUL itself, since the kernel would silently cut it there
 */
export function cstring(value: Bytes): Buffer {
  return terminated(value, firstScratch);
}

/** As {@link cstring}, for the second path of a call. */
export function secondCstring(value: Bytes): Buffer {
  return terminated(value, secondScratch);
}

/** `bytes` as people see them, for messages and an error's `path`. */
export function display(bytes: Bytes): string {
  return typeof bytes === "string" ? bytes : bytes.toString();
}

function terminated(value: Bytes, scratch: Buffer): Buffer {
  return typeof value === "string" ? terminatedString(value, scratch) : terminatedBytes(value, scratch);
}

function terminatedString(value: string, scratch: Buffer): Buffer {
  if (value.includes("\0")) throw new TypeError(`a name must not hold a NUL: ${JSON.stringify(value)}`);
  // A UTF-16 unit becomes three UTF-8 bytes at most.
  const room = 3 * value.length + 1;
  const buffer = room <= scratch.length ? scratch : Buffer.allocUnsafe(room);
  buffer[buffer.write(value)] = 0;
  return buffer;
}

function terminatedBytes(value: Buffer, scratch: Buffer): Buffer {
  if (value.includes(0)) throw new TypeError(`a name must not hold a NUL: ${JSON.stringify(display(value))}`);
  const buffer = value.length < scratch.length ? scratch : Buffer.allocUnsafe(value.length + 1);
  buffer.set(value);
  buffer[value.length] = 0;
  return buffer;
}
