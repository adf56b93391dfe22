import { DEFAULT_DETACH_KEYS, parseDetachKeys } from "../lib/detach-keys.ts";
import { Failure } from "../model/diagnostic.ts";

/** The bytes that `--detach-keys` asks for, Docker's own without it. Throws E_USAGE. */
export function detachKeys(text: string | undefined): readonly number[] {
  const keys = parseDetachKeys(text === undefined || text === "" ? DEFAULT_DETACH_KEYS : text);
  if (keys !== null) return keys;
  throw new Failure({
    code: "E_USAGE",
    message: `--detach-keys ${text}: no such keys`,
    hint: "keys with commas between them, each a character or ctrl- with a letter or one of @[\\]^_, such as ctrl-p,ctrl-q",
  });
}
