import type { RegistryPeer } from "../../peers/registry-peer.ts";
import {
  blobPushingPeers,
  compressingPeers,
  pullingPeers,
  type RegistryPeers,
} from "../../peers/registry-peers.ts";
import { Resources } from "../../resources.ts";
import type { Operation, Trial, TrialContext } from "../../workload.ts";
import { StrataStore } from "../strata-store.ts";
import { openTrial } from "../trial.ts";
import { startOfNode } from "../whole-image.ts";
import { TrialRegistry } from "./trial-registry.ts";

/** Into a store that is new and empty each time. */
export function pullTrial(context: TrialContext): Promise<Trial> {
  const durable = context.parameters["durable"] === true;
  return openTrial(async (held) => {
    const { reference, work } = held.use(await TrialRegistry.start(context));
    const turn = held.use(new Resources());
    let empty: RegistryPeer;
    const pull: Operation = {
      name: "pull",
      work,
      before: async () => {
        empty = turn.use(await openStore(context, pullingPeers, durable));
      },
      run: () => empty.pull(reference),
      after: () => turn[Symbol.asyncDispose](),
    };
    return [pull];
  });
}

/** What the store has already. Beside it, what it costs to start Node. */
export function pullAgainTrial(context: TrialContext): Promise<Trial> {
  const { subject } = context;
  const name = "pull again";
  return openTrial(async (held) => {
    if (subject.id === "node") return [startOfNode(name, context)];
    const registry = held.use(await TrialRegistry.start(context));
    const store = held.use(await openStore(context, pullingPeers));
    await store.pull(registry.reference);
    let requests = 0;
    const pull: Operation = {
      name,
      before: async () => {
        requests = await registry.requests();
      },
      run: () => store.pull(registry.reference),
      after: async () => {
        requests = (await registry.requests()) - requests;
        if (subject.kind === "driver" && requests !== 1)
          throw new Error(`an unchanged image was pulled with ${requests} requests, not with one`);
      },
    };
    return [pull];
  });
}

/** To a registry that is empty each time. */
export function pushTrial(context: TrialContext): Promise<Trial> {
  const { subject, parameters } = context;
  const peers = parameters["compresses"] === true ? compressingPeers : blobPushingPeers;
  const keepsBlobs = subject.kind === "driver" || peers === blobPushingPeers;
  return openTrial(async (held) => {
    const registry = held.use(await TrialRegistry.start(context));
    const store = held.use(await openStore(context, peers));
    await store.pull(registry.reference);
    const pulled = await registry.digest();
    const push: Operation = {
      name: "push",
      work: registry.work,
      before: () => registry.clear(),
      run: () => store.push(registry.reference),
      after: async () => {
        const pushed = await registry.digest();
        if (pushed === undefined) throw new Error("nothing was pushed");
        if (keepsBlobs && pushed !== pulled) throw new Error(`${pulled} was pushed as ${pushed}`);
      },
    };
    return [push];
  });
}

async function openStore(context: TrialContext, peers: RegistryPeers, durable = true): Promise<RegistryPeer> {
  const { subject, directory, signal } = context;
  if (subject.kind === "driver") return new StrataStore(context, subject, durable);
  const open = peers.get(subject.id);
  if (open === undefined) throw new TypeError(`${subject.id} does not do that with registries`);
  return await open(directory, signal);
}
