import { createRequire } from "node:module";
import type {
  buildConnector as BuildConnector,
  Dispatcher as DispatcherType,
  Pool as PoolType,
} from "undici";

/**
 * The parts of undici that are needed. All of it (fetch, caches, WebSockets) takes 60 ms to load; these take 15. The
 * version is pinned, so the paths are too.
 */
const load = createRequire(import.meta.url);
export const Pool: typeof PoolType = load("undici/lib/dispatcher/pool.js");
export const buildConnector: typeof BuildConnector = load("undici/lib/core/connect.js");
const apiRequest: (
  this: DispatcherType,
  options: DispatcherType.RequestOptions,
) => Promise<DispatcherType.ResponseData> = load("undici/lib/api/api-request.js");

export type Pool = PoolType;
export type Connector = BuildConnector.connector;
export type RequestOptions = DispatcherType.RequestOptions;
export type ResponseData = DispatcherType.ResponseData;
export type ResponseBody = ResponseData["body"];

/** One request on a pool's next free connection. */
export function requestOn(pool: Pool, options: RequestOptions): Promise<ResponseData> {
  return apiRequest.call(pool, options);
}
