import { Failure } from "../../model/diagnostic.ts";

/** Who a container's process is. */
export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  /** Every group, the primary one first. */
  readonly additionalGids: readonly number[];
  /** From the matched line of /etc/passwd, else `/`. */
  readonly home: string;
  /** From the matched line of /etc/passwd, or `null`: the number has no name there. */
  readonly name: string | null;
}

/** Texts of the image's own files, `null` where it has none. */
export interface UserFiles {
  readonly passwd: string | null;
  readonly group: string | null;
  /** Named when something cannot be found in it. */
  readonly image: string;
  /** Further groups (`group_add`), names or numbers. */
  readonly groupAdd?: readonly string[];
}

/** Most bytes of /etc/passwd and /etc/group that are looked at. */
export const USER_FILE_LIMIT = 4 * 1024 * 1024;

/**
 * Looks up `user[:group]` (`null` or empty: root) as Docker does. A number is a number, never looked up as a name, and needs no entry;
 * a name needs one. The first matching line wins. Groups that list the user are joined only when no group is given.
 * Throws E_USER_UNKNOWN.
 */
export function resolveUser(spec: string | null, files: UserFiles): ContainerUser {
  const { user, group } = split(spec ?? "");
  const account = findAccount(user, files);
  const gid = group === "" ? (account.entry?.gid ?? 0) : findGroup(group, files);
  const supplementary = group === "" && account.entry !== null ? groupsOf(account.entry.name, files) : [];
  const added = (files.groupAdd ?? []).map((name) => findGroup(name, files));
  return {
    uid: account.uid,
    gid,
    additionalGids: [...new Set([gid, ...supplementary, ...added])],
    home: account.entry?.home || "/",
    name: account.entry?.name ?? null,
  };
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** The most that Docker takes; the kernel's own limit is higher. */
const MOST_ID = 2 ** 31 - 1;

function split(spec: string): { readonly user: string; readonly group: string } {
  const at = spec.indexOf(":");
  return at === -1 ? { user: spec, group: "" } : { user: spec.slice(0, at), group: spec.slice(at + 1) };
}

function findAccount(user: string, files: UserFiles): { readonly uid: number; readonly entry: Account | null } {
  const uid = user === "" ? 0 : parseId(user);
  for (const entry of accounts(files.passwd)) if (uid === null ? entry.name === user : entry.uid === uid) return { uid: entry.uid, entry };
  if (uid === null) throw unknown("user", user, files.image);
  return { uid, entry: null };
}

function findGroup(group: string, files: UserFiles): number {
  const gid = parseId(group);
  if (gid !== null) return gid;
  for (const entry of groups(files.group)) if (entry.name === group) return entry.gid;
  throw unknown("group", group, files.image);
}

function groupsOf(name: string, files: UserFiles): readonly number[] {
  return [...groups(files.group)].filter(({ members }) => members.includes(name)).map(({ gid }) => gid);
}

/** Lines whose numbers are no numbers are passed over: taken as 0 they would be root's. */
function* accounts(passwd: string | null): Generator<Account> {
  for (const line of (passwd ?? "").split("\n")) {
    const [name = "", , uidText = "", gidText = "", , home = ""] = line.trim().split(":");
    const uid = parseId(uidText);
    const gid = parseId(gidText);
    if (name !== "" && uid !== null && gid !== null) yield { name, uid, gid, home };
  }
}

function* groups(text: string | null): Generator<Group> {
  for (const line of (text ?? "").split("\n")) {
    const [name = "", , gidText = "", members = ""] = line.trim().split(":");
    const gid = parseId(gidText);
    if (name !== "" && gid !== null) yield { name, gid, members: members.split(",") };
  }
}

function parseId(text: string): number | null {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : null;
  return id !== null && id <= MOST_ID ? id : null;
}

function unknown(what: "user" | "group", name: string, image: string): Failure {
  const file = what === "user" ? "/etc/passwd" : "/etc/group";
  const tooLarge = /^\d+$/.test(name);
  return new Failure({
    code: "E_USER_UNKNOWN",
    message: tooLarge
      ? `${what} ${name} is out of range (0 to ${MOST_ID})`
      : `image ${image} has no ${what} ${JSON.stringify(name)} in its ${file}`,
    hint: `give a number (user: "1000:1000"), which needs no entry there, or use an image that has the ${what}`,
  });
}
