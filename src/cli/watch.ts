import type { Session } from "./session.ts";
export async function watch(_session: Session, _options: { readonly services: readonly string[]; readonly up: boolean }): Promise<number> {
  return 0;
}
