import { InvalidArgumentError } from "commander";

/** Where a server listens. */
export interface ListenAddress {
  /** Empty for all that this machine has. */
  readonly address: string;
  readonly port: number;
}

/**
 * Read where to listen: `127.0.0.1:5000`, `[::1]:5000`, `:5000` for all addresses, as Go's programs take it, and `5000` for
 * this machine alone.
 * @throws InvalidArgumentError
 */
export function addressValue(text: string): ListenAddress {
  const match = /^(?:(\[[\da-f:.]+\]|[^\s:/[\]]*):)?(\d{1,5})$/i.exec(text);
  const [, address = "127.0.0.1", port] = match ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new InvalidArgumentError("Not an address with a port like 127.0.0.1:5000, [::1]:5000 or :5000.");
  }
  return { address: address.replace(/^\[|\]$/g, ""), port: Number(port) };
}
