import { createHash, randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { errnoCode, StrataError } from "@strata/core";
import { compare } from "bcryptjs";

/** `$2y$`, as Apache's htpasswd writes, and its brothers: cost, salt and hash. */
const bcryptForm = /^\$2[aby]\$\d{2}\$[./A-Za-z0-9]{53}$/;

/** Passwords that may wait to be looked at, and that are remembered. */
const maxWaiting = 100;
const maxRemembered = 1000;

/** Somebody else's: so it takes as long to hear that there is no such user as that the password is wrong. */
const nobody = "$2b$10$eZ630sGx8HtRQWxGmfALou29DKRejDhJndyqd44a4h71SCHw16rdy";

/**
 * Users and the bcrypt hashes of their passwords, as Apache's `htpasswd -B` keeps them. The file is read again when it
 * was changed; while it cannot be, since it is just being written perhaps, those that it had before stay.
 *
 * To check a password takes a tenth of a second of a processor by design: it is done once for each, and one after the
 * other; those found right are remembered, by a hash of their own.
 */
export class Htpasswd {
  readonly #path: string;
  readonly #onError: (error: unknown) => void;
  readonly #salt = randomBytes(32);
  #users: ReadonlyMap<string, string>;
  #version: string;
  /** The version that could not be read, of which somebody was told. */
  #told: string | undefined;
  #checks = new Map<string, Promise<boolean>>();
  #waiting = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, read: UsersFile, onError: (error: unknown) => void) {
    this.#path = path;
    this.#users = read.users;
    this.#version = read.version;
    this.#onError = onError;
  }

  /**
   * @param onError - told once of each later version of the file that cannot be read
   * @throws StrataError `NotFound`; `InvalidArgument`, if there is a line that is not one of bcrypt
   */
  static async open(path: string, onError: (error: unknown) => void): Promise<Htpasswd> {
    // In this order: what is changed between them is read again.
    const version = await versionOf(path);
    return new Htpasswd(path, { version, users: await readUsers(path) }, onError);
  }

  /**
   * Whether somebody is who they say.
   * @throws StrataError `Busy`, if too many ask at once
   */
  async verify(user: string, password: string): Promise<boolean> {
    await this.#refresh();
    const key = createHash("sha256").update(this.#salt).update(`${user}:${password}`).digest("base64");
    const known = this.#checks.get(key);
    if (known !== undefined) return await known;
    if (this.#waiting >= maxWaiting)
      throw new StrataError("Busy", "too many logins at once; try again later");
    if (this.#checks.size >= maxRemembered) this.#checks.clear();
    const checks = this.#checks;
    const check = this.#inTurn(async () => {
      const hash = this.#users.get(user);
      return (await compare(password, hash ?? nobody)) && hash !== undefined;
    });
    checks.set(key, check);
    const isRight = await check.catch((error) => {
      checks.delete(key);
      throw error;
    });
    if (!isRight) checks.delete(key);
    return isRight;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #refresh(): Promise<void> {
    const version = await versionOf(this.#path);
    if (version !== this.#version) {
      try {
        this.#users = await readUsers(this.#path);
      } catch (error) {
        this.#tell(version, error);
        return;
      }
      this.#version = version;
      this.#checks = new Map();
    }
    this.#told = undefined;
  }

  #tell(version: string, error: unknown): void {
    if (version === this.#told) return;
    this.#told = version;
    const why = error instanceof Error ? error.message : String(error);
    const message = `${why}; until this is mended, the users it had before are let in`;
    this.#onError(new StrataError("FailedPrecondition", message, { cause: error }));
  }
}

interface UsersFile {
  readonly version: string;
  readonly users: ReadonlyMap<string, string>;
}

/** What is another one after each change. */
async function versionOf(path: string): Promise<string> {
  try {
    const { mtimeNs, ino, size } = await stat(path, { bigint: true });
    return `${mtimeNs} ${ino} ${size}`;
  } catch {
    return "none";
  }
}

async function readUsers(path: string): Promise<Map<string, string>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (errnoCode(cause) !== "ENOENT") throw cause;
    throw new StrataError("NotFound", `${path}: there is no such file; htpasswd -B -c makes it`, { cause });
  }
  const users = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const colon = line.indexOf(":");
    const [user, hash] = [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim()];
    if (user === "" || !bcryptForm.test(hash)) {
      throw new StrataError(
        "InvalidArgument",
        `${path}: line ${index + 1}${user && ` (${user})`}: expected a user and a bcrypt hash, as htpasswd -B writes them`,
      );
    }
    users.set(user, hash);
  }
  if (users.size > 0) return users;
  throw new StrataError("InvalidArgument", `${path}: there is no user in it; htpasswd -B adds one`);
}
