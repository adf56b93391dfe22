import { NO_DEVICES } from "./devices.ts";
import { USUAL_ISOLATION } from "./isolation.ts";
import { DEFAULT_ATTACHMENTS } from "./network.ts";
import { NO_LIMITS } from "./resources.ts";
import type { Service } from "./service.ts";
import { USUAL_UPDATE } from "./update.ts";

/** What services have got over time: a service that an earlier wharf wrote down is read as one that says nothing of it. */
export const ADDITIONS: Partial<Service> = {
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  domainname: null,
  links: [],
  macAddress: null,
  networkMode: null,
  networks: DEFAULT_ATTACHMENTS,
  healthcheck: null,
  logging: null,
  resources: NO_LIMITS,
  isolation: USUAL_ISOLATION,
  devices: NO_DEVICES,
  configs: [],
  secrets: [],
  pin: null,
  update: USUAL_UPDATE,
  rollback: null,
};
