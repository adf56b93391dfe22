export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One text for equal values: keys sorted by code unit, no white space. Undefined members are not allowed. */
export function canonical(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonical).join(",")}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(",")}}`;
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
