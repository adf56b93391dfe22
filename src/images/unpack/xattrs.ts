/** Which extended attributes an image may set. */

/**
 * Capabilities of programs, access lists, and what users keep there. Never overlayfs' own names, which would forge whiteouts and redirects,
 * and never labels of the machine's security modules.
 */
export function isAllowedXattr(name: string): boolean {
  if (name === "security.capability" || name === "system.posix_acl_access" || name === "system.posix_acl_default") return true;
  return name.startsWith("user.") && !name.startsWith("user.overlay.");
}

/** Whether an image can do without: a file system without attributes, or a kind of file that cannot have a user's. */
export function isIgnorable(error: unknown, name: string): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOTSUP" || (code === "EPERM" && name.startsWith("user."));
}
