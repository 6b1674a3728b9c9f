export type { GuardOptions } from "./auth/guard.ts";
export type { ObserverOptions, RequestRecord } from "./http/request-listener.ts";
export type { CloseOptions, RegistryServer } from "./registry-server.ts";
export { type ServeOptions, serve } from "./serve.ts";
