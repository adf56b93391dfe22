import type { VolumesFrom } from "../../model/service.ts";
import { booleanOf, entry, itemsOf, type Node, textOf } from "../node.ts";
import { step } from "../path.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** `volumes_from`: `service[:ro]` or `container:name[:ro]`. */
export function readVolumesFrom(node: Node | undefined, scope: Scope): readonly VolumesFrom[] {
  return itemsOf(node).flatMap((item, index) => {
    const text = textOf(item) ?? "";
    const [, container, name = "", mode = "rw"] = /^(container:)?([^:]+)(?::(ro|rw))?$/.exec(text) ?? [];
    if (name !== "") return [{ from: container === undefined ? "service" : "container", name, readOnly: mode === "ro" } as const];
    refuse(scope, {
      place: item.place,
      message: `\`${step(`${scope.path}.volumes_from`, index)}\` is ${quote(text)}: it must name a service or a container`,
      hint: "service, service:ro, container:name or container:name:ro",
    });
    return [];
  });
}

/** There is no daemon that a container could be given the socket of. */
export function refuseApiSocket(service: Node, scope: Scope): void {
  const given = entry(service, "use_api_socket");
  if (given === undefined || booleanOf(given.value) === false) return;
  refuse(scope, {
    code: "E_API_SOCKET",
    place: given.place,
    message: `\`${scope.path}.use_api_socket\` asks for the socket of the Docker daemon: wharf has no daemon`,
    hint: "where Docker runs as well, bind mount /var/run/docker.sock",
  });
}
