import type { Command } from "commander";
import type { StrataCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { withRegistries } from "../registry-access.ts";
import { hub, registryNamed } from "../registry-name.ts";

export function define(command: StrataCommand, context: Context): Command {
  return command
    .usage("[SERVER]")
    .argument("[server]", "the registry: HOST[:PORT]", hub)
    .addHelpText(
      "after",
      "\nForgets the login that 'strata login' or 'docker login' keeps; a login of podman's stays.",
    )
    .examples("strata logout", "strata logout localhost:5000")
    .action(async (server: string) => await logout(context, await registryNamed(server)));
}

async function logout(context: Context, registry: string): Promise<void> {
  const { stdout, stderr, signal, options } = context;
  await withRegistries(context, async ({ credentials }) => {
    const removed = await credentials.erase(registry, signal);
    if (options.json) await stdout.json({ registry, removed });
    else {
      const message = removed ? `Removing login credentials for ${registry}` : `Not logged in to ${registry}`;
      await stdout.line(message);
    }
    if ((await credentials.find(registry, undefined, { signal })) === undefined) return;
    await stderr.line(`A login of podman's for ${registry} is left, and is used: podman logout ${registry}`);
  });
}
