import { type Command, Option } from "commander";

/**
 * Let `command` take docker's `--disable-content-trust`, which asks for what is the case anyway. Whoever asks for the
 * opposite must not believe to have got it.
 */
export function addContentTrustOption(command: Command): void {
  const off = "--no-disable-content-trust";
  command
    .option("--disable-content-trust", "accepted, as docker does: signatures are not looked at")
    .addOption(new Option(off).hideHelp())
    .on(`option:${off.slice(2)}`, () => command.error("signatures of images cannot be verified here"));
}
