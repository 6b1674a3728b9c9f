/** The registry of those who name none. */
export const hub = "docker.io";

/**
 * The registry that a person names, in whichever way: `localhost:5000`, `http://localhost:5000`,
 * `https://index.docker.io/v1/`.
 * @returns the host, as references name it
 */
export async function registryNamed(text: string): Promise<string> {
  const [{ registryHost }, { parseName }] = await Promise.all([
    import("@strata/registry"),
    import("@strata/store"),
  ]);
  const host = registryHost(text);
  try {
    if (parseName(`${host}/name`).registry === host) return host;
  } catch {
    // Said below; what was written may hold a password, as URLs can.
  }
  throw new Error("this names no registry: expected HOST[:PORT], such as quay.io or localhost:5000");
}
