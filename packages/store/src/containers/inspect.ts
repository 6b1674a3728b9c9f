import type { StoreContext } from "../content/context.ts";
import { dockerConfig, graphDriver } from "../images/docker-shape.ts";
import { resolveImage } from "../images/resolve.ts";
import { zeroTime } from "../images/times.ts";
import { openContainer } from "./snapshot.ts";

/**
 * A container in the shape of `docker container inspect`.
 * @throws StrataError `NotFound`, "No such container: x"
 */
export async function inspectContainer(context: StoreContext, idOrName: string): Promise<object> {
  const { record, snapshot } = await openContainer(context, idOrName);
  const image = await resolveImage(context, record.imageId);
  const mountedAt = await snapshot.mountedAt();
  const settings = image.config.config ?? {};
  const [path = "", ...args] = record.command;
  return {
    Id: record.id,
    Created: record.created,
    Path: path,
    Args: args,
    State: {
      Status: "created",
      Running: false,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 0,
      ExitCode: 0,
      Error: "",
      StartedAt: zeroTime,
      FinishedAt: zeroTime,
    },
    Image: record.imageId,
    Name: `/${record.name}`,
    RestartCount: 0,
    Driver: record.driver,
    Platform: image.config.os,
    GraphDriver: graphDriver(record.driver, snapshot.layout(), mountedAt),
    Mounts: [],
    Config: dockerConfig({
      ...settings,
      Cmd: record.command.slice(settings.Entrypoint?.length ?? 0),
      Image: record.image,
      Labels: { ...settings.Labels, ...record.labels },
    }),
  };
}
